"""Instances of identical parallel machines, P||Cmax, by the recipes of the literature.

A step with empty workers, a slot for every request and a pool that fits is such an instance; the
imbalance is ``m Cmax`` less a constant.  Sources: uniform and non-uniform sizes, 5 to 25 machines
(França et al. 1994; Frangioni et al. 2004); uniform and normal sizes (Dell'Amico and Martello
1995); two to three jobs a machine (Lawrinenko 2017).  Planted instances have a perfect partition by
construction, and those of few sizes many jobs of each.  In the last family workers have loads and
too few slots for any partition.
"""

from collections.abc import Callable, Iterator

import numpy as np

from solvers.step.problem import StepProblem

Random = np.random.Generator

GRID = [(n, m) for n in (10, 50, 100, 500) for m in (5, 10, 25) if n > m]
SMALL_GRID = [(n, m) for n in (10, 25, 50, 100, 250, 500) for m in (3, 5, 10, 15, 20) if n > m]


def _pick(rng: Random, values: list):
    return values[rng.integers(len(values))]


def _uniform(low: int, high: int, grid: list[tuple[int, int]]):
    def draw(rng: Random) -> StepProblem:
        n, m = _pick(rng, grid)
        return machines(rng.integers(low, high + 1, n), m)

    return draw


def _non_uniform(rng: Random) -> StepProblem:
    """98 % in the upper tenth of the range, the others in the lowest fiftieth."""
    (n, m), high = _pick(rng, GRID), _pick(rng, [100, 1000, 10_000])
    large = rng.integers(round(0.9 * high), high + 1, n)
    small = rng.integers(1, max(1, round(0.02 * high)) + 1, n)
    return machines(np.where(rng.random(n) < 0.98, large, small), m)


def _normal(rng: Random) -> StepProblem:
    (n, m), deviation = _pick(rng, SMALL_GRID), _pick(rng, [20, 50])
    return machines(np.maximum(1, np.rint(rng.normal(100, deviation, n))).astype(np.int64), m)


def _few_jobs_a_machine(rng: Random) -> StepProblem:
    """Two to three jobs a machine."""
    m = _pick(rng, [4, 8, 12, 20, 40, 80, 120, 200])
    n = round(m * _pick(rng, [2, 2.25, 2.5, 2.75, 3]))
    low, high = _pick(rng, [(1, 100), (20, 100), (50, 100), (100, 200), (100, 800)])
    return machines(rng.integers(low, high + 1, n), m)


def _many_jobs(rng: Random) -> StepProblem:
    """Sizes 100 to 800, three to five jobs a machine and a few more."""
    m = _pick(rng, [3, 5, 8, 10, 20, 40])
    n = m * _pick(rng, [3, 4, 5]) + _pick(rng, [0, 1, 2])
    return machines(rng.integers(100, 801, n), m)


def _planted(rng: Random) -> StepProblem:
    """Every machine's load is cut at random places."""
    m, parts = _pick(rng, [5, 10, 25, 50, 100, 200]), _pick(rng, [2, 3, 4, 6])
    parts = min(parts, 600 // m)
    load = _pick(rng, [100, 1000, 10_000])
    cuts = [np.sort(rng.choice(load - 1, parts - 1, replace=False)) + 1 for _ in range(m)]
    sizes = [np.diff(np.concatenate(([0], cut, [load]))) for cut in cuts]
    return machines(rng.permutation(np.concatenate(sizes)), m)


def _few_sizes(rng: Random) -> StepProblem:
    m, kinds = _pick(rng, [5, 10, 25, 50, 100]), int(rng.integers(2, 9))
    n = m * int(rng.integers(3, max(4, 600 // m + 1)))
    high = _pick(rng, [100, 1000])
    return machines(rng.choice(rng.integers(high // 10, high + 1, kinds), min(n, 600)), m)


def _few_slots(rng: Random) -> StepProblem:
    """At most so many jobs on a machine, and loads to begin with in half of the instances."""
    m, high = _pick(rng, [3, 5, 10, 25, 50]), _pick(rng, [100, 1000])
    slots = _pick(rng, [2, 3, 4, 8])
    n = m * slots - int(rng.integers(0, m // 2 + 1))
    loads = rng.integers(0, high + 1, m) * int(rng.integers(2))
    return StepProblem(loads, np.full(m, slots), rng.integers(1, high + 1, n))


def machines(sizes: np.ndarray, m: int) -> StepProblem:
    """Empty workers with a slot for every request."""
    return StepProblem(np.zeros(m, np.int64), np.full(m, sizes.size), sizes)


FAMILIES: dict[str, Callable[[Random], StepProblem]] = {
    "uniform 1..100": _uniform(1, 100, GRID),
    "uniform 20..100": _uniform(20, 100, SMALL_GRID),
    "uniform 50..100": _uniform(50, 100, SMALL_GRID),
    "uniform 100..800": _many_jobs,
    "uniform 1..1000": _uniform(1, 1000, GRID),
    "uniform 1..10000": _uniform(1, 10_000, GRID),
    "non-uniform": _non_uniform,
    "normal": _normal,
    "2 to 3 jobs a machine": _few_jobs_a_machine,
    "planted": _planted,
    "few sizes": _few_sizes,
    "few slots": _few_slots,
}


def instances(family: str, count: int, seed: int) -> Iterator[StepProblem]:
    """``count`` instances of a family; the same seed gives the same ones."""
    for i in range(count):
        yield FAMILIES[family](np.random.default_rng([seed, i, sorted(FAMILIES).index(family)]))
