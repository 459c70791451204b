"""One admission step that fills every slot of empty workers."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.headline import Record, headline, says
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import admit, after_of, refills, witness_of
from solvers.step.exact.brute_force import exact_step, search_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.step import full_refill_bound, full_refill_extremal
from theory.model import InputError, imbalance
from theory.proof import Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp


def _sides() -> "tuple[sp.Symbol, ...]":
    """The symbols ``G``, ``a``, ``b``, ``Imb``."""
    return (
        *sp.symbols("G a b", positive=True, integer=True),
        sp.Symbol("Imb", nonnegative=True, integer=True),
    )


def swap(of: str, low: str) -> tuple[Step, Step]:
    """The exchange argument: moving ``d < D`` of load downhill lowers the sum of squares."""
    d, e = sp.symbols("d e", positive=True)
    low_load = sp.Symbol("L_l", nonnegative=True)
    D = d + e
    change = (low_load + D - d) ** 2 + (low_load + d) ** 2 - (low_load + D) ** 2 - low_load**2
    return (
        Identity(
            f"Moving d of load from {of} to {low}, D apart, changes the sum of squares by "
            "-2 d (D - d)",
            change,
            -2 * d * (D - d),
        ),
        Inequality("which is negative for 0 < d < D = d + e", change, sp.Integer(0), 2 * d * e),
    )


def _spoiled(trial: Trial, problem: StepProblem) -> StepProblem:
    """The refill, or a version that breaks a hypothesis where that is planted."""
    if trial.fault("unequal-slots"):
        free = problem.free.copy()
        free[0] += 1
        return StepProblem(problem.loads, free, [*problem.pool.tolist(), int(problem.pool[0])])
    if trial.fault("poor-pool"):
        return StepProblem(problem.loads, problem.free, problem.pool[1:])
    return problem


def _random_refills(trial: Trial) -> Iterator[tuple[StepProblem, int, int]]:
    """Larger full refills with their ``a`` and ``b``: uniform, two-point and one-giant sizes."""
    rng = np.random.default_rng(trial.seed)
    for index in range(trial["random"]):
        G, B = int(rng.integers(2, trial["G"] + 1)), int(rng.integers(1, trial["B"] + 1))
        a = int(rng.integers(1, 50))
        b = a + int(rng.integers(1, 200))
        n = G * B + int(rng.integers(0, 2 * G))
        if index % 3 == 0:
            pool = rng.integers(a, b + 1, n)
        elif index % 3 == 1:
            pool = rng.choice([a, b], n, p=[0.8, 0.2])
        else:
            pool = np.array(full_refill_extremal(G, B, a, b))
        yield StepProblem([0] * G, [B] * G, pool), a, b


@claim(
    "step.full-refill-gap",
    "upper",
    source="paper, engine of Theorem 1; constant: evenkeel",
    version="ours",
    assumptions=(
        Assumption.FULL_REFILL,
        Assumption.OVERLOADED,
        Assumption.BOUNDED_SIZES,
        Assumption.EXACT_STEP,
    ),
    requires=("step.objective",),
    coq=Theorem("step_full_refill_gap", "Refill.v"),
)
class FullRefillGap:
    """A full refill leaves at most (G-1)(b-a).

    All slots free, all workers empty, at least G*B waiting requests with sizes in [a, b]: some
    optimal admission has max L - min L <= b - a, and so every one an imbalance of at most
    (G-1)(b-a).
    """

    def formula(self) -> "sp.Basic":
        G, a, b, imb = _sides()
        return sp.Le(imb, full_refill_bound(G, a, b))

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("n", nonnegative=True, integer=True) + 1
        a, D, r = sp.symbols("a D r", nonnegative=True)
        M = a + D
        return (
            Setting(
                "Take any G*B requests of the pool and, of the finitely many partitions into G "
                "groups of B, one whose loads have the smallest sum of squares."
            ),
            Lemma(
                "a pair to swap",
                "Suppose loads L_h and L_l differ by D = L_h - L_l > b - a.  Both groups have B "
                "requests, so some x on h and y on l have x > y; d = x - y <= b - a < D.",
            ),
            *swap("h", "l"),
            Lemma(
                "contradiction",
                "Swapping x and y keeps the groups of size B and lowers the smallest sum of "
                "squares; so max - min <= b - a.",
            ),
            Inequality(
                "One worker has no gap and the G-1 others at most D = max - min: with "
                "sum L = M + (G-1)(M - D) + r, r >= 0, the imbalance is at most (G-1) D",
                sp.expand(G * M - (M + (G - 1) * (M - D) + r)),
                (G - 1) * D,
                r,
            ),
            Lemma("conclusion", "The optimum is at most this partition's: (G-1)(b-a)."),
        )

    @evidence(
        measures="imbalance after an optimal full refill (load)",
        G=6,
        B=8,
        random=60,
        size=3,
        spare=1,
        standard={"G": 16, "B": 24, "random": 2000, "size": 5, "spare": 2},
        paper={"G": 64, "B": 72, "random": 5000, "size": 6, "spare": 3},
        plants=(
            near("imbalance", 1 / THOUSANDTH),
            near("max - min", 1 / THOUSANDTH),
            near("larger refills", 1 / THOUSANDTH),
            Variant("always_busiest in place of BF-IO", policy="always_busiest"),
            Variant("one more slot on a worker", fault="unequal-slots"),
            Variant("one request too few", fault="poor-pool"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The optimum of every pool of a finite domain by enumeration, its imbalance and its gap,
        then of random larger refills; one above its bound refutes it.
        """
        from solvers.step.fast.solve import solve_step

        if trial["G"] < 2 or trial["B"] < 1:
            raise InputError(f"full refills need G >= 2 and B >= 1, got {trial['G']}, {trial['B']}")
        cases, open_steps = Cases("<="), 0
        small = (
            problem
            for G, B, spare in product((2, 3), (1, 2), range(trial["spare"] + 1))
            for problem in refills(G, B, 1, trial["size"], spare)
        )
        for problem in (_spoiled(trial, refill) for refill in small):
            bound = full_refill_bound(problem.workers, 1, trial["size"])
            width = (trial["size"] - 1) * trial.scale_of("max - min")
            after, witness = after_of(problem, admit(trial, problem)), witness_of(problem)
            claimed = bound * trial.scale_of("imbalance")
            if cases.add(imbalance(after), claimed, witness) or cases.add(
                max(after) - min(after), width, witness, "largest minus smallest load"
            ):
                break
        for refill, low, high in () if cases.violated else _random_refills(trial):
            problem = _spoiled(trial, refill)
            bound = full_refill_bound(problem.workers, low, high)
            claimed = bound * trial.scale_of("larger refills")
            if trial.policy_or("exact") != "exact":
                value = problem.objective(admit(trial, problem))
            else:
                solution = solve_step(problem, 2)
                value = solution.imbalance
                if value > claimed >= solution.lower_bound:
                    open_steps += 1
                    continue
            if cases.add(value, claimed, witness_of(problem)):
                break
        return cases.finding(
            trial,
            f"all full refills with G <= 3, B <= 2, sizes <= {trial['size']}, up to "
            f"{trial['spare']} spare requests; {trial['random']} random ones with G <= "
            f"{trial['G']}, B <= {trial['B']}",
            details={"left open by the fast solver": open_steps},
        )


# Largest search tree of an extremal pool.
MOST_NODES = 200_000


@claim(
    "step.full-refill-tight",
    "equality",
    assumptions=(Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
    requires=("step.full-refill-gap",),
    coq=Theorem("step_full_refill_tight", "Refill.v"),
)
class FullRefillTight:
    """A pool of exactly G B requests attains the bound of a full refill.

    For every G, B >= 1 and a <= b: a pool of exactly G*B requests, one of size b and the others of
    size a, leaves (G-1)(b-a) after an optimal full refill, and no pool of at least G*B sizes in [a,
    b] leaves more.
    """

    def formula(self) -> "sp.Basic":
        G, a, b, imb = _sides()
        return sp.Eq(imb, full_refill_bound(G, a, b))

    def proof(self) -> tuple[Step, ...]:
        G, a, b, _ = _sides()
        B = sp.Symbol("B", positive=True, integer=True)
        return (
            Lemma(
                "no choice",
                "With exactly G*B requests all are admitted, B to each worker; the worker of the "
                "one b has load b + (B-1) a and every other worker B a.",
            ),
            Identity(
                "So every assignment has the imbalance of the bound",
                G * (b + (B - 1) * a) - (b + (G * B - 1) * a),
                full_refill_bound(G, a, b),
            ),
        )

    @evidence(
        measures="imbalance after an optimal full refill (load)",
        G=4,
        B=3,
        b=4,
        worst=3,
        standard={"G": 6, "B": 6, "b": 8, "worst": 6},
        plants=(
            near("extremal pool"),
            near("worst pool"),
            Variant("with one spare request", fault="spare"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The extremal pool solved exactly over a range of (G, B, a, b), and the worst pool found
        by exhaustive search on small domains; another value than (G-1)(b-a) refutes it. For G >= 2
        and a < b that pool does not fill the slots without one of its sizes, so it lies outside the
        paper's pool condition, inside which nothing attains the bound [step.pool-condition-refill].
        """
        cases = Cases("==")
        shapes = product(
            range(2, trial["G"] + 1), range(1, trial["B"] + 1), range(1, trial["b"] + 1)
        )
        for G, B, b in shapes:
            if (B + 1) ** G > MOST_NODES:
                continue
            pool = list(full_refill_extremal(G, B, 1, b))
            problem = StepProblem([0] * G, [B] * G, pool + [1] * trial.fault("spare"))
            # The small requests are interchangeable: at most about (B + 1)^G nodes.
            value = problem.objective(search_step(problem))
            claimed = full_refill_bound(G, 1, b) * trial.scale_of("extremal pool")
            if cases.add(value, claimed, witness_of(problem)):
                break
        for G, B in () if cases.violated else ((2, 1), (2, 2), (3, 1), (2, 3), (3, 2)):
            every = refills(G, B, 1, trial["worst"], int(trial.fault("spare")))
            worst = max(every, key=lambda problem: problem.objective(exact_step(problem)))
            claimed = full_refill_bound(G, 1, trial["worst"]) * trial.scale_of("worst pool")
            if cases.add(worst.objective(exact_step(worst)), claimed, witness_of(worst)):
                break
        return cases.finding(
            trial,
            f"the extremal pool for 2 <= G <= {trial['G']}, B <= {trial['B']} with (B + 1)^G <= "
            f"{MOST_NODES:,}, b - a < {trial['b']}; "
            f"the worst of all pools with sizes <= {trial['worst']} for five (G, B) up to (3, 2)",
        )

    @headline("Is Theorem 1's constant tight?", 8, "fcfs.worst-case", "step.pool-condition-refill")
    def answer(self, tight: Record, worst: Record, inside: Record) -> str:
        least = "is open"
        if Verdict(inside["verdict"]).held:
            least = (
                "is (1 - 1/G) (G-1)(b-a), for every G >= 2 and B: the condition enforces one "
                "request to spare, which takes off a G-th.  At G = B = 2 distinct sizes leave a "
                f"share of {inside['details']['share of the bound, G = 2, B = 2']}"
            )
        return (
            f"{says(tight)}, for a pool of exactly G B requests: it attains (G-1)(b-a), and FCFS's "
            f"worst case is {worst['details']['ratio of the suprema']} times larger at "
            f"B = {worst['details']['B']}, exactly B times.  Inside the paper's pool condition the "
            f"least bound {least}."
        )
