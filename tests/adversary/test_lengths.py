import csv
import tomllib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from adversary.workloads import trace_statistics as lengths
from adversary.workloads.sample_trace import SAMPLE_TRACE
from adversary.workloads.trace_statistics import CELLS, lengths_of, trace_lengths, trace_source
from adversary.workloads.traces import read_trace
from theory.formulas.step import full_refill_bound
from theory.formulas.vacuity import refill_imbalance
from theory.laws.law import Law
from theory.model import InputError, Requests


def test_statistics_by_hand() -> None:
    x = lengths_of("three", Requests([2, 4, 6], [1, 2, 3]))
    assert (x.smallest, x.largest, x.mean, x.variance, x.p) == (
        *(2, 6, 4),
        Fraction(8, 3),
        Fraction(1, 2),
    )
    assert x.cell == 1
    assert x.floors == Law.empirical([2, 4, 6])


def test_cells_of_a_trace_enclose_its_exact_law() -> None:
    requests = read_trace(SAMPLE_TRACE).requests
    x = lengths_of("sample", requests, cells=64)
    assert x.floors is not None
    assert x.cell > 1
    assert len(x.floors.weights) <= 64
    exact = refill_imbalance(lengths_of("sample", requests, cells=2**20), 4, 3)
    rough = refill_imbalance(x, 4, 3)
    assert rough.lower <= exact.lower
    assert exact.upper <= rough.upper


@pytest.mark.parametrize("name", trace_lengths())
def test_facts_and_histograms_agree(name: str) -> None:
    x = trace_lengths()[name]
    assert trace_source(name)
    assert x.smallest < x.mean < x.largest
    if x.floors is None:
        return
    assert x.floors.top <= CELLS
    assert x.smallest // x.cell == x.floors.offset
    assert x.largest // x.cell == x.floors.top
    # A size lies less than a cell above its floor; means and deviations differ by less.
    floor_mean = x.floors.mean.lower * x.cell
    assert floor_mean <= x.mean < floor_mean + x.cell
    deviations = [float(v) ** 0.5 for v in (x.floors.variance.lower * x.cell**2, x.variance)]
    assert abs(deviations[0] - deviations[1]) < x.cell


def test_simulated_refills_of_a_trace_agree_with_its_certificate() -> None:
    x = trace_lengths()["mooncake-synthetic"]
    assert x.floors is not None
    G, B, runs = 8, 16, 4000
    rng = np.random.default_rng(5)
    cells = rng.choice(len(x.floors.weights), (runs, G, B), p=x.floors.floats) + x.floors.offset
    sizes = cells * x.cell + rng.integers(0, x.cell, cells.shape)
    loads = sizes.sum(axis=2)
    gaps = G * loads.max(axis=1) - loads.sum(axis=1)
    error = 4 * gaps.std() / runs**0.5
    enclosure = refill_imbalance(x, G, B)
    assert float(enclosure.lower) - error < gaps.mean() < float(enclosure.upper) + error
    assert error < 0.05 * gaps.mean()
    assert enclosure.upper - enclosure.lower < enclosure.lower / 20
    assert float(enclosure.lower) > 0.3 * full_refill_bound(G, x.smallest, x.largest)


def test_unknown_trace_is_named() -> None:
    with pytest.raises(InputError, match="azure2023-code"):
        trace_source("nonsense")
    with pytest.raises(InputError, match="sizes 1 <= a < b"):
        lengths_of("constant", Requests([3, 3], [1, 2]))


def test_cells_are_as_few_as_fit() -> None:
    """Sizes up to 8 are 9 cells of 1, 5 of 2 or 3 of 3; the cell is the narrowest that fits."""
    requests = Requests([1, 2, 8, 8], [1, 1, 1, 2])
    for cells, cell, law in (
        (9, 1, {1: 1, 2: 1, 8: 2}),
        (8, 2, {0: 1, 1: 1, 4: 2}),
        (5, 2, {0: 1, 1: 1, 4: 2}),
        (4, 3, {0: 2, 2: 2}),
        (3, 3, {0: 2, 2: 2}),
        (2, 5, {0: 2, 1: 2}),
        (1, 9, {0: 4}),
    ):
        x = lengths_of("few", requests, cells)
        assert x.cell == cell
        assert x.floors is not None
        assert x.floors.offset == min(law)
        assert x.floors.weights == tuple(law.get(k, 0) for k in range(min(law), max(law) + 1))
        assert x.floors.scale == 4
        # Mean 19/4, mean square 133/4: 133/4 - 361/16 = 171/16; five steps of four requests.
        assert (x.mean, x.variance, x.p) == (Fraction(19, 4), Fraction(171, 16), Fraction(4, 5))


def _stored() -> tuple[dict[str, dict], dict[str, list[int]]]:
    folder = Path(lengths.__file__).parent
    facts = tomllib.loads((folder / "trace_facts.toml").read_text("utf-8"))
    lines = (folder / "trace_sizes.csv").read_text("utf-8").splitlines()
    rows = list(csv.reader(x for x in lines if x and not x.startswith("#")))
    assert rows[0] == ["trace", "counts"]
    return facts, {name: [int(n) for n in counts.split()] for name, counts in rows[1:]}


def test_every_histogram_and_every_count_of_it_is_read() -> None:
    """The first and the last histogram, and of each the first and the last count."""
    facts, counts = _stored()
    read = trace_lengths()
    assert list(read) == list(facts)
    assert {name for name, x in read.items() if x.floors is not None} == set(counts)
    for name, cells in counts.items():
        n, x = sum(cells), read[name]
        assert n == facts[name]["rows"]
        assert x.floors is not None
        shares = {cell: Fraction(k, n) for cell, k in enumerate(cells) if k}
        assert x.floors.offset == min(shares)
        assert x.floors.top == max(shares) == len(cells) - 1
        for cell, weight in enumerate(x.floors.weights, x.floors.offset):
            # Weights are rounded down to the scale of the law, by less than one of it.
            assert 0 <= shares.get(cell, 0) * x.floors.scale - weight < 1
        # The mean of the cells brackets the mean that was counted from the rows, in ten digits.
        low = sum(cell * x.cell * q for cell, q in shares.items())
        assert low <= Fraction(facts[name]["mean"]) < low + x.cell
        assert x.cell == facts[name]["cell"]
    for name, x in read.items():
        known = facts[name]
        assert (x.smallest, x.largest) == (known["smallest"], known["largest"])
        assert x.mean == Fraction(known["mean"])
        assert x.variance == Fraction(known["deviation"]) ** 2
        assert x.p * Fraction(known["mean_output"]) == 1
        assert trace_source(name) == known["source"]


def test_the_tables_of_a_file_by_hand(tmp_path: Path) -> None:
    """Sizes 2, 4, 4, 2046: cells of 2, as 2047 values do not fit 1,024 cells of 1."""
    plain, named = tmp_path / "a.csv", tmp_path / "b.csv"
    rows = "2,1\n4,3\n4,1\n2046,3\n"
    plain.write_text(f"prefill,decode\n{rows}", "utf-8")
    named.write_text(f"num_prefill_tokens,num_decode_tokens\n{rows}", "utf-8")
    facts, sizes = lengths._tables({"first": str(plain), "vidur-second": str(named)})
    found = tomllib.loads(facts)
    assert list(found) == ["first", "vidur-second"]
    for known in found.values():
        # Mean 514, squares (4 + 16 + 16 + 4186116) / 4 - 514^2 = 782342.
        assert known == {
            "rows": 4,
            "smallest": 2,
            "largest": 2046,
            "mean": "514",
            "deviation": f"{782342**0.5:.10g}",
            "mean_output": "2",
            "cell": 2,
        }
    counts = "0 1 2 " + "0 " * 1020 + "1"
    assert sizes == f"trace,counts\nfirst,{counts}\nvidur-second,{counts}\n"
