"""Load histories that push energies to their bounds.

A history is the loads of a run, step by step.  Energy bounds are about histories, whatever policy
made them, so their adversary builds histories directly: utilisations 0 and 1 (the lower side),
equal utilisations (the upper side), and the mixtures in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Loads = tuple[tuple[int, ...], ...]

# Worker counts of the extremal histories.
WORKER_COUNTS = (1, 2, 3, 5, 8, 32)


@dataclass(frozen=True, slots=True)
class LoadHistory:
    """Loads of a run.

    Parameters
    ----------
    name : str
        Which pattern.
    loads : int[K][G]
        Loads after admission and before departures, each step's largest at least 1.
    """

    name: str
    loads: Loads

    @property
    def workers(self) -> int:
        """``G``."""
        return len(self.loads[0])

    @property
    def work(self) -> int:
        """``W``."""
        return sum(map(sum, self.loads))

    @property
    def imbalance(self) -> int:
        """``I``."""
        return sum(self.workers * max(step) - sum(step) for step in self.loads)

    @property
    def zero_one(self) -> bool:
        """Whether every utilisation is 0 or 1."""
        return all(load in (0, max(step)) for step in self.loads for load in step)


def zero_one(workers: int, busy: int, load: int, full_steps: int = 0) -> LoadHistory:
    """One step with ``busy`` workers at ``load`` and the rest empty, then full steps.

    Examples
    --------
    >>> zero_one(workers=3, busy=1, load=10).imbalance
    20
    """
    step = (load,) * busy + (0,) * (workers - busy)
    return LoadHistory("zero-one", (step, *((load,) * workers,) * full_steps))


def equal_others(workers: int, load: int, others: int, steps: int = 1) -> LoadHistory:
    """One worker at ``load``, all the others at the same smaller load, in every step."""
    return LoadHistory("equal others", ((load, *(others,) * (workers - 1)),) * steps)


def extremal_histories() -> Iterator[LoadHistory]:
    """The patterns at which bounds are attained or approached, for several worker counts."""
    for G in WORKER_COUNTS:
        for busy in sorted({1, (G + 1) // 2, G}):
            yield zero_one(G, busy, 1000)
            yield zero_one(G, busy, 7, full_steps=3)
        for others in (1, 100, 300, 500, 900, 999, 1000):
            yield equal_others(G, 1000, others)
        if G > 1:
            # Two kinds of steps of very different lengths, each extreme in its own way.
            long, short = zero_one(G, 1, 10**6).loads, equal_others(G, 10, 3).loads
            yield LoadHistory("long and short", long + short * 5)
            yield LoadHistory("two levels", ((1000, *(250, 500) * G)[:G],))


def random_histories(seed: int, count: int) -> Iterator[LoadHistory]:
    """Random histories: sparse, lognormal, nearly balanced, and steps of unequal lengths."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        G, K = int(rng.integers(1, 9)), int(rng.integers(1, 6))
        kind = ("sparse", "lognormal", "nearly balanced", "unequal steps")[number % 4]
        if kind == "sparse":
            loads = rng.integers(0, 50, (K, G)) * (rng.random((K, G)) < 0.4)
        elif kind == "lognormal":
            loads = np.rint(rng.lognormal(4, 2, (K, G))).astype(np.int64)
        elif kind == "nearly balanced":
            loads = 1000 - rng.integers(0, 5, (K, G))
        else:
            loads = rng.integers(0, 100, (K, G)) * 10 ** rng.integers(0, 5, (K, 1))
        loads[:, int(rng.integers(G))] += 1
        yield LoadHistory(kind, tuple(tuple(step) for step in loads.tolist()))
