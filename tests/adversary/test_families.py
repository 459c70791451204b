"""Families: same seed same requests, the right laws, the exact worst cases, clear refusals."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversary.families import (
    family,
    pool_survives_a_class,
    requests_to_overload,
    workload,
    workload_names,
)
from adversary.traces import read_trace
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
    ("name", "file", "columns", "prompt_ks", "output_ks"),
    [
        (
            "azure2023-code",
            "azure-2023-code/AzureLLMInferenceTrace_code.csv.gz",
            {},
            0.0295,
            0.0217,
        ),
        ("azure2023-conv", "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz", {}, 0.115, 0.0288),
        (
            "mooncake-conversation",
            "mooncake-conversation/conversation_trace.jsonl.gz",
            {},
            0.027,
            0.0108,
        ),
    ],
)
def test_fits_are_as_close_to_their_traces_as_they_say(
    traces, name, file, columns, prompt_ks, output_ks
):
    real = read_trace(traces / file, **columns).requests
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
    from adversary.families import _bin_bounds

    for x in range(1, 5001):
        b = (x**4).bit_length() - 1
        low, high = _bin_bounds(b)
        assert low <= x <= high
        assert Fraction(low) ** 4 >= 2**b > Fraction(low - 1) ** 4
