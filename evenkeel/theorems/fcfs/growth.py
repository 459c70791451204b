"""The growth of the expected imbalance of FCFS with workers and slots."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import ceil, log2
from typing import Any

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import TENTH, Cases, Witness, near
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.fcfs.pairing import COIN, STEEPER
from evenkeel.theorems.registry import claim
from theory.formal.record import Theorem
from theory.formulas.fcfs import log_growth_form, log_growth_square
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp


def small_laws(seed: int, count: int) -> dict[str, Law]:
    """Fixed and random laws of at most four sizes, exact at any system."""
    rng = np.random.default_rng(seed)
    laws = {
        "fair coin": COIN,
        "uniform 1..4": Law.uniform(1, 4),
        "rare 6": Law.of({1: Fraction(19, 20), 6: Fraction(1, 20)}),
        "rare 1": Law.of({1: Fraction(1, 20), 6: Fraction(19, 20)}),
    }
    for index in range(count):
        sizes = rng.choice(np.arange(1, 9), int(rng.integers(2, 5)), replace=False)
        weights = rng.integers(1, 12, sizes.size)
        total = int(weights.sum())
        law = {int(x): Fraction(int(w), total) for x, w in zip(sizes, weights, strict=True)}
        laws[f"random law {index}: {law}"] = Law.of(law)
    return laws


def exact_lead(law: Law, workers: int, slots: int) -> Fraction:
    """``M(G, B) = E[max L] - B E[X]``, exact for a law of small support."""
    imbalance = expected_imbalance(law, workers, slots).imbalance
    assert imbalance.lower == imbalance.upper
    return imbalance.lower / workers


@claim(
    "fcfs.superadditive",
    "lower",
    assumptions=EXPECTATION,
    requires=("fcfs.exact",),
    coq=Theorem(
        "fcfs_superadditive", "LogGrowth.v", "laws with infinitely many or negative values"
    ),
)
class Superadditive:
    """Workers multiply, slots add.

    With M(G, B) = E[max_g L_g] - B E[X] for G independent loads, each a sum of B independent copies
    of X with finite mean: M(G_1 G_2, B_1 + B_2) >= M(G_1, B_1) + M(G_2, B_2) for all G_1, G_2, B_1,
    B_2 >= 1, and M does not fall in G or in B. E[Imb(FCFS)] is G M(G, B) [fcfs.exact].
    """

    def formula(self) -> "sp.Basic":
        g1, g2, b1, b2 = sp.symbols("G_1 G_2 B_1 B_2", positive=True, integer=True)
        M = sp.Function("M")
        return sp.Ge(M(g1 * g2, b1 + b2), M(g1, b1) + M(g2, b2))

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting(
                "Split every load into a first part, of B_1 copies, and a second, of B_2; put the "
                "G_1 G_2 workers in G_1 groups of G_2."
            ),
            Lemma(
                "the best second part of each group",
                "Take in each group a worker whose second part is largest.  The choice does not "
                "look at first parts, so those of the chosen are still G_1 independent sums of "
                "B_1 copies, independent of all second parts; and each chosen second part has the "
                "mean of the largest of G_2 sums of B_2 copies.",
            ),
            Lemma(
                "the best first part of the chosen",
                "Take of the chosen the one whose first part is largest.  Its group does not "
                "depend on second parts, so the mean of its load is E[max of G_1 first parts] + "
                "E[max of G_2 second parts], at most E[max of all loads].  Subtract (B_1 + B_2) "
                "E[X].",
            ),
            Lemma(
                "monotone",
                "The maximum is taken over more loads as G grows.  G_1 = 1 has M(1, B_1) = 0, so M "
                "does not fall in B either.",
            ),
        )

    @evidence(
        measures="mean of the largest load above the mean load, M(G, B) (load)",
        plants=(
            near("sum", TENTH),
            near("more workers", TENTH),
            Variant("groups of G_1 + G_2 workers", fault="sum-of-workers"),
            Variant("the slots shared by both", fault="shared-slots"),
        ),
        standard={"random": 40},
        workers=(1, 2, 3, 5),
        slots=(1, 2, 12),
        random=3,
    )
    def check(self, trial: Trial) -> Finding:
        """Both sides in exact rationals for fixed and for random laws of small support over a grid
        of G_1, G_2, B_1, B_2, and M at G and G + 1; one violation refutes it.
        """
        cases = Cases(">=")
        laws = small_laws(trial.seed, trial["random"])

        @cache
        def lead(name: str, workers: int, slots: int) -> Fraction:
            return exact_lead(laws[name], workers, slots)

        for name, g1, g2, b1, b2 in product(
            laws, trial["workers"], trial["workers"], trial["slots"], trial["slots"]
        ):
            if g1 == g2 == 1:
                continue
            groups = g1 + g2 if trial.fault("sum-of-workers") else g1 * g2
            slots = max(b1, b2) if trial.fault("shared-slots") else b1 + b2
            claimed = (lead(name, g1, b1) + lead(name, g2, b2)) * trial.scale_of("sum")
            witness: Witness = partial(dict[str, Any], law=name, G=(g1, g2), B=(b1, b2))
            if cases.add(lead(name, groups, slots), claimed, witness):
                break
            if b1 == b2 and cases.add(
                lead(name, g1 * g2 + 1, b1),
                lead(name, g1 * g2, b1) * trial.scale_of("more workers"),
                witness,
                "M(G + 1, B) against M(G, B)",
            ):
                break
        return cases.finding(
            trial,
            f"exact, {len(laws)} laws of at most four sizes, G_1 and G_2 in {trial['workers']}, "
            f"B_1 and B_2 in {trial['slots']}; M(G_1 G_2 + 1, B_1) against M(G_1 G_2, B_1)",
        )


@claim(
    "fcfs.log-growth",
    "lower",
    source="paper, Theorems 1 to 3 (order, c unnamed); constant: evenkeel",
    version="ours",
    assumptions=EXPECTATION,
    requires=("fcfs.superadditive", "fcfs.pairing"),
    coq=Theorem(
        "fcfs_log_growth",
        "LogGrowth.v",
        "laws with infinitely many values, and the step from FCFS to independent loads",
    ),
)
class LogGrowth:
    """FCFS's side of Theorems 1 to 3 with its constant, for every G and B.

    For every law of X with variance sigma^2 > 0 and finite kurtosis kappa = mu_4/sigma^4, every G
    >= 2 and B >= k = floor(log2 G), with n = floor(B/k): E[Imb(FCFS)] >= G k sigma sqrt(n / (6 +
    (kappa-3)/n)). So E[Imb(FCFS)] >= c G sigma sqrt(B ln G) with c = 2/(3 sqrt(ln 2 (3 + max(3,
    kappa)))), which is 0.326 (rounded down) for kappa <= 3.
    """

    def formula(self) -> "sp.Basic":
        G, k, n, sigma, kappa = sp.symbols("G k n sigma kappa", positive=True)
        return sp.Ge(sp.Symbol("E[Imb]"), sp.sqrt(log_growth_form(G, k, n, sigma**2, kappa)))

    def proof(self) -> tuple[Step, ...]:
        G, k, n, sigma, kappa = sp.symbols("G k n sigma kappa", positive=True)
        i, j, w, more, pair = sp.symbols("i j w x y", nonnegative=True)
        formula = self.formula()
        imb, bound = formula.args
        fourth = n * (2 * kappa * sigma**4 + 6 * sigma**4) + 12 * n * (n - 1) * sigma**4
        return (
            Lemma(
                "k doublings",
                "G >= 2^k and B >= k n, so M(G, B) >= M(2^k, k n) >= k M(2, n) "
                "[fcfs.superadditive].",
            ),
            Lemma(
                "two workers",
                "M(2, n) = E|L_1 - L_2|/2 is at least the bound of [fcfs.pairing] at G = 2, "
                "halved.",
            ),
            Identity(
                "which is sigma sqrt(n / (6 + (kappa-3)/n)), with mu_4 = kappa sigma^4 (squared)",
                (2 * n * sigma**2) ** 3 / (4 * fourth),
                sigma**2 * n / (6 + (kappa - 3) / n),
            ),
            Inequality(
                "n >= 1 and B <= k n + k - 1, so B <= n (2k-1): with n = 1 + i, k = 1 + j and "
                "B = k n + j - w",
                (1 + i) * (1 + j) + j - w,
                (1 + i) * (2 * (1 + j) - 1),
                i * j + w,
            ),
            Inequality(
                "and log2 G < k + 1, so B log2 G <= (9/4) n k^2, because",
                (2 * k - 1) * (k + 1),
                sp.Rational(9, 4) * k**2,
                (k / 2 - 1) ** 2,
            ),
            Lemma(
                "the constant of the order",
                "k sqrt(n) >= (2/3) sqrt(B log2 G), and 6 + (kappa-3)/n <= 3 + max(3, kappa); so "
                "the bound is at least (2/3) G sigma sqrt(B ln G) / sqrt(ln 2 (3 + max(3, "
                "kappa))).",
            ),
            Conclusion(
                "Together, with M(2, n) larger than its bound by y, and M(G, B) than k M(2, n) by "
                "x",
                formula,
                {imb: bound + G * (k * pair + more)},
                (G * (k * pair + more),),
            ),
        )

    @evidence(
        measures="square of the exact expected imbalance of FCFS (load^2)",
        plants=(
            near(),
            near("constant of the order", TENTH),
            STEEPER,
            Variant("one doubling more", fault="doubling"),
            Variant("kappa left out", fault="no-kurtosis"),
        ),
        standard={"random": 60, "slots": (1, 2, 3, 4, 6, 9, 16, 32)},
        workers=(2, 3, 4, 7, 8, 16, 33),
        slots=(1, 2, 3, 5, 8),
        random=6,
    )
    def check(self, trial: Trial) -> Finding:
        """Squares of both sides in exact rationals for fixed and for random laws of small support
        over a grid of G and B, and of the bound and its order; one point above refutes it. At G =
        2, B = 1 a fair coin attains the first bound.
        """
        cases = Cases(">=")
        laws = small_laws(trial.seed, trial["random"])
        for (name, law), workers, slots in product(laws.items(), trial["workers"], trial["slots"]):
            k = workers.bit_length() - 1
            if slots < k:
                continue
            variance, fourth = law.variance.lower, law.moment(4, law.mean.lower).lower
            square = (exact_lead(law, workers, slots) * workers) ** 2
            proved = claimed = log_growth_square(variance, fourth, workers, slots)
            if trial.fault("no-kurtosis"):
                claimed = log_growth_form(workers, k, slots // k, variance, Fraction(3))
            if trial.fault("doubling"):
                claimed *= Fraction(k + 1, k) ** 2
            claimed *= Fraction(slots) ** int(2 * trial.exponent) * trial.scale**2
            witness: Witness = partial(dict[str, Any], law=name, G=workers, B=slots)
            if cases.add(square, claimed, witness):
                break
            # (c G sigma)^2 B ln G with c^2 = 4/(9 ln 2 (3 + max(3, kappa))), log2 G rounded up.
            kurtosis = fourth / variance**2
            logarithm = Fraction(ceil(log2(workers) * 2**30), 2**30)
            square_of_c = Fraction(4, 9) / (3 + max(Fraction(3), kurtosis))
            order = square_of_c * workers**2 * variance * slots * logarithm
            order *= trial.scale_of("constant of the order") ** 2
            if cases.add(
                proved, order, witness, "the bound against c G sigma sqrt(B ln G), squared"
            ):
                break
        return cases.finding(
            trial,
            f"exact, {len(laws)} laws of at most four sizes, G in {trial['workers']}, B in "
            f"{trial['slots']} from floor(log2 G) on; and the bound against its order",
        )
