"""How fast the engine runs: ``python -m benchmarks.bench_engine [--large] [--authors PATH]``.

Every ratio is taken in one run, on one workload, on one machine, in CPU time.  The goals are 300
times the rates of the simulator released by the paper's authors, measured on a machine of the same
kind: up to 3,700 steps/s under FCFS, and 6 steps/s under its greedy BF-IO on LongBench lengths
(G = 32, B = 72).  With a checkout of that simulator at hand, the ratios are measured.
"""

import argparse
import importlib
import resource
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np

from adversary.workloads.families import workload
from benchmarks.goals import Goal, Line, show, titled
from solvers.policies.registry import POLICIES
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from theory.model import Requests, System
from theory.serving import ServingSystem

AUTHORS_FCFS = 3_700
AUTHORS_BFIO_LONGBENCH = 6
FACTOR = 300

PAPER = System.paper(32, 72)
POOL = 256  # 8 G
FAMILIES = ("peer-burst", "peer-longbench", "peer-arxiv", "uniform")

# Of the compiled step of a system that departs from the model over the plain one, under the rules
# that decide compiled.
SYSTEMS_FACTOR = 15

# Ten times the slots, with as many departures: what a step may then cost, by its caches.
SLOTS_FACTOR = 2
LARGE_GB, LARGE_S = 2, 600


def seconds(simulate, *arguments, times=5, enough=1.0, **options):
    """Least CPU time of several runs, of fewer once they have taken ``enough``; the last result."""
    best, spent = float("inf"), 0.0
    for _ in range(times):
        start = time.process_time()
        result = simulate(*arguments, **options)
        took = time.process_time() - start
        best, spent = min(best, took), spent + took
        if spent > enough:
            break
    return best, result


def warm_up():
    """Load or compile everything, so that no measurement contains it."""
    for name in POLICIES:
        for system in (System(2, 2), ServingSystem(2, 2, queues=True)):
            simulate(system, Requests([1, 2], [1, 2]), name)
    simulate(System(2, 2), Requests([1, 2], [1, 2]), Own(), gammas=(0.7,))


class Own:
    """A policy as a user writes it: fcfs in numpy."""

    name = "own"

    def __init__(self):
        self.decisions, self.seconds = 0, 0.0

    def admit(self, view):
        start = time.process_time()
        last = np.cumsum(view.free)
        admitted = min(view.pool.size, int(last[-1]))
        assignment = np.full(view.pool.size, -1)
        assignment[:admitted] = np.searchsorted(last, np.arange(admitted), side="right")
        self.seconds += time.process_time() - start
        self.decisions += 1
        return assignment


def against_reference(requests=20_000):
    yield titled(f"\nEngine against plain reference: G=32 B=72 pool {POOL}, {requests} requests")
    yield Line(f"{'family':16}{'policy':14}{'engine steps/s':>15}{'reference':>11}{'ratio':>8}")
    for family in FAMILIES:
        load = workload(family, requests, 0)
        for name in ("fcfs", "bfio"):
            fast, run = seconds(simulate, PAPER, load, name, pool=POOL)
            slow, same = seconds(simulate_reference, PAPER, load, name, pool=POOL, times=1)
            assert run.total == same.total
            steps = run.total.steps
            yield Line(
                f"{family:16}{name:14}{steps / fast:15,.0f}{steps / slow:11,.0f}{slow / fast:8,.0f}"
            )


# Systems that depart from the model in one thing each, and in several.
SYSTEMS = {
    "slots, speeds differ": {
        "slots_of": tuple(36 + 36 * (g % 2) for g in range(32)),
        "slowness": tuple(2 + g % 2 for g in range(32)),
    },
    "budget, preempts": {"kv_budget": (5_500,) * 32},
    "budget, waits": {"kv_budget": (20_000,) * 32, "reserve": 430},
    "queues": {"queues": True},
    "prefills held": {"admit_every": 2, "hold": 4},
    "request cost": {"request_cost": 512},
    "tokens a step": {"tokens_per_step": 3},
    "all but hold": {
        "slots_of": tuple(36 + 36 * (g % 2) for g in range(32)),
        "slowness": tuple(2 + g % 2 for g in range(32)),
        "request_cost": 512,
        "kv_budget": (5_500,) * 32,
        "tokens_per_step": 2,
        "queues": True,
    },
}
SERVED = ("jsq", "vllm_in_flight", "vllm_in_flight:clients=4", "bfio")


def systems(requests=10_000):
    yield titled(
        f"\nSystems that depart from the model against plain reference: G=32 B=72, {requests} "
        "uniform requests"
    )
    yield Line(
        f"{'system':22}{'policy':26}{'us/step':>9}{'reference':>11}{'ratio':>8}{'preempted':>11}"
    )
    load = workload("uniform", requests, 0)
    for name, fields in SYSTEMS.items():
        system = ServingSystem.with_fields(PAPER, fields)
        for policy in SERVED:
            fast, run = seconds(simulate, system, load, policy)
            slow, same = seconds(simulate_reference, system, load, policy, times=1)
            assert run.total == same.total
            assert (run.finish_s == same.finish_s).all()
            steps = run.total.steps
            ratio = Goal(slow / fast, SYSTEMS_FACTOR, at_least=True)
            preempted = "" if run.preemptions is None else f"{run.preemptions.sum()}"
            yield Line(
                f"{name:22}{policy:26}{1e6 * fast / steps:9.1f}{1e6 * slow / steps:11,.0f}"
                f"{ratio.value:8,.0f}{preempted:>11}  at least {SYSTEMS_FACTOR}: {ratio}",
                (ratio,),
            )


def rates(requests=400_000):
    yield titled(f"\nEngine alone: G=32 B=72 pool {POOL}, {requests} requests")
    yield Line(
        f"{'family':16}{'policy':22}{'steps/s':>12}{'us/step':>9}{'admitted/step':>15}"
        f"{'ns/request':>12}  goal"
    )
    wanted = {(family, "fcfs"): FACTOR * AUTHORS_FCFS for family in FAMILIES}
    wanted["peer-longbench", "bfio"] = FACTOR * AUTHORS_BFIO_LONGBENCH
    for family in FAMILIES:
        load, start = workload(family, requests, 0), workload(family, requests // 20, 0)
        for name in POLICIES:
            took, run = seconds(simulate, PAPER, start, name, pool=POOL)
            if took < 0.1:  # those that are not compiled need no more
                took, run = seconds(simulate, PAPER, load, name, pool=POOL)
            rate = run.total.steps / took
            least = wanted.get((family, name))
            goals = (Goal(rate, least, at_least=True),) if least else ()
            yield Line(
                f"{family:16}{name:22}{rate:12,.0f}{1e6 / rate:9.2f}"
                f"{len(run.requests) / run.total.steps:15.1f}"
                f"{1e9 * took / len(run.requests):12.0f}  "
                + "".join(f"{goal.limit:,} {goal}" for goal in goals),
                goals,
            )


def independent_of_slots(steps=10_000):
    yield titled("\nA step's cost and the slots: as many departures from ten times as many (fcfs)")
    yield Line(f"{'G':>6}{'departures/step':>17}{'B = 72':>14}{'B = 720':>12}{'ratio':>7}")
    for G in (32, 256):
        took = []
        for B, mean in ((72, 36), (720, 360)):
            rng = np.random.default_rng(0)
            n = G * B + 2 * G * steps * 32 // G
            load = Requests(rng.integers(1, 1000, n), rng.geometric(1 / mean, n))
            spent, run = seconds(simulate, System(G, B), load, "fcfs", pool=8 * G)
            took.append(1e9 * spent / run.total.steps)
        ratio = Goal(took[1] / took[0], SLOTS_FACTOR)
        yield Line(
            f"{G:6}{n / run.total.steps:17.1f}{took[0]:11,.0f} ns{took[1]:9,.0f} ns"
            f"{ratio.value:7.2f}  at most {SLOTS_FACTOR}: {ratio}",
            (ratio,),
        )


def mean_imbalance(run):
    """Over the steps with no empty slot."""
    steps = run.total.steps
    began = np.bincount(run.start_step, minlength=steps)
    ended = np.bincount(run.start_step + run.requests.decode, minlength=steps + 1)[:steps]
    loads = run.loads[np.cumsum(began - ended) == run.system.capacity]
    return float(np.mean(run.system.workers * loads.max(axis=1) - loads.sum(axis=1)))


def imbalance(requests=40_000):
    yield titled(
        f"\nImbalance of BF-IO beside greedy rules: G=32 B=72 pool {POOL}, {requests} requests"
    )
    yield Line(
        f"{'family':16}{'policy':16}{'mean imbalance':>15}{'steps/s':>12}{'speed of bfio':>15}"
    )
    for family in FAMILIES:
        load = workload(family, requests, 0)
        took, run = seconds(simulate, PAPER, load, "bfio", pool=POOL, history=True)
        ours, rate = mean_imbalance(run), run.total.steps / took
        yield Line(f"{family:16}{'bfio':16}{ours:15,.0f}{rate:12,.0f}")
        for name in ("br0", "brh:horizon=20"):
            took, run = seconds(simulate, PAPER, load, name, pool=POOL, history=True)
            theirs, other = mean_imbalance(run), run.total.steps / took
            no_larger = Goal(ours, theirs)
            yield Line(
                f"{family:16}{name:16}{theirs:15,.0f}{other:12,.0f}{rate / other:14,.1f}x  "
                f"bfio's no larger: {no_larger}",
                (no_larger,),
            )


def own_policy():
    yield titled("\nA policy in Python (fcfs in numpy): microseconds per decision")
    yield Line(
        f"{'G':>6}{'B':>5}{'pool':>7}{'policy':>9}{'engine':>9}{'compiled fcfs, per step':>25}"
    )
    for G, B, pool in ((32, 72, 256), (32, 72, 2304), (256, 72, 1024), (1024, 128, 16384)):
        load = workload("uniform", 20 * G * B, 0)
        own = Own()
        took, run = seconds(simulate, System(G, B), load, own, pool=pool, times=1)
        compiled, _ = seconds(simulate, System(G, B), load, "fcfs", pool=pool)
        yield Line(
            f"{G:6}{B:5}{pool:7}{1e6 * own.seconds / own.decisions:9.1f}"
            f"{1e6 * (took - own.seconds) / own.decisions:9.1f}"
            f"{1e6 * compiled / run.total.steps:25.1f}"
        )


class Recorded:
    """A policy of the authors' simulator that keeps the loads after each of its decisions.

    These are the loads of the step, as long as requests wait.
    """

    def __init__(self, policy):
        self.policy, self.imbalances = policy, []

    def __call__(self, sim):
        self.policy(sim)
        if sim.active_total == sim.n_worker * sim.batch_size:
            self.imbalances.append(sim.n_worker * sim.sum_lengths.max() - sim.sum_lengths.sum())


def against_authors(checkout, requests=20_000):
    """Both on the same requests; under FCFS both have the same loads."""
    sys.path.insert(0, str(checkout))
    simulator = importlib.import_module("simlib.scheduler").SchedulerSim
    theirs = importlib.import_module("simlib.strategies")
    yield titled(f"\nThe simulator at {checkout}: G=32 B=72 pool {POOL}, {requests} requests")
    yield Line(
        f"{'family':16}{'policy':8}{'engine steps/s':>15}{'theirs':>9}{'ratio':>9}"
        f"{'imbalance':>12}{'theirs':>12}"
    )
    for family in FAMILIES[:3]:
        load = workload(family, requests, 0)
        for name, policy in (
            ("fcfs", theirs.policy_FCFS),
            ("bfio", theirs.policy_balance_future_h0),
        ):
            fast, run = seconds(simulate, PAPER, load, name, pool=POOL, history=True)
            recorded = Recorded(policy)
            sim = simulator(
                PAPER.workers,
                PAPER.slots,
                PAPER.step_overhead_s,
                PAPER.seconds_per_token,
                load.prefill,
                load.decode,
                load.decode,
                recorded,
                record_history=False,
                reveal_target=POOL,
            )
            slow, _ = seconds(sim.run, times=1)
            ratio = run.total.steps / fast / (sim.step_idx / slow)
            ours, other = mean_imbalance(run), float(np.mean(recorded.imbalances))
            goals = [Goal(ours, other)]
            if name == "fcfs":  # the same loads
                goals.append(Goal(ours, other, at_least=True))
            if name == "fcfs" or family == "peer-longbench":
                goals.append(Goal(ratio, FACTOR, at_least=True))
            text = (
                f"{family:16}{name:8}{run.total.steps / fast:15,.0f}{sim.step_idx / slow:9,.1f}"
                f"{ratio:9,.0f}{ours:12,.0f}{other:12,.0f}  "
            )
            missed = next((goal for goal in goals if not goal.reached), goals[0])
            yield Line(f"{text}{missed}", tuple(goals))


def large(requests=10_000_000):
    yield titled(f"\nLarge: G=1024 B=128, {requests:,} requests")
    system = System.paper(1024, 128)
    load = workload("peer-burst", requests, 0)
    for name, pool in (("fcfs", None), ("bfio", 16 * 1024)):
        spent, run = seconds(simulate, system, load, name, pool=pool, times=1)
        took = Goal(spent, LARGE_S)
        memory = Goal(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, LARGE_GB)
        yield Line(
            f"{name}: {took.value:.1f} s ({took}), {run.total.steps} steps, "
            f"{1e9 * took.value / requests:.0f} ns a request, peak memory {memory.value:.2f} GB "
            f"({memory})",
            (took, memory),
        )
        del run


def lines(large_run=False, authors=None):
    """Everything but the large run and the authors' simulator, or one of these alone."""
    warm_up()
    if large_run:
        return large()
    if authors:
        return against_authors(authors)
    return chain(
        against_reference(),
        systems(),
        rates(),
        independent_of_slots(),
        imbalance(),
        own_policy(),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="10 million requests at G = 1024")
    parser.add_argument("--authors", type=Path, help="a checkout of the authors' simulator")
    arguments = parser.parse_args()
    show(lines(arguments.large, arguments.authors))


if __name__ == "__main__":
    main()
