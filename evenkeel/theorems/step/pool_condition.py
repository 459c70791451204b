"""Full refills from a pool that meets the paper's pool condition."""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from itertools import product

from adversary.workloads.overload import pool_survives_a_class
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import condition_pools, witness_of
from evenkeel.theorems.step.spare_requests import MEASURED, REFILL, optimum, refill
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.step import (
    full_refill_bound,
    full_refill_extremal,
    one_slot_worst,
    pool_condition_extremal,
    pool_condition_loss,
    spare_request_bound,
)
from theory.proof import Computation, Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp


@claim(
    "step.pool-condition-refill",
    "equality",
    assumptions=(Assumption.POOL_CONDITION, *REFILL),
    requires=("step.spare-request", "step.full-refill-tight"),
    answers=("A1", "T1"),
    coq=Theorem("step_pool_condition_refill", "SpareRequest.v"),
)
class PoolConditionRefill:
    """The least bound of a full refill inside the paper's pool condition.

    For every G >= 2 and B >= 1 the least constant c such that Imb <= c (b-a) after every optimal
    full refill whose pool meets the paper's condition, to fill all slots even after any one size
    class is removed, is c = (1 - 1/G) (G-1). None leaves more, as the condition leaves a request to
    spare [step.spare-request]. The sizes a, a + 1, ..., a + GB - 2, a + (G-1) m, a + G m meet the
    condition where (G-1) m > GB - 2, and leave at least (1 - 1/G) (G-1) (b-a) - (GB-1)(GB-2)/2.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", positive=True, integer=True)
        least = sp.Symbol("c_least", positive=True)
        return sp.Eq(least, spare_request_bound(G, sp.Integer(0), sp.Integer(1)))

    def proof(self) -> tuple[Step, ...]:
        n, m, loss, z = sp.symbols("n m T z", nonnegative=True)  # G = n + 1
        G, k = n + 1, sp.Symbol("k", positive=True, integer=True)
        i = sp.Symbol("i", integer=True)
        return (
            Lemma(
                "a request to spare",
                "Removing the class of some waiting request takes at least that one, so the pool "
                "has more than G B: no optimum exceeds the bound of [step.spare-request].",
            ),
            Lemma(
                "the condition",
                "The sizes of the statement are G B + 1 and distinct, so that any one may go.",
            ),
            Identity(
                "Above a, the k = G B - 1 small ones are T = k (k-1)/2 in all",
                sp.Sum(i, (i, 0, k - 1)),
                k * (k - 1) / 2,
            ),
            Lemma(
                "no choice but two",
                "One request waits.  If it is the largest, some worker takes a + (G-1) m; else "
                "some worker takes a + G m.",
            ),
            Identity(
                "Without the largest the imbalance is at least the bound minus T",
                G * (n * m) - (n * m + loss),
                spare_request_bound(G, sp.Integer(0), G * m) - loss,
            ),
            Inequality(
                "and so it is with it, if a request of size a + z waits",
                spare_request_bound(G, sp.Integer(0), G * m) - loss,
                G * (G * m) - (G * m + n * m + loss - z),
                z,
            ),
            Lemma(
                "no smaller constant",
                "T does not grow with b - a = G m, so the share of the bound tends to 1 with m.",
            ),
        )

    @evidence(
        measures=MEASURED,
        plants=(
            near("bound", 1 / THOUSANDTH),
            near("loss", 1 / THOUSANDTH),
            Variant("falling with B", exponent=Fraction(-1, 2)),
            Variant("a pool of exactly G*B is enough", fault="exact-pool"),
        ),
        standard={"width": 7, "m": (3, 10, 100, 10_000)},
        width=5,
        m=(5, 100, 10_000),
    )
    def check(self, trial: Trial) -> Finding:
        """The optimum of every minimal pool of small widths, of which any other has one inside, and
        of the pools of the statement, against the bound and against the bound minus the loss; one
        above the first or below the second refutes it.
        """
        cases, lost, shares = Cases("<="), Cases(">="), {}
        shapes = ((2, 1), (3, 1), (4, 1), (5, 1), (2, 2), (2, 3), (3, 2))
        for (G, B), width in product(shapes, range(1, trial["width"] + 1)):
            pools = condition_pools(G * B, width) if G * B <= 4 else iter(())
            if trial.fault("exact-pool"):
                pools = iter([full_refill_extremal(G, B, 1, 1 + width)])
            bound = spare_request_bound(G, 0, width) * trial.scale_of("bound") * trial.stretch(B)
            steps = (refill(G, B, pool) for pool in pools)
            if cases.extend((optimum(step), bound, witness_of(step)) for step in steps):
                break
        for (G, B), m in () if cases.violated else product(shapes, trial["m"]):
            problem = refill(G, B, pool_condition_extremal(G, B, 1, m))
            if not pool_survives_a_class(problem.pool, G * B):
                continue
            value, bound = optimum(problem), spare_request_bound(G, 0, G * m)
            loss = pool_condition_loss(G, B) * trial.scale_of("loss")
            shares[f"share of the bound, G = {G}, B = {B}"] = (
                f"{float(value / bound):.4f} at b - a = {G * m:,}"
            )
            claimed = bound * trial.scale_of("bound") * trial.stretch(B)
            if cases.add(value, claimed, witness_of(problem)) or lost.add(
                value, bound - loss, witness_of(problem)
            ):
                break
        return (lost if lost.violated else cases).finding(
            trial,
            f"all minimal pools with b - a <= {trial['width']} of up to four slots; the pools of "
            f"the statement at (G, B) in {shapes}, m in {trial['m']}",
            details=shares,
        )


# Widths b - a of one slot and three or more workers, by G; of G = B = 2; see the statement.
ONE_SLOT = {2: (2, 16), 3: (5, 16), 4: (8, 11)}
TWO_SLOTS = (7, 14)


def worst_pool(G: int, B: int, pools: Iterable[tuple[int, ...]]) -> tuple[int, StepProblem, int]:
    """The largest optimum of some full refills, a step that leaves it, and how many there are."""
    steps = [refill(G, B, pool) for pool in pools]
    values = [optimum(step) for step in steps]
    largest = max(values)
    return largest, steps[values.index(largest)], len(steps)


@cache
def worst_of_width(G: int, B: int, width: int) -> tuple[int, StepProblem, int]:
    """:func:`worst_pool` of all minimal pools of a width that meet the condition."""
    return worst_pool(G, B, condition_pools(G * B, width))


def _two_slots() -> bool:
    """Whether the stated largest optima at G = B = 2 are those of all minimal pools."""
    least, most = TWO_SLOTS
    return all(
        worst_of_width(2, 2, width)[0] == (width - 5) // 2 for width in range(least, most + 1)
    )


@claim(
    "step.pool-condition-widths",
    "equality",
    assumptions=(Assumption.POOL_CONDITION, *REFILL),
    requires=("step.pool-condition-refill",),
    answers=("A1",),
)
class PoolConditionWidths:
    """How wide the sizes must be for the worst full refill inside the paper's condition.

    Integer sizes with b - a = w, pools that meet the paper's condition. For B = 1, G >= 2 and w >=
    G^2/2 the largest optimum is (G-2) w + floor(w/G) - (G-1)(G-2)/2, left by the sizes a, a + 1,
    ..., a + G - 2, b - floor(w/G), b. For G = B = 2 it is floor((w-5)/2), for w from 7 to 14. So a
    search of narrow sizes sees less than the bound of [step.pool-condition-refill]: at G = B = 2 a
    share of 2/9 of (G-1)(b-a) at w = 9 and of 2/7 at w = 14, where 1/2 is the least upper bound.
    """

    def formula(self) -> "sp.Basic":
        G, w = sp.symbols("G w", positive=True, integer=True)
        most = (G - 2) * w + sp.floor(w / G) - (G - 1) * (G - 2) / 2
        return sp.Eq(sp.Symbol("Imb_worst", nonnegative=True), most)

    def proof(self) -> tuple[Step, ...]:
        n = sp.Symbol("n", nonnegative=True, integer=True)  # G = n + 2
        v, r, extra = sp.symbols("v r e", nonnegative=True)
        i, j = sp.symbols("i j", integer=True)
        G = n + 2
        K = n + 3  # workers where there are three at least
        first, second, third = 1 / K, (1 - 1 / K) / K, (1 - 1 / K) ** 2
        two_spare = (K - 1) ** 3 / K**2
        loss = (K - 1) * (K - 2) / 2
        low = (G - 1) * (G - 2) / 2
        return (
            Lemma(
                "windows",
                "With one slot a load is a size, and an optimum takes G sizes next to each other "
                "in order: raising the smaller ones lowers the imbalance.  With the gaps between "
                "adjacent sizes, those of such a window weigh 1, 2, ..., G-1 from below.",
            ),
            Setting(
                "G + 1 requests: the condition makes them distinct, so the gaps x_1, ..., x_G are "
                "at least 1, and w in all.  Weigh the lower window by 1/G, the upper by 1 - 1/G."
            ),
            Identity(
                "A gap x_(G-1-i), i = 0, ..., G-2, then weighs i less than (G-1)^2/G",
                (G - 1 - i) / G + (1 - 1 / G) * (G - 2 - i),
                (G - 1) ** 2 / G - i,
            ),
            Identity("and x_G weighs so much", (1 - 1 / G) * (G - 1), (G - 1) ** 2 / G),
            Identity(
                "The gaps are 1 at least, so the optimum is at most (G-1)^2 w/G less the sum of i",
                sp.Sum(i, (i, 0, G - 2)),
                low,
            ),
            Identity(
                "and an integer, so with w = G v + r, 0 <= r < G, at most (G-2) w + v less that",
                (G - 1) ** 2 * (G * v + r) / G,
                (G - 2) * (G * v + r) + v + r / G,
            ),
            Identity(
                "Attained with x_G = v, x_(G-1) = w - (G-2) - v and the others 1, the lower "
                "window at r more",
                sp.Sum(j, (j, 1, G - 2)) + (G - 1) * (G * v + r - (G - 2) - v),
                (G - 2) * (G * v + r) + v - low + r,
            ),
            Identity(
                "and the upper one",
                sp.Sum(j - 1, (j, 1, G - 2)) + (G - 2) * (G * v + r - (G - 2) - v) + (G - 1) * v,
                (G - 2) * (G * v + r) + v - low,
            ),
            Setting(
                "G + 2 requests or more, of which take the G + 2 smallest.  At G = 2 the bound "
                "floor(w/2) is [step.spare-request].  For G >= 3 weigh the three windows by "
                "1/G, (G-1)/G^2 and (G-1)^2/G^2, from below."
            ),
            Identity("These weights add up to 1", first + second + third, sp.Integer(1)),
            Inequality(
                "A gap x_j, 2 <= j = G-1-e, weighs at most (G-1)^3/G^2",
                first * (K - 1 - extra) + second * (K - 2 - extra) + third * (K - 3 - extra),
                two_spare,
                extra,
            ),
            Inequality("x_1, too", first, two_spare, (n**3 + 6 * n**2 + 11 * n + 5) / K**2),
            Identity("x_G as much", second * (K - 1) + third * (K - 2), two_spare),
            Identity("and x_(G+1)", third * (K - 1), two_spare),
            Inequality(
                "so at w = G^2/2 + e such pools leave at most (G-1)^3/G^2 w, which is no more than "
                "what G + 1 distinct sizes leave, before the floor and so after it",
                two_spare * (K**2 / 2 + extra),
                (K - 1) ** 2 / K * (K**2 / 2 + extra) - loss,
                (K - 1) ** 2 / K**2 * extra + (K - 1) / 2,
            ),
            Computation(
                "At G = B = 2, w from 7 to 14, the largest optimum of all minimal pools that meet "
                "the condition is floor((w-5)/2)",
                _two_slots,
            ),
        )

    @evidence(
        measures="largest optimum of the pools of a width (load)",
        plants=(
            near("one slot", THOUSANDTH),
            near("one slot", 1 / THOUSANDTH),
            near("two slots", THOUSANDTH),
            near("two slots", 1 / THOUSANDTH),
            Variant("a pool of exactly G*B is enough", fault="exact-pool"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The optimum of every minimal pool of these widths, of which any other has one inside, by
        enumeration; another largest one refutes it.
        """
        cases, pools, worst = Cases("=="), 0, {}
        domain = [
            (G, 1, width, one_slot_worst(G, width) * trial.scale_of("one slot"))
            for G, (least, most) in ONE_SLOT.items()
            for width in range(least, most + 1)
        ] + [
            (2, 2, width, (width - 5) // 2 * trial.scale_of("two slots"))
            for width in range(TWO_SLOTS[0], TWO_SLOTS[1] + 1)
        ]
        for G, B, width, claimed in domain:
            if trial.fault("exact-pool"):
                largest, step, count = worst_pool(G, B, [full_refill_extremal(G, B, 1, 1 + width)])
            else:
                largest, step, count = worst_of_width(G, B, width)
            pools += count
            share = Fraction(largest, full_refill_bound(G, 0, width))
            worst[f"G = {G}, B = {B}"] = f"{share} for sizes {step.pool.tolist()}"
            if cases.add(largest, claimed, witness_of(step)):
                break
        return cases.finding(trial, f"widths of {pools:,} minimal pools in all", details=worst)
