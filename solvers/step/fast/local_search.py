"""Iterated local search for a step whose pool is larger than its free slots.

At a given largest load, the level, every worker is brought as close below it as exchanges of one
and of two requests with the pool allow.  Then the plan is perturbed (a worker takes a request drawn
at random, or two workers swap), repaired by the same exchanges, and kept when it is no worse.  The
levels are tried in the order of their lower bounds (:mod:`solvers.step.bounds.few_slots`).  The
effort is a count of operations and no time, so the same step gives the same plan on any machine.

Source of the method: (Lourenço et al. 2003).
"""

import numpy as np

from solvers.arrays import copy_into, max_of, sum_of
from solvers.compiled import compiled
from solvers.step.bounds.few_slots import few_slot_bounds
from solvers.step.bounds.nested import nested_bound
from solvers.step.bounds.relaxation import deficit
from solvers.step.fast.bitset import insert, predecessor, remove, successor
from solvers.step.fast.local_moves import gather, hand_over, lower_top, take_waiting
from solvers.step.fast.partial_assignment import Plan, empty_plan, fill
from solvers.step.problem import WAITS, Assignment, StepProblem
from solvers.step.rng import State, draw
from solvers.step.sorted_sizes import Pool, indexed, last_at_most, sorted_pool
from theory.model import IntArray


@compiled
def _waiting(plan: Plan, out: IntArray) -> int:
    """Write the places of the requests that nobody has taken, ascending; their number.

    ``out`` has room for one more than the pool.
    """
    count = 0
    for w in range(plan.words.size):
        word = plan.words[w]
        if word:
            for bit in range(64):
                out[count] = (w << 6) + bit
                count += int((word >> np.uint64(bit)) & np.uint64(1))
    return count


@compiled
def _best_pair(sizes: IntArray, places: IntArray, most: int) -> tuple[int, int, int]:
    """Indices of the two places with the largest sum of sizes ``<= most``, and the sum or -1."""
    low, high = 0, places.size - 1
    best = -1
    first = second = 0
    while low < high and best < most:
        pair = sizes[places[low]] + sizes[places[high]]
        if pair > most:
            high -= 1
        else:
            if pair > best:
                best, first, second = pair, low, high
            low += 1
    return first, second, best


@compiled
def _fit(plan: Plan, pool: Pool, g: int, level: int, waiting: IntArray) -> int:
    """Bring worker ``g`` to the level, or close below, by exchanging one or two requests.

    Exchanges with the pool that leave it above the level are no use; if it is above, any that
    brings it below is.  Returns the work done, in requests looked at.
    """
    sizes = pool.sizes
    room = level - plan.after[g]
    if room == 0 or plan.taken[g] == 0:
        return 1
    own = plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]
    best = 0 if room > 0 else -(2**62)
    out, into = np.empty(2, np.int64), np.empty(2, np.int64)
    exchanged = 0
    work = 8 * own.size
    for j in own:
        i = predecessor(plan.words, plan.summary, last_at_most(pool, sizes[j] + room))
        if i >= 0 and sizes[i] - sizes[j] > best:
            best = sizes[i] - sizes[j]
            out[0], into[0] = j, i
            exchanged = 1
    if best < room and own.size > 1:
        m = _waiting(plan, waiting)
        work += m
        for a in range(1, own.size):
            for b in range(a):
                pair = sizes[own[a]] + sizes[own[b]]
                if best == room or pair + room <= 0:
                    continue
                i, j, total = _best_pair(sizes, waiting[:m], pair + room)
                work += m
                if total >= 0 and total - pair > best:
                    best = total - pair
                    out[0], out[1] = own[a], own[b]
                    into[0], into[1] = waiting[i], waiting[j]
                    exchanged = 2
    for k in range(exchanged):
        take_waiting(plan, pool, g, out[k], into[k])
    return work


@compiled
def copy_plan(source: Plan, target: Plan) -> None:
    """Copy a plan of the same shape."""
    copy_into(target.item, source.item)
    copy_into(target.taken, source.taken)
    copy_into(target.after, source.after)
    copy_into(target.words, source.words)
    copy_into(target.summary, source.summary)


@compiled
def _refill(
    plan: Plan, pool: Pool, g: int, level: int, new: int, waiting: IntArray, state: State
) -> bool:
    """Give worker ``g`` the request ``new`` and others drawn at random, the last two fitted.

    Returns whether that was possible; if not, the plan is left incomplete.
    """
    sizes = pool.sizes
    first = plan.start[g]
    end = first + plan.taken[g]
    for k in range(first, end):
        insert(plan.words, plan.summary, plan.item[k])
        plan.after[g] -= sizes[plan.item[k]]
    second = -1
    i = new
    for slot in range(first, end):
        remove(plan.words, plan.summary, i)
        plan.after[g] += sizes[i]
        k = slot
        while k > first and plan.item[k - 1] < i:
            plan.item[k] = plan.item[k - 1]
            k -= 1
        plan.item[k] = i
        left = end - slot - 1
        room = level - plan.after[g]
        if left == 1 and second >= 0:
            i = second
        elif left == 2:
            m = _waiting(plan, waiting)
            a, b, total = _best_pair(sizes, waiting[:m], room)
            if total < 0:
                return False
            i, second = waiting[a], waiting[b]
        elif left > 0:
            # Leave enough for the smallest.
            i = -1
            for _ in range(left - 1):
                i = successor(plan.words, plan.summary, i + 1)
                if i < 0:
                    return False
                room -= sizes[i]
            aim = room
            if left > 1:
                aim = min(room, int((level - plan.after[g]) / left * (draw(state, 128) / 64)))
            i = predecessor(plan.words, plan.summary, last_at_most(pool, aim))
            if i < 0:
                i = successor(plan.words, plan.summary, 0)
            if i < 0 or sizes[i] > room:
                return False
    return True


@compiled
def shake(
    plan: Plan,
    pool: Pool,
    level: int,
    goal: int,
    budget: int,
    seed: int,
    waiting: IntArray,
    best: Plan,
) -> int:
    """Fit every worker below the level; then change the plan at random, fit it again, and so on.

    Parameters
    ----------
    plan : Plan
        A complete plan; left as the best that was found.
    level : int
        The largest load that is aimed at.
    goal : int
        Distance to the level, summed over the workers, at which to stop.
    budget : int
        Work after which to stop, in requests looked at, about a nanosecond each.
    seed : int
        At least 1.
    waiting : int64[n + 1]
    best : Plan
        Working space.

    Returns
    -------
    int
        The work done.
    """
    sizes, after, item, start, taken = pool.sizes, plan.after, plan.item, plan.start, plan.taken
    G = after.size
    open_ = np.flatnonzero(taken)
    least = 2**62
    state = np.full(1, seed, np.uint64)
    work = 0
    while True:
        possible = True
        if least < 2**62:
            work += 4 * G + sizes.size
            g = open_[draw(state, open_.size)]
            if draw(state, 2) == 0:
                # Two workers swap: neither the sum nor the maximum changes, but the rooms do.
                h = open_[draw(state, open_.size)]
                i = item[start[g] + draw(state, taken[g])]
                j = item[start[h] + draw(state, taken[h])]
                d = sizes[i] - sizes[j]
                possible = g != h and d != 0 and d <= level - after[h] and -d <= level - after[g]
                if possible:
                    hand_over(plan, pool, g, i, j)
                    hand_over(plan, pool, h, j, i)
            else:
                m = _waiting(plan, waiting)
                # The largest of those that wait are the hardest to place, and the most worth it.
                last = m if draw(state, 2) == 0 else min(m, 16)
                i = waiting[m - 1 - draw(state, last)]
                held = 0
                for j in item[start[g] : start[g] + taken[g]]:
                    held += sizes[j]
                possible = sizes[i] <= level - after[g] + held and _refill(
                    plan, pool, g, level, i, waiting, state
                )
        if possible:
            for g in open_:
                before = after[g] + 1
                while after[g] != level and after[g] != before:
                    before = after[g]
                    work += _fit(plan, pool, int(g), level, waiting)
        distance = G * level - sum_of(after)
        if least == 2**62 or (possible and distance <= least and max_of(after) <= level):
            least = distance
            copy_plan(plan, best)
        else:
            copy_plan(best, plan)
        if work >= budget or least <= goal or open_.size == 0:
            return work


def search_exchanges(
    loads: IntArray,
    free: IntArray,
    pool: Pool,
    plan: Plan,
    level: int,
    lower: int,
    effort: int,
) -> int:
    """Improve a plan and raise the lower bound of the imbalance until they meet.

    Parameters
    ----------
    loads, free, pool
        As in :func:`solvers.step.bounds.relaxation.largest_load`, with ``n > sum(free) > 0``.
    plan : Plan
        A complete plan; it is replaced by better ones.
    level, lower : int
        Bounds of the largest load and of the imbalance.
    effort : int
        At least 2; each level has 16 times the budget of work of the one before.

    Returns
    -------
    int
        The lower bound.
    """
    G, n = loads.size, pool.sizes.size
    budget = 2 ** (12 + 4 * effort)

    def imbalance_of(plan: Plan) -> int:
        return G * int(plan.after.max()) - int(plan.after.sum())

    value = imbalance_of(plan)
    # An improvement lies below the first level whose deficit is no less than what was reached.
    count = max(1, budget // (4 * G))
    if deficit(loads, free, pool, level + count)[0] >= value:
        low = 0
        while count - low > 1:
            middle = (low + count) >> 1
            if deficit(loads, free, pool, level + middle)[0] >= value:
                count = middle
            else:
                low = middle
    each = np.empty(count, np.int64)
    pairs = n * n // 2 * int((free == 2).sum()) <= budget
    few_slot_bounds(loads, free, pool, np.argsort(loads), level, pairs, each)
    evaluations = 2 ** (3 * effort - 1)
    lower = nested_bound(loads, free, pool, level, lower, value, evaluations, each)
    waiting, spare = np.empty(n + 1, np.int64), empty_plan(loads, free, n)
    work = 0
    for k, i in enumerate(np.argsort(each, kind="stable").tolist()):
        if value <= lower or each[i] >= value or 2 * work > budget:
            break
        aim = level + i
        floor, threshold = deficit(loads, free, pool, aim)
        work += 16 * G
        if floor >= value:
            continue
        trial = empty_plan(loads, free, n)
        fill(trial, pool, aim, threshold)
        work += n + shake(trial, pool, aim, 0, 0, 1, waiting, spare)
        lower_top(trial, pool, aim, 16)
        gather(trial, pool, 8)
        top = max(aim, int(trial.after.max()))
        goal = max(floor, int(each[i]))
        work += shake(trial, pool, top, goal, budget // 64, k + 1, waiting, spare)
        reached = imbalance_of(trial)
        if reached < value:
            value = reached
            copy_plan(trial, plan)
    if value > lower:
        top = int(plan.after.max())
        shake(plan, pool, top, lower, budget - work, 1, waiting, spare)
    return lower


def aimed(problem: StepProblem, level: int, budget: int) -> Assignment:
    """An assignment in which as many workers as possible end close below ``level``.

    Parameters
    ----------
    problem : StepProblem
        A step with more requests than free slots.
    budget : int
        Work, as in :func:`shake`.
    """
    order = np.argsort(problem.pool, kind="stable")
    pool = indexed(sorted_pool(problem.pool[order]))
    loads, n = problem.loads.copy(), problem.pool.size
    room = np.minimum(problem.free, n)
    plan, spare = empty_plan(loads, room, n), empty_plan(loads, room, n)
    floor, threshold = deficit(loads, room, pool, level)
    fill(plan, pool, level, threshold)
    lower_top(plan, pool, level, 16)
    shake(plan, pool, level, floor, budget, 1, np.empty(n + 1, np.int64), spare)
    worker = np.full(n, WAITS, np.int64)
    for g in range(problem.workers):
        worker[order[plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]]] = g
    return worker


def polish(
    problem: StepProblem, start: Assignment, level: int, budget: int, seed: int = 1
) -> Assignment:
    """Improve an assignment whose largest load is near ``level`` by exchanges, if that works.

    Parameters
    ----------
    problem : StepProblem
        A step with more requests than free slots.
    start : int64[n]
        A valid assignment.
    budget : int
        Work, as in :func:`shake`.
    seed : int
        At least 1.
    """
    order = np.argsort(problem.pool, kind="stable")
    pool = indexed(sorted_pool(problem.pool[order]))
    G, n = problem.workers, problem.pool.size
    plan = empty_plan(problem.loads.copy(), np.minimum(problem.free, n), n)
    for place in range(n - 1, -1, -1):
        g = start[order[place]]
        if g != WAITS:
            plan.item[plan.start[g] + plan.taken[g]] = place
            plan.taken[g] += 1
            plan.after[g] += pool.sizes[place]
            remove(plan.words, plan.summary, place)
    best, worker, waiting = start, np.empty(n, np.int64), np.empty(n + 1, np.int64)
    spare = empty_plan(problem.loads.copy(), np.minimum(problem.free, n), n)
    for aim in (level, None):
        top = int(plan.after.max()) if aim is None else aim
        shake(plan, pool, top, 0, budget, seed, waiting, spare)
        worker[:] = WAITS
        for g in range(G):
            worker[order[plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]]] = g
        if problem.objective(worker) < problem.objective(best):
            best = worker.copy()
    return best
