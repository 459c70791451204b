"""The offline optimum: two searches, the integer program and plain enumeration agree."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from solvers.schedule.average import best_average
from solvers.schedule.problem import IDLE, OfflineProblem, Rule, Schedule, ScheduleError
from solvers.schedule.solve import solve_by_states, solve_offline
from solvers.simulation.engine import simulate
from tests.oracles.by_definition import cheapest, cheapest_with_pauses
from tests.oracles.schedule_milp import solve_offline_program
from theory.model import InputError, Requests, System


def every_schedule(problem: OfflineProblem) -> Iterator[list[tuple[int, ...]]]:
    """Every sequence of steps that serves every request, whether or not it obeys the rules."""
    lengths = problem.requests.decode.tolist()
    workers = range(IDLE, problem.system.workers)

    def extend(rows: list[tuple[int, ...]], left: list[int]) -> Iterator[list[tuple[int, ...]]]:
        if not any(left):
            yield rows
            return
        for row in product(*(workers if o else (IDLE,) for o in left)):
            after = [o - (g != IDLE) for o, g in zip(left, row, strict=True)]
            if after != left:
                yield from extend([*rows, row], after)

    yield from extend([], lengths)


def enumerated(problem: OfflineProblem) -> int:
    """The least cost of all schedules that obey the rules."""
    costs = []
    for rows in every_schedule(problem):
        try:
            costs.append(problem.schedule(np.array(rows, np.int64), 0).cost)
        except ScheduleError:
            continue
    return min(costs)


def random_problem(seed: int, most: int, rule: Rule, conserving: bool) -> OfflineProblem:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, most + 1))
    G, B = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    requests = Requests(rng.integers(1, 7, n), rng.integers(1, 4, n))
    level, step = ((1, 0), (G, 7), (2 * G, -5))[seed % 3]
    drift = (int(rng.integers(0, 3)),)
    return OfflineProblem(System(G, B, drift), requests, rule, conserving, level, step)


def proved(schedule: Schedule) -> int:
    assert schedule.optimal
    return schedule.cost


RULES = list(product(Rule, (False, True)))


@pytest.mark.parametrize(("rule", "conserving"), RULES)
def test_searches_agree_with_enumeration(rule: Rule, conserving: bool) -> None:
    for seed in range(9):
        rng = np.random.default_rng(seed)
        lengths = [[2, 1], [1, 2, 1], [1, 1, 1]][seed % 3]
        system = System(2, 1 + seed // 7, (seed % 2,))
        requests = Requests(rng.integers(1, 7, len(lengths)), lengths)
        problem = OfflineProblem(system, requests, rule, conserving, 2, int(rng.integers(-3, 4)))
        optimum = enumerated(problem)
        assert proved(solve_by_states(problem)) == proved(solve_offline(problem)) == optimum
        assert proved(solve_offline_program(problem)) == optimum


@pytest.mark.parametrize(("rule", "conserving"), RULES)
def test_searches_agree_with_each_other(rule: Rule, conserving: bool) -> None:
    for seed in range(1, 21):  # without seed 0, whose search takes longer than all of these
        problem = random_problem(seed, 6, rule, conserving)
        assert proved(solve_by_states(problem)) == proved(solve_offline(problem))


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "conserving"), RULES)
def test_program_agrees_with_the_searches(rule: Rule, conserving: bool) -> None:
    for seed in range(9):
        problem = random_problem(seed, 5, rule, conserving)
        assert proved(solve_offline_program(problem)) == proved(solve_offline(problem))


@pytest.mark.parametrize("conserving", [False, True])
@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), 1, 3, 4])
def test_program_agrees_with_branch_and_bound(seed: int, conserving: bool) -> None:
    # Without seed 2: a reward for long schedules takes the program far longer.
    problem = random_problem(seed, 6, Rule.STICKY, conserving)
    assert proved(solve_offline_program(problem)) == proved(solve_offline(problem))


def test_hand_solved() -> None:
    """Two workers of one slot, sizes (1, 1, 2), lengths (1, 1, 1), no growth: W = 4.

    With all three forced to run as early as they can, two steps: {1, 1} then {2} costs 1 + 2 = 3,
    and {1, 2} then {1} costs 2 + 1 = 3.  Nothing is better: the 2 costs 2, and the two 1s share a
    step at best with it, where the other is left to cost 1.
    """
    problem = OfflineProblem(System(2, 1, (0,)), Requests([1, 1, 2], [1, 1, 1]))
    for rule, conserving in RULES:
        own = OfflineProblem(problem.system, problem.requests, rule, conserving)
        assert proved(solve_offline(own)) == 3
    assert problem.first().totals.imbalance == 2 * 3 - 4


def test_pausing_helps() -> None:
    """Sizes (1, 1, 2) without growth, lengths (1, 1, 2), one slot on each of two workers.

    W = 1 + 1 + 4 = 6.  The 2 runs twice at level 2, so sum M >= 4, reached by running a 1 beside
    each of its steps.  That is sticky as well; growth by 1 makes the second step of the 2 a 3.
    """
    requests = Requests([1, 1, 2], [1, 1, 2])
    for drift, value in ((0, 4), (1, 5)):
        for rule in Rule:
            problem = OfflineProblem(System(2, 1, (drift,)), requests, rule)
            assert proved(solve_offline(problem)) == value


def test_twenty_requests_are_solved_and_beat_every_policy() -> None:
    rng = np.random.default_rng(1)
    system = System(2, 4)
    requests = Requests(rng.integers(1, 20, 20), rng.integers(1, 4, 20))
    conserving = OfflineProblem(system, requests, Rule.STICKY, True)
    best = solve_offline(conserving)
    assert best.optimal
    for policy in ("fcfs", "bfio", "jsq"):
        run = simulate(system, requests, policy, pool=20)
        places = conserving.sticky_places(run.start_step, run.worker)
        assert conserving.totals(places) == run.total
        assert best.totals.imbalance <= run.total.imbalance
    free = solve_offline(OfflineProblem(system, requests))
    assert free.optimal
    assert free.cost <= best.cost


def test_gives_up_with_an_honest_interval() -> None:
    rng = np.random.default_rng(1)
    requests = Requests(rng.integers(1, 20, 20), rng.integers(1, 4, 20))
    problem = OfflineProblem(System(2, 4), requests, Rule.STICKY, True)
    best, stopped = solve_offline(problem), solve_offline(problem, time_limit_s=0)
    assert stopped.lower_bound <= best.cost < stopped.cost
    timed = solve_offline_program(problem, time_limit_s=0.2)
    assert timed.lower_bound <= best.cost <= timed.cost


@pytest.mark.parametrize("conserving", [False, True])
def test_least_average_is_that_of_enumeration(conserving: bool) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        requests = Requests(rng.integers(1, 7, 3), [[1, 2, 1], [1, 1, 2]][seed % 2])
        problem = OfflineProblem(System(2, 1, (1,)), requests, Rule.STICKY, conserving)
        averages: list[Fraction] = []
        for rows in every_schedule(problem):
            try:
                averages.append(problem.totals(np.array(rows, np.int64)).avg_imbalance)
            except ScheduleError:
                continue
        found = best_average(problem)
        assert found.optimal
        assert found.totals.avg_imbalance == min(averages)


@pytest.mark.parametrize(
    ("rule", "conserving", "rows", "message"),
    [
        (Rule.STICKY, False, [[0, 0], [IDLE, 1], [0, IDLE]], "request 0 pauses"),
        (Rule.PAUSING, False, [[0, 1], [1, IDLE]], "request 0 leaves worker 0"),
        (Rule.STICKY, True, [[0, IDLE], [0, 1]], "slot is free while request 1 waits"),
        (Rule.MIGRATING, True, [[0, IDLE], [0, 1]], "slot is free while request 1 waits"),
        (Rule.STICKY, False, [[0, IDLE], [0, IDLE], [IDLE, IDLE], [IDLE, 0]], "nothing runs"),
        (Rule.STICKY, False, [[0, 2], [0, IDLE]], "request 1 cannot run on worker 2"),
        (Rule.STICKY, False, [[0, 1]], "does not run to its end"),
        (Rule.STICKY, False, [[0, 1], [0, 1]], "request 1 cannot run on worker 1"),
        (Rule.STICKY, False, [[0], [0]], "needs 2 columns"),
    ],
)
def test_rules_are_checked(
    rule: Rule, conserving: bool, rows: list[list[int]], message: str
) -> None:
    problem = OfflineProblem(System(2, 2), Requests([3, 4], [2, 1]), rule, conserving)
    with pytest.raises(ScheduleError, match=message):
        problem.totals(np.array(rows))


def test_overfull_worker_is_refused() -> None:
    problem = OfflineProblem(System(2, 1), Requests([3, 4], [1, 1]))
    with pytest.raises(ScheduleError, match="worker 0 holds 2"):
        problem.totals(np.array([[0, 0]]))


def test_bad_problems_are_refused() -> None:
    requests = Requests([3, 4], [1, 1])
    with pytest.raises(InputError, match="drift must be constant"):
        OfflineProblem(System(2, 1, (0, 1)), requests)
    with pytest.raises(InputError, match="arrival must be None"):
        OfflineProblem(System(2, 1), Requests([3], [1], [0.0]))
    with pytest.raises(InputError, match="must not be empty"):
        OfflineProblem(System(2, 1), Requests([], []))
    with pytest.raises(InputError, match="level_cost must be"):
        OfflineProblem(System(2, 1), requests, level_cost=0)
    with pytest.raises(InputError, match="must stay below"):
        OfflineProblem(System(2, 1), requests, level_cost=2**60)
    many = OfflineProblem(System(2, 1), Requests([1] * 12, [9] * 12), Rule.PAUSING)
    with pytest.raises(InputError, match="states"):
        solve_by_states(many)
    long = OfflineProblem(System(1, 1), Requests([1], [10**8]))
    with pytest.raises(InputError, match="steps are more than 20,000,000"):
        solve_offline(long)


# (B, drift, step cost, requests (size, length)) on two workers: between them, every freedom is
# strictly cheaper somewhere.
FREEDOMS = [
    (1, 1, 0, ((5, 1), (2, 3), (4, 3))),
    (1, 2, 0, ((2, 3), (1, 2), (1, 2))),
    (2, 2, 1, ((4, 3), (4, 2), (5, 2))),
    (1, 2, 0, ((3, 3), (5, 2), (5, 2))),
    (1, 2, 1, ((4, 3), (5, 2), (5, 2))),
    (2, 0, 0, ((3, 2), (4, 1), (1, 3))),
]


def by_definition(case: tuple, rule: Rule, conserving: bool) -> int:
    B, drift, overhead, requests = case
    if rule is Rule.STICKY:
        return cheapest(2, B, drift, overhead, conserving, requests)
    return cheapest_with_pauses(
        2, B, drift, requests, rule is Rule.MIGRATING, overhead=overhead, conserving=conserving
    )


@pytest.mark.parametrize("case", FREEDOMS, ids=str)
def test_every_freedom_has_its_own_optimum(case: tuple) -> None:
    B, drift, overhead, requests = case
    sizes, lengths = zip(*requests, strict=True)
    for rule, conserving in RULES:
        problem = OfflineProblem(
            System(2, B, (drift,)),
            Requests(sizes, lengths),
            rule,
            conserving,
            step_cost=overhead,
        )
        least = by_definition(case, rule, conserving)
        assert proved(solve_offline(problem)) == least
        assert proved(solve_by_states(problem)) == least
        if case in (FREEDOMS[0], FREEDOMS[-1]):
            assert proved(solve_offline_program(problem)) == least


def test_every_freedom_is_strictly_cheaper_somewhere() -> None:
    costs = [{(r, c): by_definition(case, r, c) for r, c in RULES} for case in FREEDOMS]
    for rule in Rule:
        assert any(c[rule, False] < c[rule, True] for c in costs)
    for conserving in (False, True):
        for freer, rule in ((Rule.PAUSING, Rule.STICKY), (Rule.MIGRATING, Rule.PAUSING)):
            assert any(c[freer, conserving] < c[rule, conserving] for c in costs)


@pytest.mark.parametrize(
    ("rule", "conserving", "rows", "message"),
    [
        # One that pauses may use its own worker's slot, and migrating any.
        (Rule.PAUSING, True, [[0, 1], [IDLE, 1], [0, IDLE]], "slot is free while request 0 waits"),
        (Rule.MIGRATING, True, [[0, 1], [IDLE, 1], [1, IDLE]], "slot is free while request 0"),
        (Rule.PAUSING, True, [[0, 1], [IDLE, 1], [1, IDLE]], "slot is free while request 0"),
        (Rule.PAUSING, False, [[0, 1], [IDLE, 1], [1, IDLE]], "request 0 leaves worker 0"),
        (Rule.STICKY, False, [[0, 1], [IDLE, 1], [0, IDLE]], "request 0 pauses"),
        (Rule.PAUSING, False, [[0, 1], [IDLE, 1], [0, IDLE]], None),
        (Rule.MIGRATING, False, [[0, 1], [IDLE, 1], [1, IDLE]], None),
        # Both on worker 0, one after the other: worker 1 stays free only without the rule.
        (Rule.PAUSING, True, [[0, IDLE], [0, IDLE], [IDLE, 0], [IDLE, 0]], "slot is free while"),
        (Rule.STICKY, False, [[0, IDLE], [0, IDLE], [IDLE, 0], [IDLE, 0]], None),
    ],
)
def test_pauses_by_hand(
    rule: Rule, conserving: bool, rows: list[list[int]], message: str | None
) -> None:
    """Sizes 3 and 4, two steps each, no growth, one slot on each of two workers."""
    problem = OfflineProblem(System(2, 1, (0,)), Requests([3, 4], [2, 2]), rule, conserving)
    if message:
        with pytest.raises(ScheduleError, match=message):
            problem.totals(np.array(rows))
        return
    totals = problem.totals(np.array(rows))
    levels = [max((3, 4)[i] for i, g in enumerate(row) if g != IDLE) for row in rows]
    assert (totals.steps, totals.sum_max, totals.work) == (len(rows), sum(levels), 14)


def test_bounds_by_hand() -> None:
    """Three requests of two steps on two slots: from 3 to 6 steps, 4 if no slot may idle.

    Loads 2 3, 3 4 and 4 5.  The busiest step has the 5; what a step of two slots leaves has a 4,
    and what two of them leave a 3: levels 5 + 4 + 3.
    """
    system, requests = System(2, 1, (1,)), Requests([2, 3, 4], [2, 2, 2])
    for step_cost, bound, conserving in (
        (0, 12, 12),
        (5, 12 + 5 * 3, 12 + 5 * 3),
        (-5, 12 - 5 * 6, 12 - 5 * 5),
    ):
        for work_conserving, value in ((False, bound), (True, conserving)):
            problem = OfflineProblem(
                system, requests, Rule.STICKY, work_conserving, step_cost=step_cost
            )
            assert problem.work == 21
            assert problem.lower_bound() == value
            assert solve_offline(problem).cost >= value
            assert problem.most_steps() == (5 if work_conserving else 6)
    longest = OfflineProblem(System(2, 9, (0,)), Requests([1, 1], [1, 7]), step_cost=1)
    assert longest.lower_bound() == 7 + 7
    assert OfflineProblem(system, requests, Rule.PAUSING, True).most_steps() == 6
    assert OfflineProblem(system, requests, level_cost=3).lower_bound() == 3 * 12
