"""When a step counts as solved to optimality.

Integer programming solvers work in floating point, so an optimum that one of them reports is a
claim and no proof.  The imbalance of any valid assignment refutes every larger claim.  A claimed
lower bound is accepted when two solvers report it, or when a bound evaluated in integers reaches
it: the closed form, that of the fast solver, or that of branch and price.
"""

from dataclasses import dataclass

from solvers.step.bounds.relaxation import lower_bound
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.milp import SOLVERS, solve_exact
from solvers.step.problem import StepProblem, StepSolution

# Sides whose lower bounds are sums of integers, whatever led to them.
IN_INTEGERS = ("bound", "fast", "scan")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The best assignment known, and which solvers and bounds support its lower bound.

    Parameters
    ----------
    solution : StepSolution
        Its ``lower_bound`` is claimed by two solvers, or was evaluated in integers.
    claims : dict of str to int
        The lower bound that each side claims: ``"bound"`` and the solvers that finished.
    agree : tuple of str
        Sides whose claim reaches the imbalance of the solution.
    refuted : tuple of str
        Sides whose claim exceeds it, and is therefore wrong.
    """

    solution: StepSolution
    claims: dict[str, int]
    agree: tuple[str, ...]
    refuted: tuple[str, ...]

    @property
    def optimal(self) -> bool:
        """Whether the accepted lower bound equals the imbalance of the solution."""
        return self.solution.optimal


def confirm(problem: StepProblem, time_limit_s: float | None = None) -> Confirmed:
    """Solve by branch and price and by every integer programming solver, and compare the claims.

    "Optimal" counts when a bound in integers (:data:`IN_INTEGERS`) reaches the best assignment, or
    when two solvers claim it; a claim that an assignment refutes counts for nothing.

    Parameters
    ----------
    time_limit_s : float, optional
        Wall-clock limit for each solver.
    """
    solutions = {name: solve_exact(problem, name, time_limit_s) for name in SOLVERS}
    return weigh(problem, solutions | {"scan": solve_branch_and_price(problem, time_limit_s)})


def weigh(problem: StepProblem, solutions: dict[str, StepSolution]) -> Confirmed:
    """Judge solutions of one problem by several solvers, as described at :func:`confirm`."""
    bound = lower_bound(problem)
    best = min(solutions.values(), key=lambda s: s.imbalance)
    claims = {"bound": bound}
    claims |= {name: s.lower_bound for name, s in solutions.items() if s.lower_bound > bound}
    standing = {name: v for name, v in claims.items() if v <= best.imbalance}
    # The second highest claim is supported by two; a bound in integers needs no second.
    alone = [v for name, v in standing.items() if name in IN_INTEGERS]
    lower = max([*alone, *sorted(standing.values())[-2:-1]])
    return Confirmed(
        StepSolution(best.assignment, best.imbalance, lower),
        claims,
        tuple(name for name, v in claims.items() if v == best.imbalance),
        tuple(name for name, v in claims.items() if v > best.imbalance),
    )
