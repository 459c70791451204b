"""Lower bounds of the expected imbalance of FCFS by moments."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from flint import ctx

from evenkeel.findings.check import Finding, Number, Relation, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import TENTH, Comparison, broken, near, stands
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.registry import claim
from theory.formal.record import Theorem
from theory.laws.fcfs_expectation import PRECISION, expected_imbalance, from_ball, to_ball
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import (
    berry_esseen_bound,
    expected_max_of_normals,
    pairing_bound,
    pairing_square,
)
from theory.laws.slot_load import geometric_slot
from theory.proof import Identity, Inequality, Lemma, Step
from theory.symbolic import sp

COIN = Law.of({0: Fraction(1, 2), 1: Fraction(1, 2)})
UNIFORM = Law.uniform(1, 100)
RARE = Law.of({1: Fraction(99, 100), 100: Fraction(1, 100)})


@cache
def _laws() -> dict[str, Law]:
    return {
        "fair coin": COIN,
        "uniform 1..100": UNIFORM,
        "rare large size": RARE,
        "uniform 1..100, p = 1/20": geometric_slot(UNIFORM, Fraction(1, 20)),
        "uniform 1..10, p = 1/5, step 3": geometric_slot(
            Law.uniform(1, 10), Fraction(1, 5), step=3
        ),
    }


@cache
def _exact(name: str, workers: int, slots: int) -> Enclosure:
    """Expected imbalance of FCFS under one of the laws, kept for the bounds and their plants."""
    return expected_imbalance(_laws()[name], workers, slots).imbalance


def _below_exact(
    trial: Trial, bound: Callable[[Law, int, int], Fraction], *, by_two: bool = False
) -> Finding:
    """Hold a lower bound against the exact expectation over a grid of laws, G and B.

    For the bound by two workers against what it bounds first, ``(G/2) E|L_1 - L_2|``, and that
    against the expectation.
    """
    closest: tuple[Fraction, Number, Number] = (Fraction(-1), 0, 0)
    at = ""
    grid = [*product(_laws(), trial["workers"], trial["slots"]), ("fair coin", 16, trial["many"])]
    for name, workers, slots in grid:
        exact = _exact(name, workers, slots)
        where = f"{name}, G = {workers}, B = {slots}"
        sides = []
        if by_two:
            two = _exact(name, 2, slots) * Fraction(workers, 2)
            between = two.lower * trial.scale_of("two workers")
            holds = between <= exact.upper
            sides.append(Comparison(holds, exact.value, ">=", float(between), "(G/2) E|L_1 - L_2|"))
            exact = two
        claimed = bound(_laws()[name], workers, slots) * (trial.scale * trial.stretch(slots))
        sides.append(Comparison(claimed <= exact.upper, exact.value, ">=", float(claimed)))
        witness = {"law": name, "G": workers, "B": slots}
        if found := broken(sides, f"exact enclosure at {where}", witness):
            return found
        if exact.lower > 0 and claimed / exact.lower > closest[0]:
            closest, at = (claimed / exact.lower, exact.value, float(claimed)), where
    return stands(
        trial,
        closest[1],
        ">=",
        closest[2],
        f"{len(grid)} exact enclosures over {len(_laws())} laws, G in {trial['workers']}, B in "
        f"{trial['slots']} and {trial['many']}; tightest at {at}",
        details={"largest share of the exact value": float(closest[0])},
    )


def _normal_imbalance(law: Law, workers: int, slots: int) -> Fraction:
    """``G sigma sqrt(B) E[max of normals]``: what the bound would be without a distance."""
    with ctx.workprec(PRECISION):
        sigma = from_ball((slots * to_ball(law.variance.lower)).sqrt()).lower
    return workers * sigma * expected_max_of_normals(workers).lower


STEEPER = Variant("B to a power larger by 1/2", exponent=Fraction(1, 2))
NO_DISTANCE = Variant("normal limit in place of the bound", fault="no-distance")


@claim(
    "fcfs.lower",
    "lower",
    source="paper, Theorems 1 and 2 (order, c unnamed); constant: evenkeel",
    version="v1, v2",
    assumptions=EXPECTATION,
    requires=("fcfs.exact",),
    answers=("T1",),
)
class Lower:
    """Explicit lower bound of the expected imbalance.

    For every law of X with sigma > 0 and finite rho = E|X - EX|^3 and every G >= 2 and B with eps =
    min(0.4748 rho/sigma^3, 0.33554 (rho/sigma^3 + 0.415)) / sqrt(B) < 1/2: E[Imb(FCFS)] >= G sigma
    sqrt(B) [ int_0^x* (1 - (Phi(x)+eps)^G) dx - (1/2)(1/2+eps)^(G-1) ] for each x* >= 0 with
    Phi(x*) + eps <= 1. Where B is too small for the law's skewness it is negative and says nothing;
    a bound of the order G sigma sqrt(B log G) for all B is [fcfs.log-growth].
    """

    def formula(self) -> "sp.Basic":
        G, B, sigma = sp.symbols("G B sigma", positive=True)
        eps, x, cut = sp.symbols("epsilon x x_star", nonnegative=True)
        Phi, imb = sp.Function("Phi"), sp.Symbol("E[Imb]")
        gain = sp.Integral(1 - (Phi(x) + eps) ** G, (x, 0, cut))
        loss = (sp.Rational(1, 2) + eps) ** (G - 1) / 2
        return sp.Ge(imb, G * sigma * sp.sqrt(B) * (gain - loss))

    def proof(self) -> tuple[Step, ...]:
        z = sp.Symbol("z", real=True)
        return (
            Lemma(
                "Berry-Esseen",
                "Z = (L - B EX)/(sigma sqrt(B)) has |F_Z - Phi| <= eps everywhere (Berry 1941; "
                "Esseen 1942), with the constants of (Shevtsova 2011): eps is the smaller of "
                "0.4748 rho/(sigma^3 sqrt(B)) and 0.33554 (rho + 0.415 sigma^3)/(sigma^3 "
                "sqrt(B)).",
            ),
            Lemma(
                "split at zero",
                "E[max Z] = int_0^inf (1 - F_Z^G) - int_(-inf)^0 F_Z^G.  In the first integral "
                "F_Z <= Phi + eps up to x*, and the rest is not negative.",
            ),
            Lemma(
                "the negative half",
                "F_Z is non-decreasing, so on x < 0 F_Z^G <= F_Z(0)^(G-1) F_Z <= "
                "(1/2 + eps)^(G-1) F_Z, and int_(-inf)^0 F_Z = E[Z^-].",
            ),
            Identity(
                "E[Z] = 0 gives E[Z^-] = E|Z|/2, as z^- = (|z| - z)/2",
                sp.Max(0, -z),
                (sp.Abs(z) - z) / 2,
            ),
            Inequality(
                "and E[Z^2] = 1 gives E|Z| <= 1, so E[Z^-] <= 1/2",
                sp.Abs(z),
                (1 + z**2) / 2,
                (1 - sp.Abs(z)) ** 2 / 2,
            ),
        )

    @evidence(
        measures="exact expected imbalance of FCFS (load)",
        plants=(near("", TENTH), STEEPER, NO_DISTANCE),
        standard={"workers": (2, 3, 8, 32, 256), "slots": (1, 8, 72, 500, 4096), "many": 2**18},
        workers=(2, 8, 32),
        slots=(1, 72, 500),
        many=2**16,
    )
    def check(self, trial: Trial) -> Finding:
        """The bound, integrated rigorously and rounded down, against the exact expectation over a
        grid of laws, G and B; one point above refutes it.
        """
        faulty = trial.fault("no-distance")
        return _below_exact(trial, _normal_imbalance if faulty else berry_esseen_bound)


def _moment_of_difference(order: int, moments: "dict[int, sp.Expr]") -> "sp.Expr":
    """``E[(X - Y)^order]`` of two independent copies, from the central moments of one."""
    x, y = sp.symbols("x y")
    table = {0: sp.Integer(1), **moments}
    terms = sp.Poly((x - y) ** order, x, y).terms()
    return sp.Add(*(c * table[i] * table[j] for (i, j), c in terms))


@claim(
    "fcfs.pairing",
    "lower",
    assumptions=EXPECTATION,
    requires=("fcfs.exact",),
    coq=Theorem(
        "fcfs_pairing",
        "Extremes.v",
        "laws with infinitely many values, and the step from FCFS to independent loads",
    ),
)
class Pairing:
    """A bound for every B: two workers by moments.

    For every G >= 2, B >= 1 and law of X with variance sigma^2 > 0 and fourth central moment mu_4,
    the loads L_g being independent sums of B copies of X as in [fcfs.exact]: E[Imb(FCFS)] >= (G/2)
    E|L_1 - L_2| >= (G/2) (2 B sigma^2)^(3/2) / (B (2 mu_4 + 6 sigma^4) + 12 B (B-1) sigma^4)^(1/2),
    which tends to G sigma sqrt(B/6).
    """

    def formula(self) -> "sp.Basic":
        G, B, sigma, mu4 = sp.symbols("G B sigma mu_4", positive=True)
        # The root of the denominator is left whole: sympy does not know its sign for B < 1.
        bound = (1 / pairing_square(G, B, sigma**2, mu4)) ** sp.Rational(-1, 2)
        return sp.Ge(sp.Symbol("E[Imb]"), bound)

    def proof(self) -> tuple[Step, ...]:
        B, sigma, mu4 = sp.symbols("B sigma mu_4", positive=True)
        x, y = sp.symbols("x y", real=True)
        moments = {1: sp.Symbol("m_1"), 2: sp.Symbol("m_2"), 3: sp.Symbol("m_3"), 4: mu4}
        d2, d4 = 2 * sigma**2, 2 * mu4 + 6 * sigma**4
        second, fourth = B * d2, B * d4 + 3 * B * (B - 1) * d2**2
        return (
            Lemma("more workers", "E[max of G] >= E[max of 2], because the maximum only grows."),
            Identity(
                "The larger of two is their mean plus half their distance",
                sp.Max(x, y),
                (x + y) / 2 + sp.Abs(x - y) / 2,
            ),
            Lemma(
                "Hoelder",
                "With S = L_1 - L_2, E[S^2] = E[|S|^(2/3) |S|^(4/3)] <= (E|S|)^(2/3) "
                "(E[S^4])^(1/3), so E|S| >= (E[S^2])^(3/2) / (E[S^4])^(1/2).",
            ),
            Identity(
                "Fourth moment of the difference of two copies, from their moments m_1 = 0, m_2 = "
                "sigma^2, m_3 and m_4 = mu_4",
                sp.Subs(_moment_of_difference(4, moments), (moments[1], moments[2]), (0, sigma**2)),
                d4,
            ),
            Identity(
                "B m_4 + 3 B (B-1) m_2^2 is the fourth moment of a sum of B independent symmetric "
                "terms: it is m_4 at B = 1, and one more term adds m_4 + 6 (B m_2) m_2",
                fourth.subs(B, B + 1) - fourth,
                d4 + 6 * (B * d2) * d2,
            ),
            Identity(
                "The bound over sigma sqrt(B), in units of sigma = 1, tends to 1/sqrt(6)",
                sp.Limit(
                    (second ** sp.Rational(3, 2) / sp.sqrt(fourth) / 2 / (sigma * sp.sqrt(B))).subs(
                        sigma, 1
                    ),
                    B,
                    sp.oo,
                ),
                1 / sp.sqrt(6),
            ),
        )

    @evidence(
        measures="exact (G/2) E|L_1 - L_2|, at most the imbalance of FCFS (load)",
        plants=(near(), near("two workers"), STEEPER),
        standard={"workers": (2, 3, 8, 32, 256), "slots": (1, 8, 72, 500, 4096), "many": 2**18},
        workers=(2, 8, 32),
        slots=(1, 2, 72, 500),
        many=2**14,
    )
    def check(self, trial: Trial) -> Finding:
        """The bound in ball arithmetic against the exact E|L_1 - L_2|, and that against the exact
        expectation, over a grid of laws, G and B, skewed laws and B = 1 included; one point above
        refutes it.
        """
        return _below_exact(trial, pairing_bound, by_two=True)


def out_of_range(
    trial: Trial,
    found: Enclosure,
    stated: tuple[str, str],
    domain: str,
    witness: Mapping[str, Any],
) -> Finding | None:
    """The finding of an enclosure that does not lie between two stated ends; None if it does."""
    low, high = map(Fraction, stated)
    floor, ceiling = low * trial.scale_of("lower ends"), high * trial.scale_of("upper ends")
    sides = (
        Comparison(found.lower >= floor, float(found.lower), ">=", float(floor)),
        Comparison(found.upper <= ceiling, float(found.upper), "<=", float(ceiling)),
    )
    return broken(sides, domain, witness)


def in_ranges(
    trial: Trial,
    number: Callable[[Law, int, int], Enclosure],
    stated: tuple[tuple[str, Law, int, tuple[str, str]], ...],
    shown: tuple[str, Relation, float],
) -> Finding:
    """Hold a number of a law, G and the trial's B against its stated range, law by law.

    Parameters
    ----------
    trial : Trial
        The run.
    number : callable
        The number, enclosed.
    stated : tuple of (name, law, G, ends)
        The ranges.
    shown : (str, Relation, float)
        The law and G whose number is reported, and against which end.
    """
    details: dict[str, float] = {}
    for name, law, workers, ends in stated:
        found = number(law, workers, trial["B"])
        where = f"{name}, G = {workers}"
        details[where] = found.value
        witness = {"law": name, "G": workers, "B": trial["B"]}
        domain = f"exact enclosure, {where}, B = {trial['B']}"
        if outside := out_of_range(trial, found, ends, domain, witness):
            return outside
    where, relation, claimed = shown
    return Finding(
        verdict=Verdict.CERTIFIED,
        computed=details[where],
        claimed=claimed,
        relation=relation,
        domain=f"exact enclosures at B = {trial['B']}",
        details=details,
    )


@claim(
    "fcfs.berry-esseen-share",
    "empirical",
    assumptions=EXPECTATION,
    requires=("fcfs.lower",),
    answers=("fact 2",),
)
class BerryEsseenShare:
    """How much of the exact value the explicit bound captures.

    For sizes uniform on 1..100, at B = 72, the Berry-Esseen bound captures of the exact value 31 to
    33 % at G = 2 and 62 to 65 % at G = 32 for equal lengths, 12 to 13 % and 49 to 51 % for
    geometric lengths of mean 100. For a rare large size (100 with q = 0.01, else 1) it says nothing
    (is negative) at G = 2 and captures less than 6 % at G = 32.
    """

    @evidence(
        measures="Berry-Esseen bound over the exact imbalance of FCFS (share)",
        plants=(near("lower ends", TENTH), near("upper ends", 1 / TENTH), NO_DISTANCE),
        B=72,
    )
    def check(self, trial: Trial) -> Finding:
        """Bound over exact enclosure at each point; one outside the stated range refutes it."""
        geometric = geometric_slot(UNIFORM, Fraction(1, 100))
        stated = (
            ("equal lengths", UNIFORM, 2, ("0.31", "0.33")),
            ("equal lengths", UNIFORM, 32, ("0.62", "0.65")),
            ("geometric lengths", geometric, 2, ("0.12", "0.13")),
            ("geometric lengths", geometric, 32, ("0.49", "0.51")),
            ("rare size", RARE, 2, ("-9", "0")),
            ("rare size", RARE, 32, ("0", "0.06")),
        )
        bound = _normal_imbalance if trial.fault("no-distance") else berry_esseen_bound

        def share(law: Law, workers: int, slots: int) -> Enclosure:
            exact = expected_imbalance(law, workers, slots).imbalance.upper
            return Enclosure.exactly(bound(law, workers, slots) / exact)

        return in_ranges(trial, share, stated, ("equal lengths, G = 32", "<=", 0.65))
