"""Pairs of load histories of equal work, and the bounds of a saving held against them.

A pair is two load histories on the same number of workers.  Scaling the loads of each by the
other's work makes the works equal and changes no utilisation, so every pair of histories is a
pair of runs of equal work; only ``eta`` and the energy per unit of work matter.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

from flint import ctx

from adversary.instances.load_histories import LoadHistory
from evenkeel.findings.check import Finding, Relation, Trial, Verdict
from evenkeel.findings.scoreboard import refuted, stands
from evenkeel.theorems.registry import Assumption
from evenkeel.theorems.theorem4.load_histories import (
    bare_usage,
    by_workers,
    energy_of,
    paired_policies,
    runs,
    shown,
    usage_of,
)
from evenkeel.theorems.theorem4.power_constants import (
    DEVICES,
    PRECISION,
    Closest,
    ball_constants,
    ball_usage,
    written,
)
from theory.formulas.energy import Constants, Usage
from theory.laws.fcfs_expectation import to_ball


@dataclass(frozen=True, slots=True)
class HistoryOnDevice:
    """A history per unit of its work, on one device, with a step overhead."""

    history: LoadHistory
    bare: Usage[Fraction]  # without the overhead
    run: Usage[Fraction]
    balls: Usage[Any]
    energy: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """Two histories of equal work on the same workers and device."""

    device: str
    exact: Constants[Fraction]
    power: Constants[Any]
    base: HistoryOnDevice
    new: HistoryOnDevice

    @property
    def saving(self) -> Any:
        """``1 - E1/E0``, a ball."""
        return 1 - self.new.energy / self.base.energy

    def witness(self, **more: Any) -> dict[str, Any]:
        """The pair, JSON-ready."""
        return {
            **written(self.device, self.exact),
            "baseline": shown(self.base.history.loads),
            "improved": shown(self.new.history.loads),
            "works": [self.base.history.work, self.new.history.work],
            **more,
        }


class UnequalWorkError(Exception):
    """The gate: two runs of the same requests that did different work are not comparable."""


def on_device(
    history: LoadHistory, power: Constants[Any], overhead: Fraction = Fraction(0)
) -> HistoryOnDevice:
    """The history per unit of its work; ``overhead`` is a share of that work, in every step."""
    work = history.work
    used = usage_of(history.loads, overhead * work)
    run = Usage(used.busy / work, used.idle / work, used.empty / work)
    energy = energy_of(history.loads, power, overhead * work) / work
    return HistoryOnDevice(history, bare_usage(history), run, ball_usage(run), energy)


@lru_cache(maxsize=4096)  # every claim and every false version asks again
def _on_known(
    history: LoadHistory, exact: Constants[Fraction], overhead: Fraction
) -> HistoryOnDevice:
    return on_device(history, ball_constants(exact), overhead)


def pairs(trial: Trial, overheads: tuple[Fraction, ...] = (Fraction(0),)) -> Iterator[Pair]:
    """Pairs of adversarial histories, then pairs of runs of the same requests.

    ``overheads`` are shares of the work of a whole run, in every step.

    Raises
    ------
    UnequalWorkError
        If two runs of the same requests did different work.
    """
    listed = by_workers(trial)
    for group in runs(trial.seed, paired_policies(trial)):
        made = [run.history for run in group]
        if trial.fault("cut-short"):
            made[1:] = [LoadHistory(run.name, run.loads[: len(run.loads) // 2]) for run in made[1:]]
        if len({run.work for run in made}) > 1:
            raise UnequalWorkError(
                "the runs did different total work: one of them did not serve every request"
            )
        listed.append(made)
    for (device, exact), overhead in product(DEVICES, overheads):
        power = ball_constants(exact)
        for group_of in listed:
            entries = [_on_known(history, exact, overhead) for history in group_of]
            for base, new in product(entries, repeat=2):
                yield Pair(device, exact, power, base, new)


# A comparison by name: how the saving must stand to the bound.
Side = tuple[str, Relation, Callable[[Pair], Any]]


def hold_pairs(
    trial: Trial,
    sides: tuple[Side, ...],
    region: Callable[[Pair], bool] = lambda _pair: True,
    found: str = "",
    overheads: tuple[Fraction, ...] = (Fraction(0),),
) -> Finding:
    """Hold the saving of every pair in the region against the sides.

    ``found`` says what a violation means, for a claim that is expected to fail.
    """
    compared = outside = 0
    factors = {name: to_ball(trial.scale_of(name)) for name, _relation, _bound in sides}
    closest = Closest(sides[0][1])
    with ctx.workprec(PRECISION):
        try:
            for pair in pairs(trial, overheads):
                if not region(pair):
                    outside += 1
                    continue
                saving = pair.saving
                compared += 1
                for name, relation, bound in sides:
                    claimed = bound(pair) * factors[name]
                    if saving < claimed if relation == ">=" else saving > claimed:
                        return refuted(
                            float(saving),
                            relation,
                            float(claimed),
                            found or f"saving of a pair of equal work against its {name}, balls",
                            pair.witness(saving=str(saving), bound=str(claimed)),
                        )
                    closest.see(pair.exact, saving, relation, claimed)
        except UnequalWorkError as reason:
            return Finding(verdict=Verdict.NOT_APPLICABLE, domain=str(reason))
    return stands(
        trial,
        *closest.sides,
        f"{'no counterexample in' if found else 'inside:'} {compared} pairs of "
        f"load histories and runs of equal work on {len(DEVICES)} devices, {outside} outside the "
        "region; the closest with the paper's constants shown",
        strongest=Verdict.INCONCLUSIVE if found else Verdict.MACHINE_CHECKED,
        details={"pairs": compared, "outside": outside},
    )


SAVED = "energy saved (share)"
PAIR = (
    Assumption.POWER_LAW,
    Assumption.SAME_REQUESTS,
    Assumption.CONSTANT_DRIFT,
    Assumption.STICKY,
    # The energy is that of the steps; between timed arrivals workers idle outside of them.
    Assumption.BACKLOG,
    Assumption.SOME_WORK,
)

AT_C0 = (*PAIR, Assumption.NO_OVERHEAD)
