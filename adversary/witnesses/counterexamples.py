"""Counterexamples outside the model: each drops one rule of a run or of an admission step.

A witness that an assumption is needed often lies outside the model that has the assumption:
requests that grow each in its own way, slots left empty, moves between workers, dispatch on
arrival, windows of predictions.  Each kind is a few integers, and says what replaying it gives.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from typing import Any, ClassVar

import msgspec

from adversary.instances.small_runs import backlog_imbalance
from solvers.step.exact.brute_force import check_assignments, check_exact, exact_step
from solvers.step.problem import WAITS, StepProblem
from theory.budget import BY_PYTHON, about, afford, power
from theory.files import fault
from theory.formulas.departures import Departures
from theory.formulas.geometric import slot_variance
from theory.formulas.ratio import iir_enclosure
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.formulas.step import full_refill_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import INT_LIMIT, InputError, Requests, System, imbalance

Ints = tuple[int, ...]

# Enclosures of long runs take seconds up to here, and longer by the largest size and by 1/p.
MOST_SIZE, LEAST_P = 10_000, Fraction(1, 1000)


class Situation(ABC):
    """What a gallery stores as an object of integers and lists under the name of its kind."""

    kind: ClassVar[str]

    @abstractmethod
    def replay(self) -> dict[str, Any]:
        """What it shows, computed from its fields alone, JSON-ready."""

    def data(self) -> dict[str, Any]:
        """The fields, JSON-ready."""
        return {name: _listed(value) for name, value in vars(self).items()}


def situation(kind: str, data: Any) -> Situation:
    """The situation of a kind with these fields, integers and lists.

    Raises
    ------
    InputError
        If a field is missing, unknown or of another type, or the numbers are impossible.
    """
    chosen = KINDS[kind]
    _refuse_huge(data)
    try:
        made = msgspec.convert(data, chosen)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, InputError):  # of the numbers
            raise InputError(str(error.__cause__)) from None
        raise InputError(f"{kind}: {fault(error, chosen, 'field')}") from None
    if unknown := data.keys() - made.data().keys():
        raise InputError(f"{kind}: unknown field {min(unknown)[:80]!r}")
    return made


def _listed(value: Any) -> Any:
    return [_listed(entry) for entry in value] if isinstance(value, tuple) else value


def _refuse_huge(value: Any) -> None:
    for part in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        _refuse_huge(part)
    if isinstance(value, int) and not -INT_LIMIT < value < INT_LIMIT:
        raise InputError(f"integers must lie within 2^62, got {about(abs(value))}")


@dataclass(frozen=True)
class Window(Situation):
    """A backlog under BF-IO(0) and under BF-IO(H) with perfect and with given predictions.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    prefill, decode : sequence of int
        The requests in arrival order, growing by 1 a step.
    window : int
        ``H``.
    predicted : sequence of int
        Predicted lengths for the last of the three.
    """

    kind = "window"
    workers: int
    slots: int
    prefill: Ints
    decode: Ints
    window: int
    predicted: Ints

    def __post_init__(self) -> None:
        System(self.workers, self.slots)
        Requests(self.prefill, self.decode)
        Requests(self.prefill, self.predicted)
        if self.window < 0 or len(self.prefill) > 6:
            raise InputError("a window needs a length >= 0 and at most 6 requests")
        afford(
            f"looking {about(self.window)} steps ahead on {about(self.workers)} workers",
            "use a shorter window, shorter lengths or fewer workers",
            steps=BY_PYTHON
            * sum(self.decode)
            * power(self.workers + 1, len(self.prefill))
            * (self.window + 1)
            * self.workers,
        )

    def replay(self) -> dict[str, Any]:
        """Average imbalance of each of the three."""
        backlog = self.prefill, self.decode, self.workers, self.slots
        return {
            "myopic": str(backlog_imbalance(*backlog, 0)),
            "perfect": str(backlog_imbalance(*backlog, self.window)),
            "predicted": str(backlog_imbalance(*backlog, self.window, self.predicted)),
        }


@dataclass(frozen=True)
class Round(Situation):
    """A full refill of empty workers by an optimal step, then growth of each request by itself.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    pool : sequence of int
        Sizes of ``G*B`` requests.
    growth : sequence of sequence of int
        For each further step the growth of each request, of either sign.
    """

    kind = "round"
    workers: int
    slots: int
    pool: Ints
    growth: tuple[Ints, ...]

    def __post_init__(self) -> None:
        if len(self.pool) != self.workers * self.slots:
            raise InputError("a round needs one request for each slot")
        if any(len(row) != len(self.pool) for row in self.growth):
            raise InputError("growth needs an entry for each request")
        check_exact(self._refill)

    @property
    def _refill(self) -> StepProblem:
        return StepProblem([0] * self.workers, [self.slots] * self.workers, self.pool)

    def replay(self) -> dict[str, Any]:
        """Loads and imbalance of each step, and the bound for the first [step.full-refill-gap]."""
        G, workers = self.workers, exact_step(self._refill).tolist()
        sizes, steps = list(self.pool), []
        for grown in ((0,) * len(sizes), *self.growth):
            sizes = [size + more for size, more in zip(sizes, grown, strict=True)]
            steps.append(
                [sum(s for s, h in zip(sizes, workers, strict=True) if h == g) for g in range(G)]
            )
        return {
            "loads": steps,
            "imbalance": [imbalance(loads) for loads in steps],
            "bound": full_refill_bound(G, min(self.pool), max(self.pool)),
        }


@dataclass(frozen=True)
class PartialAdmission(Situation):
    """A step in which slots may stay empty while requests wait.

    Parameters
    ----------
    loads, free, pool : sequence of int
        As in :class:`solvers.step.problem.StepProblem`.
    """

    kind = "partial-admission"
    loads: Ints
    free: Ints
    pool: Ints

    def __post_init__(self) -> None:
        StepProblem(self.loads, self.free, self.pool)
        if power(len(self.loads) + 1, len(self.pool)) > 10**6:
            raise InputError("a partial admission takes at most a million assignments")

    def replay(self) -> dict[str, Any]:
        """Least imbalance, the most requests admitted at it, and what a full admission does."""
        problem = StepProblem(self.loads, self.free, self.pool)
        least, most = least_partial(problem)
        return {
            "least_imbalance": least,
            "most_admitted": most,
            "conserving_imbalance": problem.objective(exact_step(problem)),
            "conserving_admitted": problem.admissions,
        }


@dataclass(frozen=True)
class Dispatch(Situation):
    """The game of immediate dispatch: an adversary names sizes, a dispatcher workers at once.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``, all empty.
    size_min, size_max : int
        Each of the ``G*B`` sizes lies between these.
    """

    kind = "dispatch"
    workers: int
    slots: int
    size_min: int
    size_max: int

    def __post_init__(self) -> None:
        System(self.workers, self.slots)
        if not 1 <= self.size_min <= self.size_max <= 99 or self.workers * self.slots > 12:
            raise InputError("a game takes sizes 1 <= size_min <= size_max <= 99 and 12 slots")
        moves = self.workers * (self.size_max - self.size_min + 1)
        afford(
            f"a game of {self.workers * self.slots} moves of {moves} kinds",
            "use fewer sizes or slots",
            steps=BY_PYTHON * moves ** (self.workers * self.slots),
        )

    def replay(self) -> dict[str, Any]:
        """The value of the game, and the bound with a pool [step.full-refill-gap]."""
        start = ((0, self.slots),) * self.workers
        return {
            "value": dispatch_value(start, self.size_max - self.size_min),
            "bound": full_refill_bound(self.workers, self.size_min, self.size_max),
        }


@dataclass(frozen=True)
class Migration(Situation):
    """Two full workers whose requests may change places.

    Parameters
    ----------
    workers : two sequences of (size, age)
        The requests of each worker, equally many; a load is size plus age.
    """

    kind = "migration"
    workers: tuple[tuple[tuple[int, int], ...], ...]

    def __post_init__(self) -> None:
        if len(self.workers) != 2 or not 0 < len(self.workers[0]) == len(self.workers[1]) <= 8:
            raise InputError("a migration is between two workers of equally many requests")
        requests = [request for row in self.workers for request in row]
        if any(len(r) != 2 or r[0] < 1 or r[1] < 0 for r in requests):
            raise InputError("each request of a migration has a size >= 1 and an age >= 0")

    def replay(self) -> dict[str, Any]:
        """Imbalance as it is and after the best migration, and the bound without migration."""
        flat = [request for row in self.workers for request in row]
        sizes = [size for size, _ in flat]
        ages = [sum(age for _, age in row) for row in self.workers]
        loads = [sum(size + age for size, age in row) for row in self.workers]
        return {
            "bound": abs(ages[0] - ages[1]) - len(self.workers[0]) * (max(sizes) - min(sizes)),
            "imbalance": imbalance(loads),
            "migrated": least_migrated(tuple(s + a for s, a in flat), len(self.workers[0])),
        }


@dataclass(frozen=True)
class Departure(Situation):
    """A step of growth and departures, and an optimal refill from a rich pool.

    Requests may grow each in its own way, slots may be empty before, and workers may differ in the
    number of their slots.

    Parameters
    ----------
    rows, growth, gone : sequence of sequence of int
        For each worker the loads of its requests, what each grows by, and 1 for one that departs.
    slots : sequence of int
        Slots of each worker.
    sizes : two int
        Least and largest size in the pool.
    p : two int
        Numerator and denominator of the share ``p``.
    """

    kind = "departure"
    rows: tuple[Ints, ...]
    growth: tuple[Ints, ...]
    gone: tuple[Ints, ...]
    slots: Ints
    sizes: tuple[int, int]
    p: tuple[int, int]

    def __post_init__(self) -> None:
        columns = self.rows, self.growth, self.gone
        lengths = {tuple(map(len, column)) for column in columns}
        if len(lengths) != 1 or not 0 < len(self.rows) == len(self.slots):
            raise InputError("a departure needs loads, growths and departures of the same requests")
        fits = all(len(row) <= B for row, B in zip(self.rows, self.slots, strict=True))
        if not fits or not {out for row in self.gone for out in row} <= {0, 1}:
            raise InputError("a departure needs a slot, and 0 or 1, for each request")
        if not 1 <= self.sizes[0] <= self.sizes[1] or not 0 < self.p[0] <= self.p[1]:
            raise InputError("a departure takes sizes 1 <= a <= b and 0 < p <= 1")
        offered = sum(self.slots) * (self.sizes[1] - self.sizes[0] + 1)
        check_assignments(len(self.rows), offered)

    def replay(self) -> dict[str, Any]:
        """Spread and imbalance before and after, and what [geometric.recursion] would allow."""
        (a, b), p = self.sizes, Fraction(*self.p)
        gone = [[bool(out) for out in row] for row in self.gone]
        step = Departures(self.rows, gone, self.growth, self.slots)
        pool = [size for size in range(a, b + 1) for _ in range(sum(step.free))]
        problem = StepProblem(step.kept, step.free, pool)
        after = problem.loads_after(exact_step(problem)).tolist()
        return {
            "spread": step.spread,
            "imbalance": step.imbalance,
            "next_spread": max(after) - min(after),
            "spread_allowed": str(step.spread_bound(a, b, p)),
            "next_imbalance": imbalance(after),
            "imbalance_allowed": str(step.imbalance_bound(a, b, p)),
        }


@dataclass(frozen=True)
class LongRun(Situation):
    """Overloaded workers in the long run, geometric lengths, sizes uniform, growth 1.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    p : two int
        Numerator and denominator of the chance that a request ends.
    sizes : two int
        Least and largest size.
    constant : two int
        Numerator and denominator of the constant of Theorem 2 [geometric.iir-static].
    """

    kind = "long-run"
    workers: int
    slots: int
    p: tuple[int, int]
    sizes: tuple[int, int]
    constant: tuple[int, int]

    def __post_init__(self) -> None:
        System(self.workers, self.slots)
        if not 0 < self.p[0] < self.p[1] or min(self.constant) <= 0:
            raise InputError("p must lie between 0 and 1, and the constant above 0")
        if self.sizes[1] > MOST_SIZE or Fraction(*self.p) < LEAST_P:
            raise InputError(f"a long run takes sizes up to {MOST_SIZE:,} and p >= {LEAST_P}")
        Law.uniform(*self.sizes)

    def replay(self) -> dict[str, Any]:
        """Integers around E[Imb] of FCFS and of every policy, and the ratio that is claimed."""
        G, B, p = self.workers, self.slots, Fraction(*self.p)
        sizes = Law.uniform(*self.sizes)
        fcfs = expected_imbalance(geometric_slot(sizes, p), G, B).imbalance
        every = unavoidable_imbalance(G, B, p, self.sizes[1] - self.sizes[0])
        variance, width = slot_variance(sizes, p), sizes.bound / p
        claimed = iir_enclosure(G, B, variance, width, Fraction(*self.constant))
        return {
            "fcfs_at_most": math.ceil(fcfs.upper),
            "any_policy_at_least": math.floor(every),
            "ratio_claimed_at_least": math.floor(claimed.lower),
        }


# Slots of a worker, whose ages are enclosed for each number of them.
MOST_SLOTS = 10**6


@dataclass(frozen=True)
class RareSizeRun(Situation):
    """A late step of an overloaded run in which one size is too rare to count, growth 1.

    Sizes are independent of the lengths, which are geometric.  Without the rare size they lie
    within ``width``, so that no policy is below the bound of that width [threshold.any-policy];
    the chance that a revealed request has the rare size is taken off.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    p : two int
        Numerator and denominator of the chance that a request ends.
    width : int
        Largest minus least of the other sizes.
    largest : int
        ``s_max``, the rare size.
    rarity : two int
        Numerator and denominator of its chance.
    pool, step : int
        Requests that may wait, and the step, counted from a cold start.  So far at most
        ``pool + G B (step + 1)`` requests have been revealed, whatever the policy.
    lattice : int, optional
        Cell of the enclosure of large systems; chosen by size where it is not given.
    """

    kind = "rare-size"
    workers: int
    slots: int
    p: tuple[int, int]
    width: int
    largest: int
    rarity: tuple[int, int]
    pool: int
    step: int
    lattice: int | None = None

    def __post_init__(self) -> None:
        System(self.workers, self.slots)
        if not 0 < self.p[0] < self.p[1] or not 0 < self.rarity[0] < self.rarity[1]:
            raise InputError("p and the rarity must lie between 0 and 1")
        if not 0 <= self.width < self.largest or min(self.pool, self.step) < 1:
            raise InputError("the rare size is beyond the width, pool and step are at least 1")
        if self.width > MOST_SIZE or Fraction(*self.p) < LEAST_P:
            raise InputError(f"a rare size takes a width up to {MOST_SIZE:,} and p >= {LEAST_P}")
        if self.slots > MOST_SLOTS:
            raise InputError(f"a rare size takes up to {MOST_SLOTS:,} slots, got {self.slots:,}")

    def replay(self) -> dict[str, Any]:
        """A bound of E[Imb] for every online policy, and ``(G-1) s_max / p`` beside it."""
        G, B, p = self.workers, self.slots, Fraction(*self.p)
        revealed = self.pool + G * B * (self.step + 1)
        without = max(Fraction(0), 1 - revealed * Fraction(*self.rarity))
        every = unavoidable_imbalance(G, B, p, self.width, self.step, self.lattice)
        return {
            "any_policy_at_least": math.floor(without * every),
            "paper_form": str((G - 1) * self.largest / p),
        }


KINDS: dict[str, type[Situation]] = {
    kind.kind: kind
    for kind in (
        Window,
        Round,
        PartialAdmission,
        Dispatch,
        Migration,
        Departure,
        LongRun,
        RareSizeRun,
    )
}

DispatchState = tuple[tuple[int, int], ...]


@cache
def dispatch_value(state: DispatchState, width: int) -> int:
    """Imbalance that the adversary forces from (load above ``B a``, free slots) of each worker.

    The adversary names a size ``a + s``, ``0 <= s <= width``, the dispatcher a worker; sizes
    count from ``a`` because every worker ends with the same number of requests.

    Examples
    --------
    Two workers with one slot each: the adversary names 0 and then the width.

    >>> dispatch_value(((0, 1), (0, 1)), 7)
    7
    """
    if not any(free for _, free in state):
        return imbalance([load for load, _ in state])
    sizes = range(width + 1)
    return max(min(dispatch_value(after, width) for after in _moves(state, s)) for s in sizes)


def _moves(state: DispatchState, size: int) -> Iterator[DispatchState]:
    for g, (load, free) in enumerate(state):
        if free and state[g] not in state[:g]:
            yield tuple(sorted((*state[:g], (load + size, free - 1), *state[g + 1 :])))


def least_migrated(requests: Sequence[int], slots: int) -> int:
    """Smallest imbalance of two workers when requests of these loads may be placed anew."""
    every = combinations(range(len(requests)), slots)
    halves = (sum(requests[i] for i in half) for half in every)
    return min(abs(sum(requests) - 2 * half) for half in halves)


def least_partial(problem: StepProblem) -> tuple[int, int]:
    """Least imbalance if slots may stay empty, and the most requests that are admitted at it."""
    best = None
    for choice in product(range(WAITS, problem.workers), repeat=problem.pool.size):
        if all(choice.count(g) <= c for g, c in enumerate(problem.free.tolist())):
            after = problem.loads.tolist()
            for size, g in zip(problem.pool.tolist(), choice, strict=True):
                if g != WAITS:
                    after[g] += size
            found = imbalance(after), choice.count(WAITS)
            best = found if best is None else min(best, found)
    assert best is not None  # admitting nothing is possible
    return best[0], int(problem.pool.size) - best[1]
