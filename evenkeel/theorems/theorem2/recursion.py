"""From one step to the next: what is carried over, and what the departures add."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import combinations_with_replacement, product

from evenkeel.evidence.check import Finding, Trial, Variant, evidence
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.theorems.balance_frontier.criterion import enumerated_optimum
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.sides import two_sizes, two_sizes_domain
from theory.formal.record import Theorem
from theory.relations import at_most
from theory.symbolic import sp

FULL = (
    Assumption.FULL_SLOTS,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
)


class Departures:
    """One step of a full system: the loads before, who departs, and what they deviate from p.

    Parameters
    ----------
    rows : tuple of tuple of int
        The loads of the requests of each worker, the growth of the step included.
    gone : tuple of tuple of bool
        Which of them depart.
    p : Fraction
        The share of all load that is taken to depart.
    a, b : int
        The smallest and the largest size that is admitted.
    """

    def __init__(
        self,
        rows: tuple[tuple[int, ...], ...],
        gone: tuple[tuple[bool, ...], ...],
        p: Fraction,
        a: int,
        b: int,
    ) -> None:
        self.sizes = range(a, b + 1)
        before = [sum(row) for row in rows]
        self.spread = max(before) - min(before)
        self.imbalance = len(rows) * max(before) - sum(before)
        self.free = tuple(sum(out) for out in gone)
        self.kept = tuple(
            sum(w for w, left in zip(row, out, strict=True) if not left)
            for row, out in zip(rows, gone, strict=True)
        )
        # X_g = sum (xi - p)(w - b) and Y_g = sum (p - xi)(w - a), xi = 1 for who departs.
        self.X, self.Y = (
            [
                sum(((left - p) * (w - size) for w, left in zip(row, out, strict=True)), Fraction())
                * sign
                for row, out in zip(rows, gone, strict=True)
            ]
            for size, sign in ((b, 1), (a, -1))
        )
        self.lowest = [load + c * a for load, c in zip(self.kept, self.free, strict=True)]
        self.highest = [load + c * b for load, c in zip(self.kept, self.free, strict=True)]

    @property
    def excess(self) -> Fraction:
        """``N = max_g X_g + max_h Y_h``."""
        return max(self.X) + max(self.Y)


def departures(trial: Trial) -> Iterator[tuple[Departures, Fraction, int, Witness]]:
    """Every state and every pattern of departures of the trial's small systems.

    Yields the step, its p, ``B (b - a)`` and the step written down.
    """
    for (workers, slots, top), p, d in product(trial["systems"], trial["p"], trial["d"]):
        rows = list(combinations_with_replacement(range(1, top + 1), slots))
        outs = list(product((False, True), repeat=slots))
        for state in combinations_with_replacement(rows, workers):
            for gone in product(outs, repeat=workers):
                witness: Witness = partial(
                    dict, loads=state, departed=gone, p=str(p), sizes=[1, 1 + d]
                )
                yield Departures(state, gone, p, 1, 1 + d), p, slots * d, witness


def departures_domain(trial: Trial) -> str:
    """The domain of :func:`departures` in words."""
    systems = ", ".join(f"G = {g}, B = {b}, loads <= {top}" for g, b, top in trial["systems"])
    return (
        f"every state and departure pattern of {systems}; sizes 1..1 + d, d in {trial['d']}, p in "
        f"{', '.join(map(str, trial['p']))}"
    )


@cache
def _largest_optimal_spread(lowest: tuple[int, ...], highest: tuple[int, ...]) -> int:
    """Largest ``V'`` over all optimal admissions from a rich pool, by trying all loads.

    Sizes follow each other without a gap and are all there often enough, so the loads that a
    worker can get are the whole numbers from its lowest to its highest.
    """
    reachable = [range(low, high + 1) for low, high in zip(lowest, highest, strict=True)]
    found = [
        (len(loads) * max(loads) - sum(loads), max(loads) - min(loads))
        for loads in product(*reachable)
    ]
    least = min(imbalance for imbalance, _ in found)
    return max(spread for imbalance, spread in found if imbalance == least)


@claim(
    "geometric.recursion",
    "upper",
    assumptions=(
        *FULL,
        Assumption.RICH_POOL,
        Assumption.BOUNDED_SIZES,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("step.waterfill",),
    coq=Theorem("geometric_recursion", "Spread.v"),
)
class Recursion:
    """BF-IO from a rich pool: the spread of the loads from step to step.

    Rich pools of sizes in [a, b], every slot occupied, any common growth and any departures. With
    V = max L - min L, X_g the sum over all requests of worker g of (xi-p)(w-b) and Y_g that of
    (p-xi)(w-a), w the load with the growth of the step, xi = 1 for a request that departs and 0
    else, N = max X + max Y, and any p in (0, 1]: every optimal step has V' <= ((1-p) V + N - B p
    (b-a))^+ and Imb' <= (1-p) Imb + sum_g (X_g + max_h Y_h - B p (b-a))^+. So the average of Imb
    over K steps is at most (G-1) (F/p + V_0/(p K)), F the average of (N - B p (b-a))^+; and so are
    the means over a law of finitely many runs.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_BFIO", "(G - 1) * (F / p + V_0 / (p * K))")

    @evidence(
        measures="max L - min L after an optimal step (load)",
        plants=(
            Variant("spread carried over x0.95", Fraction(19, 20), side="carried"),
            Variant("deviations of the spread x0.95", Fraction(19, 20), side="deviations"),
            Variant("authority of the spread x1.05", Fraction(21, 20), side="authority"),
            Variant("imbalance carried over x0.95", Fraction(19, 20), side="carried imbalance"),
            Variant("deviations of the imbalance x0.95", Fraction(19, 20), side="deviations of it"),
            Variant("authority over the imbalance x1.05", Fraction(21, 20), side="authority of it"),
            Variant("growth of the step left out", fault="no-growth"),
        ),
        systems=((2, 2, 4), (3, 1, 4)),
        d=(1, 2),
        p=(Fraction(1, 5), Fraction(3, 4)),
        standard={"systems": ((2, 2, 6), (3, 1, 6), (2, 3, 3))},
    )
    def check(self, trial: Trial) -> Finding:
        """Both inequalities of the step in exact arithmetic, for every departure pattern of small
        systems: the largest spread of any optimal admission, over all loads that can be reached,
        and the enumerated optimum from the smallest rich pool. One step above refutes it.
        """
        cases = Cases("<=")
        factor = {
            side: trial.scale_of(side)
            for side in (
                "carried",
                "deviations",
                "authority",
                "carried imbalance",
                "deviations of it",
                "authority of it",
            )
        }
        for step, p, reach, witness in departures(trial):
            left = p * reach
            if trial.fault("no-growth"):
                step.X = [x - 1 for x in step.X]
            spread = (
                (1 - p) * step.spread * factor["carried"]
                + step.excess * factor["deviations"]
                - left * factor["authority"]
            )
            if cases.add(
                _largest_optimal_spread(tuple(step.lowest), tuple(step.highest)),
                max(Fraction(0), spread),
                witness,
            ):
                break
            above = max(step.Y)
            added = sum(
                max(
                    Fraction(0),
                    (x + above) * factor["deviations of it"] - left * factor["authority of it"],
                )
                for x in step.X
            )
            low = min(step.kept)
            sizes = tuple(s for s in step.sizes for _ in range(sum(step.free)))
            optimum = enumerated_optimum(tuple(x - low for x in step.kept), step.free, sizes)
            claimed = (1 - p) * step.imbalance * factor["carried imbalance"] + added
            if cases.add(optimum, claimed, witness, "imbalance"):
                break
        return cases.finding(trial, departures_domain(trial))


@claim(
    "geometric.two-sizes-half",
    "upper",
    assumptions=(*FULL, Assumption.BOUNDED_SIZES, Assumption.MYOPIC, Assumption.EXACT_STEP),
    requires=("geometric.bfio-upper",),
    coq=Theorem("two_size_half", "Spacing.v"),
)
class TwoSizesHalf:
    """Half the spacing of two sizes is enough for Theorem 2.

    In [geometric.bfio-upper] and [drift.bfio-upper] the spacing costs G (delta-1)/2 a step in place
    of (G-1)(delta-1), which is less for G > 2: Imb' <= (1-p) Imb + G (delta-1)/2 + sum_g (X_g +
    max_h Y_h - B p delta)^+, and so E[AvgImb(BF-IO)] <= (G (delta-1)/2 + F)/p + Imb_0/(p K) over
    the laws of finitely many runs. Loads 0, 1, 2 with one free slot each and three copies each of
    the sizes 1 and 4 lose all of it: the optimum is 3 where a rich pool leaves 0.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_BFIO", "(G * (delta - 1) / 2 + F) / p + Imb_0 / (p * K)")

    @evidence(
        measures="imbalance after an optimal step (load)",
        plants=(
            Variant("what is carried over x0.95", Fraction(19, 20), side="carried"),
            Variant("the spacing x0.95", Fraction(19, 20), side="spacing"),
            Variant("the deviations x0.95", Fraction(19, 20), side="deviations"),
            Variant("the authority x1.05", Fraction(21, 20), side="authority"),
            Variant("the loss of three workers x1.01", Fraction(101, 100), side="attained"),
            Variant("the larger size not in the pool", fault="one-size"),
        ),
        systems=((2, 2, 3), (3, 1, 4)),
        x=(1, 2),
        delta=(1, 2, 4),
        p=(Fraction(1, 5), Fraction(3, 4)),
        standard={"systems": ((2, 2, 5), (3, 1, 7))},
    )
    def check(self, trial: Trial) -> Finding:
        """The inequality of the step in exact arithmetic, against the enumerated optimum from the
        smallest such pool, for every departure pattern of small systems, and the step of three
        workers; one step above it, or another optimum of that step, refutes it.
        """
        cases = two_sizes(trial, (0, 1), lambda G, delta: Fraction(G * (delta - 1), 2))
        if not cases.violated:
            loads, pool = (0, 1, 2), (1, 1, 1, 4, 4, 4)
            optimum = enumerated_optimum(loads, (1, 1, 1), pool)
            witness: Witness = partial(dict, loads=loads, free=(1, 1, 1), pool=pool)
            stated = 3 * trial.scale_of("attained")
            # An equality: both ways.
            _ = cases.add(optimum, stated, witness, "loss") or cases.add(
                stated, Fraction(optimum), witness, "loss"
            )
        return cases.finding(trial, two_sizes_domain(trial))
