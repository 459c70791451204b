"""The devices of the energy claims: their constants, as fractions and as balls."""

from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import Any

from evenkeel.findings.check import Relation, Trial, Variant
from theory.formulas.energy import Constants, Scalar, Usage, exact
from theory.laws.fcfs_expectation import to_ball
from theory.power import hardware

PRECISION = 128  # of ball arithmetic, in bits

PAPER = exact(hardware("a100-paper"))

# Devices that the energy claims are attacked with: the paper's, measured exponents (below one half,
# where D exceeds half of P_max), a square root, a linear law, no idle power, no dynamic power.
DEVICES: tuple[tuple[str, Constants[Fraction]], ...] = (
    ("a100-paper", PAPER),
    ("h100-sxm-decode", exact(hardware("h100-sxm-decode"))),
    ("a100-sxm4-decode", exact(hardware("a100-sxm4-decode"))),
    ("square root", Constants(Fraction(100), Fraction(400), Fraction(1, 2))),
    ("linear", Constants(Fraction(60), Fraction(300), Fraction(1))),
    ("no idle power", Constants(Fraction(0), Fraction(300), Fraction(7, 10))),
    ("all idle power", Constants(Fraction(300), Fraction(300), Fraction(7, 10))),
)

WASTE = Variant("gamma in place of 1 - gamma in D", fault="gamma-for-waste")


def seen(trial: Trial, power: Constants[Scalar]) -> Constants[Scalar]:
    """The constants as a bound sees them; planted, ``D`` has gamma for 1 - gamma."""
    if trial.fault("gamma-for-waste"):
        return replace(power, gamma=1 - power.gamma)
    return power


def written(device: str, power: Constants[Fraction]) -> dict[str, str]:
    """The device and its constants, JSON-ready."""
    return {
        "device": device,
        "idle_w": str(power.idle_w),
        "wait_w": str(power.barrier_w),
        "max_w": str(power.max_w),
        "gamma": str(power.gamma),
    }


def per_work(eta: Fraction) -> Usage[Fraction]:
    """A run by its ratio of imbalance to work, per unit of work."""
    return Usage(Fraction(1), eta)


BALANCED = per_work(Fraction(0))
AT_40 = per_work(Fraction(2, 3))  # 40 % idle


def ball_constants(power: Constants[Fraction]) -> Constants[Any]:
    """The same constants as balls."""
    wait = None if power.wait_w is None else to_ball(power.wait_w)
    return Constants(to_ball(power.idle_w), to_ball(power.max_w), to_ball(power.gamma), wait_w=wait)


def ball_usage(run: Usage[Fraction]) -> Usage[Any]:
    """The same usage as balls."""
    return Usage(to_ball(run.busy), to_ball(run.idle), to_ball(run.empty))


def half_unit(stated: str) -> Fraction:
    """Half a unit of the last digit of a stated decimal number.

    Examples
    --------
    >>> half_unit("0.28")
    Fraction(1, 200)
    """
    return Fraction(1, 2 * 10 ** len(stated.partition(".")[2]))


class Closest:
    """Of the comparisons with the paper's constants that are not met, the one of least slack.

    Parameters
    ----------
    relation : Relation
        Of the finding before any comparison is seen.
    """

    def __init__(self, relation: Relation) -> None:
        self.sides: tuple[float, Relation, float] = (0.0, relation, 0.0)
        self._slack = inf

    def see(
        self, power: Constants[Fraction], computed: Any, relation: Relation, claimed: Any
    ) -> None:
        """Keep the comparison if it is the closest so far; sides that are balls become floats."""
        slack = abs(float(computed) - float(claimed))
        if power is PAPER and 1e-9 < slack < self._slack:
            self._slack, self.sides = slack, (float(computed), relation, float(claimed))
