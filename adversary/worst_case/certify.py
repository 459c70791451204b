"""Certificates of exact worst cases, for ``solvers/checker.py``.

The lower side is the instance.  The upper side is the enumeration itself: how many lists there
are, and a chain of hashes over what each of them gave, which the checker makes again with its own
simulation.
"""

import math
from collections.abc import Iterator
from hashlib import sha256
from itertools import product

import numpy as np

from adversary.instances.small_runs import SMALL_POLICIES, policy_code, run_backlog
from adversary.instances.space import Space
from adversary.worst_case.exhaustive import WorstCase
from solvers.certificates import FORMAT, Certificate
from theory.budget import about, power
from theory.model import InputError

# Lists of requests that the checker plays again, and assignments of a step: some minutes.
MOST_CERTIFIED = 10**6
MOST_COUNTED = 99


def certify_worst_case(worst: WorstCase, policy: str, baseline: str | None = None) -> Certificate:
    """A certificate of a worst case.

    Parameters
    ----------
    worst : WorstCase
        Of a class with every arrival order.
    policy, baseline : str
        As it was found with.  Under fcfs without a baseline the sizes at the two ends decide
        [fcfs.vertex], and only those are listed.

    Raises
    ------
    InputError
        As :func:`certifiable`.
    """
    space = worst.space
    certifiable(space, policy, baseline)
    ends = _ends_decide(space, policy, baseline)
    value = [1, 0]
    if worst.value != math.inf:
        value = list(worst.value.as_integer_ratio())
    digest = ""
    for top, bottom in _transcript(space, policy, baseline, ends):
        digest = sha256(f"{digest}{top}/{bottom};".encode()).hexdigest()
    shape = [space.workers, space.slots, space.pool_limit, space.requests]
    return {
        "format": FORMAT,
        "kind": "worst-case",
        "class": [*shape, space.size_min, space.size_max, space.decode_max],
        "drift": list(space.drift),
        "ends": int(ends),
        "policy": policy,
        "against": baseline,
        "prefill": worst.instance.requests.prefill.tolist(),
        "decode": worst.instance.requests.decode.tolist(),
        "value": value,
        "digest": digest,
    }


def most_work(certificate: Certificate) -> int:
    """Operations that the checker spends on a certificate of :func:`certify_worst_case`, at most.

    Every list is played, in steps of which each is counted, and each decides an admission.
    """
    G, B, pool, n, a, b, longest = certificate["class"]
    lists = power((min(b - a, 1) + 1 if certificate["ends"] else b - a + 1) * longest, n)
    steps = longest * -(-n // min(pool, G * B)) * (1 if certificate["against"] is None else 2)
    admission = (2 + n) * power(G + 1, min(pool, n))
    return int(lists * (steps + 1) * (20 + 5 * (G + n) + admission))


def certifiable(space: Space, policy: str, baseline: str | None = None) -> None:
    """Refuse what the checker could not play again.

    Raises
    ------
    InputError
        If the checker does not know the policies, the class is restricted to sorted orders, or
        more lists, or assignments of a step, than :data:`MOST_CERTIFIED` would have to be played.
    """
    for name in (policy, baseline):
        if name not in (None, *SMALL_POLICIES):
            raise InputError(
                f"no certificates about {name!r}; only about {' and '.join(SMALL_POLICIES)}"
            )
    if space.order != "any":
        raise InputError("only classes with every arrival order can be certified")
    if max(space.workers, space.requests) > MOST_COUNTED:
        raise InputError(f"certificates take up to {MOST_COUNTED} workers and requests")
    sizes = space.size_max - space.size_min + 1
    if _ends_decide(space, policy, baseline):
        sizes = 2
    steps = power(space.workers + 1, min(space.pool_limit, space.requests))
    if steps > MOST_CERTIFIED:
        raise InputError(
            f"the checker would have to look at {about(steps)} assignments of a step, more than "
            f"{MOST_CERTIFIED:,}: fewer workers, or a smaller pool"
        )
    lists = power(sizes * space.decode_max, space.requests)
    if lists > MOST_CERTIFIED:
        raise InputError(
            f"a certificate would have to list {about(lists)} instances, more than "
            f"{MOST_CERTIFIED:,}"
        )


def _ends_decide(space: Space, policy: str, baseline: str | None) -> bool:
    """Whether only the sizes at the two ends are listed [fcfs.vertex]."""
    return policy == "fcfs" and baseline is None and space.size_min < space.size_max


def _transcript(
    space: Space, policy: str, baseline: str | None, ends: bool
) -> Iterator[tuple[int, int]]:
    """Total imbalance and steps of every list in order, or the products that make a ratio."""
    a, b = space.size_min, space.size_max
    sizes = (a, b) if ends else range(a, b + 1)
    shape = space.workers, space.slots, space.pool_limit
    drift, G = np.array(space.drift), space.workers
    which, other = policy_code(policy), -1 if baseline is None else policy_code(baseline)
    for requests in product(product(sizes, range(1, space.decode_max + 1)), repeat=space.requests):
        columns = np.array(requests, dtype=np.int64)
        prefill, decode = columns[:, 0].copy(), columns[:, 1].copy()
        steps, sum_max, work = run_backlog(which, prefill, decode, shape, drift)
        top, bottom = G * sum_max - work, steps
        if other >= 0:
            steps, sum_max, work = run_backlog(other, prefill, decode, shape, drift)
            top, bottom = top * steps, bottom * (G * sum_max - work)
        yield int(top), int(bottom)
