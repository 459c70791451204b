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

The bound of a node is that of :mod:`solvers.schedule.node_bound`.
"""

from typing import NamedTuple

import numpy as np

from solvers.arrays import copy_into
from solvers.compiled import compiled
from solvers.schedule.levels import sum_of_largest
from solvers.schedule.node_bound import Case, Profile, bound, new_profile, scale_of
from theory.model import INT_LIMIT, IntArray

# Bounds that were cut off are counted in this many classes between the threshold and the best cost.
CLASSES = 64

# Indices of Path.number: depth of the path; cost from which a node is cut off; cost of the best
# schedule; least cost that was cut off; the range of the classes.
DEPTH, THRESHOLD, UPPER, CUT, LOW, WIDTH = range(6)


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
            least = bound(case, path.start, path.worker, now, cursor, cost, profile)
        if least >= number[THRESHOLD]:
            if least < number[UPPER]:
                number[CUT] = min(number[CUT], least)
                path.classes[min(CLASSES - 1, (least - number[LOW]) // number[WIDTH])] += 1
        elif at == n * G and waiting == 0:
            number[UPPER] = cost
            number[THRESHOLD] = cost
            copy_into(path.best_start, path.start)
            copy_into(path.best_worker, path.worker)
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
        root = bound(self._case, path.start, path.worker, 0, 0, 0, self._profile)
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
