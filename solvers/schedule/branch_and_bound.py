"""Branch and bound over sticky schedules, compiled, in portions, without recursion.

A node is the state of the system within a step.  Its children admit one more request to some
worker, or close the step.  Admissions of a step are made in one order only (requests, then
workers), and of workers in equal states only the first takes a request.  Where no slot may stay
free while a request waits, nothing is decided until the next request departs, so that closing leads
there at once; otherwise it leads to the next step.

The search is depth first, below a threshold that is raised from pass to pass: iterative deepening
(Korf 1985).  When a pass ends, the least bound of what it cut off holds for all schedules; where it
cut off nothing cheaper than the best schedule, that one is optimal.  So the lower side rises with
time and the memory does not.

The bound of a node follows what will run, from now on, if nothing else is admitted
(:func:`_levels_to_come`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from solvers.schedule.levels import sum_of_largest
from theory.model import INT_LIMIT, IntArray

# Bounds that were cut off are counted in this many classes between the threshold and the best cost.
CLASSES = 64

# Levels are bounded in units of at least 1 / FINEST.
FINEST = 2**10

# Indices of Path.number: depth of the path; cost from which a node is cut off; cost of the best
# schedule; least cost that was cut off; the range of the classes.
DEPTH, THRESHOLD, UPPER, CUT, LOW, WIDTH = range(6)


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


class Path(NamedTuple):
    """Where the search stands.

    Parameters
    ----------
    start, worker : int64[N]
        First step of each request, -1 before it is admitted, and its worker.
    child, now, cost : int64[D]
        At each depth: the next child, the step, the cost of all steps before it.
    number : int64[6]
        See :data:`DEPTH` and the others.
    classes : int64[CLASSES]
        How many nodes were cut off, by their bounds.
    best_start, best_worker : int64[N]
        The best schedule.
    """

    start: IntArray
    worker: IntArray
    child: IntArray
    now: IntArray
    cost: IntArray
    number: IntArray
    classes: IntArray
    best_start: IntArray
    best_worker: IntArray


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
def _list(case: Case, path: Path, now: int, cursor: int, profile: Profile) -> int:
    """List what is active and what waits, largest load first; how many there are."""
    drift = case.rules[2]
    listed = 0
    for i in range(case.sizes.size):
        start = path.start[i]
        left = case.lengths[i]
        load = case.sizes[i]
        if start >= 0:
            left += start - now
            load += drift * (now - start)
            worker = path.worker[i]
            if left <= 0:
                continue
        else:
            worker = UNDECIDED if i >= cursor else PASSED
        k = listed
        while k > 0 and profile.load[k - 1] < load:
            profile.load[k] = profile.load[k - 1]
            profile.left[k] = profile.left[k - 1]
            profile.worker[k] = profile.worker[k - 1]
            k -= 1
        profile.load[k] = load
        profile.left[k] = left
        profile.worker[k] = worker
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

    * the average, over all workers and, on top of what these hold, over those with free slots;
    * the ``j + 1`` least of the ``j G + 1`` largest, which share ``G`` workers;
    * the largest beside the least that must share its worker, if the others were full;
    * the largest that must be admitted now, on the worker that holds the least.

    What must run is active, or must be admitted now: all undecided but the ``may_wait`` largest.
    From ``last_start`` on all that wait have started, by then at the latest.

    Returns
    -------
    lines, held, load : int
        Number of lines; how many active requests there are, and their load.
    """
    G, B, drift, _, _, scale = case.rules
    base, growth, alive, late, held = (
        profile.base, profile.growth, profile.alive, profile.late, profile.held
    )  # fmt: skip
    base[:G] = 0
    growth[:G] = 0
    count = active = active_load = admitted = admitted_load = largest = 0
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
        else:
            largest = max(largest, load)
            admitted += 1
            admitted_load += load
        alive[count] = load
        count += 1
    lines = G
    if admitted > 0:
        open_load = open_growth = workers = 0
        least = least_growth = -1
        for g in range(G):
            if held[g] < B:
                open_load += base[g]
                open_growth += growth[g]
                workers += 1
                least = base[g] if least < 0 else min(least, base[g])
                least_growth = growth[g] if least_growth < 0 else min(least_growth, growth[g])
        base[lines] = scale * (open_load + admitted_load) // workers
        growth[lines] = scale * (open_growth + drift * admitted) // workers
        base[lines + 1] = scale * (least + largest)
        growth[lines + 1] = scale * (least_growth + drift)
        lines += 2
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
    case: Case, path: Path, now: int, cursor: int, profile: Profile
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
    profile.held[:] = 0
    active = passed = undecided = queued = work = running = slot_steps = 0
    longest_passed = longest = work_passed = work_undecided = ends = 0
    for i in range(n):
        start = path.start[i]
        if start >= 0:
            left = start + lengths[i] - now
            if left > 0:
                active += 1
                profile.held[path.worker[i]] += 1
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
    listed = _list(case, path, now, cursor, profile)
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
def bound(case: Case, path: Path, now: int, cursor: int, cost: int, profile: Profile) -> int:
    """Lower bound of the cost of every schedule below a node."""
    levels, fewest, most = _levels_to_come(case, path, now, cursor, profile)
    level_cost, step_cost = case.rules[3], case.rules[4]
    return cost + level_cost * levels + step_cost * (fewest if step_cost >= 0 else most)


@compiled
def _run(case: Case, path: Path, now: int, steps: int, profile: Profile) -> tuple[int, int]:
    """Levels that the active requests make in the next steps, or to their end; how many steps."""
    G, _, drift, _, _, _ = case.rules
    total = t = 0
    while t < steps:
        end = steps
        profile.base[:G] = 0
        profile.growth[:G] = 0
        alive = False
        for i in range(case.sizes.size):
            left = path.start[i] + case.lengths[i] - now
            if path.start[i] >= 0 and left > t:
                alive = True
                end = min(end, left)
                g = path.worker[i]
                profile.base[g] += case.sizes[i] + drift * (now - path.start[i] + t)
                profile.growth[g] += drift
        if not alive:
            break
        total += sum_of_largest(profile.base, profile.growth, G, end - t)
        t = end
    return total, t


@compiled
def _alike(case: Case, path: Path, now: int, g: int, h: int) -> bool:
    """Whether two workers hold requests with the same loads and steps left."""
    drift = case.rules[2]
    for i in range(case.sizes.size):
        if path.start[i] < 0 or path.start[i] + case.lengths[i] <= now:
            continue
        if path.worker[i] not in (g, h):
            continue
        more = 0
        for j in range(case.sizes.size):
            if (
                path.start[j] >= 0
                and path.start[j] + case.lengths[j] == path.start[i] + case.lengths[i]
                and case.sizes[j] - drift * path.start[j] == case.sizes[i] - drift * path.start[i]
            ):
                more += int(path.worker[j] == g) - int(path.worker[j] == h)
        if more != 0:
            return False
    return True


@compiled
def _next_child(case: Case, path: Path, depth: int, profile: Profile) -> int:
    """The next child of a node that is allowed, ``N G`` for closing, more if there is none."""
    G, B = case.rules[0], case.rules[1]
    n = case.sizes.size
    now = path.now[depth]
    held = profile.held
    held[:] = 0
    active = waiting = 0
    for i in range(n):
        if path.start[i] < 0:
            waiting += 1
        elif path.start[i] + case.lengths[i] > now:
            held[path.worker[i]] += 1
            active += 1
    free = case.capacity - active
    at = path.child[depth]
    i = at // G
    behind = 0
    for j in range(i, n):
        behind += int(path.start[j] < 0)
    while i < n:
        if path.start[i] >= 0 or (case.again[i] and path.start[i - 1] < 0):
            behind -= int(path.start[i] < 0)
            i += 1
            continue
        if case.conserving and behind < min(free, waiting):
            # Too few are left for the slots: an earlier one should not have been passed over.
            return n * G + 1
        first = at - i * G if at > i * G else 0
        if case.again[i] and path.start[i - 1] == now:
            first = max(first, int(path.worker[i - 1]))
        for g in range(first, G):
            if held[g] == B:
                continue
            twin = False
            for h in range(g):
                twin = twin or (held[h] == held[g] and _alike(case, path, now, g, h))
            if not twin:
                return int(i * G + g)
        behind -= 1
        i += 1
    if at > n * G or active == 0 or (case.conserving and waiting > 0 and free > 0):
        return n * G + 1
    return n * G


@compiled
def search(case: Case, path: Path, nodes: int, profile: Profile) -> bool:
    """Look at so many nodes; whether the pass is over."""
    G, _, _, level_cost, step_cost, _ = case.rules
    n = case.sizes.size
    number = path.number
    for _ in range(nodes):
        depth = number[DEPTH]
        if depth < 0:
            return True
        at = _next_child(case, path, depth, profile)
        path.child[depth] = at + 1
        if at > n * G:
            number[DEPTH] = depth - 1
            if depth > 0 and path.child[depth - 1] <= n * G:
                path.start[(path.child[depth - 1] - 1) // G] = -1
            continue
        now = path.now[depth]
        cost = path.cost[depth]
        new = depth + 1
        waiting = 0
        for i in range(n):
            waiting += int(path.start[i] < 0)
        if at == n * G:
            cursor = 0
            steps = 1
            if waiting == 0 or case.conserving:
                steps = INT_LIMIT if waiting == 0 else _next_end(case, path, now)
            levels, steps = _run(case, path, now, steps, profile)
            now += steps
            cost += level_cost * levels + step_cost * steps
            path.child[new] = 0
        else:
            cursor = at // G
            path.start[cursor] = now
            path.worker[cursor] = at % G
            path.child[new] = at
        if at == n * G and waiting == 0:
            least = cost
        else:
            least = bound(case, path, now, cursor, cost, profile)
        if least >= number[THRESHOLD]:
            if least < number[UPPER]:
                number[CUT] = min(number[CUT], least)
                path.classes[min(CLASSES - 1, (least - number[LOW]) // number[WIDTH])] += 1
        elif at == n * G and waiting == 0:
            number[UPPER] = cost
            number[THRESHOLD] = cost
            path.best_start[:] = path.start
            path.best_worker[:] = path.worker
        else:
            path.now[new] = now
            path.cost[new] = cost
            number[DEPTH] = new
            continue
        if at < n * G:
            path.start[cursor] = -1
    return False


@compiled
def _next_end(case: Case, path: Path, now: int) -> int:
    """Steps to the next departure."""
    left = INT_LIMIT
    for i in range(case.sizes.size):
        if path.start[i] >= 0 and path.start[i] + case.lengths[i] > now:
            left = min(left, path.start[i] + case.lengths[i] - now)
    return left


class BranchAndBound:
    """A search for the cheapest sticky schedule, in portions.

    Parameters
    ----------
    sizes, lengths : int64[N]
        The requests.
    shape, costs
        ``(G, B)``; drift, cost of a unit of the largest load and of a step.
    conserving : bool
        Whether no slot may stay free while a request waits.
    lower, upper : int
        A lower bound of every schedule, and the cost of one that is known.

    Attributes
    ----------
    lower, upper : int
        The two sides; ``best`` is the schedule of cost ``upper`` if the search found it.
    best : tuple of int64[N], or None
        First step and worker of each request.
    """

    def __init__(
        self,
        sizes: IntArray,
        lengths: IntArray,
        shape: tuple[int, int],
        costs: tuple[int, int, int],
        conserving: bool,
        lower: int,
        upper: int,
    ) -> None:
        n, (G, B) = sizes.size, shape
        # Most work first, and requests of one kind together.
        self._order = np.lexsort((lengths, sizes, -sizes * lengths))
        sizes, lengths = sizes[self._order], lengths[self._order]
        work = int((lengths * sizes + costs[0] * (lengths * (lengths - 1) // 2)).sum())
        again = np.zeros(n, np.bool_)
        again[1:] = (sizes[1:] == sizes[:-1]) & (lengths[1:] == lengths[:-1])
        rules = (G, min(B, n), *costs, scale_of(work, n, G))
        self._case = Case(sizes, lengths, again, rules, G * B, conserving)
        depths = n + 2 + (n if conserving else int(lengths.sum()))
        child, now, cost = (np.zeros(depths, np.int64) for _ in range(3))
        start, worker, best_start, best_worker = (np.zeros(n, np.int64) for _ in range(4))
        number, classes = np.zeros(6, np.int64), np.zeros(CLASSES, np.int64)
        self._path = Path(start, worker, child, now, cost, number, classes, best_start, best_worker)
        self._profile = new_profile(n, G)
        self._nodes = 0
        self._own = upper
        self.lower = lower
        number[UPPER] = upper
        self.start_pass(upper)

    @property
    def upper(self) -> int:
        """Cost of the best schedule."""
        return int(self._path.number[UPPER])

    @property
    def best(self) -> tuple[IntArray, IntArray] | None:
        """First step and worker of each request in the best schedule, if it was found here."""
        if self.upper == self._own:
            return None
        start, worker = np.empty_like(self._order), np.empty_like(self._order)
        start[self._order] = self._path.best_start
        worker[self._order] = self._path.best_worker
        return start, worker

    def know(self, cost: int) -> None:
        """Look for what is cheaper than a schedule found elsewhere."""
        if cost < self.upper:
            self._own = cost
            self._path.number[UPPER] = cost
            self._path.number[THRESHOLD] = min(cost, self._path.number[THRESHOLD])

    def start_pass(self, threshold: int) -> None:
        """Begin anew, with nodes cut off from this cost on."""
        path = self._path
        path.start[:] = -1
        path.child[0] = path.now[0] = path.cost[0] = 0
        number = path.number
        number[DEPTH] = 0
        number[CUT] = INT_LIMIT
        number[THRESHOLD] = number[LOW] = min(threshold, self.upper)
        number[WIDTH] = max(1, -(-(self.upper - number[LOW]) // CLASSES))
        path.classes[:] = 0
        self._nodes = 0
        root = bound(self._case, path, 0, 0, 0, self._profile)
        self.lower = max(self.lower, min(int(root), self.upper))

    def advance(self, nodes: int) -> None:
        """Look at so many nodes; a pass that ends is followed by the next."""
        self._nodes += nodes
        if not search(self._case, self._path, nodes, self._profile):
            return
        number = self._path.number
        self.lower = max(self.lower, min(self.upper, int(number[CUT])))
        # As many nodes more as were looked at, by what was cut off.
        beyond = np.cumsum(self._path.classes) >= self._nodes
        first = int(np.argmax(beyond)) if beyond.any() else CLASSES
        threshold = int(number[LOW] + (first + 1) * number[WIDTH])
        self.start_pass(max(self.lower + 1, threshold))


def scale_of(work: int, requests: int, workers: int) -> int:
    """The unit of bounds of levels, so that the sums of a node fit an int64; 0 if none does."""
    return min(FINEST, INT_LIMIT // (4 * requests * workers * work))
