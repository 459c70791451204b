from fractions import Fraction

import numpy as np
import pytest

from adversary.lengths import CELLS, lengths_of, trace_lengths, trace_source
from adversary.sample import SAMPLE_TRACE
from adversary.traces import read_trace
from theory.laws import Law
from theory.model import InputError, Requests
from theory.vacuity import refill_imbalance
from theory.warmup import refill_gap


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
    assert float(enclosure.lower) > 0.3 * refill_gap(G, x.smallest, x.largest)


def test_unknown_trace_is_named() -> None:
    with pytest.raises(InputError, match="azure2023-code"):
        trace_source("nonsense")
    with pytest.raises(InputError, match="sizes 1 <= a < b"):
        lengths_of("constant", Requests([3, 3], [1, 2]))
