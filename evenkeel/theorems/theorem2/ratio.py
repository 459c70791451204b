"""The ratio of Theorem 2 and its constants."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.replications import Balanced, balanced_runs, fcfs_imbalance
from evenkeel.findings.scoreboard import refuted, weighed
from evenkeel.findings.statistics import fresh
from evenkeel.findings.verdicts import FCFS, JSQ, planted_policy
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.theorem2.rare_sizes import (
    INSTANCE,
    WITNESS,
    range_proof,
    rare_size,
    rare_size_witness,
)
from evenkeel.theorems.theorem2.sides import HYPOTHESES
from theory.formulas.constants import (
    FCFS_ROUNDED,
    FCFS_TEXT,
    GEOMETRIC_BFIO,
    GEOMETRIC_IIR,
    Stated,
    in_words,
)
from theory.formulas.geometric import age_moments, slot_variance
from theory.formulas.ratio import bfio_bound, iir_bound, iir_enclosure
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least, at_most, both
from theory.symbolic import sp

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


def two_sided(trial: Trial, systems: tuple[Stated, ...], constant: Constant) -> Finding:
    """Each constant against its interval: refuted by one outside, decided only by all inside."""
    details: dict[str, Any] = {}
    inside = True
    for stated in systems:
        runs = _runs(trial, stated)
        if unfit := runs.unfit(str(stated)):
            return unfit
        if runs.mean.low <= runs.gap:
            domain = f"imbalance below what its steps leave uncertified, {stated}"
            return weighed(False, False, runs.mean.value, ">=", runs.gap, domain, {})
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
            return refuted(
                value, "~", middle, domain, witness, interval=(low, high), details=details
            )
        inside = inside and claimed[0] <= low and high <= claimed[1]
    return weighed(
        False,
        inside,
        value,
        "~",
        middle,
        f"{len(systems)} systems, the interval of {'every' if inside else 'not every'} constant "
        f"inside its stated one; the last: {domain}",
        {},
        interval=(low, high),
        details=details,
    )


def constant_formula() -> "sp.Basic":
    """Formula of a constant that lies in a stated interval."""
    return both(at_least("constant", "c_1"), at_most("constant", "c_2"))


CONSTANT_PLANTS = (
    Variant("lower end x1.25", Fraction(5, 4), side="lower"),
    Variant("upper end x0.8", Fraction(4, 5), side="upper"),
    FCFS,
    JSQ,
)


def ratio_constant(stated: Stated, imbalance: float, quotient: float) -> float:
    """IIR over its claimed order: exact FCFS over a measured imbalance and over that order."""
    return fcfs_imbalance(stated.system, float(stated.p), stated.b) / imbalance / quotient


@claim(
    "geometric.iir",
    "order",
    source="paper, Theorem 2 (order); constants: evenkeel",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("geometric.bfio-constant", "fcfs.exact"),
    recovered=False,
    values={"band": in_words(GEOMETRIC_IIR)},
    answers=("T2",),
)
class Iir:
    """Theorem 2's ratio: the order, and its constant at two systems.

    The paper's IIR >= c (p/s_max) sqrt(sigma_s^2 + (1-p)/p^2) sqrt(B log G) G/(G-1) names no c, and
    none holds for all G and B [geometric.iir-static], nor where the range of the sizes says so
    [geometric.iir-range]. Order only: in the systems of [geometric.bfio-constant] IIR over that
    form lies in $band.
    """

    def formula(self) -> "sp.Basic":
        return constant_formula()

    @evidence(
        measures="IIR over the form of Theorem 2 (ratio)",
        plants=CONSTANT_PLANTS,
        standard={"times": 4},
        times=1,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS over the runs of [geometric.bfio-constant]; a ratio whose interval lies
        outside the stated one refutes it, from either side.
        """

        def constant(stated: Stated, imbalance: float) -> float:
            system, sizes = stated.system, Law.uniform(1, stated.b)
            variance, width = slot_variance(sizes, stated.p), stated.b / stated.p
            shape = iir_enclosure(system.workers, system.slots, variance, width, Fraction(1))
            return ratio_constant(stated, imbalance, shape.value)

        return two_sided(trial, GEOMETRIC_IIR, constant)


def _paper_form() -> "sp.Expr":
    """Theorem 2's bound of IIR with the constant 0.6776."""
    G, B, sigma, s_max, p = sp.symbols("G B sigma_X s_max p", positive=True)
    bound: sp.Expr = iir_bound(G, B, sigma, s_max / p, FCFS_ROUNDED)
    return bound


@claim(
    "geometric.iir-range",
    "lower",
    source="paper, Theorem 2",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("geometric.bfio-upper-range", "fcfs.exact"),
    recovered=False,
    holds=False,
    values={"c": FCFS_TEXT, "instance": INSTANCE},
    answers=("T2",),
)
class IirRange:
    """Theorem 2's ratio, on the range of the sizes alone.

    IIR >= $c (p/s_max) sigma_X sqrt(B log G) G/(G-1) wherever the pool condition holds, B p (b-a)^2
    >= 8 m ln G and this says more than 1. A rare size fakes the range: $instance. There no online
    policy improves on FCFS by more than 3.6, and the claimed side is 4.7.
    """

    def formula(self) -> "sp.Basic":
        return at_least("IIR", _paper_form())

    def proof(self) -> tuple[Step, ...]:
        return range_proof()

    @evidence(
        measures="largest IIR of any online policy (ratio)",
        plants=(
            Variant("0.8 times the constant", Fraction(4, 5)),
            Variant("0.77 times the constant", Fraction(77, 100)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """E[Imb(FCFS)] over the lower bound of [geometric.bfio-upper-range], both in exact
        enclosures, is an upper bound of IIR; below the claimed side it refutes it.
        """
        floor, fcfs = rare_size()
        it = WITNESS
        c, variance = FCFS_ROUNDED * trial.scale, slot_variance(it.sizes, it.p)
        claimed = iir_enclosure(it.G, it.B, variance, it.b / it.p, c).lower
        return weighed(
            claimed > 1 and fcfs / floor < claimed,
            False,
            float(fcfs / floor),
            ">=",
            float(claimed),
            f"upper bound of IIR for every online policy, exact enclosures, {INSTANCE}",
            rare_size_witness(),
        )


@claim(
    "geometric.bfio-constant",
    "empirical",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("threshold.frontier",),
    values={"band": in_words(GEOMETRIC_BFIO)},
    answers=("T2",),
)
class BfioConstant:
    """The constant of Theorem 2's BF-IO side at two systems, at the edge of the frontier.

    With B = m ln G / (p (b-a)^2) rounded up, the lower edge of [threshold.frontier], p = 1/10,
    sizes uniform on 1..50 and 4GB requests waiting, E[AvgImb(BF-IO)] p / ((G-1) s_max) lies in
    $band.
    """

    def formula(self) -> "sp.Basic":
        return constant_formula()

    @evidence(
        measures="imbalance of BF-IO over (G-1) s_max / p (ratio)",
        plants=CONSTANT_PLANTS,
        standard={"times": 4},
        times=1,
    )
    def check(self, trial: Trial) -> Finding:
        """Replicated runs with a certified gap to the optimum of every step; it is taken off the
        lower end. A mean whose interval lies outside the stated one refutes it, from either side;
        one that reaches beyond it decides nothing.
        """

        def constant(stated: Stated, imbalance: float) -> float:
            return imbalance / float(bfio_bound(stated.system.workers, stated.b / stated.p))

        return two_sided(trial, GEOMETRIC_BFIO, constant)


@claim(
    "geometric.iir-static",
    "lower",
    source="paper, Theorem 2 read without its asymptotics",
    version="v1, v2",
    assumptions=HYPOTHESES,
    requires=("threshold.any-policy", "fcfs.exact"),
    holds=False,
    values={"c": FCFS_TEXT},
    answers=("A4",),
    drops=(Dropped("geometric.iir", "control authority (all G and B instead)"),),
)
class IirStatic:
    """Theorem 2's ratio for all G and B.

    IIR >= $c (p/s_max) sigma_X sqrt(B log G) G/(G-1) for all G, B, p and size laws. False for every
    constant: with sizes in {1, 2}, small p and B up to E_G^2 / (4 p^2), E_G the mean maximum of G
    normals, no online policy gets the imbalance below about half of that of FCFS, while the bound
    grows like 1/p.
    """

    def formula(self) -> "sp.Basic":
        return at_least("IIR", _paper_form())

    def proof(self) -> tuple[Step, ...]:
        G, B, most, c, logs, p = sp.symbols("G B E_G c l p", positive=True)
        critical = most**2 / (4 * p**2)
        spread = sp.sqrt(sp.Rational(1, 4) + age_moments(p)[0])  # sizes 1 or 2 at equal odds
        bound = iir_bound(G, critical, spread, 2 / p, c).subs(sp.log(G), logs)
        return (
            Lemma(
                "both sides",
                "Sizes 1 or 2 at equal odds, d = 1, G >= 2 fixed, p falls to 0 and B = E_G^2 / (4 "
                "p^2), rounded.  By the central limit theorem E[Imb(FCFS)]/G and E max_g A_g - E "
                "A_g are both E_G sqrt(B) / p times factors that tend to 1, and by "
                "[threshold.any-policy] no online policy has less than G times the latter minus G "
                "B.",
            ),
            Identity(
                "So the limit of the largest possible IIR is 2",
                sp.Subs((most * sp.sqrt(B) / p) / (most * sp.sqrt(B) / p - B), B, critical),
                sp.Integer(2),
            ),
            Identity(
                "while p times the claimed side, l = ln G, tends to a positive number",
                sp.Limit(p * bound, p, 0),
                c * most * sp.sqrt(logs) * G / (4 * (G - 1)),
            ),
        )

    @evidence(
        measures="largest IIR of any online policy (ratio)",
        plants=(
            Variant("four fifths of the constant", Fraction(4, 5)),
            Variant("one third of the constant", Fraction(1, 3)),
            Variant("one tenth of the constant, B larger", Fraction(1, 10), fault="larger"),
        ),
        G=16,
        B=256,
        p=Fraction(1, 100),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact E[Imb(FCFS)] over the rigorous lower bound of every policy's imbalance
        [threshold.any-policy] is an upper bound of IIR; below the claimed side it refutes it,
        without any simulation.
        """
        workers, p = trial["G"], trial["p"]
        slots = trial["B"] * (4 if trial.fault("larger") else 1)
        sizes = Law.uniform(1, 2)
        fcfs = expected_imbalance(geometric_slot(sizes, p), workers, slots).imbalance
        floor = unavoidable_imbalance(workers, slots, p, 1)
        c, variance = FCFS_ROUNDED * trial.scale, slot_variance(sizes, p)
        claimed = iir_enclosure(workers, slots, variance, sizes.bound / p, c)
        most = fcfs.upper / floor if floor else None
        return weighed(
            most is not None and most < claimed.lower,
            False,
            None if most is None else float(most),
            ">=",
            claimed.value,
            "largest possible IIR of any online policy, exact enclosures",
            {
                "G": workers,
                "B": slots,
                "p": str(p),
                "sizes": [1, 2],
                "E[Imb(FCFS)]": float(fcfs.upper),
                "every policy's E[Imb] is at least": float(floor),
            },
        )
