"""The FCFS side of Theorem 2 with its constant, for every number of workers and slots."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

from flint import arb, ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Comparison, Witness, broken, near, refuted
from evenkeel.theorems.registry import claim
from evenkeel.theorems.theorem2.sides import HYPOTHESES
from theory.formulas.constants import uniform_constant
from theory.formulas.fcfs import explicit_bound, log_growth_form
from theory.formulas.geometric import age_kurtosis, age_moments, slot_kurtosis, slot_moments
from theory.laws.fcfs_expectation import PRECISION, expected_imbalance, from_ball
from theory.laws.law import Enclosure, Law
from theory.laws.slot_load import geometric_slot
from theory.proof import Identity, Inequality, Lemma, Step
from theory.symbolic import sp

SIZES = {
    "equal sizes": Law.of({5: 1}),
    "uniform 1..30": Law.uniform(1, 30),
    "50 once in 10, else 1": Law.of({1: Fraction(9, 10), 50: Fraction(1, 10)}),
}
# From nearly two values of a load to long tails.
CHANCES = (Fraction(999, 1000), Fraction(1, 2), Fraction(1, 20))


@cache
def _exact(name: str, p: Fraction, workers: int, slots: int, step: int | None = None) -> Enclosure:
    """``E[Imb]`` of FCFS, at a step after a cold start or in stationarity."""
    law = geometric_slot(SIZES[name], p, step=step)
    return expected_imbalance(law, workers, slots).imbalance


@cache
def _log_square(variance: Fraction, constant: Fraction, workers: int, slots: int) -> Fraction:
    """``(c G sigma)^2 B ln G``, rounded up."""
    with ctx.workprec(PRECISION):
        return (constant * workers) ** 2 * variance * slots * from_ball(arb(workers).log()).upper


@claim(
    "geometric.fcfs-log-growth",
    "lower",
    source="paper, Theorem 2 (order, c unnamed); constant: evenkeel",
    assumptions=HYPOTHESES,
    requires=("geometric.fcfs-lower", "fcfs.log-growth", "fcfs.constant-range"),
    answers=("T2",),
)
class FcfsLogGrowth:
    """FCFS side of Theorem 2 with its constant, for every G and B.

    Geometric(p) lengths, 0 < p < 1, drift 1, sizes of variance sigma_s^2 and kurtosis kappa_s, v =
    (1-p)/p^2: in stationarity, for every G >= 2, B >= k = floor(log2 G) and n = floor(B/k),
    E[Imb(FCFS)] >= G k sigma_X sqrt(n / (6 + (kappa_X-3)/n)) with sigma_X^2 = sigma_s^2 + v and
    kappa_X = 3 + ((kappa_s-3) sigma_s^4 + (6 + p^2/(1-p)) v^2)/sigma_X^4 <= max(kappa_s, 9 +
    p^2/(1-p)). So E[Imb(FCFS)] >= c G sigma_X sqrt(B ln G) with c = 1/sqrt(ln 3 (3 + max(kappa_s, 9
    + p^2/(1-p)))), at least 0.269 for kappa_s <= 9 and p <= 1/2. At step m after a cold start the
    same holds with the moments of s + min(A, m), A the age in stationarity, and E[Imb(FCFS)] does
    not fall as m grows.
    """

    def formula(self) -> "sp.Basic":
        G, k, n, sigma, p = sp.symbols("G k n sigma_s p", positive=True)
        kappa = sp.Symbol("kappa_s", positive=True)
        square = sigma**2 + age_moments(p)[0]
        bound = log_growth_form(G, k, n, square, slot_kurtosis(sigma**2, kappa, p))
        return sp.Ge(sp.Symbol("E[Imb]"), sp.sqrt(bound))

    def proof(self) -> tuple[Step, ...]:
        sigma, kappa, z = sp.symbols("sigma_s kappa_s z", positive=True)
        p = 1 / (1 + z)  # any number in (0, 1)
        v = age_moments(p)[0]
        variance, fourth = slot_moments(sigma**2, kappa * sigma**4, p)
        t, u, w = sp.symbols("t u w", nonnegative=True)
        a, b = sp.symbols("sigma_s^2 v", positive=True)
        m = 9 + t
        return (
            Identity(
                "The age has kurtosis 9 + p^2/(1-p) [geometric.fcfs-lower]",
                age_moments(p)[1] / v**2,
                age_kurtosis(p),
            ),
            Identity(
                "and the load has kappa_X, from its moments there",
                fourth / variance**2,
                slot_kurtosis(sigma**2, kappa, p),
            ),
            Inequality(
                "The larger m of the two kurtoses is at least 9, so kappa_X <= m: with kappa_s = m "
                "- u and 9 + p^2/(1-p) = m - w, one of u and w being 0",
                (m - u) * a**2 + 6 * a * b + (m - w) * b**2,
                m * (a + b) ** 2,
                u * a**2 + w * b**2 + 2 * (6 + t) * a * b,
            ),
            Lemma(
                "cold start",
                "At step m a slot's load is X_m = s + min(A, m), of finitely many values "
                "[fcfs.exact]; so [fcfs.log-growth] and [fcfs.constant-range] hold with its "
                "moments.",
            ),
            Lemma(
                "rising",
                "min(A, m) and A - min(A, m) rise together, so min(A, m+1) less its mean is larger "
                "in convex order than min(A, m) less its own; the largest of sums is convex, so "
                "E[Imb] does not fall as m grows.",
            ),
            Lemma(
                "the limit of many steps",
                "As m grows min(A, m) rises to A, whose fourth moment is finite: the moments of "
                "X_m up to the fourth rise to those of X, and E[max_g L_g], at most the mean of "
                "the sum of all loads, to its own, by monotone convergence.  So both sides "
                "converge.",
            ),
        )

    @evidence(
        measures="square of the exact expected imbalance of FCFS (load^2)",
        plants=(
            near("", Fraction(101, 100)),
            near("order", Fraction(13, 10)),
            near("kurtosis"),
            near("largest kurtosis", Fraction(1000, 1001)),
            near("cold start"),
            near("least constant", Fraction(201, 200)),
            Variant("kurtosis of a normal load", fault="no-kurtosis"),
            Variant("B to a power larger by 1/2", exponent=Fraction(1, 2)),
        ),
        standard={"workers": (2, 3, 4, 8, 31, 64), "slots": (1, 2, 3, 5, 8, 32)},
        workers=(2, 3, 8),
        slots=(1, 2, 3, 8),
        steps=(0, 1, 2, 5),
    )
    def check(self, trial: Trial) -> Finding:
        """Squares of both sides from exact enclosures for three laws of sizes and three p over a
        grid of G and B, and of the order; the closed form of the kurtosis against the law of a
        slot, to nine digits, and its bound; the constant that is stated; and steps after a cold
        start, each against the one before and against the bound with its own moments. One point
        above, or another kurtosis, refutes it.
        """
        cases = Cases(">=")
        stated = Fraction("0.269") * trial.scale_of("least constant")
        if (least := uniform_constant(age_kurtosis(Fraction(1, 2))).lower) < stated:
            return refuted(float(least), ">=", float(stated), "constant", {"p": "1/2", "kappa": 9})
        grid = [
            (g, b) for g, b in product(trial["workers"], trial["slots"]) if b >= g.bit_length() - 1
        ]
        for (name, sizes), p in product(SIZES.items(), CHANCES):
            variance, own = sizes.variance.lower, sizes.moment(4, sizes.mean.lower).lower
            kurtosis = own / variance**2 if variance else Fraction(0)
            square, law = variance + age_moments(p)[0], geometric_slot(sizes, p)
            kappa = slot_kurtosis(variance, kurtosis, p)
            most = max(kurtosis, age_kurtosis(p))
            # Of the law with its tail capped, where less than 2^-80 of it is left.
            found = law.moment(4, sizes.mean.lower + (1 - p) / p).upper
            fourth = kappa * square**2 * trial.scale_of("kurtosis")
            largest = most * trial.scale_of("largest kurtosis")
            sides = (
                Comparison(
                    abs(fourth - found) <= fourth / 10**9, found, "==", fourth, "fourth moment"
                ),
                Comparison(kappa <= largest, kappa, "<=", largest, "kurtosis of a slot's load"),
            )
            if other := broken(sides, "law of a slot", {"sizes": name, "p": str(p)}):
                return other
            for workers, slots in grid:
                k = workers.bit_length() - 1
                exact = _exact(name, p, workers, slots).upper ** 2
                fault = Fraction(3) if trial.fault("no-kurtosis") else kappa
                claimed = log_growth_form(workers, k, slots // k, square, fault)
                claimed *= Fraction(slots) ** int(2 * trial.exponent) * trial.scale**2
                witness: Witness = partial(dict[str, Any], sizes=name, p=str(p), G=workers, B=slots)
                constant = uniform_constant(most).lower * trial.scale_of("order")
                order = _log_square(square, constant, workers, slots)
                if cases.add(exact, claimed, witness) or cases.add(
                    exact, order, witness, "against c G sigma_X sqrt(B ln G), squared"
                ):
                    return cases.finding(trial, "exact enclosures")
            if self._rises(trial, cases, name, p):
                return cases.finding(trial, "exact enclosures")
        return cases.finding(
            trial,
            f"exact enclosures, {len(SIZES)} laws of sizes, p in {', '.join(map(str, CHANCES))}, "
            f"{len(grid)} systems with G in {trial['workers']}, B in {trial['slots']}; steps "
            f"{trial['steps']} after a cold start at G = 3, B = 2",
        )

    def _rises(self, trial: Trial, cases: Cases, name: str, p: Fraction) -> bool:
        """Hold each step after a cold start against the bound and against the step before."""
        before = Fraction(0)
        for step in trial["steps"]:
            witness: Witness = partial(dict[str, Any], sizes=name, p=str(p), G=3, B=2, step=step)
            now = _exact(name, p, 3, 2, step)
            law = geometric_slot(SIZES[name], p, step=step)
            if law.variance.lower and cases.add(
                now.upper,
                explicit_bound(law, 3, 2) * trial.scale_of("cold start"),
                witness,
                "a step after a cold start",
            ):
                return True
            if cases.add(now.upper, before, witness, "a step against the one before"):
                return True
            before = now.lower * trial.scale_of("cold start")
        steady = _exact(name, p, 3, 2).upper
        return cases.add(steady, before, lambda: {"sizes": name, "p": str(p)}, "stationarity")
