"""Optimal schedules of a few requests by dynamic programming over all states, compiled.

A state is how many steps each request has run.  Its value is the least cost from there to the end,
and every choice of who runs where leads to a state that lies further on, so one sweep backwards
gives all values.  Where a request must stay on its worker, one sweep is made for each way to divide
the requests among the workers, up to the workers' names.
"""

import numpy as np

from solvers.compiled import compiled
from theory.model import IntArray

MOST_STATES = 2 * 10**6

STICKY, PAUSING, MIGRATING = range(3)

# Value of a state from which no schedule leads on.
_NEVER = 2**62


@compiled
def _sweep(
    sizes: IntArray,
    lengths: IntArray,
    shape: tuple[int, int],
    costs: tuple[int, int, int],
    rule: int,
    conserving: bool,
    home: IntArray,
    value: IntArray,
    choice: IntArray,
) -> None:
    """Fill the value of every state, and the places that reach it.

    Parameters
    ----------
    shape, costs
        ``(G, B)`` and ``(drift, level_cost, step_cost)``.
    home : int64[N]
        The worker of each request; not used when migrating.
    value, choice : int64[S]
        Filled: ``choice`` holds ``sum_i (place_i + 1) (G + 1)^i``.
    """
    G, B = shape
    drift, level_cost, step_cost = costs
    n = sizes.size
    age = np.empty(n, np.int64)
    load = np.empty((n + 1, G), np.int64)
    held = np.empty((n + 1, G), np.int64)
    used = np.zeros(n + 1, np.int64)
    follows = np.empty(n + 1, np.int64)
    code = np.empty(n + 1, np.int64)
    at = np.empty(n + 1, np.int64)
    value[-1] = 0
    for state in range(value.size - 2, -1, -1):
        rest = state
        for i in range(n):
            age[i] = rest % (lengths[i] + 1)
            rest //= lengths[i] + 1
        best = np.int64(_NEVER)
        load[0, :] = 0
        held[0, :] = 0
        follows[0] = state
        code[0] = 0
        at[0] = -2
        i = 0
        # Depth first over the requests: place -1 does not run, 0..G-1 runs there.
        while i >= 0:
            if i == n:
                i -= 1
                if follows[n] == state or value[follows[n]] == _NEVER:
                    continue
                if conserving and _leaves_a_slot(age, lengths, at, held[n], home, B, rule):
                    continue
                cost = level_cost * np.max(load[n]) + step_cost + value[follows[n]]
                if cost < best:
                    best = cost
                    choice[state] = code[n]
                continue
            at[i] += 1
            g = at[i]
            if g >= G or (g > used[i] and rule == MIGRATING):
                i -= 1
                continue
            started = 0 < age[i] < lengths[i]
            if g < 0:
                if started and rule == STICKY:
                    continue
            elif age[i] == lengths[i] or held[i, g] == B or (rule != MIGRATING and g != home[i]):
                continue
            load[i + 1] = load[i]
            held[i + 1] = held[i]
            follows[i + 1] = follows[i]
            code[i + 1] = code[i]
            used[i + 1] = used[i]
            if g >= 0:
                load[i + 1, g] += sizes[i] + drift * age[i]
                held[i + 1, g] += 1
                # When migrating the workers are alike: the first that is empty stands for all.
                used[i + 1] = max(used[i], g + 1)
                step = 1
                digit = 1
                for j in range(i):
                    step *= lengths[j] + 1
                    digit *= G + 1
                follows[i + 1] += step
                code[i + 1] += digit * (g + 1)
            i += 1
            at[i] = -2
        value[state] = best


@compiled
def _leaves_a_slot(
    age: IntArray,
    lengths: IntArray,
    place: IntArray,
    held: IntArray,
    home: IntArray,
    slots: int,
    rule: int,
) -> bool:
    """Whether a slot stays free while a request that may use it does not run."""
    for i in range(age.size):
        if place[i] < 0 and age[i] < lengths[i]:
            anywhere = age[i] == 0 or rule == MIGRATING
            if (np.min(held) if anywhere else held[home[i]]) < slots:
                return True
    return False


@compiled
def best_by_states(
    sizes: IntArray,
    lengths: IntArray,
    shape: tuple[int, int],
    costs: tuple[int, int, int],
    rule: int,
    conserving: bool,
) -> IntArray:
    """Places of a cheapest schedule, int64[K, N]; -1 where a request does not run.

    Parameters
    ----------
    sizes, lengths : int64[N]
        The requests; the product of ``lengths + 1`` is the number of states.
    shape, costs
        ``(G, B)`` and ``(drift, level_cost, step_cost)``.
    rule : int
        :data:`STICKY`, :data:`PAUSING` or :data:`MIGRATING`.
    conserving : bool
        Whether no slot may stay free while a request that may use it does not run.
    """
    G = shape[0]
    drift, level_cost, step_cost = costs
    n = sizes.size
    states = 1
    for i in range(n):
        states *= lengths[i] + 1
    value = np.empty(states, np.int64)
    choice = np.zeros(states, np.int64)
    best = np.int64(_NEVER)
    best_choice = choice
    least_steps = step_cost * (np.max(lengths) if step_cost >= 0 else np.sum(lengths))
    home = np.zeros(n, np.int64)
    work = np.zeros(G, np.int64)
    while True:
        # A worker's requests alone make a schedule this expensive.
        work[:] = 0
        for i in range(n):
            o = lengths[i]
            work[home[i]] += o * sizes[i] + drift * (o * (o - 1) // 2)
        if rule == MIGRATING or level_cost * np.max(work) + least_steps < best:
            _sweep(sizes, lengths, shape, costs, rule, conserving, home, value, choice)
            if value[0] < best:
                best = value[0]
                best_choice = choice.copy()
        # The next way to divide: a request may open one new worker beyond those before it.
        i = n - 1
        while i > 0 and (home[i] == G - 1 or home[i] > np.max(home[:i])):
            i -= 1
        if i <= 0 or rule == MIGRATING:
            break
        home[i] += 1
        home[i + 1 :] = 0
    place = np.full((np.sum(lengths), n), -1, np.int64)
    state = 0
    k = 0
    while state < states - 1:
        code = best_choice[state]
        step = 1
        for i in range(n):
            place[k, i] = code % (G + 1) - 1
            if place[k, i] >= 0:
                state += step
            code //= G + 1
            step *= lengths[i] + 1
        k += 1
    return place[:k]
