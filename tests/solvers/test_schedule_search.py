"""The interval around the least cost: valid whenever the search is stopped, closed at its end."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from solvers.schedule import dynamic_program, solve
from solvers.schedule.annealing import anneal_orders, anneal_starts
from solvers.schedule.bounds import least_largest_sum, least_sum_of_levels
from solvers.schedule.branch_and_bound import BranchAndBound
from solvers.schedule.levels import sum_of_largest
from solvers.schedule.node_bound import bound, new_profile
from solvers.schedule.pieces import (
    REFUSED,
    Kinds,
    Pieces,
    admit_in_order,
    cost_in_place,
    cost_of,
    deal_out,
    places_of,
)
from solvers.schedule.problem import IDLE, OfflineProblem, Rule, ScheduleError
from solvers.schedule.rebalance import rebalanced
from solvers.schedule.solve import approach, solve_by_states, solve_offline
from tests.oracles.by_definition import cheapest, cheapest_with_pauses, schedules
from theory.model import InputError, Requests, System

RULES = list(product(Rule, (False, True)))


def small_problem(seed: int, rule: Rule, conserving: bool) -> OfflineProblem:
    rng = np.random.default_rng(seed)
    n, G, B = (int(rng.integers(2, most)) for most in (5, 4, 3))
    sizes = rng.integers(1, int(rng.choice([3, 9, 30])), n)
    lengths = rng.integers(1, 4, n) if n < 4 else rng.integers(1, 3, n)
    overhead = int(rng.choice([0, 3, 20]))
    system = System(G, B, (int(rng.choice([0, 1, 2, 100])),))
    return OfflineProblem(system, Requests(sizes, lengths), rule, conserving, 1, overhead)


def least_cost(problem: OfflineProblem) -> int:
    """The least cost by the definition of the rules."""
    G, B, drift = problem.system.workers, problem.system.slots, problem.drift
    pairs = zip(problem.requests.prefill.tolist(), problem.requests.decode.tolist(), strict=True)
    requests, overhead, conserving = tuple(pairs), problem.step_cost, problem.work_conserving
    if problem.rule is Rule.STICKY:
        return cheapest(G, B, drift, overhead, conserving, requests)
    moving = problem.rule is Rule.MIGRATING
    return cheapest_with_pauses(
        G, B, drift, requests, moving, overhead=overhead, conserving=conserving
    )


@pytest.fixture(params=["with policies", "without"])
def in_small_portions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions so small that a search is stopped amid everything that it does."""
    for name, value in (
        ("_FIRST_NODES", 3),
        ("_FIRST_CHOICES", 0),
        ("_NODES_WORK", 150),
        ("_TRIALS_WORK", 2000),
        ("_FIRST_TRIALS", 64),
        ("_MOST_TRIALS", 1000),
    ):
        monkeypatch.setattr(solve, name, value)
    monkeypatch.setattr(dynamic_program, "_PORTION", 100)
    if request.param == "without":
        monkeypatch.setattr(solve, "POLICIES", ())


@pytest.mark.usefixtures("in_small_portions")
@pytest.mark.parametrize(("rule", "conserving"), RULES)
def test_every_interval_holds_the_least_cost(rule: Rule, conserving: bool) -> None:
    several = 0
    for seed in range(25):
        problem = small_problem(seed, rule, conserving)
        least = least_cost(problem)
        sides = []
        for found in approach(problem):
            assert found.lower_bound <= least <= found.cost
            if not sides or found.cost < sides[-1][1]:
                assert found.schedule().cost == found.cost
            sides.append((found.lower_bound, found.cost))
        assert sides[-1] == (least, least)
        assert sides == sorted(sides, key=lambda s: (s[0], -s[1]))
        several += len(set(sides)) > 1
    assert several > 5


@pytest.mark.parametrize(("rule", "conserving"), RULES)
def test_a_larger_backlog_has_an_interval_at_once(rule: Rule, conserving: bool) -> None:
    rng = np.random.default_rng(3)
    requests = Requests(rng.integers(200, 2000, 24), rng.integers(1, 300, 24))
    problem = OfflineProblem(System(4, 4), requests, rule, conserving, step_cost=7)
    last = None
    for found, _ in zip(approach(problem), range(40), strict=False):
        if last is None or found.cost < last.cost:
            assert found.schedule().cost == found.cost
        assert last is None or last.lower_bound <= found.lower_bound
        last = found
    assert last is not None
    assert last.lower_bound < last.cost < 1.4 * last.lower_bound


def test_all_at_once_is_solved_under_every_rule() -> None:
    """With a slot for each and none to stay free, all run from the start to their ends."""
    rng = np.random.default_rng(4)
    requests = Requests(rng.integers(200, 2000, 8), rng.integers(1, 40, 8))
    system = System(3, 3)
    costs = {rule: solve_offline(OfflineProblem(system, requests, rule, True)) for rule in Rule}
    assert all(found.optimal for found in costs.values())
    # A worker each, in every way: no fewer than the definition has.
    least = min(
        sum(
            max(sum(load for load, h in zip(loads, home, strict=True) if h == g) for g in range(3))
            for loads in (
                [(s + k) * (o > k) for s, o in zip(*columns(requests), strict=True)]
                for k in range(int(requests.decode.max()))
            )
        )
        for home in product(range(3), repeat=8)
        if max(home.count(g) for g in range(3)) <= 3 and home[0] == 0
    )
    assert costs[Rule.STICKY].cost == costs[Rule.PAUSING].cost == least
    assert costs[Rule.MIGRATING].cost <= least


def columns(requests: Requests) -> tuple[list[int], list[int]]:
    return requests.prefill.tolist(), requests.decode.tolist()


def test_equal_requests_are_decided_by_counting() -> None:
    """Nine of work 55 on two workers: five share one, and one after the other they take 5 * 55."""
    requests = Requests([1] * 9, [10] * 9)
    for rule in (Rule.STICKY, Rule.PAUSING):
        for conserving in (False, True):
            found = solve_offline(OfflineProblem(System(2, 1), requests, rule, conserving))
            assert (found.cost, found.optimal) == (5 * 55, True)


def test_levels_are_summed_as_step_by_step() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        lines, steps = int(rng.integers(1, 6)), int(rng.integers(1, 40))
        base, growth = rng.integers(0, 60, lines), rng.integers(0, 7, lines)
        t = np.arange(steps)[:, None]
        assert sum_of_largest(base, growth, lines, steps) == (base + growth * t).max(axis=1).sum()


def test_bounds_of_levels_by_hand() -> None:
    one = np.array([1])
    # A giant of 100 for two steps, beside which one slot is free for two steps of 10 each; the
    # other eight of 10 on two workers take 40 more.
    sizes, lengths = np.array([100] + [10] * 10), np.array([2] + [1] * 10)
    assert least_sum_of_levels(sizes, lengths, 0, 2, 1) == 200 + 40
    assert least_sum_of_levels(7 * one, 3 * one, 2, 5, 1) == 7 + 9 + 11
    # Work 4 * 10 on two workers with many slots.
    assert least_sum_of_levels(np.array([10] * 4), np.array([1] * 4), 0, 2, 4) == 20
    assert least_largest_sum(np.array([4, 9]), 2) == 9
    assert least_largest_sum(np.array([5, 4, 3]), 2) == 4 + 3
    assert least_largest_sum(np.array([5]), 9) == 5


@pytest.mark.parametrize("conserving", [False, True])
def test_passes_end_with_the_optimum(conserving: bool) -> None:
    """From a threshold of almost nothing, and from an upper side that is far away."""
    for seed in range(20):
        problem = small_problem(seed, Rule.STICKY, conserving)
        search = BranchAndBound(
            problem.requests.prefill,
            problem.requests.decode,
            (problem.system.workers, problem.system.slots),
            (problem.drift, 1, problem.step_cost),
            conserving,
            0,
            10**6,
        )
        assert search.best is None
        search.start_pass(1)
        lower = search.lower
        least = least_cost(problem)
        while search.lower < search.upper:
            search.advance(7)
            assert lower <= search.lower <= least <= search.upper
            lower = search.lower
        assert search.upper == least
        assert search.best is not None
        start, worker = search.best
        assert problem.schedule(problem.sticky_places(start, worker), 0).cost == least


@pytest.mark.parametrize("conserving", [False, True])
def test_no_schedule_below_a_node_costs_less_than_its_bound(conserving: bool) -> None:
    """Every node of every schedule: what is fixed at a step, before and up to a request."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n, G, B = (int(rng.integers(1, most)) for most in (4, 4, 3))
        sizes, lengths = rng.integers(1, 12, n), rng.integers(1, 4, n)
        drift, overhead = int(rng.choice([0, 1, 7])), int(rng.choice([0, 9, -9]))
        search = BranchAndBound(sizes, lengths, (G, B), (drift, 1, overhead), conserving, 0, 10**6)
        case, path = search._case, search._path
        requests = tuple(zip(case.sizes.tolist(), case.lengths.tolist(), strict=True))
        least: dict[tuple[int, int, tuple[tuple[int, int], ...]], int] = {}
        for plan, costs in schedules(G, B, drift, overhead, conserving, requests):
            for now, cursor in product(range(len(costs)), range(n)):
                fixed = tuple(
                    (k, g) if k < now or (k == now and i < cursor) else (-1, 0)
                    for i, (k, g) in enumerate(plan)
                )
                rest = sum(costs[now:])
                node = now, cursor, fixed
                least[node] = min(least.get(node, rest), rest)
        profile = new_profile(n, G)
        for (now, cursor, fixed), cost in least.items():
            path.start[:], path.worker[:] = zip(*fixed, strict=True)
            assert bound(case, path.start, path.worker, now, cursor, 0, profile) <= cost


def test_of_what_waits_the_one_that_grows_most_fits_beside() -> None:
    """10, 17, 24, 31 run; 6, 13, 20 and then 8 fit beside them, though 8 is the largest now."""
    sizes, lengths = np.array([6, 3, 8]), np.array([3, 5, 1])
    for conserving in (False, True):
        search = BranchAndBound(sizes, lengths, (2, 1), (7, 1, 0), conserving, 0, 10**6)
        i = int(np.flatnonzero(search._case.sizes == 3)[0])
        start, worker = np.full(3, -1), np.zeros(3, np.int64)
        start[i] = 0
        costs = bound(search._case, start, worker, 1, 0, 0, new_profile(3, 2))
        assert 74 < costs <= 10 + 17 + 24 + 31


def kinds_of(sizes, lengths, rules: tuple[int, int, int, int, int]) -> Kinds:
    """Kinds as a search has them, of arrays that nobody changes: what it compiled is used again."""
    arrays = np.array(sizes), np.array(lengths)
    for array in arrays:
        array.setflags(write=False)
    return Kinds(*arrays, rules, False)


def random_pieces(rng: np.random.Generator, n: int, parts: int) -> tuple[Kinds, Pieces]:
    lengths = rng.integers(0, 4, (n, parts))
    lengths[:, 0] += 1
    rules = (3, int(rng.integers(1, 4)), int(rng.integers(0, 3)), 2, 5)
    kinds = kinds_of(rng.integers(1, 30, n), lengths.sum(axis=1), rules)
    return kinds, Pieces(np.zeros((n, parts), np.int64), lengths, np.zeros(n, np.int64))


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("rule", list(Rule))
def test_what_annealing_makes_obeys_the_rules_and_costs_what_it_says(
    rule: Rule, parts: int
) -> None:
    if rule is Rule.STICKY and parts > 1:
        return
    rng = np.random.default_rng(6)
    state = np.array([7], np.uint64)
    for _ in range(20):
        n = int(rng.integers(2, 9))
        kinds, pieces = random_pieces(rng, n, parts)
        kinds = kinds._replace(moving=rule is Rule.MIGRATING)
        G, B, drift, level_cost, step_cost = kinds.rules
        problems = [
            OfflineProblem(
                System(G, B, (drift,)), Requests(kinds.sizes, kinds.lengths), rule, conserving,
                level_cost, step_cost,
            )
            for conserving in (True, False)
        ]  # fmt: skip
        order, prefers = rng.permutation(n * parts), rng.integers(0, G, n)
        admit_in_order(kinds, order, prefers, pieces)
        check(problems[0], kinds, pieces, cost_of(kinds, pieces))
        best = Pieces(*(array.copy() for array in pieces))
        known = anneal_orders(kinds, order, prefers, pieces, best, 10**9, 0.1, (0, 50, 50), state)
        check(problems[0], kinds, best, known)
        current = Pieces(*(array.copy() for array in best))
        known = anneal_starts(kinds, current, best, known, 0.1, (0, 80, 80), 60, state)
        check(problems[1], kinds, best, known)


def check(problem: OfflineProblem, kinds: Kinds, pieces: Pieces, cost: int) -> None:
    """The pieces are a schedule of that cost."""
    place = places_of(pieces)
    if kinds.moving:
        deal_out(kinds, pieces, place)
    else:
        assert cost_in_place(problem, pieces) == cost
    assert problem.schedule(place[(place != IDLE).any(axis=1)], -(10**9)).cost == cost


def test_an_overfull_worker_is_refused() -> None:
    kinds = kinds_of([3, 4], [2, 2], (2, 1, 1, 1, 0))
    start, length = np.array([[0], [1]]), np.array([[2], [2]])
    assert cost_of(kinds, Pieces(start, length, np.array([0, 0]))) == REFUSED
    # Loads 3, 4 and 4, 5 a step later: levels 3, 4, 5.
    assert cost_of(kinds, Pieces(start, length, np.array([0, 1]))) == 3 + 4 + 5
    assert cost_of(kinds, Pieces(start + 9, length, np.array([0, 1]))) == 3 + 4 + 5


def test_steps_are_dealt_out_anew() -> None:
    """Loads 5 4 3 3 3 on two workers: 9 in sequence of loads, 5 + 4 and 3 + 3 + 3 at best."""
    loads = np.array([[5, 4, 3, 3, 3], [5, 4, 0, 0, 3]])
    place = np.array([[0, 1, 0, 1, 0], [0, 0, IDLE, IDLE, 1]])
    *_, (reached, least) = rebalanced(loads, place, (2, 3), exactly=True)
    assert reached == least == 9 + 7
    for load, row in zip(loads, place, strict=True):
        assert ((row == IDLE) == (load == 0)).all()
    assert max(loads[0][place[0] == g].sum() for g in range(2)) == 9


def test_blocks_of_a_schedule_are_played_like_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule is checked some steps at a time; what runs, pauses and moves crosses them."""
    rng = np.random.default_rng(8)
    for rule, conserving in RULES:
        problem = small_problem(int(rng.integers(99)), rule, conserving)
        place = solve_by_states(problem).place
        whole = problem.totals(place)
        broken = place.copy()
        broken[-1, np.argmax(broken[-1] != IDLE)] = IDLE
        told = said(lambda p=problem, b=broken: p.totals(b))
        monkeypatch.setattr("solvers.schedule.problem._BLOCK", 1)
        assert problem.totals(place) == whole
        assert said(lambda p=problem, b=broken: p.totals(b)) == told
        monkeypatch.undo()


def said(play: Callable[[], object]) -> str:
    with pytest.raises(ScheduleError) as error:
        play()
    return str(error.value)


def test_workers_beyond_the_memory_are_refused() -> None:
    problem = OfflineProblem(System(2**31, 2), Requests([3, 4], [3, 4]))
    with pytest.raises(InputError, match="no more workers than requests"):
        next(approach(problem))


def test_a_limit_of_no_time_gives_what_is_there_at_once() -> None:
    requests = Requests([683, 821, 411, 1677, 1011], [54, 94, 63, 70, 335])
    problem = OfflineProblem(System(2, 2), requests, Rule.PAUSING)
    found = solve_offline(problem, time_limit_s=0)
    assert found.lower_bound == problem.lower_bound() <= found.cost
