"""Mistakes that a type checker tells before anything runs, one a line."""

import evenkeel
from evenkeel import StepProblem, System, simulate, solve_step, workload


class NotAPolicy:
    """Has no ``admit``."""

    name = "none"


requests = workload("uniform", 60, seed=0)
share = simulate(System.paper(2, 3), requests, "bfio").total.idle_shares  # tells: attr-defined
simulate(System.paper(2, 3), requests, NotAPolicy())  # tells: arg-type
solve_step(StepProblem([0, 4], [1, 1]))  # tells: call-arg
workers: str = System.paper(2, 3).workers  # tells: assignment
evenkeel.simulat  # tells: attr-defined
