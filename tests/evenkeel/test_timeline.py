"""The pictures for the terminal: bars, loads and sums of a run and of a step done by hand."""

from adversary.instances.space import Instance
from evenkeel.report.timeline import _bar, step_picture, timeline
from solvers.step.problem import StepProblem
from theory.model import Requests, System


def test_bars_are_rounded_up_and_idle_up_to_the_largest():
    # Sixteen places for the longest of all, 8: load 3 of a step's 4.
    assert _bar(3, 4, 8) == "██████░░".ljust(16)
    assert _bar(0, 8, 8) == "░" * 16
    assert _bar(1, 1, 100) == "█".ljust(16)


def test_a_run_step_by_step():
    # a 5 for two steps beside b 2; then c 3 beside a, now 6.
    run = Instance(System(2, 1), Requests([5, 2, 3], [2, 1, 1]), 2)
    head, columns, _, first, second = timeline(run, "fcfs").splitlines()
    assert head == (
        "fcfs: average imbalance 3 over 2 steps, pool of 2; size x output length: a=5x2 b=2x1 c=3x1"
    )
    assert columns.split() == ["step", "worker", "0", "worker", "1", "largest", "imbalance"]
    # Of 16 places 6 tokens have all: 5 has 13.3, so 14; 2 has 5.3 and 3 has 8.
    assert first.split() == ["0", "█" * 14, "5", "a", "█" * 6 + "░" * 8, "2", "b", "5", "3"]
    assert second.split() == ["1", "█" * 16, "6", "a", "█" * 8 + "░" * 8, "3", "c", "6", "3"]


def test_a_step():
    problem = StepProblem([3, 0], [1, 2], [4, 2, 1])
    *lines, last = step_picture(problem, (-1, 1, 0)).splitlines()
    # Worker 0 gets 1 and has 4, worker 1 gets 2; 4 waits: 2 * 4 - 6.
    assert last == "imbalance 2, waiting [4]"
    assert lines[0].split() == ["worker", "load", "free", "gets", "after"]
    assert lines[2].split() == ["0", "3", "1", "1", "█" * 16, "4"]
    assert lines[3].split() == ["1", "0", "2", "2", "█" * 8 + "░" * 8, "2"]
