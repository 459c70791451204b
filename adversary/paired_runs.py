"""Runs of the paper's experiments, and of other bulk-synchronous systems, measured in pairs.

A run is measured three times.  The *window* ends with the last admission, where the paper's metrics
stop.  *At departure* is the same steps as the authors' simulator looks at them: after the requests
that end have left, before the next are admitted.  *Completed* is the whole run, and compares equal
work.  But for the second, loads are those that set the duration of the step.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from adversary.workloads.families import workload
from solvers.simulation.engine import simulate
from solvers.simulation.result import RunResult
from theory.model import IntArray, Requests, System
from theory.power import PowerModel, hardware

DEVICE = hardware("a100-paper")


@dataclass(frozen=True, slots=True)
class Setting:
    """A workload on a system, by default with the paper's step-time constants.

    Parameters
    ----------
    workload : str
        Name of a family, which draws its own output lengths unless ``parameters`` say otherwise.
    workers, slots, requests, pool : int
        ``G``, ``B``, number of requests, and pool limit.
    parameters : tuple of pairs
        Parameters of the family.
    drift : tuple of int
        Growth of every active request from step to step.
    overhead_s : float, optional
        Fixed part of a step; the paper's for that many slots by default.
    """

    workload: str
    workers: int
    slots: int
    requests: int
    pool: int
    parameters: tuple[tuple[str, int | float], ...] = ()
    drift: tuple[int, ...] = (1,)
    overhead_s: float | None = None

    @property
    def system(self) -> System:
        """The system, overhead included."""
        paper = System.paper(self.workers, self.slots)
        overhead = paper.step_overhead_s if self.overhead_s is None else self.overhead_s
        return System(self.workers, self.slots, self.drift, overhead)

    def draw(self, seed: int) -> Requests:
        """The requests of that seed."""
        return workload(self.workload, self.requests, seed, **dict(self.parameters))


# E2 (v1) and E3 (v2): sizes, slots and pool as known, 80,000 to 100,000 requests.
E2 = Setting("burst-like", 32, 72, 100_000, 128)
E3 = Setting("longbench-like", 256, 72, 80_000, 1024)
# How many steps the paper's policy looks ahead in each.
HORIZONS = {"E2": 20, "E3": 40}


# Bulk-synchronous systems: a domain stays where it is placed, for 50 supersteps on average.  There
# is no fixed part of a superstep, so that nothing depends on the seconds a unit of load takes.
def _domains(median: float, sigma: float, largest: int, drift: tuple[int, ...]) -> Setting:
    sizes = (("median", median), ("sigma", sigma), ("b", largest), ("p", 0.02))
    return Setting("lognormal", 64, 16, 20_480, 1024, sizes, drift, overhead_s=0.0)


# Patches of a refined mesh, of similar numbers of cells, which do not change.
MESH = _domains(4096.0, 0.4, 32_768, (0,))
# Domains of clustered particles, some of which hold ten times the median.
PARTICLES = _domains(2000.0, 1.0, 65_536, (0,))
# The same while every domain gains particles, by a bounded number that varies.
INFLOW = _domains(2000.0, 1.0, 65_536, (0, 60, 20, 0))


@dataclass(frozen=True, slots=True)
class Spread:
    """A quantity of many requests: its mean, median, 99 % quantile and largest value.

    Quantiles that were not asked for are not numbers.

    Examples
    --------
    >>> Spread.of([10, 1, 3, 2])
    Spread(mean=4.0, median=2.0, p99=10.0, largest=10.0)
    """

    mean: float
    median: float
    p99: float
    largest: float

    @classmethod
    def of(cls, values: ArrayLike, *, quantiles: bool = True) -> "Spread":
        """The spread of at least one value; quantiles are values that occur."""
        x = np.array(values, dtype=float)
        mean, largest = float(x.mean()), float(x.max())
        if not quantiles:
            return cls(mean, np.nan, np.nan, largest)
        middle, tail = np.ceil(np.array([0.5, 0.99]) * x.size).astype(int) - 1
        x.partition([middle, tail])
        return cls(mean, float(x[middle]), float(x[tail]), largest)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The first steps of a run, summed.

    Parameters
    ----------
    steps, work, imbalance : int
        ``K``, ``W`` and ``I``.
    time_s, energy_j : float
        Duration and energy of all workers.
    tokens : int
        Output tokens.
    time_per_token_s : Spread
        Mean time per output token of each request that finished, in seconds.
    wait : Spread
        Steps in the pool of each request that was admitted.
    energies_j : tuple of float
        The energy of each device that is possible, where something of it is uncertain.
    """

    steps: int
    work: int
    imbalance: int
    time_s: float
    energy_j: float
    tokens: int
    time_per_token_s: Spread
    wait: Spread
    energies_j: tuple[float, ...] = ()

    @property
    def idle_share(self) -> float:
        """``I / (W + I)``."""
        return self.imbalance / (self.work + self.imbalance)

    @property
    def throughput(self) -> float:
        """Output tokens per second."""
        return self.tokens / self.time_s


def stretches(
    result: RunResult, ends: tuple[int, ...], power: PowerModel, *, quantiles: bool = True
) -> list[Stretch]:
    """Sum the first steps of a run with history, up to each of some ends.

    Parameters
    ----------
    result : RunResult
        Run with history.
    ends : tuple of int
        How many steps, at least 1 each, the most last; up to each a request must be admitted, and
        one must finish.
    power : PowerModel
        Device of every worker.
    quantiles : bool
        Whether to look for the quantiles of spreads, half of the time.
    """
    assert result.loads is not None
    last = result.start_step + result.requests.decode
    per_token, waited = result.time_per_output_token_s, result.waiting_steps
    return [
        Stretch(
            **sums,
            tokens=int((np.minimum(last, end) - np.minimum(result.start_step, end)).sum()),
            time_per_token_s=Spread.of(per_token[last <= end], quantiles=quantiles),
            wait=Spread.of(waited[result.start_step < end], quantiles=quantiles),
        )
        for end, sums in zip(ends, _sums(result.system, result.loads, power, ends), strict=True)
    ]


def at_departure(result: RunResult, window: Stretch, power: PowerModel) -> Stretch:
    """The first steps of a run with work, imbalance, time and energy of :func:`departed_loads`.

    What requests see of the time, its spread per token, stays that of the run, as in ``window``.
    """
    (sums,) = _sums(result.system, departed_loads(result), power, (window.steps,))
    return replace(window, **sums)


def _sums(
    system: System, loads: IntArray, power: PowerModel, ends: tuple[int, ...]
) -> list[dict[str, Any]]:
    """What the loads of steps alone say of the stretches up to some ends, the largest last."""
    loads = loads[: ends[-1]]
    top = loads.max(axis=1)
    utilisation = loads / np.maximum(top, 1)[:, None]
    length = system.step_overhead_s + system.seconds_per_token * top

    def energies(device: PowerModel) -> list[float]:
        each = length[:, None] * device.powers(utilisation)
        return [float(each[:end].sum()) for end in ends]

    energy = energies(power)
    possible = [energies(device) for device in power.possible] if power.unknown else []
    work = [int(loads[:end].sum()) for end in ends]
    return [
        {
            "steps": min(end, top.size),
            "work": work[k],
            "imbalance": system.workers * int(top[:end].sum()) - work[k],
            "time_s": float(length[:end].sum()),
            "energy_j": energy[k],
            "energies_j": tuple(each[k] for each in possible),
        }
        for k, end in enumerate(ends)
    ]


def departed_loads(result: RunResult) -> IntArray:
    """Loads after departures and before the next admission, int64[K, G].

    The moment at which the authors' simulator takes its metrics; growth of the survivors included.
    """
    assert result.loads is not None
    after = np.zeros_like(result.loads)
    after[:-1] = result.loads[1:]
    later = result.start_step > 0
    np.subtract.at(
        after,
        (result.start_step[later] - 1, result.worker[later]),
        result.requests.prefill[later],
    )
    return after


@dataclass(frozen=True, slots=True)
class Ends:
    """One run, measured up to its last admission and until the same requests are completed."""

    window: Stretch
    completed: Stretch

    @classmethod
    def of(cls, result: RunResult, power: PowerModel = DEVICE, *, quantiles: bool = True) -> "Ends":
        """The two measurements of a run with history."""
        ends = int(result.start_step.max()) + 1, result.total.steps
        return cls(*stretches(result, ends, power, quantiles=quantiles))


def play(setting: Setting, requests: Requests, policy: str, seed: int) -> RunResult:
    """Run a policy on requests in a setting, with history; ``seed`` is the policy's."""
    return simulate(setting.system, requests, policy, pool=setting.pool, seed=seed, history=True)


@lru_cache(maxsize=4)  # two policies on the same requests follow each other
def _drawn(setting: Setting, seed: int) -> Requests:
    return setting.draw(seed)


@cache
def replay(setting: Setting, policy: str, seed: int) -> Ends:
    """Run a policy on the setting's requests of that seed; a run is kept for the process.

    Without quantiles, which no comparison looks at.
    """
    return Ends.of(play(setting, _drawn(setting, seed), policy, seed), quantiles=False)


# --- One run against another --------------------------------------------------------------------


def saving(base: Stretch, new: Stretch) -> float:
    """``1 - E1/E0``."""
    return 1 - new.energy_j / base.energy_j


def saving_per_work(base: Stretch, new: Stretch) -> float:
    """``1 - (E1/W1)/(E0/W0)``."""
    return 1 - (new.energy_j / new.work) / (base.energy_j / base.work)


def throughput_gain(base: Stretch, new: Stretch) -> float:
    """``throughput1/throughput0 - 1``."""
    return new.throughput / base.throughput - 1


def time_per_token_drop(base: Stretch, new: Stretch) -> float:
    """Relative drop of the mean time per output token."""
    return 1 - new.time_per_token_s.mean / base.time_per_token_s.mean


def log10_imbalance_ratio(base: Stretch, new: Stretch) -> float:
    """``log10`` of the ratio of average imbalances: its mean is that of a geometric mean."""
    return float(np.log10((base.imbalance / base.steps) / (new.imbalance / new.steps)))
