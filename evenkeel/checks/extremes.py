"""Checks of the analytic claims in :mod:`theory.fcfs`: bounds, constants and normal limits.

Nothing is sampled here: both sides are exact rationals or rigorous balls.
"""

from collections.abc import Callable
from fractions import Fraction

from flint import arb, ctx

from evenkeel.checks.verdicts import HALVED, LARGER, held
from evenkeel.evidence import Finding, Number, Relation, Trial, Variant, Verdict, check
from theory.expectation import PRECISION, expected_imbalance, from_ball, to_ball
from theory.extremes import (
    berry_esseen_bound,
    effective_constant,
    expected_max_of_normals,
    gaussian_constant,
    pairing_bound,
)
from theory.laws import Enclosure, Law
from theory.slots import geometric_slot

COIN = Law.of({0: Fraction(1, 2), 1: Fraction(1, 2)})
UNIFORM = Law.uniform(1, 100)
RARE = Law.of({1: Fraction(99, 100), 100: Fraction(1, 100)})

NO_DISTANCE = Variant("normal limit in place of the bound", fault="no-distance")
STEEPER = Variant("B to a power larger by 1/2", exponent=Fraction(1, 2))


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


def _normal_imbalance(law: Law, workers: int, slots: int) -> Fraction:
    """``G sigma sqrt(B) E[max of normals]``: what the bound would be without a distance."""
    with ctx.workprec(PRECISION):
        sigma = from_ball((slots * to_ball(law.variance.lower)).sqrt()).lower
    return workers * sigma * expected_max_of_normals(workers).lower


def _below_exact(trial: Trial, label: str, bound: Callable[[Law, int, int], Fraction]) -> Finding:
    """Hold a lower bound against the exact expectation over a grid of laws, G and B."""
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
        exact = expected_imbalance(law, workers, slots).imbalance
        stretch = trial.scale * Fraction(float(slots) ** float(trial.exponent))
        claimed = bound(law, workers, slots) * stretch
        points += 1
        where = f"{name}, G = {workers}, B = {slots}"
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
    plants=(LARGER, STEEPER, NO_DISTANCE),
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
    plants=(LARGER, STEEPER),
    standard={"workers": (2, 3, 8, 32, 256), "slots": (1, 8, 72, 500, 4096), "many": 2**18},
    workers=(2, 8, 32),
    slots=(1, 2, 72, 500),
    many=2**14,
)
def pairing(trial: Trial) -> Finding:
    """The moment bound below the exact value; an equality for a coin at G = 2, B = 1."""
    return _below_exact(trial, "fcfs.pairing", pairing_bound)


def _scaled_root(constant: Enclosure, workers: int, trial: Trial) -> Enclosure:
    """``constant * scale * (ln G)^(1/2 + exponent)``."""
    with ctx.workprec(PRECISION):
        power = to_ball(Fraction(1, 2) + trial.exponent)
        root = from_ball(arb(workers).log() ** power)
    ends = constant * trial.scale
    return Enclosure(ends.lower * root.lower, ends.upper * root.upper)


@check(
    "fcfs.gaussian",
    plants=(
        LARGER,
        Variant("ln G in place of its square root", exponent=Fraction(1, 2)),
        Variant("upper side halved", fault="upper-halved"),
    ),
    standard={"largest": 2**40},
    largest=2**20,
)
def gaussian(trial: Trial) -> Finding:
    """Both sides for every G from 2 to 100, as the proof needs, and powers of two beyond."""
    constant = gaussian_constant()
    grid = [*range(2, 101)]
    while grid[-1] < trial["largest"]:
        grid.append(max(128, 2 * grid[-1]))
    tightest: tuple[Fraction, float, float] = (Fraction(0), 0.0, 0.0)
    for workers in grid:
        middle = expected_max_of_normals(workers)
        low = _scaled_root(constant, workers, trial)
        with ctx.workprec(PRECISION):
            high = from_ball((2 * arb(workers).log()).sqrt())
        if trial.fault("upper-halved"):
            high = high * Fraction(1, 2)
        sides: tuple[tuple[bool, Enclosure, Relation], ...] = (
            (low.lower > middle.upper, low, ">="),
            (middle.lower > high.upper, high, "<="),
        )
        for broken, side, relation in sides:
            if broken:
                return Finding(
                    Verdict.REFUTED,
                    middle.value,
                    side.value,
                    relation,
                    "rigorous integrals",
                    witness={"G": workers},
                )
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
        f"every G from 2 to 100 and powers of two to {grid[-1]} by rigorous integrals; "
        "all G >= 100 by the proof",
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
    plants=(LARGER, HALVED, Variant("B to the power 0.4", exponent=Fraction(-1, 10))),
    standard={"most": 2**18},
    most=2**16,
)
def constant(trial: Trial) -> Finding:
    """Exact ``c(2, B)`` closes in on the constant; larger G stay above it."""
    limit = gaussian_constant() * trial.scale
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
            if c.lower < limit.lower:
                return Finding(
                    Verdict.REFUTED,
                    c.value,
                    limit.value,
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
    plants=(
        Variant("half the constant", Fraction(1, 2)),
        Variant("one tenth of the constant", Fraction(1, 10)),
    ),
    c=Fraction(6777, 10000),
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
        "exact enclosures",
        witness={"sizes": [1, 2], "probability of 2": str(q), "G": 2, "B": 1},
        details={"c of a fair coin at B = 1, G = 16384": many.value},
    )


@check(
    "fcfs.effective-constant",
    plants=(LARGER, Variant("second moment in place of the variance", fault="wrong-moment")),
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
        floor, ceiling = Fraction(low) * trial.scale, Fraction(high) * trial.scale
        if c.upper < floor or c.lower > ceiling:
            return Finding(
                Verdict.REFUTED,
                c.value,
                float(floor if c.upper < floor else ceiling),
                ">=" if c.upper < floor else "<=",
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
    plants=(LARGER, NO_DISTANCE),
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
        share = bound(law, workers, trial["B"]) * trial.scale
        share /= expected_imbalance(law, workers, trial["B"]).imbalance.upper
        found[f"{name}, G = {workers}"] = float(share)
        if not Fraction(low) <= share <= Fraction(high):
            return Finding(
                Verdict.REFUTED,
                float(share),
                float(low if share < Fraction(low) else high),
                ">=" if share < Fraction(low) else "<=",
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
