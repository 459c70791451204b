"""The paper's experiments run again: both policies on the same requests, measured at two ends.

The *window* ends with the last admission, where the paper's metrics stop; *completed* is the whole
run.  Only the latter compares equal work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from adversary.families import workload
from evenkeel.checks.sampling import Mean, fresh
from evenkeel.evidence import Trial
from solvers.engine import simulate
from solvers.result import RunResult
from theory.model import System
from theory.power import PowerModel, hardware


@dataclass(frozen=True, slots=True)
class Setting:
    """A workload on a system with the paper's step-time constants.

    Parameters
    ----------
    workload : str
        Name of a family, which draws its own output lengths unless ``length`` is given.
    workers, slots, requests, pool : int
        ``G``, ``B``, number of requests, and pool limit.
    length : int, optional
        Equal output lengths.
    """

    workload: str
    workers: int
    slots: int
    requests: int
    pool: int
    length: int | None = None

    @property
    def system(self) -> System:
        """The system, overhead included."""
        return System.paper(self.workers, self.slots)


# E2 (v1) and E3 (v2): sizes, slots and pool as known, 80,000 to 100,000 requests.
E2 = Setting("burst-like", 32, 72, 100_000, 128)
E3 = Setting("longbench-like", 256, 72, 80_000, 1024)


# Parameters of the checks that run E2 and E3: their runs are shared.
SEEDS: dict[str, Any] = {"seeds": 32, "standard": {"seeds": 64}, "paper": {"seeds": 256}}


def seeds_of(trial: Trial) -> range:
    """The seeds of a trial: those of two trials are disjoint, and none was used before.

    Seeds below 1000 were looked at while claims were being worded.
    """
    first = 1000 * fresh(trial)
    return range(first, first + int(trial["seeds"]))


def setting_of(setting: Setting) -> dict[str, Any]:
    """The setting, JSON-ready."""
    return {
        "workload": setting.workload,
        "workers": setting.workers,
        "slots": setting.slots,
        "requests": setting.requests,
        "pool": setting.pool,
    }


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
    time_per_token_s : float
        Mean time per output token of the requests that finished.
    longest_wait : int
        Longest wait in the pool, in steps.
    """

    steps: int
    work: int
    imbalance: int
    time_s: float
    energy_j: float
    tokens: int
    time_per_token_s: float
    longest_wait: int

    @property
    def idle_share(self) -> float:
        """``I / (W + I)``."""
        return self.imbalance / (self.work + self.imbalance)

    @property
    def throughput(self) -> float:
        """Output tokens per second."""
        return self.tokens / self.time_s


def stretch(result: RunResult, steps: int, power: PowerModel) -> Stretch:
    """Sum the first ``steps`` steps of a run with history."""
    assert result.loads is not None
    loads, system = result.loads[:steps], result.system
    top = loads.max(axis=1)
    utilisation = loads / top[:, None]
    length = system.step_overhead_s + system.seconds_per_token * top
    watts = power.idle_w + power.dynamic_w * utilisation**power.gamma
    end = result.start_step + result.requests.decode
    work = int(loads.sum())
    return Stretch(
        steps=int(top.size),
        work=work,
        imbalance=system.workers * int(top.sum()) - work,
        time_s=float(length.sum()),
        energy_j=float((length[:, None] * watts).sum()),
        tokens=int((np.minimum(end, steps) - np.minimum(result.start_step, steps)).sum()),
        time_per_token_s=float(result.time_per_output_token_s[end <= steps].mean()),
        longest_wait=int(result.waiting_steps.max()),
    )


@dataclass(frozen=True, slots=True)
class Ends:
    """One run at its two ends."""

    window: Stretch
    completed: Stretch


@cache
def replay(setting: Setting, policy: str, seed: int) -> Ends:
    """Run a policy on the setting's requests of that seed."""
    given = {} if setting.length is None else {"length": setting.length}
    requests = workload(setting.workload, setting.requests, seed, **given)
    result = simulate(setting.system, requests, policy, pool=setting.pool, seed=seed, history=True)
    power, last = hardware("a100-paper"), int(result.start_step.max()) + 1
    return Ends(stretch(result, last, power), stretch(result, result.total.steps, power))


@dataclass(frozen=True, slots=True)
class Compared:
    """A quantity of paired runs over several seeds, at both ends."""

    window: Mean
    completed: Mean

    @property
    def lowest(self) -> float:
        """Lower end of the smaller of the two intervals."""
        return min(self.window.low, self.completed.low)

    @property
    def highest(self) -> float:
        """Upper end of the larger of the two intervals."""
        return max(self.window.high, self.completed.high)


Measure = Callable[[Stretch, Stretch], float]


def compare(
    setting: Setting, policy: str, seeds: range, measure: Measure, baseline: str = "fcfs"
) -> Compared:
    """Measure (baseline, policy) at both ends for every seed."""
    runs = [(replay(setting, baseline, seed), replay(setting, policy, seed)) for seed in seeds]
    return Compared(
        Mean.of([measure(a.window, b.window) for a, b in runs]),
        Mean.of([measure(a.completed, b.completed) for a, b in runs]),
    )


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
    return 1 - new.time_per_token_s / base.time_per_token_s


def imbalance_ratio(base: Stretch, new: Stretch) -> float:
    """Ratio of average imbalances, in logarithms to base 10, so that intervals are sensible."""
    return float(np.log10((base.imbalance / base.steps) / (new.imbalance / new.steps)))
