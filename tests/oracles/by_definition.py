"""What certificates speak about, by enumeration and the plain simulation; no code they share."""

import math
from decimal import Decimal, localcontext
from functools import cache
from hashlib import sha256
from itertools import product

from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from tests.oracles.policies import FCFS
from theory.model import Requests, System

FORMAT = {"format": "evenkeel certificate 1"}


@cache
def admissions(loads, free, pool, admits):
    """Every (worker of each request or -1, loads after) that admits so many."""
    G, found = len(loads), []
    for to in product(range(-1, G), repeat=len(pool)):
        if len(pool) - to.count(-1) == admits and all(to.count(g) <= free[g] for g in range(G)):
            after = [*loads]
            for size, g in zip(pool, to, strict=True):
                if g >= 0:
                    after[g] += size
            found.append((to, tuple(after)))
    return found


@cache
def served(policy, G, B, limit, drift, requests):
    """Imbalance in all and number of steps, by the plain simulation."""
    sizes, lengths = zip(*requests, strict=True)
    chosen = {"fcfs": FCFS, "bfio_exact": ExactBFIO}[policy]()
    run = simulate_reference(System(G, B, drift), Requests(sizes, lengths), chosen, pool=limit)
    return run.total.imbalance, run.total.steps


def every_list(kind, ends):
    """All lists of requests (size, length) of a class, in the order of their certificate."""
    _, _, _, n, a, b, longest = kind
    sizes = (a, b) if ends else range(a, b + 1)
    return product(product(sizes, range(1, longest + 1)), repeat=n)


def fraction(play, kind, drift, policy, against, requests):
    """Average imbalance of a list, or the ratio of two, as a numerator and a denominator."""
    G, B, limit, *_ = kind
    top, bottom = play(policy, G, B, limit, drift, requests)
    if against:
        other, steps = play(against, G, B, limit, drift, requests)
        top, bottom = top * steps, bottom * other
    return top, bottom


def worst_case_of(kind, policy, against=None, *, drift=(0,), ends=0, play=served, measure=fraction):
    """A certificate of a class, with the first list that reaches its maximum."""
    digest, most, best = "", (0, 1), None
    for requests in every_list(kind, ends):
        top, bottom = measure(play, kind, drift, policy, against, requests)
        digest = sha256(f"{digest}{top}/{bottom};".encode()).hexdigest()
        if top * most[1] > most[0] * bottom or (best is None and bottom and not top):
            most, best = (top, bottom), requests
    d = math.gcd(*most)
    return FORMAT | {
        "kind": "worst-case",
        "class": [*kind],
        "drift": [*drift],
        "ends": ends,
        "policy": policy,
        "against": against,
        "prefill": [s for s, _ in best or ()],
        "decode": [o for _, o in best or ()],
        "value": [most[0] // d, most[1] // d],
        "digest": digest,
    }


def schedules(G, B, drift, overhead, conserving, requests, first=None):
    """All starts and workers of the requests (size, length), with the cost of each step.

    Or those that have the first request on a given worker.
    """
    horizon = sum(o for _, o in requests)
    starts = [range(horizon - o + 1) for _, o in requests]
    workers = [range(G) if first is None else [first], *[range(G)] * (len(requests) - 1)]
    for plan in product(*map(product, starts, workers)):
        costs = []
        for k in range(max(k + o for (k, _), (_, o) in zip(plan, requests, strict=True))):
            loads, held, waiting = [0] * G, [0] * G, False
            for (start, g), (s, o) in zip(plan, requests, strict=True):
                waiting |= start > k
                if start <= k < start + o:
                    loads[g] += s + drift * (k - start)
                    held[g] += 1
            if max(held) > B or not any(held) or (conserving and waiting and min(held) < B):
                break
            costs.append(overhead + max(loads))
        else:
            yield plan, costs


@cache
def cheapest(G, B, drift, overhead, conserving, requests):
    """Least cost over all starts and workers of the requests (size, length); workers are alike."""
    plans = schedules(G, B, drift, overhead, conserving, requests, first=0)
    return min(sum(costs) for _, costs in plans)


@cache
def cheapest_with_pauses(G, B, drift, requests, migrating, *, overhead=0, conserving=False):
    """Least cost where requests may pause, and resume on their worker or anywhere."""

    @cache
    def rest(ages, homes):
        if all(j == o for j, (_, o) in zip(ages, requests, strict=True)):
            return 0
        may = [
            [g for g in range(G) if age < o and home in (-1, g)]
            for age, home, (_, o) in zip(ages, homes, requests, strict=True)
        ]
        best = math.inf
        for row in product(*([-1, *workers] for workers in may)):
            held = [row.count(g) for g in range(G)]
            if max(row) < 0 or max(held) > B:
                continue
            idle = [workers for workers, g in zip(may, row, strict=True) if g < 0]
            if conserving and any(held[g] < B for workers in idle for g in workers):
                continue
            loads, after, new = [0] * G, [*ages], [*homes]
            for i, g in enumerate(row):
                if g >= 0:
                    loads[g] += requests[i][0] + drift * ages[i]
                    after[i] += 1
                    new[i] = -1 if migrating else g
            best = min(best, overhead + max(loads) + rest(tuple(after), tuple(new)))
        return best

    return rest((0,) * len(requests), (-1,) * len(requests))


def bracket(G, loads, idle, full, gamma):
    """Sum of max * P(x / max), each power rounded to 1e-9 down and up, in 60 digits."""
    low = high = 0
    with localcontext() as context:
        context.prec = 60
        for k in range(0, len(loads), G):
            row = loads[k : k + G]
            for x in row if max(row) else ():
                power = Decimal(10) ** 9 * (Decimal(x) / max(row)) ** (Decimal(gamma[0]) / gamma[1])
                whole = power.to_integral_value()
                exact = abs(power - whole) < Decimal(10) ** -30
                below = int(whole if exact else math.floor(power))
                low += max(row) * (10**9 * idle + (full - idle) * below)
                high += max(row) * (10**9 * idle + (full - idle) * (below + (not exact)))
    return [low, high]


def backlog_of(G, B, drift, overhead, conserving, requests, cost):
    """An offline certificate, true or not."""
    return FORMAT | {
        "kind": "offline",
        "workers": G,
        "slots": B,
        "drift": drift,
        "overhead": overhead,
        "work_conserving": conserving,
        "prefill": [s for s, _ in requests],
        "decode": [o for _, o in requests],
        "cost": cost,
    }


def energy_of(G, loads, idle, full, gamma, found=None):
    """An energy certificate, with the true bracket unless another is given."""
    return FORMAT | {
        "kind": "energy",
        "workers": G,
        "loads": loads,
        "idle_w": idle,
        "max_w": full,
        "gamma": gamma,
        "energy": found or bracket(G, loads, idle, full, gamma),
    }
