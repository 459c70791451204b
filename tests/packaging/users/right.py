"""What somebody writes who has evenkeel installed and types everything."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from evenkeel import (
    Cases,
    Finding,
    Law,
    Parameter,
    Policy,
    PowerLaw,
    RunResult,
    StepProblem,
    StepSolution,
    StepView,
    System,
    Trial,
    Variant,
    claim,
    evidence,
    expected_imbalance,
    hardware,
    imbalance,
    near,
    simulate,
    solve_exact,
    solve_step,
    workload,
    workload_family,
)


@claim("mine.sum", "equality")
class Sum:
    """The sum of the first numbers.

    1 + ... + n = n (n + 1) / 2 for every n >= 1.
    """

    @evidence(measures="sum", plants=(near(), Variant("no half", Fraction(2))), n=5)
    def check(self, trial: Trial) -> Finding:
        """Every n up to n; another sum refutes it."""
        cases = Cases("==")
        for n in range(1, trial["n"] + 1):
            claimed = Fraction(n * (n + 1), 2) * trial.scale
            if cases.add(sum(range(n + 1)), claimed, {"n": n}.copy):
                break
        return cases.finding(trial, "small n")


class LastWorker:
    """The oldest requests, to the last workers first."""

    name = "last-worker"

    def admit(self, view: StepView) -> NDArray[np.int64]:
        """The worker of each waiting request."""
        answer = np.full(view.pool.size, -1, dtype=np.int64)
        slots = np.repeat(np.arange(view.free.size), view.free)[::-1]
        answer[: view.admissions] = slots[: view.admissions]
        return answer


@workload_family("sizes in turn", {"most": Parameter(3, 1, 9, "the largest size")})
def turns(
    rng: np.random.Generator, n: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sizes 1, 2, ..., most, 1, ... and a step each."""
    return 1 + np.arange(n) % most, np.ones(n, dtype=np.int64)


class Stairs:
    """As much as the utilisation, in steps of a quarter."""

    def powers(self, utilisation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Watts at each utilisation."""
        stairs: NDArray[np.float64] = 100 + 300 * np.ceil(4 * utilisation) / 4
        return stairs


def ways(loads: Sequence[int], free: list[int], pool: Sequence[int]) -> tuple[int, int]:
    """The least imbalance of a step, found twice."""
    problem = StepProblem(loads, free, pool)
    fast: StepSolution = solve_step(problem, effort=2)
    exact: StepSolution = solve_exact(problem)
    return fast.imbalance, exact.imbalance


def runs(policies: Sequence[Policy | str]) -> dict[str, RunResult]:
    """Each policy on one workload."""
    requests = workload("uniform", 60, seed=0)
    return {
        run.policy: run for run in (simulate(System.paper(2, 3), requests, p) for p in policies)
    }


def main() -> None:
    """Results show themselves and are what they say."""
    law: PowerLaw = Stairs()
    for name, run in runs([LastWorker(), "bfio"]).items():
        idle: Fraction = run.total.idle_share
        joules: float = run.energy_j(law)
        watts: float = hardware("a100-paper").power(float(idle))
        text: str = run.summary()
        print(name, len(text) > 0, run.total.steps, joules > 0, watts > 0)
    assert ways([0, 4], [1, 1], [5, 1, 2]) == (0, 0)
    left: int = imbalance([3, 5])
    print(left, float(expected_imbalance(Law.uniform(1, 3), 2, 3).imbalance.value))


if __name__ == "__main__":
    main()
