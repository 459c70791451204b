"""The clock is looked at often enough: a clock that counts its looks, and work between them."""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np
import pytest

from solvers.step.branch_and_price import level_filter, pricing, primal_heuristics, solve
from solvers.step.problem import StepProblem


class Clock:
    """Stands still at 0 for so many looks and is late from then on; work is counted in between."""

    def __init__(self, looks: float) -> None:
        self.looks, self.work, self.most, self.late_calls = looks, 0, 0, 0
        self.seen: set[str] = set()

    def __call__(self) -> float:
        self.work = 0
        self.looks -= 1
        return 0.0 if self.looks >= 0 else 2.0

    def count(self, name: str, work: int) -> None:
        self.work += work
        self.seen.add(name)
        self.most = max(self.most, self.work)
        self.late_calls += self.looks < 0


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Clock], None]:
    """Put a clock in the place of the real one, and have the compiled pieces tell their work."""

    def put(clock: Clock) -> None:
        monkeypatch.setattr(time, "monotonic", clock)
        pieces = (
            (pricing, "knapsack", lambda a: a[2].size * a[3].size),
            (pricing, "refine", lambda a: (a[4] - a[3]) * a[5].shape[1]),
            (pricing, "best_column", lambda a: 2 * a[2]),
            (pricing, "enumerate_columns", lambda a: a[3]),
            (level_filter, "_settle", lambda a: a[5][1]),
            (level_filter, "_split", lambda a: a[0].size + a[4].size),
            (primal_heuristics, "go_on_choosing", lambda a: a[4]),
        )
        for module, name, work in pieces:
            original = getattr(module, name)

            def told(*args, name=name, original=original, work=work):
                clock.count(name, int(work(args)))
                return original(*args)

            monkeypatch.setattr(module, name, told)

    return put


def step(seed: int) -> StepProblem:
    """Workers with up to six slots, and a pool whose few large sizes hold most of the load."""
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 7, 12)
    sizes = np.rint(300 * rng.pareto(0.9, 60) + 50).astype(np.int64)
    return StepProblem(40_000 - rng.integers(100, 900, 12) * free, free, sizes)


def machines(seed: int) -> StepProblem:
    """Twenty empty workers, and five requests for each that are all admitted."""
    sizes = np.random.default_rng(seed).integers(1, 10**9, 100)
    return StepProblem(np.zeros(20, np.int64), np.full(20, 12), sizes)


@pytest.mark.parametrize("looks", [0, 1, 2, 5, 15, 40, 100, 250, 600, 1500, 4000])
def test_nothing_long_begins_after_the_deadline(
    monkeypatch: pytest.MonkeyPatch, clocked: Callable[[Clock], None], looks: int
) -> None:
    monkeypatch.setattr(solve, "_PHASES", ((10**4, 2**12), (10**8, 2**18)))
    problem = step(looks)
    clock = Clock(looks)
    clocked(clock)
    *_, found = solve.approach(problem, 1.0)
    problem.validate(found.assignment)
    assert problem.objective(found.assignment) == found.imbalance >= found.lower_bound >= 0
    assert found.optimal or clock.looks < 0
    assert clock.late_calls == 0


def test_work_between_two_looks_is_a_piece(
    monkeypatch: pytest.MonkeyPatch, clocked: Callable[[Clock], None]
) -> None:
    """A row of the largest table at least, and one search for a column at most."""
    monkeypatch.setattr(pricing, "PIECE", 2**12)
    monkeypatch.setattr(level_filter, "_PIECE", 2**20)
    monkeypatch.setattr(solve, "_PHASES", ((10**4, 2**12), (10**8, 2**18)))
    clock = Clock(4000)
    clocked(clock)
    for seed in range(6):
        deque(solve.approach(step(seed), 1.0), maxlen=0)
    assert {"_split", "_settle", "knapsack", "best_column", "enumerate_columns"} <= clock.seen
    assert clock.most <= 2**21


# In a process of its own, so that nothing is compiled before: a step of no work with a limit, and
# then one that is open when the time is up.
_NEW = """
import sys
from solvers.compiled import Kernel
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.problem import StepProblem
from tests.solvers.test_step_deadline import machines, step


def compiled():
    return {{
        f"{{name}}.{{key}} {{signature}}"
        for name, module in [*sys.modules.items()]
        if name.startswith("solvers.")
        for key, value in [*vars(module).items()]
        if isinstance(value, Kernel)
        for signature in value.overloads
    }}


solve_branch_and_price(StepProblem([0], [1], {first}), 1.0)
before = compiled()
found = solve_branch_and_price({second}, 0.7)
print(len(before), found.optimal, sorted(compiled() - before))
"""


@pytest.mark.parametrize(
    ("first", "second"), [("[1, 2]", "step(4)"), ("[1]", "machines(5)")], ids=["pool", "machines"]
)
def test_nothing_is_compiled_once_the_limit_counts(first: str, second: str) -> None:
    code = _NEW.format(first=first, second=second)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    number, more = done.stdout.split(" ", 1)
    assert int(number) > 20
    assert more == "False []\n"
