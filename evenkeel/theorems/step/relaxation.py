"""The linear relaxation of one admission step, in closed form."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import witness_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.formulas.step import lp_optimum, simple_lower_bound
from theory.proof import Lemma, Step
from theory.symbolic import sp


def _random_steps(rng: np.random.Generator, count: int) -> Iterator[StepProblem]:
    """Random steps with rich and poor pools, ties and full workers among them."""
    for _ in range(count):
        G = int(rng.integers(1, 5))
        yield StepProblem(
            rng.integers(0, 10, G), rng.integers(0, 4, G), rng.integers(1, 10, rng.integers(1, 12))
        )


def _lp_over_all_sets(problem: StepProblem, *, round_up: bool) -> tuple[Fraction, Fraction]:
    """Largest deficit over all ``2^G`` sets of workers, at the least feasible level; that level."""
    loads, free = problem.loads.tolist(), problem.free.tolist()
    ascending = sorted(problem.pool.tolist())
    empty = sum(free) - problem.admissions
    workers = range(problem.workers)
    sets = [w for size in workers for w in combinations(workers, size + 1)]
    level: Fraction = max(
        Fraction(
            sum(loads[g] for g in w) + sum(ascending[: max(0, sum(free[g] for g in w) - empty)]),
            len(w),
        )
        for w in sets
    )
    if round_up:
        level = Fraction(-(-level.numerator // level.denominator))
    descending = ascending[::-1]
    deficits: list[Fraction] = [
        len(w) * level - sum(loads[g] for g in w) - sum(descending[: sum(free[g] for g in w)])
        for w in sets
    ]
    return max(Fraction(0), *deficits), level


def _lp_by_solver(problem: StepProblem) -> float:
    """Optimum of the LP relaxation by HiGHS, in floating point."""
    from scipy.optimize import linprog

    G, n = problem.workers, int(problem.pool.size)
    size = problem.pool.astype(float)
    # Variables: n*G shares, request by request, then M.
    loads_after = np.hstack([np.kron(size, np.eye(G)), -np.ones((G, 1))])
    per_worker = np.hstack([np.kron(np.ones(n), np.eye(G)), np.zeros((G, 1))])
    per_request = np.hstack([np.kron(np.eye(n), np.ones(G)), np.zeros((n, 1))])
    result = linprog(
        np.append(-np.repeat(size, G), G),
        A_ub=np.vstack([loads_after, per_worker, per_request]),
        b_ub=np.concatenate([-problem.loads, problem.free, np.ones(n)]),
        A_eq=np.append(np.ones(n * G), 0.0)[None],
        b_eq=[problem.admissions],
        method="highs",
    )
    assert result.fun is not None  # every step has an admission
    return float(result.fun) - float(problem.loads.sum())


@claim(
    "step.lp-closed-form",
    "equality",
    assumptions=(Assumption.WORK_CONSERVING,),
    requires=("step.objective",),
)
class LpClosedForm:
    """The LP relaxation of a step in closed form.

    With h_g = M - l_g, beta and T the sums of the smallest and largest sizes, C(W) the slots of a
    set W of workers and K the slots that stay empty: the LP relaxation has the value max_W (h(W) -
    T(C(W))) at M = max_W (l(W) + beta((C(W)-K)^+)) / |W|, over all sets W, non-empty ones for M,
    and both maxima are attained at prefixes of the order of h_g / c_g (for c_g = 0 by the sign of
    h_g, at its ends), so that for a given M sorting is the costliest part.
    """

    def formula(self) -> "sp.Basic":
        W = sp.Symbol("W")
        h, T, C = sp.Function("h"), sp.Function("T"), sp.Function("C")
        return sp.Eq(sp.Symbol("Imb_LP", nonnegative=True), sp.Function("max_W")(h(W) - T(C(W))))

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "reachable vectors",
                "Let A_g be the size that worker g takes fractionally.  Rearrangement gives the "
                "maximum of sum lambda_g A_g for any weights: largest sizes to the largest "
                "positive weights, smallest to the most negative ones.  That is the greedy "
                "maximum over the generalised polymatroid beta((C(W)-K)^+) <= A(W) <= T(C(W)), "
                "all W: same support function, same set.",
            ),
            Lemma(
                "slots that stay empty",
                "If K > 0 all n items are placed, and the lower side is the upper side of the "
                "complement: with k slots outside W, C(W) - K = n - k and sum v - T(k) = beta(n - "
                "k).",
            ),
            Lemma(
                "feasible M",
                "A generalised polymatroid meets A <= h, h_g = M - l_g, iff beta((C(W)-K)^+) <= "
                "h(W) for all W.  The least such M is max_W (l(W) + beta((C(W)-K)^+)) / |W|.",
            ),
            Lemma(
                "deficit",
                "The largest A(V) under A <= h is min_W h(V-W) + T(C(W)); so the smallest "
                "h(V) - A(V) at that M is max_W (h(W) - T(C(W))), which does not decrease in M.",
            ),
            Lemma(
                "prefixes",
                "beta(x - K)^+ is convex and T concave, so both maxima over W are maxima of a "
                "convex function of (C(W), h(W)), hence at a vertex of the zonotope of the points "
                "(c_g, h_g): a prefix in the order of h_g / c_g, ascending for the first, "
                "descending for the second.  Sorting costs O(G log G).",
            ),
        )

    @evidence(
        measures="smallest imbalance of the LP relaxation (load)",
        steps=150,
        solved=20,
        standard={"steps": 15_000, "solved": 1500},
        paper={"steps": 150_000, "solved": 15_000},
        plants=(
            near("all sets"),
            near("level"),
            near("exact optimum"),
            near("LP solver"),
            Variant("level rounded up", fault="round-up"),
            Variant("the simple bound in its place", fault="simple"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact equality of value and M with the maxima over all 2^G sets, of the value with an LP
        solver's rounded to denominators below 1000, and never above the enumerated optimum, over
        random steps with rich and poor pools; one difference refutes it.
        """
        cases = Cases("==")
        for index, problem in enumerate(
            _random_steps(np.random.default_rng(trial.seed), trial["steps"])
        ):
            step = problem.loads.tolist(), problem.free.tolist(), problem.pool.tolist()
            claimed, level = lp_optimum(*step)
            if trial.fault("simple"):
                claimed = Fraction(simple_lower_bound(*step)[0])
            exact, least = _lp_over_all_sets(problem, round_up=trial.fault("round-up"))
            witness = witness_of(problem)
            if cases.add(exact, claimed * trial.scale_of("all sets"), witness) or cases.add(
                least, level * trial.scale_of("level"), witness, "level M"
            ):
                break
            if (problem.workers + 1) ** problem.pool.size <= 5000:
                optimum = problem.objective(exact_step(problem))
                below = claimed * trial.scale_of("exact optimum")
                if below > optimum and cases.add(
                    optimum, below, witness, "the relaxation is above the exact optimum"
                ):
                    break
            if index < trial["solved"]:
                # Denominators divide a product of at most 4 workers' counts; HiGHS errs by 1e-7.
                solved = Fraction(_lp_by_solver(problem)).limit_denominator(1000)
                if cases.add(solved, claimed * trial.scale_of("LP solver"), witness):
                    break
        return cases.finding(
            trial,
            f"{trial['steps']} random steps with G <= 4 over all 2^G sets, {trial['solved']} of "
            "them by an LP solver, rounded to denominators below 1000; never above an exact "
            "optimum",
        )
