"""False certificates, hostile by construction: one for every rule of the checker.

Each forgery is false by enumeration.  It comes with the fault that it is made for, a line of the
checker and what a careless one would say there: the checker refuses the forgery, and the checker
with that fault planted takes it, so the rule is what stands between the forgery and a reader.
"""

import json
import math
from pathlib import Path
from types import ModuleType

import pytest

import adversary
from solvers import checker
from tests.oracles.by_definition import (
    FORMAT,
    admissions,
    backlog_of,
    bracket,
    cheapest,
    cheapest_with_pauses,
    energy_of,
    every_list,
    fraction,
    served,
    worst_case_of,
)

SOURCE = Path(checker.__file__).read_text("utf-8")


def weakened(rule, fault):
    """The checker with a fault in place of a rule."""
    assert SOURCE.count(rule) == 1, rule
    module = ModuleType("weakened")
    exec(compile(SOURCE.replace(rule, fault), "weakened", "exec"), module.__dict__)
    return module


def verdict(module, certificate):
    """What a checker says of it: None if it holds."""
    kinds = {
        "step": module.step,
        "worst-case": module.worst_case,
        "offline": module.offline,
        "energy": module.energy,
    }
    try:
        kinds[certificate["kind"]](certificate)
    except Exception as error:
        return str(error)
    return None


# --- What is false --------------------------------------------------------------------------------


def step_is_false(c):
    loads, free, pool = tuple(c["loads"]), tuple(c["free"]), tuple(c["pool"])
    assert len(loads) == len(free)
    found = admissions(loads, free, pool, min(len(pool), sum(free)))
    values = {to: len(loads) * max(after) - sum(after) for to, after in found}
    return c["bound"] > min(values.values()) or values.get(tuple(c["assignment"])) != c["imbalance"]


def offline_is_false(c):
    requests = tuple(zip(c["prefill"], c["decode"], strict=True))
    problem = (c[x] for x in ("workers", "slots", "drift", "overhead", "work_conserving"))
    return cheapest(*problem, requests) != c["cost"]


def worst_case_is_false(c):
    """Another maximum, a witness that has less or lies outside, or an unknown policy."""
    kind, drift = tuple(c["class"]), tuple(c["drift"])
    if c["policy"] is None or not {c["policy"], c["against"]} <= {"fcfs", "bfio_exact", None}:
        return True
    values = {}
    for requests in every_list(kind, 0):
        top, bottom = fraction(served, kind, drift, c["policy"], c["against"], requests)
        if (top, bottom) != (0, 0):
            values[requests] = top / bottom if bottom else math.inf
    top, bottom = c["value"]
    told = top / bottom if bottom else math.inf
    witness = tuple(zip(c["prefill"], c["decode"], strict=True))
    return told != max(values.values()) or values.get(witness) != told


def energy_is_false(c):
    """Another energy, or no power curve in between idle and full, or loads of half a step."""
    (p, q), G = c["gamma"], c["workers"]
    curve = p <= q and c["idle_w"] <= c["max_w"]
    if not curve or len(c["loads"]) % G:
        return True
    return bracket(G, c["loads"], c["idle_w"], c["max_w"], c["gamma"]) != c["energy"]


FALSE = {
    "step": step_is_false,
    "offline": offline_is_false,
    "worst-case": worst_case_is_false,
    "energy": energy_is_false,
}


# --- Lower sides of steps -------------------------------------------------------------------------


def too_high(loads, free, pool, bound, argument):
    """A step with a bound above its optimum, and an assignment that looks optimal beside it."""
    found = admissions(tuple(loads), tuple(free), tuple(pool), min(len(pool), sum(free)))
    values = [(len(loads) * max(after) - sum(after), to) for to, after in found]
    value, to = min(values, key=lambda x: (x[0] < bound, abs(x[0] - bound)))
    return FORMAT | {
        "kind": "step",
        "loads": loads,
        "free": free,
        "pool": pool,
        "assignment": [*to],
        "imbalance": value,
        "bound": bound,
        "argument": argument,
    }


FILL = ["fill"]


def counting(below, above, *cases):
    return ["levels", below, [*cases], above]


# name: rule, fault, what the checker says, and a step with a false bound.
BOUNDS = {
    "a bound that nothing argues": (
        "need(bound(loads, free, sorted(pool), admits, None, argument) >= claimed",
        "need(bound(loads, free, sorted(pool), admits, None, argument) >= 0",
        "not proved",
        too_high([0, 0], [1, 1], [1, 1], 7, counting([0], [0])),
    ),
    "a pool that is not in order": (
        "bound(loads, free, sorted(pool), admits",
        "bound(loads, free, pool, admits",
        "not proved",
        # As if the 9 were the smallest: worker 0 holds 9, and worker 1 has 1.
        too_high([0, 0], [1, 1], [9, 1, 1], 8, counting([0], [1])),
    ),
    # Sets of workers.
    "a worker twice above": (
        "[len({*w}) for w in sets] == [len(below), len(above)]",
        "len(sets) == 2",
        "no such sets of workers",
        too_high([0, 2], [1, 1], [], 4, counting([1], [0, 0])),
    ),
    "a worker twice below": (
        "[len({*w}) for w in sets] == [len(below), len(above)]",
        "len(sets) == 2",
        "no such sets of workers",
        # It would fill one of its "two" slots, so that (3 + 3 + 2) / 2 = 4.
        too_high([3, 0], [1, 1], [2], 2, counting([0, 0], [1])),
    ),
    "a worker under two names": (
        "if w and all_workers.issuperset(w)",
        "if w",
        "no such sets of workers",
        too_high([1, 0], [0, 1], [], 2, counting([0], [1, -1])),
    ),
    "the set above is not looked at": (
        "== [len(below), len(above)], ",
        "[:1] == [len(below)], ",
        "no such sets of workers",
        too_high([1, 0], [0, 1], [], 2, counting([0], [1, -1])),
    ),
    # The least level.
    "slots that may stay free": (
        "sum(free[g] for g in below) - spare",
        "sum(free[g] for g in below)",
        "not proved",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1])),
    ),
    "fewer slots than none": (
        "slots = max(0, sum(free[g] for g in below) - spare)",
        "slots = sum(free[g] for g in below) - spare",
        "not proved",
        too_high([2, 0], [0, 3], [1, 1], 1, counting([0], [0])),
    ),
    "large requests where small ones do": (
        "sum(pool[:slots])) //",
        "sum(pool[len(pool) - slots :])) //",
        "not proved",
        too_high([0, 0], [1, 0], [2, 1], 2, counting([0], [1])),
    ),
    "a level rounded up too far": (
        "low = -(-(sum(",
        "low = 1 - (-(sum(",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([1], [1])),
    ),
    "an average of too few": (
        "// len(below))",
        "// max(1, len(below) - 1))",
        "not proved",
        too_high([1, 1], [1, 0], [], 1, counting([0, 1], [0])),
    ),
    "one spare slot for all steps": (
        "spare = len(loads), sum(free) - admits",
        "spare = len(loads), 0",
        "not proved",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1])),
    ),
    # The whole pool is admitted.
    "a request waits": (
        "need(0 < admits == len(pool) == len(weights), ",
        "need(len(pool) == len(weights), ",
        "not a weight for each of all requests",
        too_high([0, 0], [1, 0], [1, 3], 2, ["weights", 2, [1, 1]]),
    ),
    "weights of more requests": (
        "need(0 < admits == len(pool) == len(weights), ",
        "need(0 < admits == len(pool), ",
        "not a weight for each of all requests",
        too_high([0, 0], [1, 1], [1, 1], 2, ["weights", 1, [1, 1, 1, 1]]),
    ),
    "weights that all can be taken": (
        "sum(weights) > taken",
        "sum(weights) >= taken",
        "the workers can take it all",
        too_high([0, 0], [1, 1], [1, 1], 2, ["weights", 1, [1, 1]]),
    ),
    "workers that take as if they were empty of slots": (
        "f[min(c, most)][r]",
        "f[min(c, 1)][r]",
        "the workers can take it all",
        too_high([0, 0], [2, 2], [1, 1, 1], 5, ["weights", 3, [1, 1, 1]]),
    ),
    "one request in a room for two": (
        "sum(x <= max(room) for x in accumulate(pool))",
        "sum(x < max(room) for x in accumulate(pool))",
        "the workers can take it all",
        too_high([0, 0], [2, 2], [1, 1, 1, 1], 2, ["weights", 2, [1, 1, 1, 1]]),
    ),
    "a level too high": (
        "G * (top + 1)",
        "G * (top + 2)",
        "not proved",
        too_high([0, 0], [2, 2], [1, 1], 2, ["weights", 0, [1, 1]]),
    ),
    "a sum that forgets the pool": (
        "(top + 1) - sum(loads) - sum(pool))",
        "(top + 1) - sum(loads))",
        "not proved",
        too_high([0, 0], [1, 1], [1, 1], 2, ["weights", 0, [1, 1]]),
    ),
    "a request taken twice": (
        "*map(max, b[s:], [x + w for x in a])] for a, b in pairwise(f)]",
        "*map(min, b[s:], [x + w for x in a])] for a, b in pairwise(f)]",
        "the workers can take it all",
        too_high([0, 0], [1, 1], [1, 1], 2, ["weights", 1, [1, 1]]),
    ),
    # Levels in between, and above.
    "cases that are not counted": (
        "min([*found, max(0, lack)])",
        "max(0, lack)",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([0], [1], FILL)),
    ),
    "the best of the cases": (
        "min([*found, max(0, lack)])",
        "max([*found, max(0, lack)])",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([0], [1], FILL)),
    ),
    "nothing said of the levels above": (
        "return min([*found, max(0, lack)])",
        "return min(found, default=max(0, lack))",
        "not proved",
        # 1 and 4 on loads 2 and 0: at level 2 nothing, at level 4 the imbalance is 1.
        too_high([0, 2], [1, 1], [1, 4], 2, counting([1], [0], FILL)),
    ),
    "one level twice in place of two": (
        "low + i, case",
        "low, case",
        "not proved",
        too_high([0, 0], [1, 0], [1], 2, counting([1], [1], FILL, FILL)),
    ),
    "a level left out": (
        "low + i, case",
        "low + 2 * i, case",
        "not proved",
        too_high([0, 0], [1, 0], [1], 2, counting([1], [1], FILL, FILL)),
    ),
    "a level above that is not the next": (
        "sum(low + len(cases) -",
        "sum(low + len(cases) + 1 -",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([1], [1])),
    ),
    "more slots above than requests": (
        "min(admits, sum(free[g] for g in above))",
        "sum(free[g] for g in above)",
        "not proved",
        # Of 3 slots for 2 requests a slice from -1 would leave one request only.
        too_high([0, 0], [1, 2], [1, 1], 1, counting([1], [0, 1])),
    ),
    "nothing admitted above": (
        "min(admits, sum(free[g] for g in above))",
        "0",
        "not proved",
        too_high([1, 0], [0, 1], [2], 2, counting([1], [1])),
    ),
    "small requests above": (
        "sum(pool[len(pool) - slots :])\n",
        "sum(pool[:slots])\n",
        "not proved",
        too_high([0, 1], [1, 1], [2, 1], 1, counting([1], [0])),
    ),
    "one request too few above": (
        "sum(pool[len(pool) - slots :])\n",
        "sum(pool[len(pool) - slots + 1 :])\n",
        "not proved",
        too_high([1, 0], [0, 1], [2], 2, counting([1], [1])),
    ),
    "a lack that is a surplus": (
        "max(0, lack)",
        "abs(lack)",
        "not proved",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [0])),
    ),
    # Filling.
    "sums of too few requests": (
        "for c in range(most, 0, -1)",
        "for c in range(1, 0, -1)",
        "not proved",
        too_high([0, 0], [2, 0], [2, 2], 5, counting([0], [1], FILL)),
    ),
    "sums with the last request only": (
        "sums[c] |= sums[c - 1]",
        "sums[c] = sums[c - 1]",
        "not proved",
        too_high([0, 0], [1, 0], [2, 3], 3, counting([0], [1], FILL)),
    ),
    "sums of as many as the fewest slots": (
        "loads], min(max(free), admits)",
        "loads], min(min(free), admits)",
        "not proved",
        too_high([1, 0, 1], [0, 1, 1], [1], 1, counting([0, 2], [0], FILL)),
    ),
    "sums cut below the level": (
        "(2 << max(0, *room)) - 1",
        "(1 << max(0, *room)) - 1",
        "not proved",
        too_high([0, 0], [0, 1], [1], 2, counting([1], [0], FILL)),
    ),
    "all slots full though some are spare": (
        "max(0, c - spare) : min",
        "c : min",
        "not proved",
        too_high([0, 1], [1, 1], [1], 1, counting([1], [0], FILL)),
    ),
    "a slot fewer than there is": (
        "min(c, admits) + 1]",
        "min(c, admits)]",
        "not proved",
        too_high([0, 1], [1, 1], [1], 1, counting([1], [0], FILL)),
    ),
    "loads at the level left out": (
        "(1 << max(0, r + 1)) - 1",
        "(1 << max(0, r)) - 1",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([0], [1], FILL)),
    ),
    "one more than what is lacking": (
        "r - x.bit_length() + 1 if x",
        "r - x.bit_length() + 2 if x",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([0], [1], FILL)),
    ),
    "all room is lacking": (
        "r - x.bit_length() + 1 if x",
        "r if x",
        "not proved",
        too_high([0, 0], [0, 1], [1], 2, counting([1], [0], FILL)),
    ),
    "a level out of reach though one reaches it": (
        "if min(lacks) == 0 else",
        "if min(lacks) == 1 else",
        "not proved",
        too_high([0, 0], [0, 0], [], 1, counting([0], [1], FILL)),
    ),
    # Placing the largest.
    "a split that need not cover every case": (
        'need(len(rest) == len(cases), "not every case is there")',
        "pass",
        "not every case is there",
        # 6 on worker 2 makes 10, 10, 10; told is only 6 on worker 1, where the 5s overflow.
        too_high([10, 0, 4], [0, 2, 1], [6, 5, 5], 3, counting([0], [0, 1, 2], ["place", FILL])),
    ),
    "fewer cases than there are": (
        "len(rest) == len(cases)",
        "len(rest) <= len(cases)",
        "not every case is there",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1], ["place"])),
    ),
    "the smallest placed as if the largest": (
        "size, cases = pool[-1], []",
        "size, cases = pool[0], []",
        "not every case is there",
        too_high([0, 2], [1, 0], [1, 2, 1], 1, ["place", counting([1, 0], [0, 1])]),
    ),
    "a worker that is filled to the level": (
        "loads[g] + size <= level",
        "loads[g] + size < level",
        "not every case is there",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1], ["place"])),
    ),
    "no worker where the level is open": (
        "level is None or loads[g] + size <= level",
        "level is not None and loads[g] + size <= level",
        "not every case is there",
        too_high([2, 1], [1, 1], [2, 1, 1], 1, ["place", counting([0], [1])]),
    ),
    "twins that differ in slots": (
        "state not in zip(loads[:g], free)",
        "state[0] not in loads[:g]",
        "not every case is there",
        too_high([0, 0], [0, 1], [2, 2], 6, counting([1], [0, 1], ["place"], FILL)),
    ),
    "twins that differ in loads": (
        "state not in zip(loads[:g], free)",
        "state[1] not in free[:g]",
        "not every case is there",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1], ["place"])),
    ),
    "every worker its own twin": (
        "state not in zip(loads[:g], free)",
        "state not in zip(loads[: g + 1], free)",
        "not every case is there",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1], ["place"])),
    ),
    "the first worker alone": (
        "if fits and free[g] and state",
        "if fits and free[g] and g == 0 and state",
        "not every case is there",
        too_high([1, 0], [1, 1], [1], 1, counting([0], [1], ["place"])),
    ),
    "a request that weighs twice": (
        "x + size * (h == g)",
        "x + 2 * size * (h == g)",
        "not proved",
        too_high([0, 0], [1, 0], [1], 2, ["place", counting([0], [1])]),
    ),
    "a request on every worker": (
        "x + size * (h == g)",
        "x + size",
        "not proved",
        too_high([1, 3], [1, 0], [3], 2, ["place", counting([1], [0])]),
    ),
    "a slot taken from every worker": (
        "c - (h == g) for h",
        "max(0, c - 1) for h",
        "not proved",
        too_high([0, 0], [1, 1], [3, 1], 5, ["place", counting([0], [1, 0])]),
    ),
    "the smallest used up in place of the largest": (
        "enumerate(free)], pool[:-1], admits - 1",
        "enumerate(free)], pool[1:], admits - 1",
        "not proved",
        too_high([2, 2], [0, 2], [1, 3], 6, ["place", counting([1], [0])]),
    ),
    "an admission that is not counted": (
        "pool[:-1], admits - 1",
        "pool[:-1], admits",
        "not proved",
        too_high([0, 1], [1, 0], [1, 1], 2, ["place", counting([0], [1, 0])]),
    ),
    "nothing waits": (
        "if pool.index(size) >= admits",
        "if False",
        "not every case is there",
        too_high([1, 0], [1, 0], [1, 1, 3], 3, counting([0], [1], ["place"])),
    ),
    "the largest waits only if more than enough are smaller": (
        "if pool.index(size) >= admits",
        "if pool.index(size) > admits",
        "not every case is there",
        too_high([0, 1], [0, 1], [2, 1, 2], 3, ["place", counting([1], [0])]),
    ),
    "more wait than the largest": (
        "pool[: pool.index(size)], admits",
        "pool[: pool.index(size) - 1], admits",
        "not proved",
        too_high([0, 0], [1, 0], [1, 3], 2, counting([0, 1], [1], ["place", FILL])),
    ),
    "smaller ones wait as well": (
        "pool[: pool.index(size)], admits",
        "pool[1:], admits",
        "not proved",
        too_high([0, 0], [1, 0], [1, 3], 2, counting([0, 1], [1], ["place", FILL])),
    ),
    "the best place": (
        "return min([bound(*case",
        "return max([bound(*case",
        "not proved",
        too_high([1, 0], [1, 1], [1, 2, 1], 1, counting([0], [1], ["place", FILL, FILL])),
    ),
}


# --- Upper sides of steps -------------------------------------------------------------------------


def reached(loads, free, pool, assignment, imbalance):
    """An assignment that is said to reach an imbalance; below it nothing is claimed."""
    return FORMAT | {
        "kind": "step",
        "loads": loads,
        "free": free,
        "pool": pool,
        "assignment": assignment,
        "imbalance": imbalance,
        "bound": 0,
        "argument": counting([0], [0]),
    }


UPPER = {
    "an imbalance that is not reached": (
        "value == G * max(after) - sum(after)",
        "value <= G * max(after) - sum(after)",
        "the imbalance is another",
        reached([0, 0], [1, 1], [1, 2], [0, 1], 0),
    ),
    "an imbalance above what is reached": (
        "value == G * max(after) - sum(after)",
        "value >= G * max(after) - sum(after)",
        "the imbalance is another",
        reached([0, 0], [1, 1], [1, 2], [0, 1], 2),
    ),
    "requests without a place": (
        " and len(chosen) == len(pool)",
        "",
        "lists of different lengths",
        # The 1 has no entry and would vanish: 9, 9.
        reached([9, 0], [1, 1], [9, 1], [1], 0),
    ),
    "a worker that does not exist": (
        'need({-1, *range(G)}.issuperset(chosen), "no such worker")',
        "pass",
        "no such worker",
        reached([3, 3], [1, 1], [1], [2], 0),
    ),
    "a full worker": (
        'need(all(chosen.count(g) <= c for g, c in enumerate(free)), "a worker is over-filled")',
        "pass",
        "a worker is over-filled",
        reached([4, 0], [1, 0], [4], [1], 0),
    ),
    "one too many": (
        "chosen.count(g) <= c for",
        "chosen.count(g) <= c + 1 for",
        "a worker is over-filled",
        reached([4, 0], [1, 1], [2, 2, 2], [1, 1, -1], 0),
    ),
    "nobody admitted": (
        'need(len(pool) - chosen.count(-1) == admits, "a slot stays free while a request waits")',
        "pass",
        "a slot stays free while a request waits",
        reached([1, 1], [1, 1], [1], [-1], 0),
    ),
    "a pool that need not be admitted": (
        "admits = len(loads), min(len(pool), sum(free))",
        "admits = len(loads), len(pool) - chosen.count(-1)",
        "a slot stays free while a request waits",
        reached([1, 1], [1, 1], [1], [-1], 0),
    ),
}


# --- Worst cases ----------------------------------------------------------------------------------

# Exact BF-IO at G = 2, B = 1: sizes between the ends are worst there.
INTERIOR = (2, 1, 3, 4, 1, 4, 1)
SMALL = (2, 1, 2, 3, 1, 3, 2)


def worst(rule, fault, says, kind, *args, changed=(), **options):
    """As the checker with that fault plays it, with some fields changed."""
    play = weakened(rule, fault).play if rule in SOURCE else None
    certificate = worst_case_of(kind, *args, play=play, **options)
    return rule, fault, says, certificate | dict(changed)


WORST = {
    "a value above the maximum": worst(
        "value == [x // math.gcd(*most) for x in most] and digest",
        "digest",
        "another maximum",
        SMALL,
        "fcfs",
        changed={"value": [99, 1]},
    ),
    "a value that only its digest tells": worst(
        "for x in most] and digest",
        "for x in most] or digest",
        "another maximum",
        SMALL,
        "fcfs",
        changed={"value": [99, 1]},
    ),
    "a witness outside the class": worst(
        "need(any(shown) and ",
        "need(",
        "the witness has less",
        SMALL,
        "fcfs",
        changed={"prefill": [9, 1, 1]},
    ),
    "a witness that has less": worst(
        "and shown[0] * most[1] == shown[1] * most[0]",
        "and shown[0] * most[1] <= shown[1] * most[0]",
        "the witness has less",
        SMALL,
        "fcfs",
        changed={"prefill": [1, 2, 1]},
    ),
    "the ends of the sizes for a policy that is not convex": worst(
        'policy == "fcfs" and base is None',
        "True",
        "the ends decide under fcfs alone",
        INTERIOR,
        "bfio_exact",
        ends=1,
    ),
    "the ends of the sizes for a ratio": worst(
        'policy == "fcfs" and base is None',
        'policy == "fcfs"',
        "the ends decide under fcfs alone",
        (2, 1, 3, 3, 1, 3, 2),
        "fcfs",
        "bfio_exact",
        ends=1,
        drift=(1,),
    ),
    "a policy that nobody played": worst(
        "need(known and drift",
        "need(drift",
        "no such class",
        SMALL,
        "fcfs",
        changed={"policy": "jsq"},
    ),
    "a baseline that nobody played": worst(
        "known = policy and {policy, base} <=",
        "known = policy and {policy} <=",
        "no such class",
        SMALL,
        "bfio_exact",
        "fcfs",
        changed={"against": "jsq"},
    ),
    "no policy": worst(
        "known = policy and {policy, base}",
        "known = {policy, base}",
        "no such class",
        SMALL,
        "fcfs",
        changed={"policy": None},
    ),
    "a drift that is not repeated": worst(
        "drift[k % len(drift)]", "drift[0]", "another maximum", SMALL, "fcfs", drift=(0, 5)
    ),
    "a pool without its limit": worst(
        "new[: limit - len(waiting)]), new[limit - len(waiting) :]",
        "new), ()",
        "the witness has less",
        (2, 1, 1, 3, 1, 3, 2),
        "bfio_exact",
    ),
    "requests that stay a step too long": worst(
        "for x, n in a if n > 1]", "for x, n in a if n > 0]", "another maximum", SMALL, "fcfs"
    ),
    "a ratio without the steps": worst(
        "top, bottom = top * steps, bottom * other",
        "top, bottom = top, other",
        "another maximum",
        (2, 1, 3, 3, 1, 2, 2),
        "bfio_exact",
        "fcfs",
        measure=lambda play, kind, drift, policy, against, requests: (
            play(policy, *kind[:3], drift, requests)[0],
            play(against, *kind[:3], drift, requests)[0],
        ),
    ),
    "the first list for the largest": worst(
        "if top * most[1] > most[0] * bottom else most",
        "if most == (0, 1) else most",
        "the witness has less",
        SMALL,
        "fcfs",
        # Three 1s on two workers: 0 in the first step, 1 in the second.
        changed={"prefill": [1, 1, 1], "decode": [1, 1, 1], "value": [1, 2]},
    ),
}


# --- Backlogs -------------------------------------------------------------------------------------

# Two workers with two slots, no growth, sizes 1: lengths 1, 2, 1.  At once 2 + 1; with the last
# one held back, beside the second step of the 2, it is 1 + 1.
IDLING = (2, 2, 0, 0)
ONES = ((1, 1), (1, 2), (1, 1))
# Two workers with one slot, growth 1, sizes 1, 2, 4 of lengths 2, 1, 2: 10 with a pause, else 11.
ALONE = (2, 1, 1, 0)
ALTERNATING = ((1, 2), (2, 1), (4, 2))
GROWING = (2, 1, 2, 1)
THREE = ((3, 3), (1, 2), (2, 3))


def least(rule, fault, problem, conserving, requests, cost=None):
    """The cost that a checker with that fault would find, unless another is told."""
    if cost is None:
        rules, waiting = (*problem, conserving), tuple(sorted((o, s) for s, o in requests))
        cost = weakened(rule, fault).cheapest(rules, ((),) * problem[0], waiting)
    says = "the least cost is another"
    return rule, fault, says, backlog_of(*problem, conserving, requests, cost)


BACKLOGS = {
    "a schedule that can be improved": least(
        "need(cost == cheapest(", "need(cost >= cheapest(", GROWING, 0, THREE, 30
    ),
    "a cost below every schedule": least(
        "need(cost == cheapest(", "need(cost <= cheapest(", GROWING, 0, THREE, 5
    ),
    "slots left free under a rule that forbids it": least(
        "and not (conserving and w and min(map(len, a)) < B)", "", IDLING, 1, ONES, 2
    ),
    "slots that have to be filled without such a rule": least(
        "not (conserving and w and", "not (w and", IDLING, 0, ONES, 3
    ),
    "work conserving for the emptiest worker alone": least(
        "min(map(len, a)) < B)", "max(map(len, a)) < B)", ALONE, 1, ALTERNATING
    ),
    "one slot too many": least("if len(a[g]) < B]", "if len(a[g]) <= B]", (1, 1, 0, 5), 0, ONES),
    "no growth": least("(n - 1, x + drift)", "(n - 1, x)", GROWING, 0, THREE),
    "a request that leaves a step early": least(
        "for n, x in held if n > 1)", "for n, x in held if n > 2)", GROWING, 0, THREE
    ),
    "steps without their overhead": least(
        "here = overhead + max(", "here = max(", GROWING, 0, THREE
    ),
    "the smallest load of a step": least(
        "overhead + max(sum(x", "overhead + min(sum(x", GROWING, 0, THREE
    ),
    "requests that are left over": least(
        "math.inf if waiting or any(active) else 0", "0", GROWING, 0, THREE
    ),
}


# --- Energy ---------------------------------------------------------------------------------------

LOADS = [3, 0, 2, 2]


def power(rule, fault, says, *args):
    return rule, fault, says, energy_of(*args)


ENERGY = {
    "half the energy": power(
        'need(found == [low, high], "another energy")',
        "pass",
        "another energy",
        *(2, LOADS, 100, 400, [7, 10], [10**12, 10**12]),
    ),
    "a lower end of one's own": power(
        "found == [low, high]",
        "found[1:] == [high]",
        "another energy",
        *(2, LOADS, 0, 400, [7, 10], [0, bracket(2, LOADS, 0, 400, [7, 10])[1]]),
    ),
    "an upper end of one's own": power(
        "found == [low, high]",
        "found[:1] == [low]",
        "another energy",
        *(2, LOADS, 0, 400, [7, 10], [bracket(2, LOADS, 0, 400, [7, 10])[0], 10**15]),
    ),
    "a convex power": power(
        "p <= q <= 100", "q <= 100", "no such device or loads", 2, [2, 2], 100, 400, [2, 1]
    ),
    "more at rest than at work": power(
        "idle <= full and", "", "no such device or loads", 2, [2, 2], 400, 100, [1, 2]
    ),
    "half a step": power(
        " and len(flat) % G == 0", "", "no such device or loads", 2, [2, 2, 2], 0, 400, [1, 2]
    ),
}

FORGED = BOUNDS | UPPER | WORST | BACKLOGS | ENERGY


@pytest.mark.parametrize("name", FORGED)
def test_a_forgery_is_false_and_refused(name):
    _, _, says, certificate = FORGED[name]
    assert FALSE[certificate["kind"]](certificate)
    assert says in (verdict(checker, certificate) or "")


@pytest.mark.parametrize("name", FORGED)
def test_a_checker_without_the_rule_takes_it(name):
    rule, fault, _, certificate = FORGED[name]
    assert verdict(weakened(rule, fault), certificate) is None


# --- Flags ----------------------------------------------------------------------------------------

STORED = Path(adversary.__file__).parent / "witnesses" / "certificates"


def stored(name):
    return json.loads((STORED / f"{name}.json").read_text("utf-8"))


def requests_of(c):
    return tuple(zip(c["prefill"], c["decode"], strict=True))


def test_idling_is_cheaper_where_it_is_allowed():
    """The same requests with and without work conserving: neither cost passes for the other."""
    idling, conserving = stored("offline-idling"), stored("offline-work-conserving")
    assert conserving == idling | {"work_conserving": 1, "cost": conserving["cost"]}
    assert requests_of(idling) == ONES
    assert (idling["cost"], conserving["cost"]) == (2, 3)
    for c in (idling, conserving):
        assert not offline_is_false(c)
        assert verdict(checker, c) is None
        flipped = c | {"work_conserving": 1 - c["work_conserving"]}
        assert offline_is_false(flipped)
        assert verdict(checker, flipped) == "the least cost is another"


def test_pausing_is_cheaper_than_what_the_format_speaks_of():
    """Pausing 18 and migrating 17 are no costs of schedules that run without a break."""
    c = stored("offline-sticky")
    shape = c["workers"], c["slots"], c["drift"]
    costs = [cheapest_with_pauses(*shape, requests_of(c), m) for m in (False, True)]
    assert [cheapest(*shape, 0, 0, requests_of(c)), *costs] == [c["cost"], 18, 17] == [19, 18, 17]
    assert verdict(checker, c) is None
    for cost in costs:
        assert verdict(checker, c | {"cost": cost}) == "the least cost is another"


def test_the_ends_are_not_enough_for_a_policy_that_is_not_convex():
    c = stored("bfio-interior-sizes")
    kind, drift = tuple(c["class"]), tuple(c["drift"])
    assert not worst_case_is_false(c)
    assert verdict(checker, c) is None
    ends = worst_case_of(kind, "bfio_exact", drift=drift, ends=1)
    assert ends["value"] != c["value"]
    for flipped in (ends, c | {"ends": 1}):
        assert verdict(checker, flipped) == "the ends decide under fcfs alone"


def test_the_ends_are_enough_for_fcfs_and_told_apart():
    """All sizes give the same maximum [fcfs.vertex], with a transcript of their own."""
    whole = worst_case_of((2, 1, 2, 3, 1, 3, 1), "fcfs")
    ends = worst_case_of((2, 1, 2, 3, 1, 3, 1), "fcfs", ends=1)
    assert whole["value"] == ends["value"]
    assert verdict(checker, whole) is verdict(checker, ends) is None
    for c in (whole, ends):
        assert verdict(checker, c | {"ends": 1 - c["ends"]}) == "another maximum"


def test_a_ratio_is_told_apart_from_what_it_divides():
    """The same class with, without and with the other baseline."""
    c = worst_case_of((2, 1, 3, 3, 1, 2, 2), "bfio_exact", "fcfs")
    assert verdict(checker, c) is None
    for changed in ({"against": None}, {"against": "bfio_exact"}, {"policy": "fcfs"}):
        assert verdict(checker, c | changed) in ("another maximum", "the witness has less")
