"""Full refills from a pool that holds more requests than slots are free."""

from collections.abc import Iterator
from itertools import chain, product

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import admit, refills, witness_of
from evenkeel.theorems.step.refill import swap
from solvers.step.exact.brute_force import search_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.step import (
    longer_pool_bound,
    spare_request_bound,
    spare_request_extremal,
)
from theory.proof import Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp

REFILL = (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP)
MEASURED = "imbalance after an optimal full refill (load)"


def refill(G: int, B: int, pool: tuple[int, ...]) -> StepProblem:
    """The step of ``G`` empty workers with ``B`` free slots each."""
    return StepProblem([0] * G, [B] * G, pool)


def optimum(problem: StepProblem) -> int:
    """The least imbalance after the step, whatever its number of assignments."""
    return problem.objective(search_step(problem))


def small_refills(trial: Trial, spare: int) -> Iterator[StepProblem]:
    """Every full refill of five (G, B) with sizes up to the trial's, ``spare`` more than slots."""
    shapes = ((2, 1), (3, 1), (4, 1), (2, 2), (3, 2))
    return chain.from_iterable(refills(G, B, 1, trial["size"], spare) for G, B in shapes)


@claim(
    "step.spare-request",
    "upper",
    assumptions=REFILL,
    requires=("step.full-refill-gap",),
    answers=("A1",),
    coq=Theorem("step_spare_request", "SpareRequest.v"),
)
class SpareRequest:
    """One request to spare takes a G-th off the worst full refill.

    Full refill, at least G*B + 1 waiting requests with sizes in [a, b]: the optimum leaves at most
    (1 - 1/G) (G-1) (b-a). For every G and B it is attained: with b - a = G m by G*B - 1 requests of
    size a, one of a + (G-1) m and one of b.
    """

    def formula(self) -> "sp.Basic":
        G, a, b = sp.symbols("G a b", positive=True, integer=True)
        return sp.Le(sp.Symbol("Imb"), spare_request_bound(G, a, b))

    def proof(self) -> tuple[Step, ...]:
        n, d, x, y, L, m = sp.symbols("n d x y L_0 m", nonnegative=True)  # G = n + 1
        G = n + 1
        total = L + (L + x) + (G - 2) * L + y
        return (
            Setting(
                "Sort G B + 1 of the sizes, s_0 <= ... <= s_(GB), and let d = s_(GB) - s_0, at "
                "most b - a, and L_j = s_j + s_(j+G) + ... with B terms, for j = 0, ..., G."
            ),
            Lemma(
                "two deals",
                "Deal all but the largest in turn, every worker every G-th: the loads are L_0 <= "
                "... <= L_(G-1).  Deal all but the smallest: they are L_1 <= ... <= L_G, and L_G "
                "= L_0 + d, because the sum of s_((i+1)G) - s_(iG) telescopes.",
            ),
            Inequality(
                "With L_(G-1) = L_0 + x, and y by which the G-2 loads between exceed L_0 in all, "
                "the imbalance of the first deal and G-1 times that of the second are together "
                "at most (G-1)^2 d",
                (G * (L + x) - total) + n * (G * (L + d) - (total + d)),
                n**2 * d,
                G * y,
            ),
            Lemma(
                "the better deal",
                "G times the smaller of the two is at most that sum, and the optimum is at most "
                "the smaller: (G-1)^2 d / G.",
            ),
            Lemma(
                "no choice but two",
                "In the pool of the statement one request waits.  If it is b, some worker takes a "
                "+ (G-1) m; else some worker takes b, and the sum is least if an a waits.",
            ),
            Identity(
                "In units above a: without b the imbalance is the bound",
                G * (n * m) - n * m,
                spare_request_bound(G, sp.Integer(0), G * m),
            ),
            Identity(
                "and without an a, with both large requests on workers of their own, too",
                G * (G * m) - (n * m + G * m),
                spare_request_bound(G, sp.Integer(0), G * m),
            ),
        )

    @evidence(
        measures=MEASURED,
        plants=(
            near("bound", 1 / THOUSANDTH),
            near("attained"),
            near("attained", 1 / THOUSANDTH),
            Variant("no request to spare", fault="no-spare"),
            Variant("always_busiest in place of BF-IO", policy="always_busiest"),
        ),
        standard={"size": 5, "G": 6, "B": 4},
        size=4,
        G=4,
        B=3,
    )
    def check(self, trial: Trial) -> Finding:
        """Every pool of small domains, solved by enumeration, against the bound, and the extremal
        pools of more systems, which must attain it; a larger optimum, or another one there, refutes
        it.
        """
        cases, attained = Cases("<="), Cases("==")
        for problem in small_refills(trial, int(not trial.fault("no-spare"))):
            pool = problem.pool.tolist()
            claimed = spare_request_bound(problem.workers, pool[0], pool[-1])
            value = problem.objective(admit(trial, problem))
            if cases.add(value, claimed * trial.scale_of("bound"), witness_of(problem)):
                break
        shapes = product(range(2, trial["G"] + 1), range(1, trial["B"] + 1), (1, 7))
        for G, B, m in () if cases.violated else shapes:
            problem = refill(G, B, spare_request_extremal(G, B, 1, m))
            claimed = spare_request_bound(G, 1, 1 + G * m) * trial.scale_of("attained")
            if attained.add(optimum(problem), claimed, witness_of(problem)):
                break
        return (attained if attained.violated else cases).finding(
            trial,
            f"all pools of one request to spare and sizes <= {trial['size']} at five (G, B) up to "
            f"(3, 2) and (4, 1); extremal pools for G <= {trial['G']}, B <= {trial['B']}",
            details={"extremal pools": attained.count},
        )


@claim(
    "step.longer-pool",
    "upper",
    assumptions=REFILL,
    requires=("step.full-refill-gap",),
    answers=("A1",),
)
class LongerPool:
    """G-1 requests to spare halve the worst full refill, twice as many leave a third, and so on.

    Full refill, at least G*B + (G-1) j waiting requests with sizes in [a, b], for an integer j >=
    0: the optimum leaves at most (G-1)(b-a)/(j+1). At G = 2, B = 1 it is attained, by j + 2 equally
    spaced sizes.
    """

    def formula(self) -> "sp.Basic":
        G, a, b = sp.symbols("G a b", positive=True, integer=True)
        j = sp.Symbol("j", nonnegative=True, integer=True)
        return sp.Le(sp.Symbol("Imb"), longer_pool_bound(G, a, b, j))

    def proof(self) -> tuple[Step, ...]:
        n, j, e, r, D = sp.symbols("n j e r D", nonnegative=True)  # G = n + 1
        width, M = sp.Symbol("w", nonnegative=True), sp.Symbol("M", nonnegative=True)
        left = sp.Symbol("k", nonnegative=True)
        G, B, blocks = n + 1, sp.Symbol("B", nonnegative=True), sp.Symbol("t", nonnegative=True)
        return (
            Setting(
                "Sort the sizes and let w = (b-a)/(j+1).  Walk up from the smallest: if the next G "
                "sizes lie within w, take them as a block, else drop the next one; stop after B "
                "blocks."
            ),
            Lemma(
                "what is dropped",
                "A dropped size lies more than w below the one G-1 ranks above it.  Of the dropped "
                "take the first, the G-th, the (2G-1)-th, ...: the stretches from each of them to "
                "G-1 ranks above do not overlap, so they add up to at most b - a.",
            ),
            Inequality(
                "j + 1 such stretches, each longer than w by e > 0 or more, add up to more than "
                "b - a: so at most (G-1) j are dropped",
                (j + 1) * width,
                (j + 1) * (width + e),
                (j + 1) * e,
            ),
            Identity(
                "Fewer than B blocks, B - 1 - t with G - 1 - k sizes left over, would need more "
                "dropped: 1 + (G-1) j at least",
                (G * B + n * j) - G * (B - 1 - blocks) - (n - left),
                1 + n * j + G * blocks + left,
            ),
            Lemma(
                "a pair to swap",
                "Give every worker one request of every block, so that the sum of squared loads is "
                "least.  If L_h and L_l differ by D = L_h - L_l > w, some block has a larger size "
                "x on h than y on l; d = x - y <= w < D, and swapping them keeps the blocks.",
            ),
            *swap("h", "l"),
            Lemma("contradiction", "The sum of squares would fall; so max - min <= w."),
            Inequality(
                "One worker has no gap and the G-1 others at most D = max - min: with "
                "sum L = M + (G-1)(M - D) + r, r >= 0, the imbalance is at most (G-1) D",
                sp.expand(G * M - (M + n * (M - D) + r)),
                n * D,
                r,
            ),
        )

    @evidence(
        measures=MEASURED,
        plants=(
            near("bound", 1 / THOUSANDTH),
            near("attained"),
            near("attained", 1 / THOUSANDTH),
            Variant("a request fewer", fault="one-fewer"),
            Variant("always_busiest in place of BF-IO", policy="always_busiest"),
        ),
        standard={"size": 6},
        size=4,
        j=3,
    )
    def check(self, trial: Trial) -> Finding:
        """Every pool of small domains, solved by enumeration, against the bound, and equally spaced
        sizes at G = 2, B = 1, which must attain it; a larger optimum, or another one there, refutes
        it.
        """
        cases, attained = Cases("<="), Cases("==")
        fewer = int(trial.fault("one-fewer"))
        shapes = ((2, 1), (3, 1), (2, 2), (3, 2))
        for (G, B), j in product(shapes, range(1, trial["j"] + 1)):
            spare = (G - 1) * j - fewer
            if cases.extend(
                (
                    problem.objective(admit(trial, problem)),
                    longer_pool_bound(G, int(problem.pool.min()), int(problem.pool.max()), j)
                    * trial.scale_of("bound"),
                    witness_of(problem),
                )
                for problem in refills(G, B, 1, trial["size"], spare)
            ):
                break
        for j in () if cases.violated else range(trial["j"] + 1):
            problem = refill(2, 1, tuple(range(1, 7 * (j + 1) + 2, 7)))
            claimed = longer_pool_bound(2, 1, 7 * (j + 1) + 1, j) * trial.scale_of("attained")
            if attained.add(optimum(problem), claimed, witness_of(problem)):
                break
        return (attained if attained.violated else cases).finding(
            trial,
            f"all pools of (G-1) j requests to spare, j <= {trial['j']}, and sizes <= "
            f"{trial['size']} at (G, B) in {shapes}",
            details={"equally spaced pools": attained.count},
        )
