"""The checker means what it should: each of its parts against the definition, by enumeration."""

import json
import math
import random
import runpy
import sys
from functools import partial
from itertools import combinations

import numpy as np
import pytest

from solvers import checker
from tests.oracles.by_definition import (
    FORMAT,
    admissions,
    backlog_of,
    cheapest,
    energy_of,
    served,
    worst_case_of,
)

# --- Steps: what an argument shows, from the list of all admissions -------------------------------


class NoProofError(Exception):
    """The argument does not have the form of one."""


def shows(step, level, argument):
    """The least imbalance at that level that an argument shows; the docstring of certificates.

    Raises
    ------
    NoProofError
        If it is no argument here.
    """
    loads, free, pool, admits = step
    G, rule, rest = len(loads), argument[0], argument[1:]
    if rule == "fill" and level is not None:
        lacks = []
        for g in range(G):
            reached = [after[g] for _, after in admissions(*step) if after[g] <= level]
            lacks.append(level - max(reached) if reached else math.inf)
        return sum(lacks) if 0 in lacks else math.inf
    if rule == "levels" and level is None and len(rest) == 3:
        below, cases, above = rest
        for workers in (below, above):
            if not workers or sorted({*workers} & {*range(G)}) != sorted(workers):
                raise NoProofError
        least = min(sum(after[g] for g in below) for _, after in admissions(*step))
        low = math.ceil(least / len(below))
        found = [shows(step, low + i, case) for i, case in enumerate(cases)]
        most = max(sum(after[g] for g in above) for _, after in admissions(*step))
        return min([*found, max(0, len(above) * (low + len(cases)) - most)])
    if rule == "place" and admits > 0:
        size, cases = max(pool), []
        for g in range(G):
            first = all((loads[h], free[h]) != (loads[g], free[g]) for h in range(g))
            if free[g] > 0 and first and (level is None or loads[g] + size <= level):
                after = tuple(x + size if h == g else x for h, x in enumerate(loads))
                left = tuple(c - 1 if h == g else c for h, c in enumerate(free))
                cases.append((after, left, pool[:-1], admits - 1))
        smaller = tuple(s for s in pool if s < size)
        if len(smaller) >= admits:
            cases.append((loads, free, smaller, admits))
        if len(cases) == len(rest):
            shown = [shows(case, level, why) for case, why in zip(cases, rest, strict=True)]
            return min(shown, default=math.inf)
    raise NoProofError


def drawn(rng, G, level, depth):
    """An argument that need not be one: as many cases as it likes, sets that may be none."""
    if not level and rng.random() < 0.7:
        sets = [rng.sample(range(G), rng.randint(1, G)) for _ in range(2)]
        if rng.random() < 0.1:
            sets[rng.randrange(2)] = rng.choice([[], [0, 0], [-1], [G], [0, -G], [0, 1, G]])
        cases = [drawn(rng, G, True, depth - 1) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
        return ["levels", sets[0], cases, sets[1]]
    if depth <= 0 or rng.random() < 0.5:
        if depth > 0 and rng.random() < 0.1:
            return drawn(rng, G, False, 0)
        return [rng.choice(["fill"] * 12 + ["levels", "trust", "filled"])]
    cases = rng.choice([0, 1, 1, 2, 2, 3, 4])
    return ["place", *(drawn(rng, G, level, depth - 1) for _ in range(cases))]


def random_step(rng, most=4):
    G = rng.choice([1, 2, 2, 2, 3])
    loads = tuple(rng.choice([0, 0, 1, 2, 3, 5]) for _ in range(G))
    free = tuple(rng.choice([0, 1, 1, 2, 3]) for _ in range(G))
    pool = tuple(sorted(rng.choice([1, 1, 2, 3, 4]) for _ in range(rng.randint(0, most))))
    return loads, free, pool, min(len(pool), sum(free))


def checked(step, level, argument):
    loads, free, pool, admits = step
    try:
        return checker.bound([*loads], [*free], [*pool], admits, level, argument)
    except Exception:
        return None


def test_an_argument_shows_what_it_says_and_no_more():
    """Arguments at random, most of them none: the same verdict, and never above the truth."""
    rng = random.Random(1)
    proofs = refused = 0
    for _ in range(12_000):
        step = random_step(rng)
        level = rng.choice([None, None, None, rng.randint(0, 9)])
        argument = drawn(rng, len(step[0]), level is not None, 3)
        try:
            shown = shows(step, level, argument)
        except NoProofError:
            shown = None
            refused += 1
        assert checked(step, level, argument) == shown, (step, level, argument)
        if shown is not None:
            proofs += 1
            G, reached = len(step[0]), [after for _, after in admissions(*step)]
            values = [
                G * max(after) - sum(after) for after in reached if level in (None, max(after))
            ]
            assert shown <= min(values, default=math.inf)
    assert proofs > 3000
    assert refused > 3000


def complete(rng, step, level, depth):
    """An argument with all its cases, split at random."""
    loads, free, pool, admits = step
    if level is None and rng.random() < 0.5:
        G = len(loads)
        sets = [rng.sample(range(G), rng.randint(1, G)) for _ in range(2)]
        least = min(sum(after[g] for g in sets[0]) for _, after in admissions(*step))
        low, many = math.ceil(least / len(sets[0])), rng.randint(0, 2)
        return ["levels", sets[0], [complete(rng, step, low + i, depth) for i in range(many)],
                sets[1]]  # fmt: skip
    if admits == 0 or depth == 0 or (level is not None and rng.random() < 0.3):
        return ["fill"] if level is not None else ["levels", [0], [], [0]]
    size, cases = pool[-1], []
    for g, state in enumerate(zip(loads, free, strict=True)):
        twin = state in [*zip(loads, free, strict=True)][:g]
        if free[g] and not twin and (level is None or loads[g] + size <= level):
            after, left = [*loads], [*free]
            after[g], left[g] = after[g] + size, left[g] - 1
            cases.append((tuple(after), tuple(left), pool[:-1], admits - 1))
    if pool.index(size) >= admits:
        cases.append((loads, free, pool[: pool.index(size)], admits))
    return ["place", *(complete(rng, case, level, depth - 1) for case in cases)]


def test_whole_arguments_and_those_that_lack_a_case():
    """Deep splits; then one case fewer, one more, and two that changed places."""
    rng, split = random.Random(2), 0
    for _ in range(2500):
        step = random_step(rng, 5)
        level = rng.choice([None, rng.randint(0, 9)])
        argument = complete(rng, step, level, 4)
        shown = shows(step, level, argument)
        assert checked(step, level, argument) == shown
        if argument[0] == "place" and len(argument) > 1:
            split += 1
            assert checked(step, level, argument[:-1]) is None
            assert checked(step, level, [*argument, argument[-1]]) is None
    assert split > 300


def test_no_other_rule_and_no_rule_elsewhere():
    """Other names for the same; levels at a level, a fill without one, places at the end."""
    step, fine = ((0, 0), (1, 1), (2,), 1), ["levels", [0], [], [0]]
    assert checked(step, None, fine) == 0
    for name in ("", "a", "level", "levels_", "zz", "fill", None, 0, ["levels"]):
        assert checked(step, None, [name, *fine[1:]]) is None
    assert checked(step, 2, fine) is None
    # Either worker could take the request, and filling does not ask which one does.
    assert checked(step, 2, ["fill"]) == 0
    for name in ("", "a", "fil", "fill_", "zz", "levels", None):
        assert checked(step, 2, [name]) is None
    with pytest.raises(ValueError, match="no such rule here"):
        checker.bound([0, 0], [1, 1], [2], 1, None, ["fill"])
    # One case: both workers are alike, and all requests are admitted.
    assert checked(step, None, ["place", fine]) == 0
    assert checked(step, 2, ["place", ["fill"]]) == 2
    for name in ("", "a", "plac", "place_", "zz", None):
        assert checked(step, 2, [name, ["fill"]]) is None
    assert checked(((0, 0), (0, 0), (2,), 0), 0, ["place", ["fill"]]) is None


def test_less_than_what_is_shown_may_be_claimed():
    """A 3 on worker 0 and nothing else: the imbalance is 3, and 3 - 0 is lacking on worker 1."""
    whole = STEP | {"loads": [3, 0], "free": [0, 0], "pool": [], "assignment": [], "imbalance": 3}
    whole["argument"] = ["levels", [0], [], [1]]
    for claimed in range(4):
        text = checker.step(whole | {"bound": claimed})
        assert text.endswith(f"no admission has less than {claimed}")
    with pytest.raises(ValueError, match="not proved"):
        checker.step(whole | {"bound": 4})


def test_weights_show_no_more_than_there_is():
    """Where all are admitted: by all sets of requests for each worker, and by all admissions."""
    rng, shown = random.Random(3), 0
    for _ in range(6000):
        loads, free, pool, admits = step = random_step(rng, 5)
        if not 0 < admits == len(pool):
            assert checked(step, None, ["weights", 0, [1] * len(pool)]) is None
            continue
        G, total = len(loads), sum(loads) + sum(pool)
        values = [G * max(after) - sum(after) for _, after in admissions(*step)]
        level, weights = rng.randint(0, 9), [rng.choice([-1, 0, 1, 1, 2, 3]) for _ in pool]
        taken = sum(
            max(
                sum(weights[i] for i in chosen)
                for k in range(c + 1)
                for chosen in combinations(range(len(pool)), k)
                if sum(pool[i] for i in chosen) <= level - x
            )
            for x, c in zip(loads, free, strict=True)
            if x <= level
        )
        proved = max(loads) > level or sum(weights) > taken
        found = checked(step, None, ["weights", level, weights])
        assert found == (max(0, G * (level + 1) - total) if proved else None)
        assert found is None or found <= min(values)
        shown += found is not None
    assert shown > 500


@pytest.mark.parametrize(
    "argument",
    [
        ["weights", 2, ["1", "1"]],
        ["weights", "2", [1, 1]],
        ["weights", 2, [3, -1]],
        ["weights", 2, [1]],
        ["weights", 2, [1, 1, 1]],
        ["weights", 2],
        ["weights", 2, 2],
        ["weights"],
    ],
)
def test_weights_are_one_for_each_request(argument):
    # Loads 0 and 0, requests 2 and 2: no two on a worker at level 2, so nothing is impossible.
    assert checked(((0, 0), (2, 2), (2, 2), 2), None, argument) is None


def test_what_bounds_the_work_of_weighing():
    step = ((0,), (1,), (10**8,), 1)
    assert checked(step, None, ["weights", 10**6, [1]]) == 0
    with pytest.raises(checker.TooMuch):
        checker.bound([0], [1], [10**8], 1, None, ["weights", 10**9, [1]])


def test_what_bounds_the_work_of_filling():
    """A room of a million is looked at; one more is refused before it is."""
    step, argument = ((0, 10**6), (1, 0), (10**6,), 1), ["fill"]
    assert checked(step, 10**6, argument) == 0
    with pytest.raises(ValueError, match="too much room"):
        checker.bound([0, 10**6 + 1], [1, 0], [10**6], 1, 10**6 + 1, argument)


# --- Fields ---------------------------------------------------------------------------------------

STEP = FORMAT | {
    "kind": "step",
    "loads": [1, 0],
    "free": [0, 1],
    "pool": [1],
    "assignment": [1],
    "imbalance": 0,
    "bound": 0,
    "argument": ["levels", [0], [], [0]],
}
# Nobody waits, one waits, and no bound: each field at the least that it may hold.
LEAST = STEP | {"pool": [1, 1], "assignment": [1, -1]}
OFFLINE = FORMAT | {
    "kind": "offline",
    "workers": 1,
    "slots": 1,
    "drift": 0,
    "overhead": 0,
    "work_conserving": 0,
    "prefill": [1],
    "decode": [1],
    "cost": 1,
}
ENERGY = FORMAT | {
    "kind": "energy",
    "workers": 1,
    "loads": [0],
    "idle_w": 0,
    "max_w": 0,
    "gamma": [1, 1],
    "energy": [0, 0],
}


def check(certificate):
    return getattr(checker, certificate["kind"].replace("-", "_"))(certificate)


WORST = worst_case_of((1, 1, 1, 1, 1, 1, 1), "fcfs")
FIELDS = [
    *((LEAST, field) for field in ("loads", "free", "pool", "assignment", "imbalance", "bound")),
    *((OFFLINE, field) for field in OFFLINE if field not in ("format", "kind")),
    *((ENERGY, field) for field in ENERGY if field not in ("format", "kind")),
    *((WORST, field) for field in ("class", "drift", "ends", "prefill", "decode", "value")),
]
LOWEST = {"assignment": -1, "pool": 1, "workers": 1, "slots": 1, "prefill": 1, "decode": 1}
LOWEST |= {"gamma": 1, "class": 1}


@pytest.mark.parametrize("whole", [LEAST, STEP, OFFLINE, ENERGY, WORST])
def test_the_least_values_hold(whole):
    assert check(whole)


@pytest.mark.parametrize(("whole", "field"), FIELDS, ids=lambda x: x if type(x) is str else "")
def test_every_field_holds_integers_from_its_least(whole, field):
    """One less than the least, and everything that is not an integer but looks or acts like one."""
    least = LOWEST.get(field, 0)
    says = f"{field} must hold integers >= {least}"
    one = whole[field]
    if isinstance(one, list):
        for bad in (least - 1, "1", 1.0, True, None, [1]):
            for entries in ([bad, *one[1:]], [*one, bad]):
                with pytest.raises(ValueError, match=says):
                    check(whole | {field: entries})
        bad_wholes = (1, "1", None, {"1": 1}, (1,))
    else:
        bad_wholes = (least - 1, "1", 1.0, True, None, [1])
    for bad in bad_wholes:
        with pytest.raises(ValueError, match=says):
            check(whole | {field: bad})


@pytest.mark.parametrize("whole", [STEP, OFFLINE, ENERGY, WORST])
def test_no_field_is_missing_or_unknown(whole):
    for changed in (whole | {"note": 1}, *({k: v for k, v in whole.items() if k != x} for x in whole
                                           if x != "kind")):  # fmt: skip
        with pytest.raises(ValueError, match="a field is missing or unknown"):
            check(changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"loads": [], "free": [], "pool": [], "assignment": []},
        {"free": [0]},
        {"free": [0, 1, 0]},
        {"loads": [1]},
        {"loads": [1, 0, 0]},
        {"assignment": []},
        {"assignment": [1, -1]},
        {"pool": [1, 1]},
    ],
)
def test_lists_are_of_one_length(changed):
    with pytest.raises(ValueError, match="lists of different lengths"):
        checker.step(STEP | changed)


# --- Whole runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["fcfs", "bfio_exact"])
def test_runs_are_those_of_the_reference(policy):
    rng = random.Random(policy)
    for _ in range(120):
        G, B, limit = rng.randint(1, 3), rng.randint(1, 2), rng.randint(1, 4)
        drift = tuple(rng.randint(0, 2) for _ in range(rng.randint(1, 3)))
        n = rng.randint(1, 6)
        requests = tuple((rng.randint(1, 4), rng.randint(1, 3)) for _ in range(n))
        played = checker.play(policy, G, B, limit, drift, requests)
        assert played == served(policy, G, B, limit, drift, requests), (G, B, limit, requests)


CLASSES = {
    "one": lambda: WORST,
    "fcfs": partial(worst_case_of, (2, 1, 2, 3, 1, 2, 2), "fcfs"),
    "ends": partial(worst_case_of, (2, 1, 2, 3, 2, 9, 2), "fcfs", ends=1, drift=(1,)),
    "bfio": partial(worst_case_of, (2, 1, 2, 3, 1, 3, 1), "bfio_exact", drift=(0, 2)),
    "ratio": partial(worst_case_of, (2, 1, 3, 3, 1, 2, 2), "bfio_exact", "fcfs", drift=(0, 2)),
    "other": partial(worst_case_of, (2, 1, 3, 3, 1, 2, 2), "fcfs", "bfio_exact"),
    "balanced": partial(worst_case_of, (1, 1, 2, 2, 3, 4, 2), "bfio_exact"),
    # Where all lists of fcfs are balanced the ratio is 0/0 and decides nothing.
    "undefined": partial(worst_case_of, (2, 1, 2, 3, 1, 1, 2), "fcfs", "bfio_exact"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_worst_cases_written_here_hold(name):
    certificate = CLASSES[name]()
    text = checker.worst_case(certificate)
    top, bottom = certificate["value"]
    assert f"reaches {top}/{bottom}, the most of all lists of" in text
    against = certificate["against"]
    assert (f" / AvgImb({against})" in text) == (against is not None)


@pytest.mark.parametrize(
    ("kind", "ends", "drift", "says"),
    [
        ((99, 1, 1, 1, 1, 1, 1), 0, (0,), None),
        ((100, 1, 1, 1, 1, 1, 1), 0, (0,), "no such class"),
        ((1, 1, 1, 99, 1, 1, 1), 0, (0,), None),
        ((1, 1, 1, 100, 1, 1, 1), 0, (0,), "no such class"),
        ((1, 1, 1, 1, 1, 1, 99), 0, (0,), None),
        ((1, 1, 1, 1, 1, 1, 100), 0, (0,), "no such class"),
        ((1, 1, 1, 1, 1, 100, 1), 0, (0,), None),
        ((1, 1, 1, 1, 1, 101, 1), 0, (0,), "no such class"),
        ((1, 1, 1, 1, 1, 10**6, 1), 1, (0,), None),
        ((1, 1, 1, 1, 5, 5, 1), 0, (0,), None),
        ((1, 1, 1, 1, 5, 4, 1), 0, (0,), "too large"),
        ((1, 1, 1, 1, 5, 4, 1), 1, (0,), "too large"),
        ((1, 1, 1, 1, 1, 1, 1), 0, (), "no such class"),
        # (kinds)^n and (G+1)^min(pool, n) up to a million; here 10^6, and the next above it.
        ((9, 1, 6, 6, 1, 1, 1), 0, (0,), None),
        ((10, 1, 6, 6, 1, 1, 1), 0, (0,), "too large"),
        ((10, 1, 3, 6, 1, 1, 1), 0, (0,), None),
        ((10, 1, 9, 4, 1, 1, 1), 0, (0,), None),
        ((1, 1, 1, 2, 1, 34, 30), 0, (0,), "too large"),
        ((1, 1, 1, 6, 1, 11, 1), 0, (0,), "too large"),
    ],
)
def test_classes_up_to_what_can_be_played_again(kind, ends, drift, says):
    if says:
        certificate = WORST | {"class": [*kind], "ends": ends, "drift": [*drift]}
        with pytest.raises(ValueError, match=says):
            checker.worst_case(certificate)
        return
    assert checker.worst_case(worst_case_of(kind, "fcfs", drift=drift, ends=ends))


# --- Backlogs -------------------------------------------------------------------------------------


def random_backlogs():
    rng = random.Random(4)
    for i in range(60):
        G, B = ((2, 1), (2, 2), (1, 2), (3, 1))[i % 4]
        lengths = rng.choice([[1, 2, 1], [2, 2, 1], [1, 1, 1], [2, 1], [3, 1], [1, 2, 2]])
        requests = tuple((rng.randint(1, 5), o) for o in lengths)
        yield G, B, rng.randint(0, 2), rng.randint(0, 3), i // 4 % 2, requests


def test_the_least_cost_is_that_of_all_schedules():
    for problem in random_backlogs():
        cost = cheapest(*problem)
        assert checker.offline(backlog_of(*problem, cost)), problem
        for other in (cost - 1, cost + 1):
            if other >= 0:
                with pytest.raises(ValueError, match="the least cost is another"):
                    checker.offline(backlog_of(*problem, other))


@pytest.mark.parametrize(
    ("G", "requests", "says"),
    [
        (1, [(1, 40)], None),
        (1, [(1, 41)], "too large"),
        (99, [(1, 1)], None),
        (100, [(1, 1)], "too large"),
        (1, [(1, 5)] * 8, None),
        (1, [(1, 1)] * 9, "too large"),
        (1, [(1, 8)] * 4 + [(1, 9)], "too large"),
    ],
)
def test_backlogs_up_to_what_is_searched_again(G, requests, says):
    """Equal requests of size 1, one slot a worker, no growth: one after another, M = 1 a step."""
    certificate = backlog_of(G, 1, 0, 0, 0, requests, sum(o for _, o in requests))
    if says:
        with pytest.raises(ValueError, match=says):
            checker.offline(certificate)
    else:
        assert checker.offline(certificate)
    with pytest.raises(ValueError, match="too large"):
        checker.offline(certificate | {"work_conserving": 2})


# --- Energy ---------------------------------------------------------------------------------------


ENERGIES = [
    (2, [3, 0, 2, 2], 100, 400, [7, 10]),
    (3, [3, 0, 5, 2, 2, 2, 0, 0, 0], 100, 400, [7, 10]),
    (2, [0, 4], 0, 300, [1, 2]),
    (2, [1, 4], 0, 300, [1, 2]),
    (1, [7, 0, 3], 50, 50, [1, 3]),
    (2, [1, 2], 100, 400, [1, 1]),
    (2, [0, 0], 100, 400, [1, 2]),
    (2, [], 100, 400, [1, 2]),
    (2, [5, 9], 0, 1, [99, 100]),
    (2, [5, 9], 1, 2, [1, 100]),
]


@pytest.mark.parametrize("case", ENERGIES, ids=str)
def test_energies_hold_to_the_last_digit(case):
    certificate = energy_of(*case)
    assert checker.energy(certificate)
    low, high = certificate["energy"]
    for found in ([low - 1, high], [low + 1, high], [low, high - 1], [low, high + 1], [high, low]):
        if found not in (certificate["energy"], [-1, 0], [0, -1]):
            with pytest.raises(ValueError, match=r"another energy|energy must hold"):
                checker.energy(certificate | {"energy": found})


@pytest.mark.parametrize(
    ("loads", "gamma", "says"),
    [
        # (1e-12)^0.99 is below 1e-9, and the bracket begins at idle power, under the floor.
        ([10**12, 1], [99, 100], "below the floor"),
        # Near full load the power leaves its tangent by less than its upper end is rounded up,
        ([333_333, 333_332], [7, 10], "above the tangent"),
        # and the power of the mean of both, rounded down, by twice as little.
        ([10**6, 10**6 - 1], [7, 10], "above the envelope"),
        # A power that is linear is its own floor and ceiling.
        ([3, 1], [1, 1], "below the floor"),
    ],
)
def test_a_bracket_that_is_not_clear_of_a_line_shows_nothing(loads, gamma, says):
    with pytest.raises(ValueError, match=says):
        checker.energy(energy_of(2, loads, 100, 400, gamma))


def test_gamma_and_power_at_their_ends():
    assert checker.energy(energy_of(2, [2, 2], 100, 100, [100, 100]))
    for changed in ({"gamma": [1, 101]}, {"gamma": [3, 2]}, {"idle_w": 101}, {"loads": [2, 2, 2]}):
        with pytest.raises(ValueError, match="no such device or loads"):
            checker.energy(energy_of(2, [2, 2], 100, 100, [1, 2]) | changed)
    with pytest.raises(ValueError, match="too many values"):
        checker.energy(energy_of(2, [2, 2], 100, 100, [1, 2]) | {"gamma": [1, 2, 1]})


def test_energies_of_random_loads_hold():
    rng = random.Random(5)
    for _ in range(60):
        G, q = rng.randint(1, 3), rng.randint(2, 9)
        loads = [rng.randint(0, 9) for _ in range(G * rng.randint(1, 3))]
        idle = rng.randint(0, 100)
        assert checker.energy(energy_of(G, loads, idle, idle + rng.randint(0, 300),
                                     [rng.randint(1, q - 1), q]))  # fmt: skip


# --- The command ----------------------------------------------------------------------------------


def run(monkeypatch, capsys, *paths):
    """The file as a program, in this process: exit code and lines."""
    monkeypatch.setattr(sys, "argv", ["checker.py", *map(str, paths)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(checker.__file__, run_name="__main__")
    return stop.value.code, capsys.readouterr().out.splitlines()


def test_every_kind_is_told_apart_and_counted(tmp_path, monkeypatch, capsys):
    paths = []
    for i, whole in enumerate((STEP, OFFLINE, ENERGY, WORST)):
        paths.append(tmp_path / f"{i}.json")
        paths[-1].write_text(json.dumps(whole), "utf-8")
    code, lines = run(monkeypatch, capsys, *paths)
    assert code == 0
    says = ("imbalance 0", "the cheapest schedule", "the energy", "AvgImb(fcfs) reaches 0/1")
    for path, line, text in zip(paths, lines, says, strict=True):
        assert line.startswith(f"{path}: holds: {text}")
    bad = tmp_path / "bad.json"
    texts = {
        "not of this format": STEP | {"format": "evenkeel certificate 2"},
        "'proof'": STEP | {"kind": "proof"},
        "must hold integers": STEP | {"bound": 0.0},
    }
    for text, content in texts.items():
        bad.write_text(json.dumps(content), "utf-8")
        code, lines = run(monkeypatch, capsys, paths[0], bad, paths[1])
        assert code == 1
        assert [": holds: " in line for line in lines] == [True, False, True]
        assert lines[1].startswith(f"{bad}: REJECTED: ")
        assert text in lines[1]
    twice = json.dumps(STEP).replace('"bound": 0', '"bound": 0, "bound": 0')
    bad.write_text(twice, "utf-8")
    code, lines = run(monkeypatch, capsys, bad)
    assert (code, lines) == (1, [f"{bad}: REJECTED: a field is given twice"])


def test_numbers_of_numpy_are_no_integers():
    """What a program hands over in place of JSON has to be plain too."""
    with pytest.raises(ValueError, match="bound must hold"):
        checker.step(STEP | {"bound": np.int64(0)})
