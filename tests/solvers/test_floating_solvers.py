"""Solvers in floating point prove nothing, keep their limit and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from solvers.certificates import argue
from solvers.step.bounds.relaxation import lower_bound
from solvers.step.confirm import weigh
from solvers.step.exact import child
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import in_units, solve_exact
from solvers.step.exact.second_formulation import solve_cvxpy
from solvers.step.problem import StepProblem

SOLVERS = {
    "highs": partial(solve_exact, solver="highs"),
    "cbc": partial(solve_exact, solver="cbc"),
    "cvxpy": solve_cvxpy,
}

# Steps on which HiGHS called 210,042,579 optimal, ran for a minute at a limit of three seconds, and
# ended in an IndexError.
FALSE = StepProblem(
    [696830699, 631126183, 361353836],
    [2, 1, 2],
    [485994527, 688188892, 483783692, 901645243, 430297503, 5778254],
)
ENDLESS = StepProblem(
    [7306655543, 6759278954, 8941206384],
    [2, 0, 1],
    [4200036470, 4067212434, 9188534680, 7349534550, 4822656173],
)
HUGE = StepProblem([10**15, 2 * 10**15 + 7, 0], [2, 1, 1], [4 * 10**15, 10**15 + 1, 7, 10**16])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("problem", [FALSE, ENDLESS, HUGE])
def test_known_failures_prove_nothing_false_and_end(problem: StepProblem, solver: str) -> None:
    solution = SOLVERS[solver](problem, time_limit_s=3)
    problem.validate(solution.assignment)
    assert solution.imbalance == problem.objective(solution.assignment)
    optimum = enumerate_step(problem).imbalance
    assert solution.lower_bound <= optimum <= solution.imbalance
    assert solution.claim is None  # such sizes are beyond what the solvers resolve


def random_steps(largest: int, count: int, seed: int) -> list[StepProblem]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        G = int(rng.integers(2, 4))
        free = rng.integers(0, 3, G)
        pool = rng.integers(1, largest, rng.integers(1, 6))
        found.append(StepProblem(rng.integers(0, largest, G), free, pool))
    return found


@pytest.mark.parametrize("largest", [10, 10**4, 10**6, 10**9, 10**15])
def test_bounds_in_integers_hold_whatever_is_claimed(largest: int) -> None:
    # cbc starts a process for each program.
    for problem in random_steps(largest, 15, largest % 1009):
        solutions = {name: SOLVERS[name](problem, time_limit_s=5) for name in ("highs", "cvxpy")}
        optimum = enumerate_step(problem).imbalance
        assert lower_bound(problem) <= optimum
        assert argue(problem, min(s.imbalance for s in solutions.values()), 10**5)[0] <= optimum
        for solution in solutions.values():
            assert problem.objective(solution.assignment) == solution.imbalance >= optimum
            assert solution.lower_bound <= optimum
        weighed = weigh(problem, solutions)
        assert weighed.solution.lower_bound <= optimum <= weighed.solution.imbalance
        assert not weighed.optimal or weighed.solution.imbalance == optimum


def test_rounding_to_units_is_within_the_stated_error() -> None:
    units = set()
    for largest in (2**19, 2**21, 10**9, 10**15):
        for problem in random_steps(largest, 60, 7):
            coarse, unit = in_units(problem)
            units.add(unit)
            best = enumerate_step(coarse).assignment
            problem.validate(best)
            loads, rounded = problem.loads_after(best), coarse.loads_after(best)
            slots = problem.free.max() + 1
            off = loads - int(problem.loads.min()) * (unit > 1) - unit * rounded
            assert (np.abs(off) < slots * unit).all() or unit == 1
            error = 4 * problem.workers * int(slots) * unit if unit > 1 else 1
            assert problem.objective(best) < enumerate_step(problem).imbalance + error
    assert 1 in units
    assert max(units) > 2**29


def test_a_call_that_ends_late_is_stopped_and_the_next_one_works() -> None:
    begun = time.monotonic()
    assert child.call(time.sleep, 60, until=begun + 0.2) is None
    assert time.monotonic() - begun < 30
    assert child.call(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        child.call(divmod, 1, 0)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs POSIX signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_no_child_is_left_whatever_ends_the_parent(number: str) -> None:
    code = (
        "import time\n"
        "from solvers.step.exact import child\n"
        "import os\n"
        "print(child.call(os.getpid), flush=True)\n"
        "child.call(time.sleep, 600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL)  # fmt: skip
    assert parent.stdout is not None
    inner = int(parent.stdout.readline())
    time.sleep(0.2)
    parent.send_signal(getattr(signal, number))
    parent.wait(20)
    parent.stdout.close()
    for _ in range(400):
        if not alive(inner):
            break
        time.sleep(0.05)
    assert not alive(inner)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be asked for its code does not."""
    try:
        os.kill(pid, 0)
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True,
                               text=True, check=False).stdout  # fmt: skip
    except (ProcessLookupError, PermissionError, FileNotFoundError):
        return False
    return not state.strip().startswith("Z") and bool(state.strip())
