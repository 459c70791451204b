"""What looking ahead costs and how good it is: ``python -m benchmarks.bench_window``.

Every ratio is taken in one run, on one workload, on one machine, in CPU time.
"""

import math
import time

import numpy as np

from adversary.workloads.families import workload
from benchmarks.goals import Goal, Line, show, titled
from solvers.lookahead.problem import solve_window
from solvers.policies.bfio import BFIO
from solvers.policies.registry import policy
from solvers.simulation.engine import simulate
from tests.oracles.lookahead_milp import solve_window_exact
from theory.model import Requests, System

HORIZONS = (0, 5, 10, 20, 40, 80)
# Doubling the window may at most do this to the time: near-linear.
NEAR_LINEAR = 2.3


def spec(horizon, predictor="oracle"):
    return f"bfio:horizon={horizon},predictor={predictor}" if horizon else "bfio"


def seconds(system, load, name, pool, times=2):
    best, run = math.inf, None
    for _ in range(times):
        start = time.process_time()
        run = simulate(system, load, name, pool=pool)
        best = min(best, time.process_time() - start)
    return best, run


def growth_with_the_horizon():
    yield titled(
        "\nBF-IO(H) in the engine, whole runs, perfect predictions; ratio to H = 0 of that row"
    )
    yield Line(
        f"{'G':>5}{'B':>4}{'pool':>6} {'lengths':<16}"
        + "".join(f"{f'H = {H}':>17}" for H in HORIZONS)
        + f" {'80 / 40':>9}"
    )
    for G, B, pool, family, n in (
        (32, 72, 128, "burst-like", 20_000),
        (32, 72, 256, "longbench-like", 12_000),
        (256, 72, 1024, "burst-like", 60_000),
        (256, 72, 1024, "longbench-like", 60_000),
    ):
        load, took = workload(family, n, 0), {}
        for H in HORIZONS:
            spent, run = seconds(System.paper(G, B), load, spec(H), pool)
            took[H] = spent / run.total.steps
        last = Goal(took[80] / took[40], NEAR_LINEAR)
        yield Line(
            f"{G:5}{B:4}{pool:6} {family:<16}"
            + "".join(f"{1 / took[H]:9,.0f}/s {took[H] / took[0]:4.1f}x" for H in HORIZONS)
            + f"{last.value:8.2f}  {last}",
            (last,),
        )


def other_predictors():
    yield titled("\nOther predictors and policies: steps/s at G = 32, B = 72, pool 128, burst-like")
    load = workload("burst-like", 20_000, 0)
    for name in (
        spec(20),
        spec(20, "noisy:0.5"),
        spec(20, "observed"),
        "br0",
        "brh:horizon=20",
        "bfio:max_wait=50",
    ):
        spent, run = seconds(System.paper(32, 72), load, name, 128)
        yield Line(f"  {name:<40}{run.total.steps / spent:10,.0f}")


class Recorder(BFIO):
    """Keeps some of the windows that it decides on."""

    def __init__(self, horizon, every):
        super().__init__(horizon)
        self.every, self.windows = every, []

    def admit(self, view):
        if view.step % self.every == 0 and view.pool.size > view.free.sum():
            self.windows.append(view.window)
        return super().admit(view)


def against_the_optimum(count=20, limit_s=10):
    yield titled(
        "\nOver the optimum of the window by HiGHS (steady windows, B = 8, p = 0.1, pool 4 G)"
    )
    efforts = (0, 1, 2)
    heads = "".join(f"{f'effort {effort}':>24}" for effort in efforts)
    yield Line(f"{'G':>4}{'H':>4}{'proved':>9}{heads}")
    for G, H in ((2, 5), (4, 2), (4, 5), (4, 20)):
        rng = np.random.default_rng(G)
        load = Requests(rng.integers(1, 101, 3000), rng.geometric(0.1, 3000))
        recorder = Recorder(H, 5)
        simulate(System(G, 8), load, recorder, pool=4 * G)
        windows = recorder.windows[10 : 10 + count]
        exact = [solve_window_exact(window, limit_s) for window in windows]
        done = [k for k, solution in enumerate(exact) if solution.optimal]
        text = f"{G:4}{H:4}{len(done):6}/{len(windows)}"
        for effort in efforts:
            over = [
                solve_window(windows[k], effort).imbalance / max(1, exact[k].imbalance) - 1
                for k in done
            ]
            same = sum(x == 0 for x in over)
            text += f"{np.mean(over):10.2%} more, {same:2} equal"
        yield Line(text)


def lines():
    for name in (spec(2), spec(2, "observed"), "bfio", "br0", "brh", "bfio:max_wait=1"):
        simulate(System(2, 2), Requests([1, 2, 3], [1, 2, 3]), policy(name))
    yield from growth_with_the_horizon()
    yield from other_predictors()
    yield from against_the_optimum()


if __name__ == "__main__":
    show(lines())
