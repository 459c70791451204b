"""One admission step from below: the water-filling bound, and where it is attained."""

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import QUARTER, Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import (
    after_of,
    domain,
    lattice_steps,
    poor_steps,
    rich_steps,
    witness_of,
)
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.step import (
    gap_below,
    lattice_lower_bound,
    missing_on_lattice,
    simple_lower_bound,
    waterfill_optimum,
)
from theory.model import imbalance
from theory.proof import Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp


def waterfill_formula() -> "sp.Basic":
    """Formula of [step.waterfill]."""
    G, g, b = sp.symbols("G g b", positive=True, integer=True)
    M = sp.Symbol("M", nonnegative=True, integer=True)
    load, free = sp.IndexedBase("l"), sp.IndexedBase("c")
    gap = gap_below(M, load[g], free[g] * b)
    return sp.Eq(sp.Symbol("Imb", nonnegative=True, integer=True), sp.Sum(gap, (g, 1, G)))


def clipped_grows() -> tuple[Step, Step]:
    """``(M - t)^+`` does not decrease as ``M`` grows by ``d``, from ``t + x`` or from ``t - x``."""
    x, d = sp.symbols("x d", nonnegative=True)
    return (
        Inequality(
            "(M - t)^+ does not decrease in M: where M = t + x, it grows by d as M does",
            sp.Max(0, x),
            sp.Max(0, x + d),
            d,
        ),
        Inequality(
            "and where M = t - x, from 0", sp.Max(0, -x), sp.Max(0, d - x), sp.Max(0, d - x)
        ),
    )


def _optimum_differs(
    trial: Trial, cases: Cases, problem: StepProblem, claimed: int, level: int
) -> bool:
    """Add the imbalance and the largest load of the exact optimum; whether either is violated."""
    after, witness = after_of(problem, exact_step(problem)), witness_of(problem)
    least, top = claimed * trial.scale_of("imbalance"), level * trial.scale_of("maximum")
    return cases.add(imbalance(after), least, witness) or cases.add(
        max(after), top, witness, "largest load of the optimum"
    )


@claim(
    "step.waterfill",
    "equality",
    assumptions=(Assumption.RICH_POOL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
    requires=("step.objective",),
    coq=Theorem("step_waterfill", "Waterfill.v"),
)
class Waterfill:
    """The optimal imbalance under a rich pool, in closed form.

    If all sizes of the pool are integers in [a, b] and it holds at least sum c copies of every one
    of them, as many as slots are free, the optimal imbalance is sum_g (M* - l_g - c_g b)^+ with M*
    = max_g (l_g + c_g a), and M* is the smallest maximum of an optimal admission.
    """

    def formula(self) -> "sp.Basic":
        return waterfill_formula()

    def proof(self) -> tuple[Step, ...]:
        load, top, r, d = sp.symbols("L t r d", nonnegative=True)
        a, c, q, width, rest = sp.symbols("a c q w rho", nonnegative=True, integer=True)
        level, most = sp.symbols("M u", real=True)
        return (
            Lemma(
                "reachable loads",
                "From c_g requests of integer sizes in [a, b], each size available often enough, "
                "worker g reaches exactly the integers of [l_g + c_g a, l_g + c_g b], whatever "
                "the others take: write the excess over c_g a as q w + rho, w = b - a, 0 <= rho < "
                "w, and take q requests of size b, one of size a + rho and the others of size a.",
            ),
            Identity(
                "Their sum is as it should be",
                q * (a + width) + (a + rest) + (c - q - 1) * a,
                c * a + (q * width + rest),
            ),
            Lemma(
                "level",
                "Every admission has M >= M* = max_g (l_g + c_g a), for each worker must be "
                "filled.",
            ),
            Inequality(
                "A worker's gap below M is at least M - (l_g + c_g b): with L_g = l_g + c_g b - r "
                "and t = M - l_g - c_g b, it is t + r",
                top,
                top + r,
                r,
            ),
            Inequality("and never negative, as L_g <= M = L_g + d", load, load + d, d),
            Lemma(
                "lower side",
                "So the imbalance is at least sum_g (M - l_g - c_g b)^+, with M >= M*.",
            ),
            *clipped_grows(),
            Lemma(
                "upper side",
                "L_g = min(M*, l_g + c_g b) is reachable, because M* >= l_g + c_g a; its maximum "
                "is M*, attained where M* is.",
            ),
            Identity(
                "Its gaps, with u = l_g + c_g b, are those of the lower side at M*",
                level - sp.Min(level, most),
                sp.Max(0, level - most),
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=3,
        load=4,
        free=2,
        slots=3,
        size=3,
        random=50,
        standard={"load": 9, "slots": 4, "random": 1000},
        paper={"load": 15, "random": 20_000},
        plants=(
            near("imbalance"),
            near("maximum"),
            near("larger steps"),
            Variant("level from the largest sizes", fault="level-b"),
            Variant("gaps without the positive part", fault="signed"),
            Variant("one copy of each size in the pool", fault="one-copy"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Enumerated and MILP optima of every rich-pool step of a finite domain against the closed
        form; one difference refutes it.
        """
        from solvers.step.fast.solve import solve_step

        cases, open_steps = Cases("=="), 0
        for problem, a, b in rich_steps(trial):
            loads, free = problem.loads.tolist(), problem.free.tolist()
            claimed, level = waterfill_optimum(loads, free, a, b)
            if trial.fault("level-b"):
                level = max(x + c * b for x, c in zip(loads, free, strict=True))
            if trial.fault("level-b") or trial.fault("signed"):
                claimed = sum(level - x - c * b for x, c in zip(loads, free, strict=True))
            if _optimum_differs(trial, cases, problem, claimed, level):
                break
        rng = np.random.default_rng(trial.seed)
        for _ in range(0 if cases.violated else trial["random"]):
            G = int(rng.integers(2, 9))
            loads, free = rng.integers(0, 60, G).tolist(), rng.integers(0, 6, G).tolist()
            a = int(rng.integers(1, 20))
            b = a + int(rng.integers(0, 10))
            problem = StepProblem(loads, free, np.repeat(np.arange(a, b + 1), max(1, sum(free))))
            solution = solve_step(problem, 2)
            open_steps += not solution.optimal
            claimed = waterfill_optimum(loads, free, a, b)[0]
            if solution.optimal and cases.add(
                solution.imbalance, claimed * trial.scale_of("larger steps"), witness_of(problem)
            ):
                break
        return cases.finding(
            trial,
            f"imbalance and maximum of all steps with G <= {trial['G']}, loads <= "
            f"{trial['load']}, free slots <= {trial['free']} (sum <= {trial['slots']}), 1 <= a <= "
            f"b <= {trial['size']}; imbalance of {trial['random']} random ones with G <= 8 that "
            "are solved to optimality",
            details={"left open by the fast solver": open_steps},
        )


@claim(
    "step.waterfill-admitted",
    "equality",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
    requires=("step.waterfill",),
    holds=False,
)
class WaterfillAdmitted:
    """The closed form from as many copies as requests are admitted.

    If the pool holds at least U = min(|pool|, sum c) copies of every integer size in [a, b], the
    optimal imbalance is the closed form of [step.waterfill]. False: with one size a = b and fewer
    requests than free slots the pool is rich in this sense, and some worker stays below the level.
    Loads (0, 0), slots (1, 1), a = b = 1, pool {1}: the closed form is 0, the optimum 1.
    """

    def formula(self) -> "sp.Basic":
        return waterfill_formula()

    def proof(self) -> tuple[Step, ...]:
        level, x, y = sp.symbols("M L_1 L_2", nonnegative=True)
        return (
            Setting(
                "Loads (0, 0), slots (1, 1), a = b = 1, pool {1}: U = min(1, 2) = 1, and the pool "
                "holds one copy of every size in [1, 1]."
            ),
            Identity(
                "The closed form with M* = max (0 + 1) = 1 is 0",
                sp.Subs(2 * sp.Max(0, level - 1), level, 1),
                sp.Integer(0),
            ),
            Identity(
                "The one request must be admitted, to either worker; the loads 1 and 0 leave 1",
                sp.Subs(2 * sp.Max(x, y) - x - y, (x, y), (1, 0)),
                sp.Integer(1),
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=3,
        load=2,
        free=1,
        size=2,
        standard={"load": 4, "free": 2, "size": 3},
        plants=(
            near("", QUARTER),
            Variant("at most the closed form", fault="upper"),
            Variant("at least two requests admitted", fault="two"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Steps of one size with fewer requests than free slots, smallest first; an optimum that
        differs from the closed form refutes it.
        """
        weaker = trial.scale > 1 or trial.fault("upper")
        cases = Cases("<=" if weaker else "==")
        for problem, a in poor_steps(trial):
            if trial.fault("two") and problem.admissions < 2:
                continue
            claimed = waterfill_optimum(problem.loads.tolist(), problem.free.tolist(), a, a)[0]
            best = problem.objective(exact_step(problem))
            if cases.add(best, claimed * trial.scale, witness_of(problem)):
                break
        return cases.finding(
            trial,
            f"steps with G <= {trial['G']}, loads <= {trial['load']}, free slots <= "
            f"{trial['free']}, fewer requests than free slots, all of one size a = b <= "
            f"{trial['size']}",
        )


@claim(
    "step.lower-bound",
    "lower",
    assumptions=(Assumption.WORK_CONSERVING,),
    requires=("step.objective",),
    coq=Theorem("step_lower_bound", "LowerBound.v"),
)
class LowerBound:
    """A lower bound on every step from prefix sums.

    With S^min_k and S^max_k the sums of the k smallest and largest pool sizes and K = sum c - U: M
    >= LB := max( max_g (l_g + S^min_{(c_g-K)^+}), ceil((sum l + S^min_U) / G) ), and the imbalance
    is at least sum_g (LB - l_g - S^max_{c_g})^+, for any pool of non-negative integer sizes.
    """

    def formula(self) -> "sp.Basic":
        G, g = sp.symbols("G g", positive=True, integer=True)
        LB = sp.Symbol("LB", nonnegative=True, integer=True)
        load, free = sp.IndexedBase("l"), sp.IndexedBase("c")
        largest = sp.Function("S_max")
        gap = gap_below(LB, load[g], largest(free[g]))
        return sp.Ge(sp.Symbol("Imb", nonnegative=True, integer=True), sp.Sum(gap, (g, 1, G)))

    def proof(self) -> tuple[Step, ...]:
        n, m, r = sp.symbols("n m r", nonnegative=True)
        total, mine, spare, admitted = sp.symbols("C c_g K U", nonnegative=True, integer=True)
        return (
            Lemma(
                "forced requests",
                "The other workers take at most C - c_g of the U requests, C = sum c, so worker g "
                "takes at least U - (C - c_g), of total size at least S^min of that many.",
            ),
            Identity(
                "which is c_g - K, with K = C - U",
                sp.Subs(admitted - (total - mine), admitted, total - spare),
                mine - spare,
            ),
            Inequality(
                "The largest load is at least the mean: sum L = (n+1) M - r for n+1 workers, r >= "
                "0",
                (n + 1) * m - r,
                (n + 1) * m,
                r,
            ),
            Lemma(
                "level",
                "sum L >= sum l + S^min_U, and M is an integer; with the forced requests M >= LB.",
            ),
            Lemma(
                "gaps",
                "Worker g ends at most at l_g + S^max_{c_g} and at most at M, so its gap is at "
                "least (M - l_g - S^max_{c_g})^+, with M >= LB.",
            ),
            *clipped_grows(),
            Lemma(
                "sum", "So it is at least (LB - l_g - S^max_{c_g})^+; sum over g [step.objective]."
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=3,
        requests=3,
        size=3,
        free=2,
        load=3,
        standard={"requests": 5, "size": 4, "load": 4},
        paper={"requests": 6, "size": 5, "load": 5},
        plants=(
            near("imbalance"),
            near("maximum"),
            Variant("every slot counted as filled", fault="all-filled"),
            Variant("mean rounded up by one too many", fault="ceil"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Enumerated optima of every step of a finite domain, rich and poor pools; an optimum below
        the bound refutes it.
        """
        cases = Cases(">=")
        problems, text = domain(trial)
        for problem in problems:
            loads, free = problem.loads.tolist(), problem.free.tolist()
            bound, level = simple_lower_bound(loads, free, problem.pool.tolist())
            if trial.fault("all-filled"):
                smallest = sorted(problem.pool.tolist())
                level = max(x + sum(smallest[:c]) for x, c in zip(loads, free, strict=True))
            elif trial.fault("ceil"):
                level += 1
            if _optimum_differs(trial, cases, problem, bound, level):
                break
        return cases.finding(trial, f"imbalance and maximum of {text}")


@claim(
    "step.lattice", "lower", assumptions=(Assumption.OVERLOADED,), requires=("step.lower-bound",)
)
class Lattice:
    """Sizes that differ by multiples of q leave what the residues leave.

    If all sizes are congruent to v modulo q >= 1 and at least sum c requests wait, an admission
    with largest load M has imbalance at least R(M), the sum of (M - l_g - c_g v) mod q over the
    workers with free slots and of M - l_g over the others; so no admission is below the smallest
    R(M) with LB <= M < LB + q, LB of [step.lower-bound].
    """

    def formula(self) -> "sp.Basic":
        LB, q, M = sp.symbols("LB q M", nonnegative=True, integer=True)
        least = sp.Function("min")(sp.Function("R")(M), sp.And(sp.Le(LB, M), sp.Lt(M, LB + q)))
        return sp.Ge(sp.Symbol("Imb", nonnegative=True, integer=True), least)

    def proof(self) -> tuple[Step, ...]:
        q = sp.Symbol("q", positive=True, integer=True)
        n, k = sp.symbols("n k", integer=True)
        j, r, M, load = sp.symbols("j r M l_g", nonnegative=True, integer=True)
        return (
            Lemma(
                "every slot is filled",
                "Worker g takes c_g requests of sizes v + q k_i, so L_g = l_g + c_g v + q k with "
                "k = sum k_i.  Let M - l_g - c_g v = q n + r with 0 <= r < q.",
            ),
            Identity(
                "Its gap M - L_g has the residue r as well", q * n + r - q * k, q * (n - k) + r
            ),
            Inequality(
                "and is not negative, so n - k = j >= 0 and it is at least r", r, q * j + r, q * j
            ),
            Lemma(
                "gaps",
                "A worker without free slots has the gap M - l_g.  Summed over g the gaps are the "
                "imbalance [step.objective].",
            ),
            Identity("At M + q the residues are the same", q * n + r + q, q * (n + 1) + r),
            Inequality(
                "and the gaps of full workers larger, so R(M + q) >= R(M)",
                M - load,
                M + q - load,
                q,
            ),
            Lemma(
                "one period", "M >= LB, so R(M) is at least the least of R over LB to LB + q - 1."
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=2,
        load=3,
        free=2,
        spacing=3,
        size=1,
        standard={"load": 5, "spacing": 4, "size": 2},
        paper={"load": 8, "spacing": 6, "size": 3},
        plants=(
            near("optimum"),
            near("at its level"),
            Variant("the slots taken for empty", fault="no-slots"),
            Variant("the first level alone", fault="first-level"),
            Variant("one request fewer than slots", fault="one-short"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Enumerated optima of every step of a finite domain whose sizes lie on a lattice, against
        the bound and against R at their own largest load; an optimum below refutes it.
        """
        cases = Cases(">=")
        for problem, q in lattice_steps(trial):
            loads, free = problem.loads.tolist(), problem.free.tolist()
            pool: list[int] = problem.pool.tolist()
            bound = lattice_lower_bound(loads, free, pool, q)
            if trial.fault("no-slots"):
                bound = lattice_lower_bound(loads, free, [q] * len(pool), q)
            elif trial.fault("first-level"):
                level = simple_lower_bound(loads, free, pool)[1]
                bound = missing_on_lattice(loads, free, pool[0], q, level)
            after = after_of(problem, exact_step(problem))
            at_level = missing_on_lattice(loads, free, pool[0], q, max(after))
            witness = witness_of(problem)
            if cases.add(imbalance(after), bound * trial.scale_of("optimum"), witness) or cases.add(
                imbalance(after), at_level * trial.scale_of("at its level"), witness
            ):
                break
        return cases.finding(
            trial,
            "optimum against the bound and against R at its own largest load, all steps with G "
            f"<= {trial['G']}, loads <= {trial['load']}, free slots <= {trial['free']} that sum c "
            f"or sum c + 1 requests fill, sizes v, v + q, v + 2q with v <= {trial['size']} and 2 "
            f"<= q <= {trial['spacing']}",
        )
