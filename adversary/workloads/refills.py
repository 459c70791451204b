"""Families of worst cases: every round of a full refill is the same."""

import numpy as np

from adversary.workloads.family import LARGEST, SIZE, SMALLEST, Family, Parameter, workload_family
from theory.model import IntArray

_REFILL = {
    "workers": Parameter(8, 1, 2**20, "workers G of the system that is refilled"),
    "slots": Parameter(8, 1, 2**20, "slots B of each worker"),
    "a": SMALLEST,
    "b": LARGEST,
    "length": Parameter(1, *SIZE, "equal output lengths"),
}


@workload_family("full refill, FCFS: each round gives the first worker all the b's", _REFILL)
def _fcfs_worst(
    _rng: np.random.Generator, n: int, *, workers: int, slots: int, a: int, b: int, length: int
) -> tuple[IntArray, IntArray]:
    round_ = np.full(workers * slots, a, dtype=np.int64)
    round_[:slots] = b
    return np.resize(round_, n), np.full(n, length, dtype=np.int64)


@workload_family("full refill: each round has one b and G*B - 1 a's", _REFILL, name="refill-tight")
def _refill_tight(
    _rng: np.random.Generator, n: int, *, workers: int, slots: int, a: int, b: int, length: int
) -> tuple[IntArray, IntArray]:
    round_ = np.full(workers * slots, a, dtype=np.int64)
    round_[0] = b
    return np.resize(round_, n), np.full(n, length, dtype=np.int64)


REFILLS: tuple[Family, ...] = (_fcfs_worst, _refill_tight)
