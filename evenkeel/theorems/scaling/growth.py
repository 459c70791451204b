"""Growth with slots and workers, measured: runs of geometric lengths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log, sqrt
from typing import Any

import numpy as np

from evenkeel.findings.check import Finding, Relation, Trial, Variant, Verdict, evidence
from evenkeel.findings.replications import balanced_runs, fcfs_imbalance
from evenkeel.findings.scoreboard import weighed
from evenkeel.findings.statistics import Mean, fresh
from evenkeel.findings.verdicts import FCFS, JSQ, planted_policy
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.scaling.refills import HYPOTHESES, IN_WORKERS
from evenkeel.theorems.step.domains import EXACT
from theory.formulas.geometric import edge_slots
from theory.formulas.growth import fitted_exponent
from theory.model import FloatArray, System
from theory.relations import at_least, at_most, both, equal
from theory.symbolic import sp

BFIO = (
    *HYPOTHESES,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.BOUNDED_SIZES,
    Assumption.MYOPIC,
    Assumption.POOL_CONDITION,
    Assumption.EXACT_STEP,
)


@dataclass(frozen=True, slots=True)
class _Fit:
    """An exponent of IIR with its interval, and the rivals' at the same systems."""

    where: str
    exponent: Mean
    rivals: Mapping[str, float]
    details: Mapping[str, Any]

    @property
    def excluded(self) -> str:
        """The rivals whose exponents lie outside the interval, in words."""
        out = [name for name, value in self.rivals.items() if value not in self.exponent]
        return f"excluded: {', '.join(out) or 'none'}"

    def finding(
        self, trial: Trial, against: bool, supports: bool, relation: Relation, claimed: float
    ) -> Finding:
        """The finding with the exponent, its interval and its rivals."""
        return weighed(
            against,
            supports,
            self.exponent.value,
            relation,
            claimed,
            f"{self.where}; {self.excluded}",
            {"params": dict(trial.params), "seed": trial.seed, **self.details},
            interval=self.exponent.interval,
            details={**self.details, "exponents of rivals": dict(self.rivals)},
        )


def _fit(
    trial: Trial,
    systems: Sequence[System],
    against: Sequence[int],
    policy: str,
    shapes: Mapping[str, Callable[[int], float]],
) -> _Fit | Finding:
    """The exponent of exact FCFS over replicated runs; or the finding that ends the check."""
    fcfs, runs = [], []
    details: dict[str, Any] = {}
    for system in systems:
        exact = fcfs_imbalance(system, trial["p"], trial["b"])
        found = balanced_runs(
            system,
            policy,
            trial["p"],
            trial["b"],
            runs=trial["runs"],
            seed=fresh(trial, seen=500),
            pool=trial.params.get("pool"),
            lengths=trial["lengths"],
        )
        where = f"G = {system.workers}, B = {system.slots}, drift {system.drift}"
        if unfit := found.unfit(where):
            return unfit
        # A run left out must leave some imbalance behind for the logarithm.
        if np.count_nonzero(found.samples) < 2:
            return Finding(
                verdict=Verdict.NOT_APPLICABLE,
                computed=0,
                domain=f"no imbalance left to fit at {where}",
            )
        details[where] = {
            "IIR": exact / found.mean.value,
            "interval of BF-IO's imbalance": found.mean.interval,
            "uncertified, at most": found.gap,
        }
        fcfs.append(exact)
        runs.append(found)

    def exponent(means: FloatArray) -> float:
        return fitted_exponent(against, np.array(fcfs) / means)

    fit = Mean.jackknife([run.samples for run in runs], exponent)
    # An optimal step can have less imbalance, by the gap that is not certified: the slope is
    # linear in the logarithms, so each end moves by those whose weight has its sign.
    x = np.log(against)
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    rise = np.array(
        [-log(1 - run.gap / run.mean.value) if run.gap < run.mean.value else inf for run in runs]
    )
    slack = weights * rise
    low = fit.low + float(slack[weights < 0].sum())
    high = fit.high + float(slack[weights > 0].sum())
    drift = systems[0].drift
    return _Fit(
        f"least-squares exponent over {tuple(against)}, drift {drift}, {trial['runs']} runs each",
        Mean(fit.value, low, high, fit.deviation),
        {
            name: fitted_exponent(against, [shape(v) for v in against])
            for name, shape in shapes.items()
        },
        details,
    )


# Shapes that IIR could have in B at fixed G, and in G at fixed B.
IN_SLOTS: dict[str, Callable[[int], float]] = {
    "constant": lambda _: 1.0,
    "sqrt(B)": sqrt,
    "B": float,
    "B^(3/2)": lambda b: b**1.5,
}


def _exact_or(trial: Trial) -> str:
    """BF-IO with lexicographic steps, unless another policy is planted or given."""
    policy = trial.policy_or("bfio")
    return EXACT if policy == "bfio" else policy


def _slots_exponents(trial: Trial) -> list[_Fit] | Finding:
    """Exponents of IIR in B for each drift."""
    fits = []
    for drift in trial["drifts"]:
        systems = [System(trial["G"], slots, drift) for slots in trial["slots"]]
        fit = _fit(trial, systems, trial["slots"], _exact_or(trial), IN_SLOTS)
        if isinstance(fit, Finding):
            return fit
        fits.append(fit)
    return fits


def _at_least(trial: Trial, fit: _Fit, claimed: float) -> Finding:
    """Three ways for a lower bound of an exponent."""
    low, high = fit.exponent.interval
    return fit.finding(trial, high < claimed, low >= claimed, ">=", claimed)


MORE: dict[str, Any] = {
    "runs": 240,
    "lengths": 60,
    "drifts": ((0,), (1,), (3, 0, 1), (0, 0, 5)),
}

SMALL: dict[str, Any] = {"p": 0.25, "b": 100}

SLOTS: dict[str, Any] = {
    "G": 2,
    "slots": (1, 2, 3, 4),
    "pool": 12,
    "drifts": ((0,), (1,)),
    "runs": 128,
    "lengths": 14,
    **SMALL,
}


@claim(
    "scaling.iir-slots",
    "lower",
    source="paper, Theorems 2 and 3 read without their asymptotics",
    version="v1, v2",
    assumptions=BFIO,
    requires=("fcfs.exact",),
    answers=("T2",),
)
class IirSlots:
    """At G = 2 IIR grows at least like the square root of B over B = 1 to 4.

    G = 2, p = 1/4, sizes uniform on 1..100, 12 requests waiting, drift 0 and drift 1: the exponent
    of IIR in B, by least squares over B = 1, 2, 3, 4, is at least 1/2.
    """

    def formula(self) -> "sp.Basic":
        return at_least("exponent", "1/2")

    @evidence(
        no_near_factor="a growth that the paper claims without a constant, held against rival "
        "policies",
        measures="fitted exponent of IIR in B, smallest over drifts (1)",
        plants=(
            Variant("exponent 2", exponent=Fraction(3, 2)),
            FCFS,
            JSQ,
        ),
        standard=MORE,
        **SLOTS,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS over replicated runs of BF-IO with lexicographic steps, so the number does not
        depend on which optimal step is taken. G, B and the pool are small enough to try all
        assignments, and the sizes are wide enough for the pool condition to hold throughout. An
        exponent whose interval lies below 1/2 refutes it; constant, sqrt(B), B and B^(3/2) are its
        rivals, and the verdict names those outside the interval.
        """
        fits = _slots_exponents(trial)
        if isinstance(fits, Finding):
            return fits
        claimed = 0.5 + float(trial.exponent)
        return _at_least(trial, min(fits, key=lambda fit: fit.exponent.low), claimed)


@claim(
    "scaling.iir-slots-half",
    "order",
    assumptions=BFIO,
    requires=("scaling.iir-slots",),
    holds=False,
)
class IirSlotsHalf:
    """At G = 2 IIR grows exactly like the square root of B over B = 1 to 4.

    In the systems of [scaling.iir-slots] the exponent of IIR in B is 1/2.
    """

    def formula(self) -> "sp.Basic":
        return equal("exponent", "1/2")

    @evidence(
        measures="fitted exponent of IIR in B, farthest over drifts (1)",
        plants=(
            Variant("exponent 0.55", exponent=Fraction(1, 20)),
            Variant("exponent 0.45", exponent=Fraction(-1, 20)),
        ),
        standard=MORE,
        **SLOTS,
    )
    def check(self, trial: Trial) -> Finding:
        """The same runs; an exponent whose interval does not contain 1/2 refutes it."""
        fits = _slots_exponents(trial)
        if isinstance(fits, Finding):
            return fits
        claimed = 0.5 + float(trial.exponent)
        far = max(fits, key=lambda fit: abs(fit.exponent.value - claimed))
        inside = all(claimed in fit.exponent for fit in fits)
        return far.finding(trial, not inside, False, "==", claimed)


def _up_to_the_edge(trial: Trial, policy: str) -> _Fit | Finding:
    systems = [System(trial["G"], slots) for slots in trial["slots"]]
    edge = edge_slots(trial["G"], trial["p"], trial["b"] - 1)
    if max(trial["slots"]) > edge:
        return Finding(
            verdict=Verdict.NOT_APPLICABLE,
            computed=max(trial["slots"]),
            claimed=edge,
            relation="<=",
            domain="slots beyond the lower edge of the frontier",
        )
    return _fit(trial, systems, trial["slots"], policy, IN_SLOTS)


EDGE: dict[str, Any] = {
    "G": 8,
    "slots": (6, 9, 13, 18, 26),
    "p": 0.1,
    "b": 50,
    "runs": 160,
    "lengths": 18,
}

# Stated of the fitted exponent of [scaling.iir-frontier-exponent]: the value, and up to what.
EDGE_EXPONENT, EDGE_BAND = Fraction(23, 20), Fraction(3, 20)


@claim(
    "scaling.iir-frontier",
    "lower",
    source="paper, Theorem 2 and experiment E4",
    version="v1, v2",
    assumptions=BFIO[:-1],
    requires=("fcfs.exact", "threshold.frontier"),
    answers=("T2",),
)
class IirFrontier:
    """At G = 8 IIR grows faster than the square root of B up to the frontier of balance.

    G = 8, p = 0.1, sizes uniform on 1..50, pool 4GB: up to B = m ln G / (p (b-a)^2), below which
    balance is lost more often than not [threshold.frontier], the exponent of IIR in B, by least
    squares over B = 6, 9, 13, 18, 26, is at least 1: more than the 1/2 of Theorem 2.
    """

    def formula(self) -> "sp.Basic":
        return at_least("exponent", "1")

    @evidence(
        measures="fitted exponent of IIR in B (1)",
        plants=(Variant("exponent 0.3 more", exponent=Fraction(3, 10)), FCFS),
        standard={"runs": 320},
        **EDGE,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS over replicated runs of BF-IO at each, every step with a certified gap; an
        exponent whose interval lies below 1 refutes it.
        """
        fit = _up_to_the_edge(trial, trial.policy_or("bfio"))
        claimed = float(EDGE_EXPONENT - EDGE_BAND + trial.exponent)
        return fit if isinstance(fit, Finding) else _at_least(trial, fit, claimed)


def _within(trial: Trial, fit: _Fit, claimed: float, band: float) -> Finding:
    """Three ways for an exponent stated up to ``band``."""
    low, high = fit.exponent.interval
    inside = claimed - band <= low and high <= claimed + band
    outside = high < claimed - band or low > claimed + band
    return fit.finding(trial, outside, inside, "~", claimed)


@claim(
    "scaling.iir-frontier-exponent",
    "empirical",
    assumptions=BFIO[:-1],
    requires=("scaling.iir-frontier",),
    answers=("T2",),
)
class IirFrontierExponent:
    """At G = 8 the exponent of IIR in B up to the frontier.

    In the systems of [scaling.iir-frontier] the fitted exponent of IIR in B is 1.15, up to 0.15:
    not that of a constant, of sqrt(B) or of B^(3/2).
    """

    def formula(self) -> "sp.Basic":
        return both(at_least("exponent", "1"), at_most("exponent", "13/10"))

    @evidence(
        measures="fitted exponent of IIR in B (1)",
        plants=(
            Variant("exponent 0.3 less", exponent=Fraction(-3, 10)),
            Variant("exponent 0.3 more", exponent=Fraction(3, 10)),
            FCFS,
        ),
        standard={"runs": 320},
        **EDGE,
    )
    def check(self, trial: Trial) -> Finding:
        """The same runs; an exponent whose interval lies outside 1..1.3 refutes it."""
        fit = _up_to_the_edge(trial, planted_policy(trial, "bfio"))
        if isinstance(fit, Finding):
            return fit
        return _within(trial, fit, float(EDGE_EXPONENT + trial.exponent), float(EDGE_BAND))


def _workers(trial: Trial, policy: str) -> Finding:
    """The exponent of IIR in G against that of E_max(G) G/(G-1)."""
    systems = [System(workers, trial["B"]) for workers in trial["workers"]]
    fit = _fit(trial, systems, trial["workers"], policy, IN_WORKERS)
    if isinstance(fit, Finding):
        return fit
    shape = "sqrt(ln G) G/(G-1)" if trial.fault("sqrt-log") else "E_max(G) G/(G-1)"
    return _at_least(trial, fit, fit.rivals[shape] + float(trial.exponent))


GROWTH = (
    Variant("sqrt(ln G) in place of E_max(G)", fault="sqrt-log"),
    Variant("exponent 0.1 less", exponent=Fraction(-1, 10)),
    Variant("exponent 1/4 less", exponent=Fraction(-1, 4)),
)


@claim(
    "scaling.iir-workers",
    "order",
    source="paper, Theorem 2 and experiment E4; sharpened from sqrt(log G)",
    version="v1, v2",
    assumptions=BFIO,
    requires=("fcfs.exact", "threshold.frontier"),
    holds=False,
    answers=("T2",),
)
class IirWorkers:
    """At B = 1 IIR grows at least like E_max(G) G/(G-1) from G = 2 to 5.

    B = 1, p = 1/4, sizes uniform on 1..100, 10 requests waiting, drift 1: the exponent of IIR in G,
    by least squares over G = 2, 3, 4, 5, is at least that of E_max(G) G/(G-1), which is 0.28.
    """

    def formula(self) -> "sp.Basic":
        return at_least("exponent", "exponent_E")

    @evidence(
        measures="fitted exponent of IIR in G (1)",
        plants=GROWTH,
        standard={"runs": 240},
        workers=(2, 3, 4, 5),
        B=1,
        pool=10,
        runs=24,
        lengths=36,
        **SMALL,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS over replicated runs of BF-IO with lexicographic steps, in systems chosen as
        in [scaling.iir-slots]. An exponent whose interval lies below that of the shape refutes it;
        constant, sqrt(ln G), sqrt(ln G) G/(G-1) and ln G are its rivals, and the verdict names
        those outside the interval.
        """
        return _workers(trial, _exact_or(trial))


@claim(
    "scaling.iir-workers-frontier",
    "order",
    source="paper, Theorem 2 and experiment E4; sharpened from sqrt(log G)",
    version="v1, v2",
    assumptions=BFIO[:-1],
    requires=("fcfs.exact", "threshold.frontier"),
    holds=False,
    answers=("T2",),
)
class IirWorkersFrontier:
    """At B = 26 IIR grows at least like E_max(G) G/(G-1) from G = 4 to 16.

    p = 0.1, sizes uniform on 1..50, pool 4GB, B = 26, which is m ln G / (p (b-a)^2) at G = 8
    [threshold.frontier]: from half to twice these workers the exponent of IIR in G, by least
    squares over G = 4, 6, 8, 12, 16, is at least that of E_max(G) G/(G-1), which is 0.23.
    """

    def formula(self) -> "sp.Basic":
        return at_least("exponent", "exponent_E")

    @evidence(
        measures="fitted exponent of IIR in G (1)",
        plants=GROWTH,
        standard={"runs": 120},
        workers=(4, 6, 8, 12, 16),
        B=26,
        p=0.1,
        b=50,
        runs=24,
        lengths=18,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS over replicated runs of BF-IO at each, every step with a certified gap. More
        workers raise the frontier like ln G; an exponent whose interval lies below that of the
        shape refutes it.
        """
        return _workers(trial, trial.policy_or("bfio"))
