"""Checks of the analytic claims: bounds, constants and normal limits.

Nothing is sampled here: both sides are exact rationals or rigorous balls.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import ceil, log2
from typing import Any

import numpy as np
from flint import arb, ctx

from evenkeel.evidence.check import Finding, Number, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import (
    QUARTER,
    TENTH,
    THOUSANDTH,
    Cases,
    Comparison,
    Witness,
    broken,
    near,
)
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.fcfs.proofs import largest_of_normals
from theory.formulas.constants import FCFS_ROUNDED, fcfs_constant
from theory.formulas.fcfs import log_growth_square
from theory.laws.fcfs_expectation import PRECISION, expected_imbalance, from_ball, to_ball
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import (
    berry_esseen_bound,
    effective_constant,
    expected_max_of_normals,
    pairing_bound,
)
from theory.laws.slot_load import geometric_slot

COIN = Law.of({0: Fraction(1, 2), 1: Fraction(1, 2)})
UNIFORM = Law.uniform(1, 100)
RARE = Law.of({1: Fraction(99, 100), 100: Fraction(1, 100)})

NO_DISTANCE = Variant("normal limit in place of the bound", fault="no-distance")
STEEPER = Variant("B to a power larger by 1/2", exponent=Fraction(1, 2))


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


def _normal_imbalance(law: Law, workers: int, slots: int) -> Fraction:
    """``G sigma sqrt(B) E[max of normals]``: what the bound would be without a distance."""
    with ctx.workprec(PRECISION):
        sigma = from_ball((slots * to_ball(law.variance.lower)).sqrt()).lower
    return workers * sigma * expected_max_of_normals(workers).lower


def _below_exact(trial: Trial, label: str, bound: Callable[[Law, int, int], Fraction]) -> Finding:
    """Hold a lower bound against the exact expectation over a grid of laws, G and B.

    For the bound by two workers also against what it bounds first, ``(G/2) E|L_1 - L_2|``.
    """
    closest: tuple[Fraction, Number, Number] = (Fraction(-1), 0, 0)
    at, points = "", 0
    grid = [
        (name, law, workers, slots)
        for name, law in _laws().items()
        for workers in trial["workers"]
        for slots in trial["slots"]
    ]
    grid += [("fair coin", COIN, 16, trial["many"])]
    for name, law, workers, slots in grid:
        exact = _exact(name, workers, slots)
        where = f"{name}, G = {workers}, B = {slots}"
        if label == "fcfs.pairing":
            two = _exact(name, 2, slots) * Fraction(workers, 2)
            between = two.lower * trial.scale_of("two workers")
            if between > exact.upper:
                return Finding(
                    Verdict.REFUTED,
                    exact.value,
                    float(between),
                    ">=",
                    f"(G/2) E|L_1 - L_2|, exact enclosures at {where}",
                    witness={"law": name, "G": workers, "B": slots},
                )
            exact = two
        stretch = trial.scale * Fraction(float(slots) ** float(trial.exponent))
        claimed = bound(law, workers, slots) * stretch
        points += 1
        if claimed > exact.upper:
            return Finding(
                Verdict.REFUTED,
                exact.value,
                float(claimed),
                ">=",
                f"exact enclosure at {where}",
                witness={"law": name, "G": workers, "B": slots},
            )
        if exact.lower > 0 and claimed / exact.lower > closest[0]:
            closest, at = (claimed / exact.lower, exact.value, float(claimed)), where
    return Finding(
        held(label),
        closest[1],
        closest[2],
        ">=",
        f"{points} exact enclosures over {len(_laws())} laws, G in {trial['workers']}, B in "
        f"{trial['slots']} and {trial['many']}; tightest at {at}",
        details={"largest share of the exact value": float(closest[0])},
    )


@check(
    "fcfs.lower",
    measures="exact expected imbalance of FCFS (load)",
    plants=(near("", TENTH), STEEPER, NO_DISTANCE),
    standard={"workers": (2, 3, 8, 32, 256), "slots": (1, 8, 72, 500, 4096), "many": 2**18},
    workers=(2, 8, 32),
    slots=(1, 72, 500),
    many=2**16,
)
def lower(trial: Trial) -> Finding:
    """The Berry-Esseen bound below the exact value."""
    faulty = trial.fault("no-distance")
    return _below_exact(trial, "fcfs.lower", _normal_imbalance if faulty else berry_esseen_bound)


@check(
    "fcfs.pairing",
    measures="exact (G/2) E|L_1 - L_2|, at most the imbalance of FCFS (load)",
    plants=(near(), near("two workers"), STEEPER),
    standard={"workers": (2, 3, 8, 32, 256), "slots": (1, 8, 72, 500, 4096), "many": 2**18},
    workers=(2, 8, 32),
    slots=(1, 2, 72, 500),
    many=2**14,
)
def pairing(trial: Trial) -> Finding:
    """The moment bound below the exact value; an equality for a coin at G = 2, B = 1."""
    return _below_exact(trial, "fcfs.pairing", pairing_bound)


def _small_laws(seed: int, count: int) -> dict[str, Law]:
    """Fixed and random laws of at most four sizes, exact at any system."""
    rng = np.random.default_rng(seed)
    laws = {
        "fair coin": COIN,
        "uniform 1..4": Law.uniform(1, 4),
        "rare 6": Law.of({1: Fraction(19, 20), 6: Fraction(1, 20)}),
    }
    for index in range(count):
        sizes = rng.choice(np.arange(1, 9), int(rng.integers(2, 5)), replace=False)
        weights = rng.integers(1, 12, sizes.size)
        total = int(weights.sum())
        law = {int(x): Fraction(int(w), total) for x, w in zip(sizes, weights, strict=True)}
        laws[f"random law {index}: {law}"] = Law.of(law)
    return laws


def _lead(law: Law, workers: int, slots: int) -> Fraction:
    """``M(G, B) = E[max L] - B E[X]``, exact for a law of small support."""
    imbalance = expected_imbalance(law, workers, slots).imbalance
    assert imbalance.lower == imbalance.upper
    return imbalance.lower / workers


@check(
    "fcfs.superadditive",
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
def superadditive(trial: Trial) -> Finding:
    """Both sides in exact rationals; and M at one worker more."""
    cases = Cases(">=")
    laws = _small_laws(trial.seed, trial["random"])

    @cache
    def lead(name: str, workers: int, slots: int) -> Fraction:
        return _lead(laws[name], workers, slots)

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
        "fcfs.superadditive",
        f"exact, {len(laws)} laws of at most four sizes, G_1 and G_2 in {trial['workers']}, B_1 "
        f"and B_2 in {trial['slots']}; M(G_1 G_2 + 1, B_1) against M(G_1 G_2, B_1)",
    )


def _moments(law: Law) -> tuple[Fraction, Fraction]:
    """Variance and fourth central moment, exact for a law of small support."""
    mean = law.mean.lower
    return law.variance.lower, law.moment(4, mean).lower


@check(
    "fcfs.log-growth",
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
def log_growth(trial: Trial) -> Finding:
    """Squares of both sides, exact; and of the order's with its constant."""
    cases = Cases(">=")
    laws = _small_laws(trial.seed, trial["random"])
    for (name, law), workers, slots in product(laws.items(), trial["workers"], trial["slots"]):
        k = workers.bit_length() - 1
        if slots < k:
            continue
        variance, fourth = _moments(law)
        square = (_lead(law, workers, slots) * workers) ** 2
        if trial.fault("no-kurtosis"):
            claimed = (workers * k) ** 2 * variance * (slots // k) / 6
        else:
            claimed = log_growth_square(variance, fourth, workers, slots)
        if trial.fault("doubling"):
            claimed *= Fraction(k + 1, k) ** 2
        claimed *= Fraction(slots) ** int(2 * trial.exponent) * trial.scale**2
        witness: Witness = partial(dict[str, Any], law=name, G=workers, B=slots)
        if cases.add(square, claimed, witness):
            break
        # (c G sigma)^2 B ln G with c^2 = 4/(9 ln 2 (3 + max(3, kappa))), log2 G rounded up.
        kurtosis = fourth / variance**2
        logarithm = Fraction(ceil(log2(workers) * 2**30), 2**30)
        order = (
            workers**2
            * variance
            * slots
            * logarithm
            * Fraction(4, 9)
            / (3 + max(Fraction(3), kurtosis))
        )
        order *= trial.scale_of("constant of the order") ** 2
        proved = log_growth_square(variance, fourth, workers, slots)
        if cases.add(proved, order, witness, "the bound against c G sigma sqrt(B ln G), squared"):
            break
    return cases.finding(
        trial,
        "fcfs.log-growth",
        f"exact, {len(laws)} laws of at most four sizes, G in {trial['workers']}, B in "
        f"{trial['slots']} from floor(log2 G) on; and the bound against its order",
    )


def _scaled_root(constant: Enclosure, workers: int, trial: Trial) -> Enclosure:
    """``constant * (ln G)^(1/2 + exponent)``."""
    with ctx.workprec(PRECISION):
        power = to_ball(Fraction(1, 2) + trial.exponent)
        root = from_ball(arb(workers).log() ** power)
    return Enclosure(constant.lower * root.lower, constant.upper * root.upper)


# E[max of G normals] / sqrt(ln G), rounded to two digits.
STATED_RATIOS = {32: Fraction(111, 100), 256: Fraction(120, 100)}


@check(
    "fcfs.gaussian",
    measures="mean of the largest of G standard normals (1)",
    plants=(
        near("lower side"),
        near("equality at G = 2", 1 / THOUSANDTH),
        near("upper side", 1 / TENTH),
        near("ratio at 32 and 256", Fraction(101, 100)),
        Variant("ln G in place of its square root", exponent=Fraction(1, 2)),
    ),
    standard={"largest": 2**40},
    largest=2**20,
)
def gaussian(trial: Trial) -> Finding:
    """Both sides for every G from 2 to 100, and powers of two beyond."""
    constant = fcfs_constant()
    grid = [*range(2, 101), 128]
    while grid[-1] < trial["largest"]:
        grid.append(2 * grid[-1])
    tightest: tuple[Fraction, float, float] = (Fraction(0), 0.0, 0.0)
    for workers in grid:
        middle = largest_of_normals(workers)
        root = _scaled_root(constant, workers, trial)
        low = root * trial.scale_of("lower side")
        with ctx.workprec(PRECISION):
            high = from_ball((2 * arb(workers).log()).sqrt()) * trial.scale_of("upper side")
            log_root = from_ball(arb(workers).log().sqrt())
        shown = middle.value
        sides = [
            Comparison(low.lower <= middle.upper, shown, ">=", low.value),
            Comparison(middle.lower <= high.upper, shown, "<=", high.value),
        ]
        if workers == 2:
            equal = root * trial.scale_of("equality at G = 2")
            sides.append(Comparison(equal.upper >= middle.lower, shown, "<=", equal.value))
        if workers in STATED_RATIOS:
            half = Fraction(1, 200)
            stated = STATED_RATIOS[workers] * trial.scale_of("ratio at 32 and 256")
            least, most = log_root * (stated - half), log_root * (stated + half)
            sides.append(Comparison(middle.upper >= least.lower, shown, ">=", least.value))
            sides.append(Comparison(middle.lower <= most.upper, shown, "<=", most.value))
        if found := broken(sides, "rigorous integrals", {"G": workers}):
            return found
        # At G = 2 the two enclosures of the same number must overlap; beyond, they are apart.
        if workers > 2 and not low.upper < middle.lower:
            return Finding(
                Verdict.INCONCLUSIVE, middle.value, low.value, ">=", f"undecided at G = {workers}"
            )
        if workers > 2 and low.lower / middle.upper > tightest[0]:
            tightest = low.lower / middle.upper, middle.value, low.value
    return Finding(
        held("fcfs.gaussian"),
        tightest[1],
        tightest[2],
        ">=",
        f"every G from 2 to 100 and powers of two to {grid[-1]} by rigorous integrals; equality "
        "at G = 2",
    )


def _mean_limit_distance(law: Law, slots: int) -> Fraction:
    """How far ``c(2, B)`` can lie from its limit: ``2 rho / (sigma^3 sqrt(B ln 2))``.

    By the mean central limit theorem with constant 1 (Goldstein 2010) the normalised load has
    Wasserstein distance at most ``rho / (sigma^3 sqrt(B))`` from the normal, and the largest of
    two numbers moves by at most the sum of their moves.
    """
    mean, variance = law.mean, law.variance
    third = law.moment(3, (mean.lower + mean.upper) / 2).upper
    with ctx.workprec(PRECISION):
        ball = 2 * to_ball(third) / to_ball(variance.lower) ** 1.5
        return from_ball(ball / (slots * arb(2).log()).sqrt()).upper


@check(
    "fcfs.constant",
    measures="E[Imb] / (G sigma sqrt(B ln G)) of FCFS at G = 2 and the largest B (1)",
    plants=(
        near("limit", TENTH),
        near("limit", 1 / TENTH),
        near("G > 2", QUARTER),
        Variant("B to the power 0.4", exponent=Fraction(-1, 10)),
    ),
    standard={"most": 2**18},
    most=2**16,
)
def constant(trial: Trial) -> Finding:
    """Exact ``c(2, B)`` closes in on the constant; larger G stay above it."""
    limit = fcfs_constant() * trial.scale_of("limit")
    least = fcfs_constant() * trial.scale_of("G > 2")
    seen: dict[int, float] = {}
    for law, name in ((COIN, "fair coin"), (Law.uniform(1, 4), "uniform 1..4")):
        slots = 16
        while slots <= trial["most"]:
            stretch = Fraction(float(slots) ** -float(trial.exponent))
            c = effective_constant(law, 2, slots) * stretch
            reach = _mean_limit_distance(law, slots)
            if c.lower > limit.upper + reach or c.upper < limit.lower - reach:
                return Finding(
                    Verdict.REFUTED,
                    c.value,
                    limit.value,
                    "==",
                    f"{name}, G = 2, B = {slots}, limit theorem's distance {float(reach):.3g}",
                    witness={"law": name, "B": slots, "c": c.value},
                )
            seen[slots] = c.value
            slots *= 8 if trial["most"] > 2**16 else 16
        for workers in (3, 4, 32):
            c = effective_constant(law, workers, slots // 16)
            if c.lower < least.lower:
                return Finding(
                    Verdict.REFUTED,
                    c.value,
                    least.value,
                    ">=",
                    f"{name}, G = {workers}, B = {slots // 16}",
                    witness={"law": name, "G": workers, "c": c.value},
                )
    return Finding(
        held("fcfs.constant"),
        seen[max(seen)],
        limit.value,
        "~",
        f"exact c(2, B) for two laws and B up to {max(seen)}, each within the limit theorem's "
        "distance; G = 3, 4, 32 above",
        details={f"c(2, {b})": value for b, value in seen.items()},
    )


@check(
    "fcfs.constant-uniform",
    measures="E[Imb] / (G sigma sqrt(B ln G)) of FCFS at G = 2, B = 1 and a rare size (1)",
    plants=(
        near("", 1 / QUARTER),
        Variant("one tenth of the constant", Fraction(1, 10)),
    ),
    c=FCFS_ROUNDED,
)
def constant_uniform(trial: Trial) -> Finding:
    """For any c, a rare size at B = 1 and a large G at fixed B have a smaller effective c."""
    c = trial["c"] * trial.scale
    # c(2, 1) = sqrt(q(1-q)/ln 2) <= 1.21 sqrt(q); q = (c/2)^2 suffices.
    q = min(Fraction(1, 2), (c / 2) ** 2)
    rare = Law.of({1: 1 - q, 2: q})
    at_two = effective_constant(rare, 2, 1)
    # Fixed B = 1: E[max] <= b, so c(G, 1) falls like 1/sqrt(ln G); a fair coin shows it.
    many = effective_constant(COIN, 2**14, 1)
    if at_two.upper >= c:
        return Finding(
            Verdict.INCONCLUSIVE, at_two.value, float(c), ">=", "no law found below this constant"
        )
    return Finding(
        Verdict.REFUTED,
        at_two.value,
        float(c),
        ">=",
        "exact enclosure for one law, chosen for this c",
        witness={"sizes": [1, 2], "probability of 2": str(q), "G": 2, "B": 1},
        details={"c of a fair coin at B = 1, G = 16384": many.value},
    )


@check(
    "fcfs.effective-constant",
    measures="E[Imb] / (G sigma sqrt(B ln G)) of FCFS (1)",
    plants=(
        near("lower ends", Fraction(51, 50)),
        near("upper ends", Fraction(49, 50)),
        Variant("second moment in place of the variance", fault="wrong-moment"),
    ),
    B=72,
)
def effective(trial: Trial) -> Finding:
    """The enclosure of c for each law against the stated range."""
    geometric = geometric_slot(UNIFORM, Fraction(1, 100))
    ranges = (
        ("uniform 1..100", UNIFORM, 32, "1.10", "1.12"),
        ("uniform 1..100", UNIFORM, 256, "1.18", "1.20"),
        ("fair two-point", Law.of({1: Fraction(1, 2), 100: Fraction(1, 2)}), 32, "1.10", "1.12"),
        ("fair two-point", Law.of({1: Fraction(1, 2), 100: Fraction(1, 2)}), 256, "1.18", "1.20"),
        ("geometric lengths", geometric, 32, "1.17", "1.18"),
        ("geometric lengths", geometric, 256, "1.30", "1.31"),
    )
    found: dict[str, float] = {}
    for name, law, workers, low, high in ranges:
        c = effective_constant(law, workers, trial["B"])
        if trial.fault("wrong-moment"):
            ratio = law.variance.lower / law.moment(2).upper
            c = c * Fraction(float(ratio) ** 0.5)
        found[f"{name}, G = {workers}"] = c.value
        floor = Fraction(low) * trial.scale_of("lower ends")
        ceiling = Fraction(high) * trial.scale_of("upper ends")
        if c.lower < floor or c.upper > ceiling:
            return Finding(
                Verdict.REFUTED,
                c.value,
                float(floor if c.lower < floor else ceiling),
                ">=" if c.lower < floor else "<=",
                f"exact enclosure, {name}, G = {workers}, B = {trial['B']}",
                witness={"law": name, "G": workers, "B": trial["B"], "c": c.value},
            )
    return Finding(
        Verdict.CERTIFIED,
        found["uniform 1..100, G = 32"],
        1.10,
        ">=",
        f"exact enclosures at B = {trial['B']}",
        details=found,
    )


@check(
    "fcfs.berry-esseen-share",
    measures="Berry-Esseen bound over the exact imbalance of FCFS (share)",
    plants=(near("lower ends", TENTH), near("upper ends", 1 / TENTH), NO_DISTANCE),
    B=72,
)
def berry_esseen_share(trial: Trial) -> Finding:
    """The bound over the exact value at each stated point."""
    geometric = geometric_slot(UNIFORM, Fraction(1, 100))
    ranges = (
        ("equal lengths", UNIFORM, 2, "0.31", "0.33"),
        ("equal lengths", UNIFORM, 32, "0.62", "0.65"),
        ("geometric lengths", geometric, 2, "0.12", "0.13"),
        ("geometric lengths", geometric, 32, "0.49", "0.51"),
        ("rare size", RARE, 2, "-9", "0"),
        ("rare size", RARE, 32, "0", "0.06"),
    )
    bound = _normal_imbalance if trial.fault("no-distance") else berry_esseen_bound
    found: dict[str, float] = {}
    for name, law, workers, low, high in ranges:
        share = bound(law, workers, trial["B"])
        share /= expected_imbalance(law, workers, trial["B"]).imbalance.upper
        found[f"{name}, G = {workers}"] = float(share)
        floor = Fraction(low) * trial.scale_of("lower ends")
        ceiling = Fraction(high) * trial.scale_of("upper ends")
        if not floor <= share <= ceiling:
            return Finding(
                Verdict.REFUTED,
                float(share),
                float(floor if share < floor else ceiling),
                ">=" if share < floor else "<=",
                f"{name}, G = {workers}, B = {trial['B']}",
                witness={"law": name, "G": workers, "B": trial["B"]},
            )
    return Finding(
        Verdict.CERTIFIED,
        found["equal lengths, G = 32"],
        0.65,
        "<=",
        f"exact enclosures at B = {trial['B']}",
        details=found,
    )
