"""Checks of the sharpest constants of Theorems 2 and 3, from both sides."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.replications import Balanced, balanced_runs, fcfs_imbalance
from evenkeel.evidence.statistics import fresh
from evenkeel.evidence.verdicts import FCFS, JSQ, planted_policy
from theory.formulas import theorem2, theorem3
from theory.formulas.constants import DRIFT_BFIO, DRIFT_IIR, GEOMETRIC_BFIO, GEOMETRIC_IIR, Stated
from theory.laws.law import Law
from theory.model import System

PLANTS = (
    Variant("lower end x1.25", Fraction(5, 4), side="lower"),
    Variant("upper end x0.8", Fraction(4, 5), side="upper"),
    FCFS,
    JSQ,
)

# The constant of a system, from the imbalance of BF-IO there: monotone.
Constant = Callable[[Stated, float], float]


def _runs(trial: Trial, stated: Stated) -> Balanced:
    """Replicated runs of BF-IO; fewer of a policy in its place, which is far off."""
    policy = planted_policy(trial, "bfio")
    return balanced_runs(
        stated.system,
        policy,
        float(stated.p),
        stated.b,
        runs=stated.runs * trial["times"] if policy == "bfio" else 20,
        seed=fresh(trial, seen=200),
        lengths=36,
    )


def _two_sided(trial: Trial, systems: tuple[Stated, ...], constant: Constant) -> Finding:
    """Each constant against its interval: refuted by one outside, decided only by all inside."""
    cases: list[tuple[str, float, float, tuple[float, float]]] = []
    details: dict[str, Any] = {}
    inside = True
    for stated in systems:
        runs = _runs(trial, stated)
        if unfit := runs.unfit(str(stated)):
            return unfit
        if runs.mean.low <= runs.gap:
            return Finding(
                Verdict.INCONCLUSIVE,
                runs.mean.value,
                runs.gap,
                ">=",
                f"imbalance below what its steps leave uncertified, {stated}",
            )
        # An optimal step can have less imbalance, by the gap that is not certified.
        ends = runs.mean.low - runs.gap, runs.mean.high
        low, high = sorted(constant(stated, imbalance) for imbalance in ends)
        value = constant(stated, runs.mean.value)
        claimed = (
            float(stated.low * trial.scale_of("lower")),
            float(stated.high * trial.scale_of("upper")),
        )
        details[str(stated)] = {"constant": value, "interval": (low, high), "stated": claimed}
        domain = f"stated [{claimed[0]:.3g}, {claimed[1]:.3g}] at {stated}"
        middle = sum(claimed) / 2
        if high < claimed[0] or low > claimed[1]:
            witness = {"system": str(stated), "params": dict(trial.params), "seed": trial.seed}
            return Finding(
                Verdict.REFUTED, value, middle, "~", domain, (low, high), witness, details
            )
        inside = inside and claimed[0] <= low and high <= claimed[1]
        cases.append((domain, value, middle, (low, high)))
    domain, value, middle, interval = cases[-1]
    return Finding(
        Verdict.SUPPORTED if inside else Verdict.INCONCLUSIVE,
        value,
        middle,
        "~",
        f"{len(cases)} systems, the interval of {'every' if inside else 'not every'} constant "
        f"inside its stated one; the last: {domain}",
        interval,
        details=details,
    )


def _ratio(stated: Stated, imbalance: float, quotient: float) -> float:
    return fcfs_imbalance(stated.system, float(stated.p), stated.b) / imbalance / quotient


@check(
    "geometric.bfio-constant",
    measures="imbalance of BF-IO over (G-1) s_max / p (ratio)",
    plants=PLANTS,
    standard={"times": 4},
    times=1,
)
def geometric_bfio(trial: Trial) -> Finding:
    """``E[AvgImb(BF-IO)]`` over ``(G-1) s_max / p``."""

    def constant(stated: Stated, imbalance: float) -> float:
        return imbalance / float(theorem2.bfio_bound(stated.system.workers, stated.b, stated.p))

    return _two_sided(trial, GEOMETRIC_BFIO, constant)


@check(
    "geometric.iir",
    measures="IIR over the form of Theorem 2 (ratio)",
    plants=PLANTS,
    standard={"times": 4},
    times=1,
)
def geometric_iir(trial: Trial) -> Finding:
    """IIR over its shape, exact FCFS over simulated BF-IO."""

    def constant(stated: Stated, imbalance: float) -> float:
        system, sizes = stated.system, Law.uniform(1, stated.b)
        shape = theorem2.paper_ratio(sizes, stated.p, system.workers, system.slots, Fraction(1))
        return _ratio(stated, imbalance, shape.value)

    return _two_sided(trial, GEOMETRIC_IIR, constant)


def _drift_bound(stated: Stated) -> float:
    system = stated.system
    return float(theorem3.bfio_bound(system.workers, stated.b, stated.p, system.drift))


@check(
    "drift.bfio-constant",
    measures="imbalance of BF-IO over (G-1) (s_max + max drift / p) (ratio)",
    plants=PLANTS,
    standard={"times": 4},
    times=1,
)
def drift_bfio(trial: Trial) -> Finding:
    """``E[AvgImb(BF-IO)]`` over ``(G-1) (s_max + max drift / p)``."""
    return _two_sided(trial, DRIFT_BFIO, lambda stated, x: x / _drift_bound(stated))


@check(
    "drift.iir",
    measures="IIR over FCFS without drift / ((G-1)(s_max + max drift / p)) (ratio)",
    plants=PLANTS,
    standard={"times": 4},
    times=1,
)
def drift_iir(trial: Trial) -> Finding:
    """IIR over its quotient, exact FCFS over simulated BF-IO."""

    def constant(stated: Stated, imbalance: float) -> float:
        still = System(stated.system.workers, stated.system.slots, (0,))
        quotient = fcfs_imbalance(still, float(stated.p), stated.b) / _drift_bound(stated)
        return _ratio(stated, imbalance, quotient)

    return _two_sided(trial, DRIFT_IIR, constant)
