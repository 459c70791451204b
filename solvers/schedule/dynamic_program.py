"""Optimal schedules of a few requests by dynamic programming over all states, compiled.

A state is how many steps each request has run.  Its value is the least cost from there to the end,
and every choice of who runs where leads to a state that lies further on, so one sweep backwards
gives all values.  Where a request must stay on its worker, one sweep is made for each way to divide
the requests among the workers, up to the workers' names.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from solvers.arrays import copy_into, max_of, min_of
from solvers.compiled import compiled
from theory.model import IntArray

MOST_STATES = 2 * 10**6

# Choices looked at between two returns to Python, roughly.
_PORTION = 2**21

STICKY, PAUSING, MIGRATING = range(3)

# Value of a state from which no schedule leads on.
_NEVER = 2**62


class Walk(NamedTuple):
    """Where a sweep stands: the choices for some of the requests of a state, depth first.

    Parameters
    ----------
    number : int64[3]
        The state, the request whose place is next (-1 before the first), the least cost so far.
    age : int64[N]
        Steps that each request has run in that state.
    load, held : int64[N + 1, G]
        Of each worker, for the places of the requests before one.
    used, follows, code, at : int64[N + 1]
        Workers used, the state that follows, the places as a number, and the place being tried.
    """

    number: IntArray
    age: IntArray
    load: IntArray
    held: IntArray
    used: IntArray
    follows: IntArray
    code: IntArray
    at: IntArray


def _new_walk(states: int, requests: int, workers: int) -> Walk:
    a, b, c, d = (np.zeros(requests + 1, np.int64) for _ in range(4))
    load, held = (np.zeros((requests + 1, workers), np.int64) for _ in range(2))
    number = np.array([states - 2, -1, 0], np.int64)
    return Walk(number, np.zeros(requests, np.int64), load, held, a, b, c, d)


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
    walk: Walk,
    portion: int,
) -> bool:
    """Fill the values of some more states downwards, and the places that reach them.

    Parameters
    ----------
    shape, costs
        ``(G, B)`` and ``(drift, level_cost, step_cost)``.
    home : int64[N]
        The worker of each request; not used when migrating.
    value, choice : int64[S]
        Filled: ``choice`` holds ``sum_i (place_i + 1) (G + 1)^i``.
    walk : Walk
        Where the sweep stands; changed.
    portion : int
        Choices to look at before it returns.

    Returns
    -------
    bool
        Whether all states have their values.
    """
    G, B = shape
    drift, level_cost, step_cost = costs
    n = sizes.size
    number, age, load, held, used, follows, code, at = walk
    value[-1] = 0
    state = number[0]
    i = number[1]
    best = number[2]
    while state >= 0:
        if i < 0:
            rest = state
            for j in range(n):
                age[j] = rest % (lengths[j] + 1)
                rest //= lengths[j] + 1
            best = np.int64(_NEVER)
            follows[0] = state
            at[0] = -2
            i = 0
        # Depth first over the requests: place -1 does not run, 0..G-1 runs there.
        while i >= 0 and portion > 0:
            portion -= 1
            if i == n:
                i -= 1
                if follows[n] == state or value[follows[n]] == _NEVER:
                    continue
                if conserving and _leaves_a_slot(age, lengths, at, held[n], home, B, rule):
                    continue
                cost = level_cost * max_of(load[n]) + step_cost + value[follows[n]]
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
            copy_into(load[i + 1], load[i])
            copy_into(held[i + 1], held[i])
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
        if i >= 0:
            break
        value[state] = best
        state -= 1
    number[0] = state
    number[1] = i
    number[2] = best
    return bool(state < 0)


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
            if (min_of(held) if anywhere else held[home[i]]) < slots:
                return True
    return False


def cheaper_by_states(
    sizes: IntArray,
    lengths: IntArray,
    shape: tuple[int, int],
    costs: tuple[int, int, int],
    rule: int,
    conserving: bool,
    upper: int,
) -> Iterator[tuple[int, IntArray] | None]:
    """Search all schedules for cheaper ones than ``upper``, in portions.

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

    Yields
    ------
    (cost, place) or None
        Each schedule that is cheaper than all before it, with its places, int64[K, N], -1 where a
        request does not run; between them None.
    """
    G = shape[0]
    drift, level_cost, step_cost = costs
    n = sizes.size
    states = int(np.prod(lengths + 1))
    value = np.empty(states, np.int64)
    choice = np.zeros(states, np.int64)
    least_steps = step_cost * int(np.max(lengths) if step_cost >= 0 else np.sum(lengths))
    works = lengths * sizes + drift * (lengths * (lengths - 1) // 2)
    home = np.zeros(n, np.int64)
    while True:
        # A worker's requests alone make a schedule this expensive.
        most = max(int(works[home == g].sum()) for g in range(G))
        if rule == MIGRATING or level_cost * most + least_steps < upper:
            walk = _new_walk(states, n, G)
            while not _sweep(
                sizes, lengths, shape, costs, rule, conserving, home, value, choice, walk, _PORTION
            ):
                yield None
            yield None
            if value[0] < upper:
                upper = int(value[0])
                yield upper, _places(lengths, G, choice)
        # The next way to divide: a request may open one new worker beyond those before it.
        i = n - 1
        while i > 0 and (home[i] == G - 1 or home[i] > np.max(home[:i])):
            i -= 1
        if i <= 0 or rule == MIGRATING:
            return
        home[i] += 1
        home[i + 1 :] = 0


def _places(lengths: IntArray, workers: int, choice: IntArray) -> IntArray:
    """Places of the schedule that follows the choices from the first state on, int64[K, N]."""
    rows = []
    state = 0
    while state < choice.size - 1:
        code = int(choice[state])
        row, step = [], 1
        for o in lengths.tolist():
            code, place = divmod(code, workers + 1)
            row.append(place - 1)
            state += step * (place > 0)
            step *= o + 1
        rows.append(row)
    return np.array(rows, np.int64)
