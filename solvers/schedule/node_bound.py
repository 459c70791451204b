"""A lower bound of the cost of every sticky schedule that goes on from a state, compiled.

The bound follows what will run, from now on, if nothing else is admitted: the levels that this
makes, and the work of what waits where it does not fit beside (:func:`_levels_to_come`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from solvers.schedule.levels import sum_of_largest
from theory.model import INT_LIMIT, IntArray

# Levels are bounded in units of at least 1 / FINEST.
FINEST = 2**10


class Case(NamedTuple):
    """What is searched; requests of one kind stand together.

    Parameters
    ----------
    sizes, lengths : int64[N]
        The requests.
    again : bool[N]
        Whether a request is of the kind of the one before.
    rules : (G, B, drift, level_cost, step_cost, scale)
        ``B`` at most ``N``; ``scale`` is the unit of bounds of levels.
    capacity : int
        Number of slots in the whole system.
    conserving : bool
        Whether no slot may stay free while a request waits.
    """

    sizes: IntArray
    lengths: IntArray
    again: NDArray[np.bool_]
    rules: tuple[int, int, int, int, int, int]
    capacity: int
    conserving: bool


# Profile.worker of a request that waits: it may still be admitted in this step, or was passed over.
UNDECIDED, PASSED = -1, -2


class Profile(NamedTuple):
    """Scratch for one node.

    Parameters
    ----------
    load, left, worker : int64[N]
        What runs now or waits, largest load first.
    end : int64[N + 2]
        The steps at which what must run changes.
    alive, late : int64[N]
        Loads that must run at a step, largest first.
    held : int64[G]
        Active requests of each worker.
    base, growth : int64[L]
        Lines of loads.
    """

    load: IntArray
    left: IntArray
    worker: IntArray
    end: IntArray
    alive: IntArray
    late: IntArray
    held: IntArray
    base: IntArray
    growth: IntArray


def new_profile(requests: int, workers: int) -> Profile:
    """Room for one node at a time."""
    lines = workers + requests + 5
    a, b, c, d, e, f = (np.zeros(requests + 2, np.int64) for _ in range(6))
    g, h, i = (np.zeros(size, np.int64) for size in (workers, lines, lines))
    return Profile(a, b, c, d, e, f, g, h, i)


@compiled
def _work(size: int, length: int, drift: int) -> int:
    """Load of a request summed over its steps."""
    return length * size + drift * (length * (length - 1) // 2)


@compiled
def _list(
    case: Case, start: IntArray, worker: IntArray, now: int, cursor: int, profile: Profile
) -> int:
    """List what is active and what waits, largest load first; how many there are."""
    drift = case.rules[2]
    listed = 0
    for i in range(case.sizes.size):
        left = case.lengths[i]
        load = case.sizes[i]
        if start[i] >= 0:
            left += start[i] - now
            load += drift * (now - start[i])
            at = worker[i]
            if left <= 0:
                continue
        else:
            at = UNDECIDED if i >= cursor else PASSED
        k = listed
        while k > 0 and profile.load[k - 1] < load:
            profile.load[k] = profile.load[k - 1]
            profile.left[k] = profile.left[k - 1]
            profile.worker[k] = profile.worker[k - 1]
            k -= 1
        profile.load[k] = load
        profile.left[k] = left
        profile.worker[k] = at
        listed += 1
    return listed


@compiled
def _mark(end: IntArray, ends: int, step: int) -> int:
    """Put a step into a list in ascending order, if it is not there; the length of the list."""
    k = ends
    while k > 0 and end[k - 1] > step:
        k -= 1
    if k > 0 and end[k - 1] == step:
        return ends
    for j in range(ends, k, -1):
        end[j] = end[j - 1]
    end[k] = step
    return ends + 1


@compiled
def _last_start(case: Case, profile: Profile, listed: int) -> int:
    """No request that waits starts later, in steps from now, if no slot is free while one does.

    Until the last one starts, at ``T``, the others fill all slots: ``sum min(left, T) >= G B T``.
    The difference of the two sides is concave and 0 at 0: it is followed from end to end.
    """
    shortest = INT_LIMIT
    for k in range(listed):
        if profile.worker[k] < 0:
            shortest = min(shortest, profile.left[k])
    t = spare = 0
    while True:
        gain = -case.capacity - int(shortest > t)
        end = INT_LIMIT
        for k in range(listed):
            if profile.left[k] > t:
                gain += 1
                end = min(end, profile.left[k])
        if gain < 0 and (end == INT_LIMIT or spare + gain * (end - t) < 0):
            return t + spare // -gain
        spare += gain * (end - t)
        t = end


@compiled
def _lines(
    case: Case, profile: Profile, listed: int, t: int, may_wait: int, last_start: int
) -> tuple[int, int, int]:
    """Lines whose maximum the level does not fall below, from ``t`` to the next end.

    Each is a load that some worker must hold, in units of ``1 / scale``, rounded down: of each
    worker what it holds, and of all that must run,

    * the average over all workers;
    * the ``j + 1`` least of the ``j G + 1`` largest, which share ``G`` workers;
    * the largest beside the least that must share its worker, if the others were full.

    What must run is active, or must be admitted now: all undecided but the ``may_wait`` largest.
    From ``last_start`` on all that wait have started, by then at the latest.

    Returns
    -------
    lines, held, load : int
        Number of lines; how many active requests there are, and their load.
    """
    G, B, drift, _, _, scale = case.rules
    base, growth, alive, late = profile.base, profile.growth, profile.alive, profile.late
    base[:G] = 0
    growth[:G] = 0
    count = active = active_load = 0
    for k in range(listed):
        if profile.left[k] <= t:
            continue
        load = profile.load[k] + drift * t
        g = profile.worker[k]
        if g == PASSED:
            continue
        if g >= 0:
            base[g] += load
            growth[g] += drift
            active += 1
            active_load += load
        elif may_wait > 0:
            may_wait -= 1
            continue
        alive[count] = load
        count += 1
    lines = G
    for g in range(G):
        base[g] *= scale
        growth[g] *= scale
    if t >= last_start:
        # The same with all that wait, as if each had started last: the two lists merged.
        merged = a = b = 0
        while True:
            while a < listed and (profile.left[a] <= t or profile.worker[a] < 0):
                a += 1
            while b < listed and (profile.left[b] <= t or profile.worker[b] >= 0):
                b += 1
            if a == listed and b == listed:
                break
            mine = profile.load[a] + drift * t if a < listed else -1
            other = profile.load[b] + drift * (t - last_start) if b < listed else -1
            late[merged] = max(mine, other)
            if mine >= other:
                a += 1
            else:
                b += 1
            merged += 1
        for k in range(merged):
            alive[k] = late[k] if k >= count else max(alive[k], late[k])
        count = merged
    total = 0
    for k in range(count):
        total += alive[k]
    base[lines] = scale * total // G
    growth[lines] = scale * drift * count // G
    lines += 1
    j = 0
    while j * G < count:
        total = 0
        for k in range(j * G - j, j * G + 1):
            total += alive[k]
        base[lines] = scale * total
        growth[lines] = scale * drift * (j + 1)
        lines += 1
        j += 1
    beside = count - (G - 1) * B
    if beside > 1:
        total = alive[0]
        for k in range(count - beside + 1, count):
            total += alive[k]
        base[lines] = scale * total
        growth[lines] = scale * drift * beside
        lines += 1
    return lines, active, active_load


@compiled
def _load_beside(
    case: Case,
    profile: Profile,
    listed: int,
    t: int,
    steps: int,
    running: int,
    late: int,
    most: int,
) -> int:
    """Load at most, up to ``most``, of what waits now, in some steps beside what is active.

    A request that waits ends at most ``late`` steps later than if it started now.  In no step does
    it weigh more than if it had started now, or than in its last step.
    """
    drift = case.rules[2]
    slots = case.capacity - running
    # The largest loads over these steps, as many as there are slots.
    largest = profile.late
    total = count = 0
    for k in range(listed):
        if slots == 0:
            break
        if profile.worker[k] >= 0 or profile.left[k] + late <= t:
            continue
        size = profile.load[k]
        last = size + drift * min(t + steps, profile.left[k]) - drift
        if last > most // steps:
            return most
        grown = drift * (steps * (steps - 1) // 2)
        load = min(steps * last, steps * (size + drift * t) + grown)
        j = count
        if count == slots:
            j -= 1
            if largest[j] >= load:
                continue
            total -= largest[j]
        else:
            count += 1
        while j > 0 and largest[j - 1] < load:
            largest[j] = largest[j - 1]
            j -= 1
        largest[j] = load
        total += load
        if total >= most:
            return most
    return int(total)


@compiled
def _levels_to_come(
    case: Case, start: IntArray, worker: IntArray, now: int, cursor: int, profile: Profile
) -> tuple[int, int, int]:
    """Lower bound of the sum of the levels from a node on, and the range of its steps.

    What must run gives a level for each step (:func:`_lines`).  The work of what waits fits beside
    it only where slots are free, and what does not fit raises the levels by a ``G``-th.

    Parameters
    ----------
    now, cursor : int
        The step, and the first request that may still be admitted in it.

    Returns
    -------
    levels, fewest, most : int
        Sum of the levels at least; number of steps at least and at most.
    """
    G, _, drift, _, _, scale = case.rules
    sizes, lengths = case.sizes, case.lengths
    n = sizes.size
    active = passed = undecided = queued = work = running = slot_steps = 0
    longest_passed = longest = work_passed = work_undecided = ends = 0
    for i in range(n):
        if start[i] >= 0:
            left = start[i] + lengths[i] - now
            if left > 0:
                active += 1
                running = max(running, left)
                slot_steps += left
                ends = _mark(profile.end, ends, left)
            continue
        here = _work(sizes[i], lengths[i], drift)
        work += here
        queued += lengths[i]
        longest = max(longest, lengths[i])
        if case.conserving:
            ends = _mark(profile.end, ends, lengths[i])
        if i < cursor:
            passed += 1
            longest_passed = max(longest_passed, lengths[i])
            work_passed = max(work_passed, here)
        else:
            undecided += 1
            work_undecided = max(work_undecided, here)
    waiting = passed + undecided
    must = min(case.capacity - active, waiting) if case.conserving else 0
    listed = _list(case, start, worker, now, cursor, profile)
    # What waits has started by then; by how much it may end later.
    last_start = INT_LIMIT
    late = 0 if case.conserving else INT_LIMIT
    delay = 0
    if case.conserving and must < waiting:
        last_start = late = _last_start(case, profile, listed)
        # The first slot that is free again.
        delay = profile.end[0]
        ends = _mark(profile.end, ends, last_start) if last_start > 0 else ends
    sum_levels = slack = first = t = 0
    for e in range(ends):
        end = profile.end[e]
        steps = end - t
        lines, running_now, load = _lines(case, profile, listed, t, undecided - must, last_start)
        here = sum_of_largest(profile.base, profile.growth, lines, steps)
        sum_levels += here
        if end <= delay:
            first += here
        if waiting > 0:
            busy = load * steps + drift * running_now * (steps * (steps - 1) // 2)
            room = G * here - scale * busy
            beside = _load_beside(
                case, profile, listed, t, steps, running_now, late, max(0, room) // scale + 1
            )
            slack += min(room, scale * beside)
        t = end
    total = G * sum_levels + max(0, scale * work - slack)
    total = max(total, G * max(scale * work_undecided, first + scale * work_passed))
    fewest = max(running, longest, longest_passed + delay)
    slot_steps += queued
    fewest = max(fewest, -(-slot_steps // case.capacity))
    most = running + queued
    if case.conserving:
        # While one waits all slots are busy.
        most = min(most, slot_steps // case.capacity + max(running, longest))
    return -(-total // (G * scale)), fewest, most


@compiled
def bound(
    case: Case,
    start: IntArray,
    worker: IntArray,
    now: int,
    cursor: int,
    cost: int,
    profile: Profile,
) -> int:
    """Lower bound of the cost of every schedule below a node."""
    levels, fewest, most = _levels_to_come(case, start, worker, now, cursor, profile)
    level_cost, step_cost = case.rules[3], case.rules[4]
    return cost + level_cost * levels + step_cost * (fewest if step_cost >= 0 else most)


def scale_of(work: int, requests: int, workers: int) -> int:
    """The unit of bounds of levels, so that the sums of a node fit an int64; 0 if none does."""
    return min(FINEST, INT_LIMIT // (4 * requests * workers * work))
