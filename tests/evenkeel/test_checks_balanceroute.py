"""The checks of BalanceRoute's scores: witnesses and controls."""

import numpy as np
import pytest

from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from tests.oracles.found import found
from theory.formulas.balanceroute import br0_score


def run(label):
    return found(label).finding


def test_greedy_witness_by_hand():
    finding = run("balanceroute.greedy")
    assert finding.witness == {"loads": [0, 1], "free": [1, 1], "pool": [1, 2]}
    # Best first admission: 1 or 2 to worker 0 scores 1 - 0 = 1 or 2 - 2 (2 - 1) = 0; to worker 1
    # it scores 1 - 2 = -1 or 2 - 4 = -2.  So 1 goes to worker 0, and 2 must go to worker 1.
    scores = [br0_score(size, 1 - load, 2) for load in (0, 1) for size in (1, 2)]
    assert scores == [1, 0, -1, -2]
    # Loads (1, 3) against (2, 2).
    problem = StepProblem(**finding.witness)
    assert finding.computed == 2
    assert problem.objective(exact_step(problem)) == finding.claimed == 0


def test_fixed_penalty_is_right_at_its_own_number_of_workers():
    finding = run("balanceroute.fixed-beta")
    assert finding.details["control: violations at G = 43"] == 0
    assert finding.witness == {"loads": [3, 0], "free": [0, 1], "pool": [1, 4]}
    # 4 overshoots by 1: it scores 4 - 43 against 1 for the other, but costs 1 and not 2.
    assert (finding.computed, finding.claimed) == (2, 1)
    assert br0_score(4, 3, 43) < br0_score(1, 3, 43)
    assert br0_score(4, 3, 2) > br0_score(1, 3, 2)


@pytest.mark.parametrize("workers", [*range(2, 43), *range(44, 60)])
def test_fixed_penalty_is_wrong_at_every_other_number_of_workers(workers):
    margin = 84 if workers < 43 else 86
    others = workers - 1
    problem = StepProblem([margin] * others + [0], [0] * others + [1], [1, margin + 2])
    scores = [br0_score(size, margin, 43) for size in (1, margin + 2)]
    left = [problem.objective(np.array(choice)) for choice in ([others, -1], [-1, others])]
    # The one of better score leaves more.
    assert scores[0] != scores[1]
    assert left[0] != left[1]
    assert scores.index(max(scores)) != left.index(min(left))


def test_both_sides_of_the_comparison_are_attained():
    finding = run("balanceroute.gap-and-imbalance")
    assert finding.details["lower side attained"] > 0
    assert finding.details["upper side attained"] > 0
