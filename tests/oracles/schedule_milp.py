"""The clairvoyant offline optimum as a mixed-integer program in PuLP, solved by HiGHS.

Sticky: ``x_kgt`` requests of kind ``k`` start on worker ``g`` at step ``t``, so that equal requests
are one variable.  Pausing and migrating: ``x_ijgt`` says that request ``i`` runs its ``j``-th step
on ``g`` at ``t``.  ``M_t`` is at least every load; all data are integers, the gap is zero, and the
cost of the schedule is recomputed in ints from its places.

Only what measures well is in: symmetry of the workers at the first step, and a policy's cost as
upper bound.  Cuts such as ``M_t >= average`` make HiGHS slower.  Steps in which nothing runs are
allowed inside the program and dropped from the schedule, which changes no cost.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp

from solvers.schedule.problem import IDLE, OfflineProblem, Rule, Schedule
from theory.model import InputError, IntArray, Requests


@dataclass(slots=True)
class _Runs:
    """What the program's variables say about a step.

    Parameters
    ----------
    load : dict of (g, t) to list
        Terms of the load of a worker.
    held : dict of (g, t) to list
        Variables that count its active requests.
    begun, ended : dict of (g, t) to list
        Variables that count the requests that start there at ``t``, or run their last step.
    """

    load: dict[tuple[int, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    held: dict[tuple[int, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    begun: dict[tuple[int, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[tuple[int, int], list[Any]] = field(default_factory=lambda: defaultdict(list))


def solve_offline_program(problem: OfflineProblem, time_limit_s: float | None = None) -> Schedule:
    """Optimal schedule by a mixed-integer program with zero gap.

    Parameters
    ----------
    problem : OfflineProblem
        About 10 sticky requests, or 5 that pause or migrate, take seconds.
    time_limit_s : float, optional
        Wall-clock limit.

    Returns
    -------
    Schedule
        ``lower_bound`` is the cost when HiGHS claims it and the schedule reproduces it in ints,
        which is one solver's word; else a simple bound.
    """
    best = problem.first()
    if best.optimal:
        return best
    steps = problem.most_steps()
    if problem.step_cost >= 0:
        least = problem.level_cost * int(problem.requests.prefill.min()) + problem.step_cost
        steps = min(steps, best.cost // least)
    program = pulp.LpProblem("offline", pulp.LpMinimize)
    runs = _Runs()
    sticky = problem.rule is Rule.STICKY
    read = (_starts if sticky else _single_steps)(problem, program, runs, steps)
    cost = _cost(problem, program, runs, steps)
    program += cost
    program += cost <= best.cost
    if problem.work_conserving:
        _conserve(problem, program, runs, steps)
    engine = pulp.HiGHS(
        gapRel=0,
        gapAbs=0,
        threads=1,
        msg=False,
        timeLimit=time_limit_s,
        mip_heuristic_run_feasibility_jump=False,
    )
    try:
        program.solve(engine)
    except pulp.PulpSolverError:
        return best
    claimed = program.status == pulp.LpStatusOptimal and (
        program.sol_status == pulp.LpSolutionOptimal
    )
    values = {key: x.varValue for key, x in read.items()}
    if any(v is None for v in values.values()):
        return best
    place = _places(problem, {key: round(v) for key, v in values.items()}, steps)
    try:
        found = problem.schedule(place[(place != IDLE).any(axis=1)], best.lower_bound)
    except InputError:
        return best
    if claimed and abs(pulp.value(program.objective) - found.cost) < 0.5:
        return problem.schedule(found.place, found.cost)
    return min(best, found, key=lambda s: s.cost)


def kinds_of(requests: Requests) -> tuple[IntArray, IntArray]:
    """Distinct (size, length), int64[T, 2], most work first, and the kind of each request."""
    pairs = np.stack([requests.prefill, requests.decode], axis=1)
    kinds, kind = np.unique(pairs, axis=0, return_inverse=True)
    order = np.argsort(-(kinds[:, 0] * kinds[:, 1]), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return kinds[order], rank[kind.ravel()]


def _starts(
    problem: OfflineProblem, program: Any, runs: _Runs, steps: int
) -> dict[tuple[int, ...], Any]:
    """Variables and rows of sticky schedules, by (kind, worker, start)."""
    kinds, kind = kinds_of(problem.requests)
    variables: dict[tuple[int, ...], Any] = {}
    for k, ((s, o), copies) in enumerate(
        zip(kinds.tolist(), np.bincount(kind).tolist(), strict=True)
    ):
        total = []
        for g in range(problem.system.workers):
            for t in range(steps - o + 1):
                x = program.add_variable(f"x_{k}_{g}_{t}", 0, copies, pulp.LpInteger)
                variables[k, g, t] = x
                total.append(x)
                runs.begun[g, t].append(x)
                runs.ended[g, t + o - 1].append(x)
                for j in range(o):
                    runs.load[g, t + j].append((s + problem.drift * j) * x)
                    runs.held[g, t + j].append(x)
        program += pulp.lpSum(total) == copies
    return variables


def _single_steps(
    problem: OfflineProblem, program: Any, runs: _Runs, steps: int
) -> dict[tuple[int, ...], Any]:
    """Variables and rows of schedules with pauses, by (request, age, worker, step)."""
    G = problem.system.workers
    variables: dict[tuple[int, ...], Any] = {}
    pairs = zip(problem.requests.prefill.tolist(), problem.requests.decode.tolist(), strict=True)
    for i, (s, o) in enumerate(pairs):
        home = None
        if problem.rule is Rule.PAUSING:
            home = [program.add_variable(f"z_{i}_{g}", cat=pulp.LpBinary) for g in range(G)]
            program += pulp.lpSum(home) == 1
        before: dict[int, Any] = {}
        for j in range(o):
            # Earlier and later steps of the same request leave this one a window.
            window = range(j, steps - (o - 1 - j))
            here: dict[int, list[Any]] = {}
            for t in window:
                here[t] = []
                for g in range(G):
                    x = program.add_variable(f"x_{i}_{j}_{g}_{t}", cat=pulp.LpBinary)
                    variables[i, j, g, t] = x
                    here[t].append(x)
                    runs.load[g, t].append((s + problem.drift * j) * x)
                    runs.held[g, t].append(x)
                    if j == 0:
                        runs.begun[g, t].append(x)
                    if j == o - 1:
                        runs.ended[g, t].append(x)
            if home is None:
                program += pulp.lpSum(x for xs in here.values() for x in xs) == 1
            else:
                for g in range(G):
                    program += pulp.lpSum(xs[g] for xs in here.values()) == home[g]
            # No later than t: less the age before, which ends at t - 1.
            done: dict[int, Any] = {}
            total = pulp.LpAffineExpression()
            for t in window:
                total = total + pulp.lpSum(here[t])
                done[t] = total
                if j > 0:
                    program += total <= before[t - 1]
            before = done
    return variables


def _cost(problem: OfflineProblem, program: Any, runs: _Runs, steps: int) -> Any:
    """Levels, slots, the symmetry of the workers, and the cost."""
    G, B, n = problem.system.workers, problem.system.slots, len(problem.requests)
    cost = pulp.LpAffineExpression()
    for t in range(steps):
        level = program.add_variable(f"M_{t}", 0)
        cost = cost + problem.level_cost * level
        loads = [pulp.lpSum(runs.load[g, t]) for g in range(G)]
        for g in range(G):
            program += loads[g] <= level
            if n > B:
                program += pulp.lpSum(runs.held[g, t]) <= B
        for g in range(1, G) if t == 0 else ():
            program += loads[g] <= loads[g - 1]
        if problem.step_cost:
            running = pulp.lpSum(x for g in range(G) for x in runs.held[g, t])
            busy = program.add_variable(f"b_{t}", cat=pulp.LpBinary)
            cost = cost + problem.step_cost * busy
            program += running <= n * busy
            program += busy <= running
    return cost


def _conserve(problem: OfflineProblem, program: Any, runs: _Runs, steps: int) -> None:
    """A slot is free only while no request waits that may use it."""
    G, B, n = problem.system.workers, problem.system.slots, len(problem.requests)
    begun, ended = [pulp.LpAffineExpression()] * G, [pulp.LpAffineExpression()] * G
    for t in range(steps):
        held = [pulp.lpSum(runs.held[g, t]) for g in range(G)]
        begun = [begun[g] + pulp.lpSum(runs.begun[g, t]) for g in range(G)]
        # Everywhere: those not started; migrating, also those that pause.
        if problem.rule is Rule.MIGRATING:
            idle = n - pulp.lpSum(ended) - pulp.lpSum(held)
        else:
            idle = n - pulp.lpSum(begun)
        waits = program.add_variable(f"w_{t}", cat=pulp.LpBinary)
        program += idle <= n * waits
        program += pulp.lpSum(held) >= G * B * waits
        for g in range(G) if problem.rule is Rule.PAUSING else ():
            pausing = begun[g] - ended[g] - held[g]
            pauses = program.add_variable(f"p_{g}_{t}", cat=pulp.LpBinary)
            program += pausing <= n * pauses
            program += held[g] >= B * pauses
        ended = [ended[g] + pulp.lpSum(runs.ended[g, t]) for g in range(G)]


def _places(problem: OfflineProblem, values: dict[tuple[int, ...], int], steps: int) -> IntArray:
    """Places of a solution, int64[T, N]."""
    place = np.full((steps, len(problem.requests)), IDLE, np.int64)
    if problem.rule is not Rule.STICKY:
        for (i, _, g, t), v in values.items():
            if v:
                place[t, i] = g
        return place
    kinds, kind = kinds_of(problem.requests)
    queue = [np.flatnonzero(kind == k).tolist() for k in range(len(kinds))]
    for (k, g, t), v in values.items():
        for _ in range(v):
            if queue[k]:
                i = queue[k].pop()
                place[t : t + int(kinds[k, 1]), i] = g
    return place
