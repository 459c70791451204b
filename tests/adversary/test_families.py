"""Families: same seed same requests, the right laws, the exact worst cases, clear refusals."""

import csv
import math
import tomllib
from collections import Counter
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversary.workloads import measured
from adversary.workloads.families import family, workload, workload_names
from adversary.workloads.family import SIZE_LIMIT
from adversary.workloads.lognormal import mixture_cdf, quantile
from adversary.workloads.overload import pool_survives_a_class, requests_to_overload
from adversary.workloads.traces import read_trace
from theory.model import InputError, System, imbalance

RANDOM = [n for n in workload_names() if n not in ("fcfs-worst", "refill-tight")]


@pytest.mark.parametrize("name", workload_names())
def test_same_seed_same_requests(name):
    first = workload(name, 500, 7)
    assert len(first) == 500
    assert first == workload(name, 500, 7)
    assert family(name).text


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_other_requests(name):
    assert workload(name, 500, 7) != workload(name, 500, 8)


def test_uniform_is_uniform():
    sizes = workload("uniform", 60_000, 1, a=3, b=8).prefill
    counts = np.bincount(sizes, minlength=9)[3:]
    assert counts.sum() == 60_000
    # Each count is binomial(60000, 1/6): five standard deviations are 456.
    assert np.abs(counts - 10_000).max() < 5 * math.sqrt(60_000 * 5 / 36)


def test_two_point_mixes_with_q():
    sizes = workload("two-point", 40_000, 1, a=2, b=9, q=0.25).prefill
    assert set(sizes.tolist()) == {2, 9}
    assert abs((sizes == 9).sum() - 10_000) < 5 * math.sqrt(40_000 * 3 / 16)


def test_truncated_lognormal_is_the_conditional_law():
    sizes = workload("lognormal", 40_000, 1, a=100, b=1000, median=300.0, sigma=0.8).prefill
    assert sizes.min() >= 100
    assert sizes.max() <= 1000

    def phi(k: float) -> float:
        return (1 + math.erf(math.log(k / 300) / 0.8 / math.sqrt(2))) / 2

    for k in (150, 300, 600):
        expected = (phi(k + 0.5) - phi(99.5)) / (phi(1000.5) - phi(99.5))
        assert abs((sizes <= k).mean() - expected) < 5 * math.sqrt(0.25 / 40_000)


def test_lengths_geometric_or_equal():
    decode = workload("uniform", 40_000, 3, p=0.1).decode
    # Mean 1/p = 10, variance (1-p)/p^2 = 90.
    assert abs(decode.mean() - 10) < 5 * math.sqrt(90 / 40_000)
    assert abs((decode == 1).mean() - 0.1) < 5 * math.sqrt(0.09 / 40_000)
    assert set(workload("burst-like", 50, 3, length=6).decode.tolist()) == {6}
    assert workload("burst-like", 50, 3, length=6).prefill.tolist() == (
        workload("burst-like", 50, 3).prefill.tolist()
    )


def _ks(a: np.ndarray, b: np.ndarray) -> float:
    grid = np.union1d(a, b)
    at = [np.searchsorted(np.sort(x), grid, side="right") / x.size for x in (a, b)]
    return float(np.abs(at[0] - at[1]).max())


@pytest.mark.parametrize(
    ("name", "file", "prompt_ks", "output_ks"),
    [
        (
            "azure2023-code",
            "azure-2023-code/AzureLLMInferenceTrace_code.csv.gz",
            0.0295,
            0.0217,
        ),
        ("azure2023-conv", "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz", 0.115, 0.0288),
        (
            "mooncake-conversation",
            "mooncake-conversation/conversation_trace.jsonl.gz",
            0.027,
            0.0108,
        ),
    ],
)
def test_fits_are_as_close_to_their_traces_as_they_say(traces, name, file, prompt_ks, output_ks):
    real = read_trace(traces / file).requests
    drawn = workload(name, 40_000, 5)
    # 0.03: sampling noise of 40,000 draws (0.01 is already beyond the 99.9 % point) and the
    # truncation at the observed maximum.
    assert _ks(real.prefill, drawn.prefill) < prompt_ks + 0.03
    assert _ks(real.decode, drawn.decode) < output_ks + 0.03


def test_copula_ties_the_lengths():
    drawn = workload("mooncake-synthetic", 40_000, 5)
    ranks = [np.argsort(np.argsort(x, kind="stable")) for x in (drawn.prefill, drawn.decode)]
    spearman = np.corrcoef(*ranks)[0, 1]
    # copula_rho = 2 sin(pi * spearman / 6) = -0.534 was computed from spearman = -0.517.
    assert abs(spearman + 0.517) < 0.02


def test_histogram_families_match_the_published_facts():
    burst = workload("burst-like", 40_000, 2)
    # 46 % of the outputs of that sample are exactly 7 tokens, and its largest prompt is 14,117,
    # in the bin 13778..16383.
    assert abs((burst.decode == 7).mean() - 0.46) < 0.02
    assert burst.prefill.max() <= 16_383
    longbench = workload("longbench-like", 40_000, 2)
    assert abs((longbench.prefill > 131_072).mean() - 0.38) < 0.02
    assert abs(longbench.decode.mean() - 37) < 1.5


def test_fcfs_worst_gives_one_worker_all_the_large_sizes():
    G, B, a, b = 4, 3, 2, 11
    sizes = workload("fcfs-worst", 2 * G * B, 0, workers=G, slots=B, a=a, b=b).prefill
    for filled in sizes.reshape(2, G, B):  # FCFS fills worker 0 first
        assert imbalance(filled.sum(axis=1)) == (G - 1) * B * (b - a)


def test_refill_tight_has_one_large_size():
    G, B, a, b = 4, 3, 2, 11
    sizes = workload("refill-tight", G * B, 0, workers=G, slots=B, a=a, b=b).prefill
    assert sorted(sizes.tolist()) == [a] * (G * B - 1) + [b]


@pytest.mark.parametrize(
    ("name", "n", "seed", "params", "says"),
    [
        ("unifrom", 5, 0, {}, "no workload 'unifrom'; known workloads: uniform"),
        ("uniform", 5, 0, {"c": 1}, "no parameter 'c'; it has: a, b, p, length"),
        ("uniform", 0, 0, {}, "n must be an integer >= 1, got 0"),
        ("uniform", 5, -1, {}, "seed must be an integer >= 0"),
        ("uniform", 5, 0, {"a": 0}, "a of the workload uniform must be an integer in [1,"),
        ("uniform", 5, 0, {"a": 9, "b": 3}, "needs a <= b"),
        ("uniform", 5, 0, {"a": 1.5}, "must be an integer"),
        ("uniform", 5, 0, {"p": 0.0}, "p of the workload uniform must be a number in"),
        ("uniform", 5, 0, {"p": float("nan")}, "p of the workload uniform must be a number in"),
        ("uniform", 5, 0, {"p": 0.5, "length": 3}, "takes p or length, not both"),
        ("two-point", 5, 0, {"q": 1.5}, "q of the workload two-point must be a number in [0"),
        ("lognormal", 5, 0, {"b": 10, "median": 1e9, "sigma": 0.1}, "no mass up to b = 10"),
        ("lognormal", 5, 0, {"a": 8000, "median": 1.0, "sigma": 0.1}, "no mass from a = 8000"),
        ("fcfs-worst", 5, 0, {"workers": 0}, "workers of the workload fcfs-worst"),
    ],
)
def test_bad_parameters_are_named(name, n, seed, params, says):
    with pytest.raises(InputError) as error:
        workload(name, n, seed, **params)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def _steps_at_full_slots(G: int, B: int, pool: int, decode: list[int]) -> int:
    """Steps with full slots and ``pool`` waiting, straight from the definitions."""
    waiting, slots, steps = list(decode), [0] * (G * B), 0
    while True:
        slots = [left or (waiting.pop(0) if waiting else 0) for left in slots]
        if 0 in slots or len(waiting) < pool:
            return steps
        steps += 1
        slots = [left - 1 for left in slots]


@given(
    G=st.integers(1, 3),
    B=st.integers(1, 3),
    steps=st.integers(1, 12),
    length=st.integers(1, 5),
    pool=st.integers(1, 8),
)
def test_equal_lengths_need_exactly_that_many_requests(G, B, steps, length, pool):
    n = requests_to_overload(System(G, B), steps, length=length, pool=pool)
    assert _steps_at_full_slots(G, B, pool, [length] * n) >= steps
    assert _steps_at_full_slots(G, B, pool, [length] * (n - 1)) < steps


def test_geometric_lengths_keep_their_promise():
    system = System(4, 4)
    n = requests_to_overload(system, 200, p=0.1, pool=16, failure=0.01)
    # Mean 16 + 16 + 199 * 16 * 0.1 = 350; the slack over it is sqrt(2 m t) + 2t/3 = 57.2.
    assert n == 408
    runs = [
        _steps_at_full_slots(4, 4, 16, workload("uniform", n, seed, p=0.1).decode.tolist())
        for seed in range(200)
    ]
    assert sum(k < 200 for k in runs) <= 8  # 2 expected at most; P(more than 8) < 1e-3
    with pytest.raises(InputError, match="exactly one of p"):
        requests_to_overload(system, 10)
    with pytest.raises(InputError, match="failure must be in"):
        requests_to_overload(system, 10, p=0.5, failure=0.0)


def test_pool_condition():
    assert pool_survives_a_class([1, 2, 3], 2)
    assert not pool_survives_a_class([1, 1, 3], 2)
    assert pool_survives_a_class([1, 1, 2, 2], 2)
    assert not pool_survives_a_class([], 1)
    assert pool_survives_a_class([], 0)


@given(st.lists(st.integers(1, 4), max_size=9), st.integers(0, 9))
def test_pool_condition_by_definition(pool, free):
    assert pool_survives_a_class(pool, free) == all(
        sum(s != removed for s in pool) >= free for removed in {*pool, 0}
    )


def test_bins_partition_the_integers():
    # Every x in 1..5000 lies in the bin floor(4 log2 x), that is 2^b <= x^4 < 2^(b+1).
    from adversary.workloads.measured import _bin_bounds

    for x in range(1, 5001):
        b = (x**4).bit_length() - 1
        low, high = _bin_bounds(b)
        assert low <= x <= high
        assert Fraction(low) ** 4 >= 2**b > Fraction(low - 1) ** 4


# --- Laws, computed again -----------------------------------------------------------------------

DRAWS = 100_000


def _rows(name: str) -> list[tuple[int, int, int]]:
    """Every row of a histogram file below its header, read by the csv module."""
    path = Path(measured.__file__).parent / f"{name}_histogram.csv"
    lines = [x for x in path.read_text("utf-8").splitlines() if not x.startswith("#")]
    return [
        (int(row["prompt_bin"]), int(row["output_bin"]), int(row["count"]))
        for row in csv.DictReader(lines)
    ]


@pytest.mark.parametrize("name", ["burst", "longbench", "arxiv"])
def test_every_row_of_a_histogram_is_drawn_from(name):
    """The first and the last cell too: shares by exact counts of the 8,000 rows."""
    rows = _rows(name)
    assert sum(count for _, _, count in rows) == 8000
    share, bounds = measured._histogram(name)
    assert len(share) == len(bounds) == len(rows)
    total = 0
    for at, ((prompt, output, count), cell) in enumerate(zip(rows, bounds.tolist(), strict=True)):
        total += count
        assert share[at] == pytest.approx(total / 8000, abs=1e-12)
        for b, (low, high) in zip((prompt, output), cell, strict=True):
            assert [(x**4).bit_length() - 1 for x in (low, high)] == [b, b]
            assert ((high + 1) ** 4).bit_length() - 1 > b
            assert ((low - 1) ** 4).bit_length() - 1 < b


@pytest.mark.parametrize("name", ["burst", "longbench", "arxiv"])
def test_a_number_falls_into_the_cell_whose_shares_enclose_it(name):
    share, _ = measured._histogram(name)
    ends = [0.0, *share[:-1].tolist()]
    close = [np.nextafter(end, side) for end in share.tolist() for side in (0, 1) if end < 1]
    drawn = np.random.default_rng(4).random(20_000)
    u = np.concatenate([ends, close, [np.nextafter(1, 0)], drawn])
    cell = measured._cells(name, u)
    assert (cell == np.searchsorted(share, u, side="right")).all()
    assert cell[: len(ends)].tolist() == list(range(len(ends)))


@pytest.mark.parametrize("name", ["burst", "longbench", "arxiv"])
def test_cells_are_drawn_by_their_counts_and_evenly_within(name):
    drawn = workload(f"{name}-like", DRAWS, 3)
    bins = [
        [(x**4).bit_length() - 1 for x in column.tolist()]
        for column in (drawn.prefill, drawn.decode)
    ]
    seen = Counter(zip(*bins, strict=True))
    rows = _rows(name)
    assert set(seen) <= {(x, y) for x, y, _ in rows}
    for x, y, count in rows:
        q = count / 8000
        assert abs(seen[x, y] - DRAWS * q) <= 6 * math.sqrt(DRAWS * q * (1 - q)) + 1
    # Uniform on low..high: mean (low + high) / 2 and variance ((high - low + 1)^2 - 1) / 12.
    for b, column in zip((0, 1), (drawn.prefill, drawn.decode), strict=True):
        mean = variance = 0.0
        for row in rows:
            low, high = (next_power(row[b]), next_power(row[b] + 1) - 1)
            mean += row[2] / 8000 * (low + high) / 2
            variance += row[2] / 8000 * (low**2 + low * high + high**2) / 3
        assert abs(column.mean() - mean) < 5 * math.sqrt(variance / DRAWS)


def next_power(b: int) -> int:
    """The least integer whose fourth power is 2^b or more."""
    x = 1
    while x**4 < 2**b:
        x += max(1, int(2 ** (b / 4)) - x)
    return x


@pytest.mark.parametrize("name", ["burst", "longbench", "arxiv"])
def test_other_output_lengths_leave_the_prompts_as_they_are(name):
    prompts = workload(f"{name}-like", 300, 3).prefill.tolist()
    assert workload(f"{name}-like", 300, 3, length=4).prefill.tolist() == prompts
    assert set(workload(f"{name}-like", 300, 3, length=4).decode.tolist()) == {4}


def _fit(name: str) -> dict:
    path = Path(measured.__file__).parent / "families.toml"
    return tomllib.loads(path.read_text("utf-8"))[name]


def _below(fit: dict, which: str, k: int) -> float:
    """P(X <= k) of a mixture of rounded lognormals, cut at the largest observed."""

    def whole(x: int) -> float:
        law, mixture = NormalDist(), fit[which]
        terms = zip(mixture["w"], mixture["mu"], mixture["sigma"], strict=True)
        return sum(w * law.cdf((math.log(x + 0.5) - mu) / sigma) for w, mu, sigma in terms)

    return whole(k) / whole(fit[f"{which}_max"])


FITTED = [n for n in workload_names() if family(n).text.startswith("fit to")]


@pytest.mark.parametrize("name", FITTED)
def test_fitted_laws_are_those_of_their_parameters(name):
    """Distribution functions at ten quantiles and at 1, of both lengths; and their medians."""
    fit, drawn = _fit(name), workload(name, DRAWS, 4)
    for which, column in (("prompt", drawn.prefill), ("output", drawn.decode)):
        assert 1 <= column.min() <= column.max() <= fit[f"{which}_max"]
        for k in {1, *np.quantile(column, np.linspace(0, 1, 11)).astype(int).tolist()}:
            share = _below(fit, which, k)
            error = 5 * math.sqrt(share * (1 - share) / DRAWS) + 1e-9
            assert abs((column <= k).mean() - share) <= error, (which, k)
    # The correlation of the normal scores behind the lengths, [-1, 1]: 2 sin(pi/6 * spearman).
    ranks = [np.argsort(np.argsort(x, kind="stable")) for x in (drawn.prefill, drawn.decode)]
    spearman = np.corrcoef(*ranks)[0, 1]
    assert abs(2 * math.sin(math.pi * spearman / 6) - fit.get("copula_rho", 0)) < 0.03


def test_the_law_of_a_small_mixture_by_hand():
    """Lengths 1..3 of half a median 2 and half a median 1, sigma 1, cut at 3."""
    law = NormalDist()
    whole = [(law.cdf(math.log((k + 0.5) / 2)) + law.cdf(math.log(k + 0.5))) / 2 for k in (1, 2, 3)]
    found = mixture_cdf([0.5, 0.5], [math.log(2), 0.0], [1.0, 1.0], 3)
    assert found.tolist() == pytest.approx([x / whole[2] for x in whole], abs=1e-12)
    below = np.array([0.25, 0.5, 1.0])
    for u, index in ((0.01, 0), (0.25, 0), (0.2501, 1), (0.5, 1), (0.51, 2), (1.0, 2)):
        assert quantile(below, np.array([u])).tolist() == [index]


def test_default_lengths_have_mean_fifty():
    for name in ("uniform", "two-point", "lognormal"):
        decode = workload(name, 40_000, 6).decode
        # Geometric with p = 0.02: mean 50, variance (1 - p) / p^2 = 2450.
        assert abs(decode.mean() - 50) < 5 * math.sqrt(2450 / 40_000)
        assert decode.min() == 1
    assert set(workload("fcfs-worst", 9, 6).decode.tolist()) == {1}
    assert set(workload("refill-tight", 9, 6, length=3).decode.tolist()) == {3}


def test_very_long_lengths_stay_in_range():
    decode = workload("uniform", 1000, 6, p=2.0**-40).decode
    assert decode.max() == SIZE_LIMIT == 2**31 - 1
    assert decode.min() >= 1


def test_a_lognormal_that_is_not_cut_below():
    sizes = workload("lognormal", 40_000, 8, a=1, b=9, median=2.0, sigma=1.0).prefill
    law = NormalDist()
    below = [law.cdf(math.log((k + 0.5) / 2)) for k in range(1, 10)]
    for k in range(1, 10):
        share = below[k - 1] / below[-1]
        error = 5 * math.sqrt(share * (1 - share) / 40_000) + 1e-12
        assert abs((sizes <= k).mean() - share) <= error
    sizes = workload("lognormal", 40_000, 8, a=2, b=9, median=2.0, sigma=1.0).prefill
    for k in range(2, 10):
        share = (below[k - 1] - below[0]) / (below[-1] - below[0])
        error = 5 * math.sqrt(share * (1 - share) / 40_000) + 1e-12
        assert abs((sizes <= k).mean() - share) <= error
    assert (sizes.min(), sizes.max()) == (2, 9)


RANGES = [
    ("uniform", "a", 1, 2**31 - 1, {"b": 2**31 - 1}),
    ("uniform", "b", 1, 2**31 - 1, {}),
    ("uniform", "p", 2.0**-40, 1.0, {}),
    ("uniform", "length", 1, 2**31 - 1, {}),
    ("two-point", "q", 0.0, 1.0, {}),
    ("lognormal", "median", 1e-3, 1e12, {"sigma": 100.0}),
    ("lognormal", "sigma", 1e-3, 100.0, {}),
    ("fcfs-worst", "workers", 1, 2**20, {"slots": 1}),
    ("refill-tight", "slots", 1, 2**20, {"workers": 1}),
    ("fcfs-worst", "length", 1, 2**31 - 1, {}),
    ("burst-like", "length", 1, 2**31 - 1, {}),
    ("azure2023-code", "p", 2.0**-40, 1.0, {}),
]


@pytest.mark.parametrize(("name", "key", "low", "high", "others"), RANGES)
def test_both_ends_of_a_range_are_in_it(name, key, low, high, others):
    whole = isinstance(low, int)
    for value in (low, high):
        assert len(workload(name, 3, 0, **others, **{key: value})) == 3
    for value in (
        (low - 1, high + 1) if whole else (math.nextafter(low, -1), math.nextafter(high, 1e99))
    ):
        with pytest.raises(InputError, match=rf"{key} of the workload {name} must be a"):
            workload(name, 3, 0, **others, **{key: value})
    with pytest.raises(InputError, match=rf"{key} of the workload {name} must be a"):
        workload(name, 3, 0, **others, **{key: True})


def test_a_lognormal_has_a_table_of_at_most_16_million_sizes():
    assert workload("lognormal", 3, 0, b=1).prefill.tolist() == [1, 1, 1]
    with pytest.raises(InputError, match=r"b of the workload lognormal .* in \[1, 16777216\]"):
        workload("lognormal", 3, 0, b=2**24 + 1)


def test_values_of_two_point_at_the_ends_of_q():
    for q, size in ((0.0, 2), (1.0, 9)):
        assert set(workload("two-point", 200, 1, a=2, b=9, q=q).prefill.tolist()) == {size}


def test_defaults():
    """What the help says: sizes 1..100, G = B = 8, lognormal 1..8192 around 500, q = 1/2."""
    assert workload("uniform", 4000, 1).prefill.max() == 100
    assert workload("uniform", 4000, 1).prefill.min() == 1
    worst = workload("fcfs-worst", 64, 0).prefill.tolist()
    assert worst == [100] * 8 + [1] * 56
    assert workload("refill-tight", 65, 0).prefill.tolist() == [100] + [1] * 63 + [100]
    sizes = workload("lognormal", 40_000, 1).prefill
    assert sizes.max() <= 8192
    law = NormalDist(math.log(500), 1)
    share = law.cdf(math.log(500.5)) / law.cdf(math.log(8192.5))
    assert abs((sizes <= 500).mean() - share) < 5 * math.sqrt(0.25 / 40_000)
    assert abs((workload("two-point", 40_000, 1).prefill == 100).mean() - 0.5) < 5 / 400


def test_requests_to_overload_at_its_ends():
    """G B + R and the departures after K - 1 steps, none after the first."""
    system = System(2, 3)
    assert requests_to_overload(system, 1, length=1) == 12
    assert requests_to_overload(system, 1, length=1, pool=1) == 7
    assert requests_to_overload(system, 2, length=1, pool=1) == 13
    # All slots empty each step at p = 1: the bound may not exceed G B (K - 1).
    assert requests_to_overload(system, 2, p=1.0, pool=1) == 13
    for bad in ({"length": 0}, {"length": 1, "pool": 0}, {"p": 1.5}, {"p": 0.5, "failure": 1.0}):
        with pytest.raises(InputError):
            requests_to_overload(system, 2, **bad)
    with pytest.raises(InputError, match="steps must be an integer >= 1, got 0"):
        requests_to_overload(system, 0, length=1)
    with pytest.raises(InputError, match="exactly one"):
        requests_to_overload(system, 1, p=0.5, length=1)
