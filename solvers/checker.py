"""Check certificates with this file and a bare Python alone: ``python checker.py FILE ...``.

Decided in integers, by no code of the writers; exit code 3 for more operations than ``--work=N``.
"""

import json
import math
import os
import sys
from bisect import bisect_left, bisect_right
from functools import lru_cache, reduce
from hashlib import sha256
from itertools import accumulate, pairwise, product

WORK, left = 10**8, [10**8]


class TooMuch(Exception): ...  # noqa: N818


def need(condition, text):
    if not condition:
        raise ValueError(text)


def spend(work, of=1):
    """Take work from what is left, before it is done; ``of`` says how often at least."""
    if work * of > left[0]:
        raise TooMuch(f"more work than {WORK:,} operations: --work={10 * WORK} allows more")
    left[0] -= work


def content(path):
    """The fields of a regular file, each of them once."""
    need(os.path.isfile(path) and os.path.getsize(path) <= 2**24, "no regular file up to 16 MiB")
    whole = lambda x: need(len(x) <= 400, "an integer of more than 400 digits") or int(x)  # noqa: E731
    with open(path, encoding="utf-8") as file:
        pairs = json.load(file, parse_float=str, parse_int=whole, object_pairs_hook=list)
    need(len(fields := dict(pairs)) == len(pairs), "a field is given twice")
    need(fields.get("format") == "evenkeel certificate 1", "not of this format")
    return fields


def read(cert, fields):
    """The fields; ``:n`` is for an integer >= n, ``:[n]`` for a list of them, else anything."""
    left[0] = WORK
    shape = {name: low for name, _, low in (field.partition(":") for field in fields.split())}
    need(set(cert) == {"format", "kind", *shape}, "a field is missing or unknown")
    for name, low in shape.items():
        seen, least = (cert[name] if "[" in low else [cert[name]]), int(low.strip("[]") or 0)
        good = type(seen) is list and all(type(x) is int and x >= least for x in seen)
        need(good or not low, f"{name} must hold integers >= {least}")
    return [cert[name] for name in shape]


def step(cert):
    """One admission: imbalance G*max - sum of the loads when min(requests, slots) are admitted."""
    fields = "loads:[0] free:[0] pool:[1] assignment:[-1] imbalance:0 bound:0 argument"
    loads, free, pool, chosen, value, claimed, argument = read(cert, fields)
    G, admits = len(loads), min(len(pool), sum(free))
    need(0 < G == len(free) and len(chosen) == len(pool), "lists of different lengths")
    spend(3 * (G + 1) * (len(pool) + 1))
    need({-1, *range(G)}.issuperset(chosen), "no such worker")
    need(all(chosen.count(g) <= c for g, c in enumerate(free)), "a worker is over-filled")
    need(len(pool) - chosen.count(-1) == admits, "a slot stays free while a request waits")
    after = [x + sum(s for s, h in zip(pool, chosen) if h == g) for g, x in enumerate(loads)]
    need(value == G * max(after) - sum(after), "the imbalance is another")
    need(bound(loads, free, sorted(pool), admits, None, argument) >= claimed, "not proved")
    return f"imbalance {value} of {G} workers is reached, and no admission has less than {claimed}"


def bound(loads, free, pool, admits, level, argument):
    """Least imbalance when ``admits`` of the ascending pool go in; ``level``: the largest load."""
    rule, *rest = argument
    G, spare = len(loads), sum(free) - admits
    if rule == "weights" and level is None:  # all go in, and weigh more than stays up to a level
        (top, weights), room = rest, [rest[0] - x for x in loads]
        need(0 < admits == len(pool) == len(weights), "not a weight for each of all requests")
        most = min(max(free), sum(x <= max(room) for x in accumulate(pool)))
        spend(len(pool) * (1 + most) * (1 + max(0, *room)) // 4 + 1)
        f = [[0] * (1 + max(0, *room))] * (most + 1)  # of up to so many requests in so much room
        for s, w in zip(pool, weights):
            f = f[:1] + [[*b[:s], *map(max, b[s:], [x + w for x in a])] for a, b in pairwise(f)]
        taken = sum(f[min(c, most)][r] for c, r in zip(free, room) if r >= 0)
        need(min(room) < 0 or sum(weights) > taken, "the workers can take it all")
        return max(0, G * (top + 1) - sum(loads) - sum(pool))
    spend(10 + G + len(pool) + (G * (G + len(pool)) if rule == "place" else sum(map(len, rest))))
    if rule == "levels" and level is None:  # [workers, a case for each low level, workers]
        (below, cases, above), all_workers = rest, set(range(G))
        sets = [w for w in (below, above) if w and all_workers.issuperset(w)]
        need([len({*w}) for w in sets] == [len(below), len(above)], "no such sets of workers")
        slots = max(0, sum(free[g] for g in below) - spare)  # that they fill: so M >= low
        low = -(-(sum(loads[g] for g in below) + sum(pool[:slots])) // len(below))
        found = [bound(loads, free, pool, admits, low + i, case) for i, case in enumerate(cases)]
        slots = min(admits, sum(free[g] for g in above))  # they lack this with the largest even
        lack = sum(low + len(cases) - loads[g] for g in above) - sum(pool[len(pool) - slots :])
        return min([*found, max(0, lack)])
    if rule == "fill" and level is not None:  # each worker as near to the level as any sum comes
        room, most = [level - x for x in loads], min(max(free), admits)
        need(max(room) <= 10**6, "too much room to look at all sums")
        top = max(0, *room)
        spend(len(pool) * (most + G) * (1 + top // 4096))
        sums = [1] + [0] * most  # bit x of entry c: some c requests sum to x
        for s in pool:
            for c in range(most, 0, -1):
                sums[c] |= sums[c - 1] << min(s, top + 1) & (2 << max(0, *room)) - 1
        by_count = (sums[max(0, c - spare) : min(c, admits) + 1] for c in free)
        reach = [reduce(int.__or__, x) & (1 << max(0, r + 1)) - 1 for x, r in zip(by_count, room)]
        lacks = [r - x.bit_length() + 1 if x else math.inf for r, x in zip(room, reach)]
        return sum(lacks) if min(lacks) == 0 else math.inf
    need(rule == "place" and admits > 0, "no such rule here")
    size, cases = pool[-1], []  # the largest goes to one of the workers that differ, or waits
    for g, state in enumerate(zip(loads, free)):
        fits = level is None or loads[g] + size <= level
        if fits and free[g] and state not in zip(loads[:g], free):
            after = [x + size * (h == g) for h, x in enumerate(loads)]
            cases.append((after, [c - (h == g) for h, c in enumerate(free)], pool[:-1], admits - 1))
    if pool.index(size) >= admits:  # of equal requests those that wait come last
        cases.append((loads, free, pool[: pool.index(size)], admits))
    need(len(rest) == len(cases), "not every case is there")
    return min([bound(*case, level, why) for case, why in zip(cases, rest)], default=math.inf)


@lru_cache(maxsize=10**5)
def admit(policy, loads, free, sizes):
    """The worker of each request, G to wait: the first admission, or the first of least cost."""
    G, waits, best = len(loads), max(0, len(sizes) - sum(free)), None
    spend((2 + len(sizes)) * (G + 1) ** len(sizes))
    for to in product(range(G + 1), repeat=len(sizes)):
        if to.count(G) == waits and all(to.count(g) <= c for g, c in enumerate(free)):
            after = [x + sum(s for s, h in zip(sizes, to) if h == g) for g, x in enumerate(loads)]
            cost = G * max(after) - sum(after), max(after), sum(x * x for x in after)
            found = (cost, to) if policy == "bfio_exact" else (to, to)
            best = min(best or found, found)
            if policy != "bfio_exact":
                break
    return best[1]


def play(policy, G, B, limit, drift, requests):
    """Imbalance in all and number of steps: reveal, admit, measure, grow, depart."""
    new, waiting, active, total, k = requests, (), [[]] * G, 0, 0
    while new or waiting or any(active):
        spend(20 + 5 * (G + len(requests)))
        waiting, new = (*waiting, *new[: limit - len(waiting)]), new[limit - len(waiting) :]
        loads, free = tuple(sum(x for x, _ in a) for a in active), tuple(B - len(a) for a in active)
        to = admit(policy, loads, free, tuple(x for x, _ in waiting))
        active = [[*a, *(r for r, h in zip(waiting, to) if h == g)] for g, a in enumerate(active)]
        waiting = [r for r, h in zip(waiting, to) if h == G]
        loads = [sum(x for x, _ in a) for a in active]
        total, grown, k = total + G * max(loads) - sum(loads), drift[k % len(drift)], k + 1
        active = [[(x + grown, n - 1) for x, n in a if n > 1] for a in active]
    return total, k


def worst_case(cert):
    """The largest average imbalance, or ratio of two, over all lists of requests of a class."""
    fields = "class:[1] drift:[0] ends:0 policy against prefill:[1] decode:[1] value:[0] digest"
    rules, drift, ends, policy, base, sizes, lengths, value, told = read(cert, fields)
    (G, B, pool, n, a, b, longest), digest, most, shown = rules, "", (0, 1), (0, 0)
    known = policy and {policy, base} <= {"fcfs", "bfio_exact", None}
    need(known and drift and max(G, n, longest, (1 - ends) * (b - a)) <= 99, "no such class")
    need(not ends or (policy == "fcfs" and base is None), "the ends decide under fcfs alone")
    kinds = list(product((a, b) if ends else range(a, b + 1), range(1, longest + 1)))  # convex
    cost = max(len(kinds) ** n, (G + 1) ** min(pool, n))
    need(ends <= 1 and a <= b and cost <= 10**6, "too large to be played again")
    spend(20 + 5 * (G + n), of=len(kinds) ** n)
    for requests in product(kinds, repeat=n):
        top, bottom = play(policy, G, B, pool, drift, requests)
        if base is not None:
            other, steps = play(base, G, B, pool, drift, requests)
            top, bottom = top * steps, bottom * other
        digest = sha256(f"{digest}{top}/{bottom};".encode()).hexdigest()
        most = (top, bottom) if top * most[1] > most[0] * bottom else most  # never for 0/0
        shown = (top, bottom) if requests == (*zip(sizes, lengths, strict=True),) else shown
    need(any(shown) and shown[0] * most[1] == shown[1] * most[0], "the witness has less")
    need(value == [x // math.gcd(*most) for x in most] and digest == told, "another maximum")
    what = f"AvgImb({policy})" + (f" / AvgImb({base})" if base else "")
    where = f"G={G}, B={B}, pool {pool}, drift {drift}, sizes {a}..{b}, lengths 1..{longest}"
    return f"{what} reaches {value[0]}/{value[1]}, the most of all lists of {n} requests: {where}"


@lru_cache(maxsize=3 * 10**5)
def cheapest(rules, active, waiting):
    """Least cost of serving the rest; of each worker the (length, load) left, in order."""
    G, B, drift, overhead, conserving = rules
    states, best = {(active, ())}, math.inf if waiting or any(active) else 0
    for r in waiting:
        spend(len(states) * G * (8 + G // 4))
        add = [(tuple(sorted((*a[:g], tuple(sorted((*a[g], r))), *a[g + 1 :]))), w)
               for a, w in states for g in range(G) if len(a[g]) < B]  # fmt: skip
        states = {*add, *((a, (*w, r)) for a, w in states)}
    spend(20 * len(states) * (4 + G))
    for a, w in states:
        if any(a) and not (conserving and w and min(map(len, a)) < B):
            after = sorted(tuple((n - 1, x + drift) for n, x in held if n > 1) for held in a)
            here = overhead + max(sum(x for _, x in held) for held in a)
            best = min(best, here + cheapest(rules, tuple(after), w))
    return best


def offline(cert):
    """Least sum of largest loads and overheads, by another search, if all is known beforehand."""
    fields = "workers:1 slots:1 drift:0 overhead:0 work_conserving:0 prefill:[1] decode:[1] cost:0"
    *rules, sizes, lengths, cost = read(cert, fields)
    need(rules[4] <= 1 and len(sizes) <= 8 and sum(lengths) <= 40 and rules[0] <= 99, "too large")
    waiting = tuple(sorted(zip(lengths, sizes, strict=True)))
    need(cost == cheapest(tuple(rules), ((),) * rules[0], waiting), "the least cost is another")
    return f"the cheapest schedule of {len(sizes)} requests on {rules[0]} workers costs {cost}"


def energy(cert):
    """P_max W + P_idle I <= E <= P_max W + D I, and E <= T P(W/T), for the loads of some steps."""
    fields = "workers:1 loads:[0] idle_w:0 max_w:0 gamma:[1] energy:[0]"
    G, flat, idle, full, gamma, found = read(cert, fields)
    (p, q), scale, rows = gamma, 10**9, [flat[k : k + G] for k in range(0, len(flat), G)]
    need(p <= q <= 100 and idle <= full and len(flat) % G == 0, "no such device or loads")
    spend(60 * (1 + (30 * q + p * max([1, *flat]).bit_length()) // 64), of=len(flat))

    def power(a, b, find):  # scale * P(a/b), by the integers around scale * (a/b)^(p/q)
        spend(60 * (1 + (30 * q + p * b.bit_length()) // 64))
        root = find(range(scale + 1), scale**q * a**p, key=lambda x: x**q * b**p)
        return scale * idle + (full - idle) * (root - (find is bisect_right))

    busy = [(x, max(row)) for row in rows for x in row if any(row)]
    low, high = (sum(m * power(x, m, f) for x, m in busy) for f in (bisect_right, bisect_left))
    work, time, slope = sum(flat), G * sum(map(max, rows)), q * idle + (q - p) * (full - idle)
    need(found == [low, high], "another energy")
    need(scale * (full * work + idle * (time - work)) <= low, "below the floor")
    need(q * high <= scale * (q * full * work + slope * (time - work)), "above the tangent")
    need(high <= time * power(work, time or 1, bisect_right), "above the envelope")
    return f"the energy, {low} to {high} / 10^9, lies above the floor and below both ceilings"


if __name__ == "__main__":
    kinds, code = {"step": step, "worst-case": worst_case, "offline": offline, "energy": energy}, 0
    for path in sys.argv[1:]:
        try:
            if path.startswith("--work="):
                WORK = int(path[7:])
                continue
            print(f"{path}: holds: {kinds[(cert := content(path))['kind']](cert)}")
        except TooMuch as error:
            print(f"{path}: NOT CHECKED: {error}")
            code = code or 3
        except Exception as error:
            print(f"{path}: REJECTED: {error}")
            code = 1
    sys.exit(code)
