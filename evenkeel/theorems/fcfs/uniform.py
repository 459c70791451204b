"""One constant for all numbers of workers and slots at once: what it may be, and where it ends."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

from flint import arb, ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, Comparison, Witness, broken, near
from evenkeel.theorems.fcfs.growth import exact_lead, small_laws
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.fcfs.pairing import COIN
from evenkeel.theorems.registry import claim
from theory.formal.record import Theorem
from theory.formulas.constants import pair_constant, rare_share, uniform_constant
from theory.formulas.fcfs import few_slots_square, log_growth_form
from theory.laws.fcfs_expectation import PRECISION, from_ball
from theory.laws.law import Law
from theory.laws.order_statistics import effective_constant
from theory.proof import Computation, Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp

WITHOUT = "laws with infinitely many values, and the step from FCFS to independent loads"

# Chance of the smaller of two sizes whose kurtosis is just below 3.
WITNESS = Fraction(2114, 10_000)
LEFT = (Fraction(1, 50), Fraction(1, 10), WITNESS)


def _left(share: Fraction) -> Law:
    """Size 1 with that chance, else 2."""
    return Law.of({1: share, 2: 1 - share})


def _moments(law: Law) -> tuple[Fraction, Fraction]:
    """Variance and fourth central moment of an exact law."""
    return law.variance.lower, law.moment(4, law.mean.lower).lower


def _laws(trial: Trial) -> dict[str, Law]:
    """Laws of small support, and those of two sizes, of which the smaller one is rare."""
    left = {f"1 with probability {share}, else 2": _left(share) for share in LEFT}
    return small_laws(trial.seed, trial["random"]) | left


@cache
def _log_3(workers: int) -> Fraction:
    """``ln G / ln 3``, rounded up."""
    with ctx.workprec(PRECISION):
        return from_ball(arb(workers).log() / arb(3).log()).upper


@claim(
    "fcfs.constant-range",
    "lower",
    source="paper, Theorems 1 to 3 (order, c unnamed); constants: evenkeel",
    assumptions=EXPECTATION,
    requires=("fcfs.tournament", "fcfs.log-growth"),
    answers=("T1", "A4"),
    coq=Theorem("fcfs_constant_range", "Tournament.v", WITHOUT),
)
class ConstantRange:
    """What one constant for all G and B may be.

    Let C(K), for K >= 3, be the largest c with E[Imb(FCFS)] >= c G sigma sqrt(B ln G) for all laws
    of kurtosis at most K, all G >= 2 and all B >= floor(log2 G). Then 1/sqrt(ln 3 (3+K)) <= C(K) <=
    (1+e)/sqrt(ln 3 (3+K)) with e = (1 - sqrt((K-1)/(K+3)))/2, which vanishes as K grows: three
    workers of one slot attain the right side where the smaller of two sizes has probability e. So
    for laws of kurtosis at most 3 the largest constant lies in [0.389, 0.472].
    """

    def formula(self) -> "sp.Basic":
        K, C = sp.symbols("K C(K)", positive=True)
        least = pair_constant(sp.Integer(3), K)
        return sp.And(sp.Le(least, C), sp.Le(C, (1 + rare_share(K)) * least))

    def proof(self) -> tuple[Step, ...]:
        K, k, s, q = sp.symbols("K k s q", positive=True)
        f, y, z, w, i = sp.symbols("f y z w i", nonnegative=True)
        small = 1 / (1 + q)  # any number in (0, 1)
        spread = small * (1 - small)
        return (
            Setting(
                "Let k = floor(log2 G), B = k n + r with 0 <= r < k, f = r/k, y = sqrt(1+1/n) - 1 "
                "and z = f y."
            ),
            Lemma(
                "k rounds of two workers",
                "M(G, B) >= (k-r) M(2, n) + r M(2, n+1) [fcfs.tournament], and M(2, n) >= sigma "
                "sqrt(n/(3+K)) [fcfs.log-growth], as 6 + (kappa-3)/n <= 3 + K.  So M(G, B) >= "
                "sigma T / sqrt(3+K) with T = (k-r) sqrt(n) + r sqrt(n+1).",
            ),
            Identity(
                "With sqrt(n) = s: T = k s (1+z)",
                (k - f * k) * s + f * k * (s * (1 + y)),
                k * s * (1 + f * y),
            ),
            Identity(
                "and B = k n (1 + f/n) = k n (1 + 2 z + z y)",
                1 + f * ((1 + y) ** 2 - 1),
                1 + 2 * (f * y) + (f * y) * y,
            ),
            Inequality(
                "T^2 >= (19/20) k B: y = 1/2 - w with w >= 0, because 1 + 1/n <= 2 <= 9/4",
                sp.Rational(19, 20) * (1 + 2 * z + z * (sp.Rational(1, 2) - w)),
                (1 + z) ** 2,
                (z - sp.Rational(3, 16)) ** 2 + sp.Rational(19, 1280) + sp.Rational(19, 20) * z * w,
            ),
            Inequality(
                "For k = 2 + i >= 2 this is at least (19/30) (k+1) B",
                sp.Rational(19, 30) * (3 + i),
                sp.Rational(19, 20) * (2 + i),
                sp.Rational(19, 60) * i,
            ),
            Computation(
                "which is more than B ln G / ln 3, as G < 2^(k+1) and ln 2 / ln 3 < 19/30: "
                "2^30 < 3^19",
                lambda: 2**30 < 3**19,
            ),
            Lemma("k = 1", "G is 2 or 3, r = 0 and n = B: T^2 = B >= B ln G / ln 3."),
            Identity(
                "Size d larger with probability 1 - e, e = 1/(1+q), has kurtosis 1/(e (1-e)) - 3",
                (small * (1 - small) ** 4 + (1 - small) * small**4) / spread**2,
                1 / spread - 3,
            ),
            Identity(
                "which is K for the e that is stated",
                1 / (rare_share(K) * (1 - rare_share(K))) - 3,
                K,
            ),
            Identity(
                "and at G = 3, B = 1 its M = d (1 - e^3 - (1-e)) is (1+e) sigma / sqrt(3+K)",
                (1 - small**3 - (1 - small)) / sp.sqrt(spread),
                (1 + small) / sp.sqrt(3 + (1 / spread - 3)),
            ),
        )

    @evidence(
        measures="square of the exact expected imbalance of FCFS (load^2)",
        plants=(
            near("", Fraction(21, 20)),
            near("three workers of one slot"),
            near("lower end", Fraction(501, 500)),
            near("upper end", 1 / THOUSANDTH),
            Variant("kappa left out", fault="no-kurtosis"),
            Variant("every B from 1 on", fault="few-slots"),
        ),
        standard={"random": 60, "workers": (*range(2, 18), 31, 32, 33), "slots": range(1, 13)},
        workers=(2, 3, 4, 7, 8, 15, 31),
        slots=(1, 2, 3, 4, 5, 7),
        random=5,
    )
    def check(self, trial: Trial) -> Finding:
        """Squares of both sides in exact rationals, ln G / ln 3 rounded up, for fixed and random
        laws of small support and laws with a rare small size, over a grid of G and B; both sides at
        three workers of one slot, which must be equal; and the two ends at kurtosis 3. One point
        above, or a witness that does not attain its side, refutes it.
        """
        cases = Cases(">=")
        for (name, law), workers, slots in product(
            _laws(trial).items(), trial["workers"], trial["slots"]
        ):
            if slots < workers.bit_length() - 1 and not trial.fault("few-slots"):
                continue
            variance, fourth = _moments(law)
            kurtosis = max(Fraction(3), fourth / variance**2)
            if trial.fault("no-kurtosis"):
                kurtosis = Fraction(3)
            claimed = workers**2 * variance * slots * _log_3(workers) / (3 + kurtosis)
            witness: Witness = partial(dict[str, Any], law=name, G=workers, B=slots)
            square = (exact_lead(law, workers, slots) * workers) ** 2
            if cases.add(square, claimed * trial.scale**2, witness):
                break
        sides = []
        for share in LEFT:
            variance, fourth = _moments(_left(share))
            square = (3 * exact_lead(_left(share), 3, 1)) ** 2
            claimed = 9 * variance * (1 + share) ** 2 / (3 + fourth / variance**2)
            claimed *= trial.scale_of("three workers of one slot") ** 2
            what = "square of E[Imb] at three workers of one slot"
            sides.append(Comparison(square == claimed, square, "==", claimed, what))
        variance, fourth = _moments(_left(WITNESS))
        attained, least = effective_constant(_left(WITNESS), 3, 1), uniform_constant(Fraction(3))
        low = Fraction("0.389") * trial.scale_of("lower end")
        high = Fraction("0.472") * trial.scale_of("upper end")
        sides += [
            Comparison(fourth <= 3 * variance**2, fourth / variance**2, "<=", 3, "kurtosis"),
            Comparison(least.lower >= low, float(least.lower), ">=", float(low), "lower end"),
            Comparison(attained.upper <= high, attained.value, "<=", float(high), "upper end"),
        ]
        where = {"sizes": [1, 2], "probability of 1": str(WITNESS), "G": 3, "B": 1}
        found = None if cases.violated else broken(sides, "exact values", where)
        return found or cases.finding(
            trial,
            f"exact, {len(_laws(trial))} laws of at most four sizes, G in {trial['workers']}, B in "
            f"{trial['slots']} from floor(log2 G) on; three workers of one slot",
            details={"c proved": float(least.lower), "c of the witness": attained.value},
        )


@claim(
    "fcfs.few-slots",
    "lower",
    source="Theorems 1 to 3 read without their asymptotics; statement: evenkeel",
    assumptions=EXPECTATION,
    requires=("fcfs.superadditive", "fcfs.pairing"),
    answers=("A4",),
    coq=Theorem("fcfs_few_slots", "Tournament.v", WITHOUT),
)
class FewSlots:
    """With fewer slots than log2 G the order is another.

    For every law of X with variance sigma^2 > 0 and kurtosis kappa, every G >= 2 and 1 <= B <=
    floor(log2 G): E[Imb(FCFS)] >= G B sigma / sqrt(3 + kappa). For X <= b, and all G and B,
    E[Imb(FCFS)] <= G B (b - E X). So no c > 0 gives c G sigma sqrt(B ln G) for all G >= 2 and 1 <=
    B < floor(log2 G), whatever the bounded law: with B fixed the largest c at G falls at least like
    1/sqrt(ln G). For a fair coin it lies between half of sqrt(B / ln G) and sqrt(B / ln G).
    """

    def formula(self) -> "sp.Basic":
        G, B, sigma, kappa, mean, b = sp.symbols("G B sigma kappa mu b", positive=True)
        imb = sp.Symbol("E[Imb]", positive=True)
        low = sp.sqrt(log_growth_form(G, B, sp.Integer(1), sigma**2, kappa))
        return sp.And(sp.Ge(imb, low), sp.Le(imb, G * B * (b - mean)))

    def proof(self) -> tuple[Step, ...]:
        G, B, sigma, kappa = sp.symbols("G B sigma kappa", positive=True)
        mean, below, c = sp.symbols("mu x c", positive=True)
        fourth = 2 * kappa * sigma**4 + 6 * sigma**4
        return (
            Lemma(
                "B doublings",
                "G >= 2^B, so M(G, B) >= M(2^B, B) >= B M(2, 1) [fcfs.superadditive].",
            ),
            Identity(
                "M(2, 1) is at least the bound of [fcfs.pairing] at G = 2, B = 1, halved (squared)",
                (2 * sigma**2) ** 3 / (4 * fourth),
                sigma**2 / (3 + kappa),
            ),
            Inequality(
                "No load is above B b, so, with the largest x below it",
                G * (B * (mean + below) - c) - G * B * mean,
                G * B * below,
                G * c,
            ),
            Identity(
                "So the largest c at (G, B) is at most (b - E X)/sigma times sqrt(B / ln G), which "
                "vanishes as G grows",
                sp.Limit(below / sigma * sp.sqrt(B / sp.log(G)), G, sp.oo),
                sp.Integer(0),
            ),
            Computation(
                "A fair coin on 0 and 1 has b - E X = sigma = 1/2 and kappa = 1, so both sides are "
                "within a factor of 2",
                lambda: _moments(COIN) == (Fraction(1, 4), Fraction(1, 16)),
            ),
        )

    @evidence(
        measures="square of the exact expected imbalance of FCFS (load^2)",
        plants=(
            near("lower side"),
            near("upper side", 1 / THOUSANDTH),
            Variant("kappa left out", fault="no-kurtosis"),
            Variant("a slot more than log2 G", fault="slot-more"),
        ),
        standard={"random": 60, "workers": (2, 3, 4, 7, 8, 16, 33, 64)},
        workers=(2, 3, 4, 7, 16),
        random=5,
    )
    def check(self, trial: Trial) -> Finding:
        """Squares of both sides of the first inequality and both sides of the second in exact
        rationals, for fixed and random laws of small support and laws with a rare small size, over
        a grid of G and every B up to floor(log2 G); one point outside refutes it.
        """
        cases = Cases(">=")
        more = int(trial.fault("slot-more"))
        low, high = trial.scale_of("lower side") ** 2, trial.scale_of("upper side")
        domain = (
            f"exact, {len(_laws(trial))} laws of at most four sizes, G in {trial['workers']}, "
            "every B up to floor(log2 G)"
        )
        for (name, law), workers in product(_laws(trial).items(), trial["workers"]):
            variance, fourth = _moments(law)
            if trial.fault("no-kurtosis"):
                fourth = variance**2
            for slots in range(1, workers.bit_length()):
                imbalance = exact_lead(law, workers, slots) * workers
                square = few_slots_square(variance, fourth, workers, slots)
                square *= Fraction(slots + more, slots) ** 2 * low
                most = workers * slots * (law.bound - law.mean.lower) * high
                witness: Witness = partial(dict[str, Any], law=name, G=workers, B=slots)
                if cases.add(imbalance**2, square, witness) or cases.add(
                    most, imbalance, witness, "G B (b - E X) against E[Imb]"
                ):
                    return cases.finding(trial, domain)
        many = effective_constant(Law.uniform(1, 2), 2**14, 1)
        details = {"c of fair sizes 1 or 2 at B = 1, G = 16384": many.value}
        return cases.finding(trial, domain, details=details)
