"""The compiled step of a system that may depart from the model: what differs stands here once.

The step is that of :mod:`solvers.simulation.reference`, number for number.  It costs
O(G + admissions + departures + preemptions); one that looks for room in budgets reads the whole
pool beside.

Loops over this step are in :mod:`solvers.simulation.loop_serving`: :func:`to_decision`, then
whatever decides, then :func:`carry_out`.
"""

import numpy as np

from solvers.arrays import copy_into
from solvers.compiled import compiled
from solvers.simulation.serving_state import DONE, QUEUED, RUNNING, WAITING, ServingState
from solvers.simulation.state import NOBODY, add_loads, add_powers
from theory.model import IntArray


@compiled
def to_decision(s: ServingState, end: int) -> bool:
    """Run until a decision is due, and show it, or until step ``end``; whether one is due."""
    state = s.state[0]
    while state.step < end and state.waiting + state.active + state.requests - state.revealed:
        _reveal(s)
        if _asks(s):
            state.due = 1
            return True
        _end_step(s)
    return False


@compiled
def carry_out(s: ServingState) -> None:
    """Carry out the decision in ``answer``, and end the step."""
    state, kept = s.state[0], 0
    for g in range(s.worker.size):
        s.worker[g].blocked = 0
    for at in range(state.waiting):
        i, g = s.pool[at], s.answer[at]
        if g >= 0 and state.queues:
            _send(s, i, g)
            _queue_up(s, i, g)
        elif g >= 0 and not s.worker[g].blocked and _fits(s, i, g):
            _send(s, i, g)
            _start(s, i, g)
        else:
            if g >= 0:
                s.worker[g].blocked = 1
            s.pool[kept] = i
            kept += 1
    state.waiting = kept
    state.due = 0
    _end_step(s)


@compiled
def _reveal(s: ServingState) -> None:
    state = s.state[0]
    first = last = state.revealed
    if state.timed:
        if state.waiting + state.active == 0 and last < s.arrival.size:
            state.now_s = max(state.now_s, s.arrival[last])
        while last < s.arrival.size and s.arrival[last] <= state.now_s:
            last += 1
    else:
        waiting = state.waiting + state.active - state.running
        last = max(first, min(state.requests, first + state.limit - waiting))
    for i in range(first, last):
        s.pool[state.waiting + i - first] = i
        s.request[i].where = WAITING
        s.request[i].reveal_step = state.step
    state.waiting += last - first
    state.revealed = last


@compiled
def _asks(s: ServingState) -> bool:
    """Whether a decision is due at this step; then what it is shown is filled in."""
    state, G = s.state[0], s.worker.size
    if state.waiting == 0:
        return False
    if state.queues:
        most = 0
        for g in range(G):
            s.held[g] = s.worker[g].running + s.queued[g]
            most = max(most, s.held[g])
        for g in range(G):
            s.free[g] = most + state.waiting - s.held[g]
            s.loads[g] = s.worker[g].load + s.queued_tokens[g]
    else:
        if not _admits(s, _rooms(s), 0):
            return False
        for g in range(G):
            s.held[g], s.loads[g] = s.worker[g].running, s.worker[g].load
    for at in range(state.waiting):
        s.pool_size[at] = s.request[s.pool[at]].size_now
    return True


@compiled
def _admits(s: ServingState, takers: int, lacking: int) -> bool:
    """Whether admissions are let through, with so many workers that could have one.

    Without queues some worker is ``lacking`` if fewer requests wait than these.
    """
    state = s.state[0]
    if takers == 0 or state.step % state.admit_every:
        return False
    if not state.queues:
        lacking = state.waiting < takers
    if lacking and state.held < state.hold:
        state.held += 1
        return False
    state.held = 0
    return True


@compiled
def _rooms(s: ServingState) -> int:
    """Fill in the free slots that waiting requests could fill; how many workers have any."""
    state, G, takers, most = s.state[0], s.worker.size, 0, 0
    for g in range(G):
        s.free[g] = s.worker[g].slots - s.worker[g].running
        most = max(most, s.free[g])
    if s.budget.size and most:
        many = _smallest_sums(s, min(most, state.waiting))
        for g in range(G):
            left = s.budget[g] - s.worker[g].claimed
            # How many of the smallest fit together: their sums rise.
            low, high = 0, min(s.free[g], many)
            while low < high:
                middle = (low + high + 1) // 2
                if s.smallest[middle - 1] <= left:
                    low = middle
                else:
                    high = middle - 1
            s.free[g] = low
    for g in range(G):
        takers += s.free[g] > 0
    return takers


@compiled
def _smallest_sums(s: ServingState, many: int) -> int:
    """Sums of what the smallest waiting requests need of a budget, the first ``many`` of them."""
    state, smallest, kept = s.state[0], s.smallest, 0
    for j in range(state.waiting):
        size = s.request[s.pool[j]].size_now
        if kept == many:
            if size >= smallest[kept - 1]:
                continue
            kept -= 1
        at = kept
        while at and smallest[at - 1] > size:
            smallest[at] = smallest[at - 1]
            at -= 1
        smallest[at] = size
        kept += 1
    extra, total = max(state.reserve, 0), np.int64(0)
    for at in range(kept):
        total += smallest[at] + extra
        smallest[at] = total
    return kept


@compiled
def _fits(s: ServingState, i: int, g: int) -> bool:
    row = s.worker[g]
    if row.running == row.slots:
        return False
    if not s.budget.size:
        return True
    return bool(row.claimed + s.request[i].size_now + max(s.state[0].reserve, 0) <= s.budget[g])


@compiled
def _send(s: ServingState, i: int, g: int) -> None:
    """Bind a request to a worker, as far as anyone counts it."""
    s.request[i].worker = g
    s.own[i % s.own.shape[0], g] += 1
    s.tokens[g] += s.request[i].weight
    s.state[0].active += 1


@compiled
def _unsend(s: ServingState, i: int) -> None:
    """Count it no more."""
    g = s.request[i].worker
    s.own[i % s.own.shape[0], g] -= 1
    s.tokens[g] -= s.request[i].weight
    s.state[0].active -= 1


@compiled
def _queue_up(s: ServingState, i: int, g: int) -> None:
    """Put a request at the end of its worker's queue."""
    row, at = s.request[i], s.worker[g]
    row.where = QUEUED
    row.after = NOBODY
    if at.last_queued == NOBODY:
        at.first_queued = i
    else:
        s.request[at.last_queued].after = i
    at.last_queued = i
    _count_queued(s, i, g, 1)


@compiled
def _count_queued(s: ServingState, i: int, g: int, more: int) -> None:
    s.queued[g] += more
    s.queued_tokens[g] += more * s.request[i].size_now
    s.queued_weight[g] += more * s.request[i].weight


@compiled
def _start(s: ServingState, i: int, g: int) -> None:
    """Serve a request from this step on."""
    state, row, at = s.state[0], s.request[i], s.worker[g]
    row.where = RUNNING
    if row.start_step == NOBODY:
        row.start_step = state.step
        row.start_s = state.now_s
    row.entered = state.step - row.age
    row.base = row.size_now - state.grown
    row.last_step = row.entered + row.steps - 1
    slot = row.last_step & (s.bucket.size - 1)
    row.later, row.earlier = s.bucket[slot], NOBODY
    if row.later != NOBODY:
        s.request[row.later].earlier = i
    s.bucket[slot] = i
    row.before, row.after = at.last_running, NOBODY
    if row.before != NOBODY:
        s.request[row.before].after = i
    at.last_running = i
    at.load += row.size_now
    at.claimed += row.size_now + max(state.reserve, 0)
    at.running += 1
    state.running += 1


@compiled
def _stop(s: ServingState, i: int) -> None:
    """Take a request from its worker, at the end of a step that has been measured."""
    state, row = s.state[0], s.request[i]
    at = s.worker[row.worker]
    if row.earlier == NOBODY:
        s.bucket[row.last_step & (s.bucket.size - 1)] = row.later
    else:
        s.request[row.earlier].later = row.later
    if row.later != NOBODY:
        s.request[row.later].earlier = row.earlier
    if row.after == NOBODY:
        at.last_running = row.before
    else:
        s.request[row.after].before = row.before
    if row.before != NOBODY:
        s.request[row.before].after = row.after
    load = row.base + state.grown
    at.load -= load
    at.claimed -= load if state.reserve < 0 else row.size_now + state.reserve
    at.running -= 1
    state.running -= 1


@compiled
def _admit_from_queues(s: ServingState) -> None:
    takers, lacking = 0, 0
    for g in range(s.worker.size):
        i = s.worker[g].first_queued
        if i != NOBODY:
            takers += _fits(s, i, g)
        elif s.worker[g].running < s.worker[g].slots:
            lacking = 1
    if not _admits(s, takers, lacking):
        return
    for g in range(s.worker.size):
        i = s.worker[g].first_queued
        while i != NOBODY and _fits(s, i, g):
            s.worker[g].first_queued = s.request[i].after
            if s.request[i].after == NOBODY:
                s.worker[g].last_queued = NOBODY
            _count_queued(s, i, g, -1)
            _start(s, i, g)
            i = s.worker[g].first_queued


@compiled
def _end_step(s: ServingState) -> None:
    """Admit from the queues, measure, let requests depart and grow, preempt."""
    if s.state[0].queues:
        _admit_from_queues(s)
    _measure(s)
    if s.state[0].observed:
        _observe(s)
    _depart(s)
    _grow(s)
    if s.budget.size:
        _preempt(s)
    s.state[0].step += 1


@compiled
def _measure(s: ServingState) -> None:
    state = s.state[0]
    for g in range(s.worker.size):
        row = s.worker[g]
        cost = row.slowness * (row.load + state.request_cost * row.running)
        s.cost[g] = cost
        row.cost += cost
    add_loads(state, s.cost, state.running >= state.capacity)


@compiled
def _observe(s: ServingState) -> None:
    state = s.state[0]
    if s.history.shape[0]:
        copy_into(s.history[state.rows], s.cost)
        state.rows += 1
    add_powers(s.cost, s.gammas, s.powers)


@compiled
def _depart(s: ServingState) -> None:
    state = s.state[0]
    i = s.bucket[state.step & (s.bucket.size - 1)]
    while i != NOBODY:
        row = s.request[i]
        following = row.later
        if row.last_step == state.step:  # else its turn comes when the wheel has gone round
            _stop(s, i)
            _unsend(s, i)
            row.where = DONE
            row.age = row.steps
            row.finish_s = state.now_s
        i = following
    while state.first < state.revealed and s.request[state.first].where == DONE:
        state.first += 1


@compiled
def _grow(s: ServingState) -> None:
    state = s.state[0]
    growth = state.growth * s.drift[state.phase]
    for g in range(s.worker.size):
        s.worker[g].load += growth * s.worker[g].running
        if state.reserve < 0:
            s.worker[g].claimed = s.worker[g].load
    state.grown += growth
    state.phase = state.phase + 1 if state.phase + 1 < s.drift.size else 0


@compiled
def _preempt(s: ServingState) -> None:
    """Send back what was admitted last, with its tokens, until the rest fits."""
    state = s.state[0]
    for g in range(s.worker.size):
        at = s.worker[g]
        while at.load > s.budget[g]:
            i = at.last_running
            row = s.request[i]
            _stop(s, i)
            row.size_now = row.base + state.grown
            row.age = state.step + 1 - row.entered
            row.preempted += 1
            if state.queues:
                row.where = QUEUED
                row.after = at.first_queued
                if at.first_queued == NOBODY:
                    at.last_queued = i
                at.first_queued = i
                _count_queued(s, i, g, 1)
            else:
                _unsend(s, i)
                _back_to_pool(s, i)


@compiled
def _back_to_pool(s: ServingState, i: int) -> None:
    """Let a request wait again, in its place by arrival."""
    state = s.state[0]
    s.request[i].where = WAITING
    at = state.waiting
    while at and s.pool[at - 1] > i:
        s.pool[at] = s.pool[at - 1]
        at -= 1
    s.pool[at] = i
    state.waiting += 1


@compiled
def oldest_running(s: ServingState, oldest: IntArray) -> None:
    """The largest age of the requests that each worker serves, or -1 for none."""
    for g in range(oldest.size):
        oldest[g] = -1
        i = s.worker[g].last_running
        while i != NOBODY:
            oldest[g] = max(oldest[g], s.state[0].step - s.request[i].entered)
            i = s.request[i].before
