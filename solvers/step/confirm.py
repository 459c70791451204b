"""When a step counts as solved to optimality.

Integer programming solvers work in floating point: the optimum that one of them reports is a claim
and no proof, and two of them err alike.  A lower bound is accepted where it was evaluated in
integers: the closed form, that of the fast solver, and that of branch and price.  The imbalance of
any valid assignment refutes every larger claim.
"""

from dataclasses import dataclass

from solvers.step.bounds.relaxation import lower_bound
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.milp import SOLVERS, solve_exact
from solvers.step.problem import StepProblem, StepSolution


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The best assignment and the best lower bound known, and what each side says of the optimum.

    Parameters
    ----------
    solution : StepSolution
        Its ``lower_bound`` was evaluated in integers.
    claims : dict of str to int
        The lower bound of ``"bound"``, the closed form, and of each solver that has a higher one,
        proved or claimed.
    agree : tuple of str
        Sides whose claim is the imbalance of the solution.
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

    "Optimal" counts when a bound in integers reaches the best assignment.

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
    said = {name: max(s.lower_bound, s.claim or 0) for name, s in solutions.items()}
    claims = {"bound": bound} | {name: v for name, v in said.items() if v > bound}
    # A proof beyond an assignment would be an error in a proof: it is not shown as one.
    proved = [v for s in solutions.values() if (v := s.lower_bound) <= best.imbalance]
    return Confirmed(
        StepSolution(best.assignment, best.imbalance, max([bound, *proved])),
        claims,
        tuple(name for name, v in claims.items() if v == best.imbalance),
        tuple(name for name, v in claims.items() if v > best.imbalance),
    )
