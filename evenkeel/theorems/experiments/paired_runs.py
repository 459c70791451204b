"""Comparisons of replayed runs (:mod:`adversary.paired_runs`) for the checks of the experiments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adversary.paired_runs import Setting, Stretch, replay
from evenkeel.findings.check import Trial
from evenkeel.findings.statistics import Mean, fresh
from evenkeel.findings.verdicts import planted_policy
from evenkeel.theorems.registry import Assumption

SAME = (Assumption.SAME_REQUESTS, Assumption.WORK_CONSERVING)
SAME_MYOPIC = (*SAME, Assumption.MYOPIC)

# What the checks that run E2 or E3 share: one of them looks at the runs of both.
SHARED = "E2 and E3"

# Parameters of those at H = 0.
SEEDS: dict[str, Any] = {"seeds": 48, "standard": {"seeds": 96}, "paper": {"seeds": 256}}

# The seeds that have to show that a planted policy is not BF-IO.
FAR_OFF = 24


def seeds_of(trial: Trial) -> range:
    """The seeds of a trial: those of two trials are disjoint, and none was used before.

    Seeds below 1000 were looked at while claims were being worded.  A planted policy is far off,
    and few of them have to show it.
    """
    first, seeds = 1000 * fresh(trial), int(trial["seeds"])
    return range(first, first + (min(FAR_OFF, seeds) if planted_policy(trial, "") else seeds))


def overloaded(workload: str, workers: int, slots: int, rounds: int) -> Setting:
    """A backlog of ``rounds`` requests a slot, of which four a worker are seen at a time."""
    return Setting(workload, workers, slots, rounds * workers * slots, 4 * workers)


def setting_of(setting: Setting) -> dict[str, Any]:
    """The setting, JSON-ready."""
    return {
        "workload": setting.workload,
        "parameters": dict(setting.parameters),
        "workers": setting.workers,
        "slots": setting.slots,
        "requests": setting.requests,
        "pool": setting.pool,
    }


@dataclass(frozen=True, slots=True)
class Compared:
    """A quantity of paired runs over several seeds: in the window, and completed."""

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
    """Measure (baseline, policy) in the window and completed, for every seed."""
    runs = [(replay(setting, baseline, seed), replay(setting, policy, seed)) for seed in seeds]
    return Compared(
        Mean.of([measure(a.window, b.window) for a, b in runs]),
        Mean.of([measure(a.completed, b.completed) for a, b in runs]),
    )
