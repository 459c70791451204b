"""The least largest load when the whole pool is admitted: parallel machines, P||Cmax, to a proof.

A step with at least as many free slots as requests pays ``G M`` less a constant, so its largest
load ``M`` is to be least.  From below the level is raised by counting
(:mod:`solvers.step.machines.counting`), by weights of the requests that column generation finds
(:mod:`solvers.step.machines.packing`), and by exhaustive search
(:mod:`solvers.step.machines.exhaustive`).  From above assignments come from local search between
pairs (:mod:`solvers.step.machines.local_search`), from dives into the linear program, and from the
exhaustive search among some of the workers.  All bounds are proved in integers.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solvers.step.bounds.relaxation import closed_form_bounds
from solvers.step.machines.counting import counting_level
from solvers.step.machines.exhaustive import FOUND, NONE, pack
from solvers.step.machines.local_search import divide_pairs, largest_to_least
from solvers.step.machines.packing import MOST_ENTRIES, Packing, entries
from solvers.step.problem import Assignment, StepProblem, StepSolution
from solvers.step.sorted_sizes import sorted_pool
from theory.model import IntArray

# Pairs tried between two looks at the clock: a tenth of a second.
_TRIALS = 2**14

# Pairs tried without an improvement, and steps of exhaustive search, at first and at most.
_STEPS = (2**16, 2**28)

# Most requests of the workers that are packed anew.
_MOST_REQUESTS = 64

# Steps of a search that is not looked at in between, a tenth of a second.
_AT_ONCE = 2**21

# Work of assigning the largest to the least loaded, beyond which the start has to do.
_MOST_WORK = 2**27


@dataclass(frozen=True, slots=True)
class Proof:
    """What proved the lower bound: ``"counting"``, ``"weights"`` or ``"search"``.

    Parameters
    ----------
    by : str
    weights : int64[n] or None
        Of each pool item, where weights did.
    """

    by: str
    weights: IntArray | None = None


class Machines:
    """The state of the search for the least largest load.

    Parameters
    ----------
    problem : StepProblem
        With at least as many free slots as requests, and a request.
    start : Assignment
        A valid assignment.
    until : float
        Time of ``time.monotonic`` at which to stop.
    """

    def __init__(self, problem: StepProblem, start: Assignment, until: float = math.inf) -> None:
        self.problem, self.until = problem, until
        self.order = np.argsort(problem.pool, kind="stable")
        self.sizes: IntArray = problem.pool[self.order]
        self.loads = problem.loads.copy()
        self.free = np.minimum(problem.free, self.sizes.size)
        self.worker: IntArray = start[self.order]
        self.upper = int(problem.loads_after(start).max())
        level = closed_form_bounds(self.loads, self.free, sorted_pool(self.sizes))[0]
        self.lower = max(int(level), counting_level(self.loads, self.sizes))
        self.proof = Proof("counting")
        self._rng = np.random.default_rng(0)
        self._fractional = 0  # levels from here on have a fractional solution
        self._packing: Packing | None = None

    @property
    def late(self) -> bool:
        """Whether to stop."""
        return self.lower >= self.upper or time.monotonic() > self.until

    def keep(self, worker: IntArray) -> None:
        """Take the assignment if its largest load is less."""
        top = int(self._after(worker).max())
        if top < self.upper:
            self.upper, self.worker = top, worker.copy()

    def raise_to(self, level: int, proof: Proof) -> None:
        """Raise the lower bound."""
        if level > self.lower:
            self.lower, self.proof = level, proof

    def solution(self) -> StepSolution:
        """The best assignment and the bound."""
        assignment = np.empty_like(self.worker)
        assignment[self.order] = self.worker
        total = int(self.loads.sum() + self.sizes.sum())
        lower = self.loads.size * self.lower - total
        return StepSolution(assignment, self.problem.objective(assignment), lower)

    def _after(self, worker: IntArray) -> IntArray:
        after = self.loads.copy()
        np.add.at(after, worker, self.sizes)
        return after

    def search_pairs(self, worker: IntArray, level: int, trials: int) -> IntArray:
        """Local search towards the level, until so many trials in succession improve nothing."""
        at, worker = worker.copy(), worker.copy()
        least, idle = int(self._after(worker).max()), 0
        while idle < trials:
            seed, before = 1 + int(self._rng.integers(2**31)), least
            least = divide_pairs(
                self.loads, self.free, self.sizes, at, worker, least, level, _TRIALS, seed
            )
            self.keep(worker)
            if least <= level or self.late:
                break
            idle = 0 if least < before else idle + _TRIALS
        return worker

    def begin(self) -> None:
        """Construct assignments, and improve them a little."""
        self.search_pairs(self.worker, self.lower, _TRIALS)
        if self.sizes.size * self.loads.size > _MOST_WORK:
            return
        for level in (0, self.lower):
            if not self.late:
                worker = np.empty_like(self.worker)
                largest_to_least(self.loads, self.free, self.sizes, level, worker)
                self.search_pairs(worker, self.lower, _TRIALS)

    def weigh(self, level: int) -> bool:
        """Column generation at a level: whether a proof or a fractional solution ended it."""
        if entries(self.sizes, self.loads, self.free, level) > MOST_ENTRIES:
            return False
        packing = Packing(self.sizes, self.loads, self.free, level, self.until)
        packing.add(self.worker, np.arange(self.sizes.size))
        everything = np.ones(self.sizes.size, np.bool_)
        value = packing.relax(everything, np.arange(self.loads.size), 10**6, True)
        if packing.weights is not None:
            weights = np.empty_like(packing.weights)
            weights[self.order] = packing.weights
            self.raise_to(level + 1, Proof("weights", weights))
            return True
        if value < 1e-6:
            self._fractional, self._packing = level, packing
            return True
        return False

    def bracket(self) -> None:
        """The least level that has a fractional solution; below it, weights prove."""
        level = self.upper - 1
        while not self.late and self.weigh(level):
            if self.lower > level and not (self.lower < self._fractional):
                return  # proved, and nothing is left to be bracketed
            level = (self.lower + (self._fractional or self.upper) - 1) // 2
            if self._fractional == self.lower:
                return

    def dive(self) -> None:
        """Dive into the last linear program, and repair what it leaves."""
        if self._packing is None:
            return
        worker = self._packing.dive()
        after, left = self.loads.copy(), self.free.copy()
        placed = np.flatnonzero(worker >= 0)
        np.add.at(after, worker[placed], self.sizes[placed])
        np.subtract.at(left, worker[placed], 1)
        for i in np.flatnonzero(worker < 0)[::-1].tolist():
            g = int(np.argmin(np.where(left > 0, after, np.iinfo(np.int64).max)))
            worker[i] = g
            after[g] += self.sizes[i]
            left[g] -= 1
        self.keep(worker)
        if not self.late:
            self.rebuild(self.search_pairs(worker, self.lower, _TRIALS), self.lower, 2**20)

    def rebuild(self, worker: IntArray, level: int, steps: int) -> IntArray:
        """Pack the requests of some workers anew, above the level one, until none is above it."""
        worker, rng = worker.copy(), self._rng
        after = self._after(worker)
        open_ = np.flatnonzero(self.free)
        fails = 0
        while steps > 0 and not self.late:
            over = open_[after[open_] > level]
            if not over.size:
                self.keep(worker)
                break
            some = self._some(worker, after, level, rng.choice(over), 3 + fails // 8)
            fails += 1
            if some is None:
                steps -= 2**10
                continue
            mine = np.flatnonzero(np.isin(worker, some))[::-1]
            found = np.empty(mine.size, np.int64)
            room = np.maximum(0, level - self.loads[some])
            most = min(steps, 2**18)
            answer, left = pack(room, self.free[some], self.sizes[mine], most, found)
            steps -= 2**10 + most - left
            if answer == FOUND:
                worker[mine] = some[found]
                after = self._after(worker)
                fails = 0
        return worker

    def _some(
        self, worker: IntArray, after: IntArray, level: int, first: int, number: int
    ) -> IntArray | None:
        """Workers to be packed anew, the first among them; None if they cannot keep the level."""
        others = self._rng.permutation(np.flatnonzero(self.free))
        chosen, items, slack = [first], int((worker == first).sum()), level - int(after[first])
        held = np.bincount(worker, minlength=self.loads.size)
        for g in others.tolist():
            if g == first or items + held[g] > _MOST_REQUESTS:
                continue
            # Where slack is wanting only workers below the level help.
            if slack < 0 and after[g] >= level and len(chosen) + 1 >= number:
                continue
            chosen.append(g)
            items += int(held[g])
            slack += level - int(after[g])
            if len(chosen) >= number and slack >= 0:
                break
        return np.array(chosen) if slack >= 0 and len(chosen) > 1 else None

    def exhaust(self, level: int, steps: int) -> None:
        """Search all assignments below the level: an improvement, or a proof that there is none."""
        found = np.empty(self.sizes.size, np.int64)
        descending = self.sizes[::-1].copy()
        while self.lower <= level < self.upper and not self.late:
            room = np.where(self.free > 0, np.maximum(0, level - self.loads), 0)
            answer, steps = pack(room, self.free, descending, min(steps, _AT_ONCE), found)
            if answer == FOUND:
                self.keep(found[::-1].copy())
            elif answer == NONE:
                self.raise_to(level + 1, Proof("search"))
                level += 1
            else:
                break

    def search(self) -> Iterator[None]:
        """Everything in turn, with more and more work, until the sides meet or time is up."""
        self.begin()
        yield
        self.exhaust(self.lower, _STEPS[0])
        if not self.late:
            yield
            self.bracket()
        steps = _STEPS[0]
        while not self.late and steps <= _STEPS[1]:
            upper = self.upper
            self.exhaust(self.upper - 1, 4 * steps)
            self.exhaust(self.lower, 4 * steps)
            for level in dict.fromkeys((self.lower, self.upper - 1)):
                yield
                if not self.late and level < self.upper:
                    self.dive()
                yield
                if not self.late and level < self.upper:
                    worker = self.search_pairs(self.worker, level, steps)
                    self.keep(self.rebuild(worker, level, 64 * steps))
            # More work where this much brought nothing.
            steps *= 1 if self.upper < upper else 2


def approach_machines(
    problem: StepProblem, start: StepSolution, until: float = math.inf
) -> Iterator[StepSolution]:
    """Intervals around the least imbalance of a step that admits its whole pool, ever narrower.

    Parameters
    ----------
    problem : StepProblem
        With at least as many free slots as requests.
    start : StepSolution
        A solution and its bound.
    until : float
        Time of ``time.monotonic`` at which to stop; without one it ends after bounded work.

    Examples
    --------
    Three machines of 12: the largest job first would need 13.

    >>> from solvers.step.fast.solve import solve_step
    >>> problem = StepProblem([0, 0, 0], [7, 7, 7], [7, 7, 6, 5, 5, 4, 2])
    >>> *_, solution = approach_machines(problem, solve_step(problem, 0))
    >>> solution.imbalance, solution.optimal
    (0, True)
    """
    yield start
    if start.optimal or problem.pool.size == 0:
        return
    state = Machines(problem, start.assignment, until)
    for _ in state.search():
        yield state.solution()
    yield state.solution()
