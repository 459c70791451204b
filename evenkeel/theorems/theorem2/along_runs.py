"""The inequalities of a step along whole runs: what every step carries to the next, in integers.

A run is taken apart into its transitions, from each measured step to the next, by the records of
its requests: which of them departed, with which loads, and what waited.  An inequality of a step is
held at every transition that meets its hypotheses; the others are counted, and are no pass.  Where
a step is not known to be optimal, what it exceeds a certified lower bound by is allowed for.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from itertools import combinations, islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from evenkeel.findings.check import Trial, Variant
from evenkeel.findings.scoreboard import Cases, Exact, Witness
from solvers.simulation.result import RunResult
from solvers.simulation.rich_pool import rich_pool_states
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from theory.formulas.departures import deviation, shortfall, spread_after
from theory.formulas.step import spacing_cost
from theory.model import INT_LIMIT, InputError, IntArray, imbalance

# So many of the sizes that a pool holds often enough are paired.
PAIRED = 4

# A planted fault: the departures of each step are taken for those of the next.
LATE = Variant("departures a step late, along runs", fault="late")

# Why an inequality says nothing of a transition.
EMPTY = "a slot is empty"
POOR = "the pool is not rich"
ONE_SIZE = "the pool lacks copies of two sizes"
BLIND = "the step is not certified"


class Pool(NamedTuple):
    """What waits before an admission.

    Parameters
    ----------
    least, largest : int
        Of all sizes in it; 0 where nothing waits.
    rich : bool
        Whether there are as many copies as slots are free of every integer from the least size to
        the largest.
    offered : tuple of int
        Of the sizes with as many copies as slots are free, at least one, up to :data:`PAIRED` from
        the least to the largest.
    """

    least: int
    largest: int
    rich: bool
    offered: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Path:
    """A run as its transitions, from each full step to the next.

    Parameters
    ----------
    where : str
        What was run.
    slots : int
        ``B``.
    loads : int64[K + 1, G]
        Loads of the workers at each step.
    held, released, gone : int64[K, G]
        Load of all requests with the growth of the step; load and number of those that departed.
    entered : sequence of K (int, int)
        Least and largest size that entered; of the pool where none did.
    pools : sequence of K Pool
        What could have entered.
    gaps : sequence of K int or None
        What the imbalance exceeds a certified lower bound by; 0 after an optimal step.  None for a
        policy that does not solve its steps.
    empty : int
        Transitions of the run before or after which a slot is empty.
    """

    where: str
    slots: int
    loads: IntArray
    held: IntArray
    released: IntArray
    gone: IntArray
    entered: tuple[tuple[int, int], ...]
    pools: tuple[Pool, ...]
    gaps: tuple[int, ...] | None
    empty: int
    _known: dict[tuple[int, int], tuple[list[list[int]], list[list[int]]]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def spreads(self) -> list[int]:
        """``V = max L - min L`` at each step."""
        found: list[int] = np.ptp(self.loads, axis=1).tolist()
        return found

    @cached_property
    def imbalances(self) -> list[int]:
        """The imbalance of each step."""
        found: list[int] = imbalance(self.loads).tolist()
        return found

    def X(self, k: int, size: int, p: Fraction) -> list[int]:  # noqa: N802, the claims' name
        """``X_g`` of the workers at transition ``k``, times the denominator of ``p``."""
        at_none, each = self._deviations(p)
        return [x + size * y for x, y in zip(at_none[k], each[k], strict=True)]

    def _deviations(self, p: Fraction) -> tuple[list[list[int]], list[list[int]]]:
        """``X_g`` of all transitions at size 0, and what a unit of the size adds."""
        share = p.as_integer_ratio()  # has a quicker hash
        if share not in self._known:
            columns = self.released, self.gone, self.held, self.slots
            none, one = (deviation(*columns, size, *share) for size in (0, 1))
            self._known[share] = none.tolist(), (one - none).tolist()
        return self._known[share]


def path_of(run: RunResult, where: str, steps: int | None = None) -> Path:
    """The transitions of a backlog's run, up to its last full step or the first ``steps`` steps.

    Everything is recovered from the records of the requests: the run needs no history of loads.

    Raises
    ------
    InputError
        If the requests have arrival times: the order of steps does not show then what waits.
    """
    if run.requests.arrival is not None:
        raise InputError("the transitions of a run are those of a backlog")
    system, size = run.system, run.requests.prefill
    full = min(run.overloaded.steps, steps or run.overloaded.steps)
    growth = np.resize(np.array(system.drift, dtype=np.int64), full)
    grown = np.concatenate(([0], np.cumsum(growth)))
    last = run.start_step + run.requests.decode - 1
    kinds, kind = np.unique(size, return_inverse=True)
    copies = np.zeros(kinds.size, dtype=np.int64)
    loads, held, released, gone = np.zeros((4, full, system.workers), dtype=np.int64)
    active, pools, entered = np.zeros(0, dtype=np.int64), [], []
    revealed, started = (_by_step(at, full) for at in (run.reveal_step, run.start_step))
    for k in range(full):
        new = started[k]
        np.add.at(copies, kind[revealed[k]], 1)
        pools.append(_pool(kinds, copies, new.size))
        np.subtract.at(copies, kind[new], 1)
        ends = size[new] if new.size else np.array(pools[-1][:2])
        entered.append((int(ends.min()), int(ends.max())))
        active = np.concatenate((active, new))
        worker, load = run.worker[active], size[active] + grown[k] - grown[run.start_step[active]]
        np.add.at(loads[k], worker, load)
        load, out = load + growth[k], last[active] == k
        np.add.at(held[k], worker, load)
        np.add.at(released[k], worker[out], load[out])
        np.add.at(gone[k], worker[out], 1)
        active = active[~out]
    found = Path(
        where,
        system.slots,
        loads,
        held[:-1],
        released[:-1],
        gone[:-1],
        tuple(entered[1:]),
        tuple(pools[1:]),
        None if run.bound_gap is None else (0,) * max(0, full - 1),
        max(0, run.total.steps - max(1, run.overloaded.steps)),
    )
    return replace(found, gaps=_gaps(run, found)) if run.bound_gap else found


def _by_step(at: IntArray, steps: int) -> list[IntArray]:
    """The requests of each step, in order of arrival."""
    order = np.argsort(at, kind="stable")
    ends = np.searchsorted(at[order], np.arange(steps + 1))
    return [order[start:end] for start, end in pairwise(ends.tolist())]


def _pool(kinds: IntArray, copies: IntArray, free: int) -> Pool:
    waiting, enough = kinds[copies > 0], kinds[copies >= max(1, free)]
    if not waiting.size:
        return Pool(0, 0, free == 0, ())
    least, largest = int(waiting[0]), int(waiting[-1])
    offered = tuple(enough[_apart(enough.size)].tolist())
    return Pool(least, largest, free == 0 or enough.size == largest - least + 1, offered)


@lru_cache(maxsize=1024)  # steps have pools alike
def _apart(number: int) -> IntArray:
    """Up to :data:`PAIRED` places in a list of so many, from the first to the last."""
    return np.unique(np.linspace(0, max(0, number - 1), PAIRED).round().astype(int))[:number]


def _gaps(run: RunResult, path: Path) -> tuple[int, ...]:
    """Each imbalance less a lower bound of its step, which is solved anew."""
    found = []
    for k, (held, released, gone) in enumerate(
        zip(path.held, path.released, path.gone, strict=True)
    ):
        waits = (run.reveal_step <= k + 1) & (run.start_step > k)
        problem = StepProblem(held - released, gone, run.requests.prefill[waits])
        found.append(imbalance(path.loads[k + 1]) - solve_step(problem).lower_bound)
    return tuple(found)


def rich_path(
    G: int,
    B: int,
    p: Fraction,
    sizes: tuple[int, int],
    drift: tuple[int, ...],
    seed: int,
    steps: int,
) -> Path:
    """The transitions of :func:`solvers.simulation.rich_pool.rich_pool_states`."""
    rng = np.random.default_rng(seed)
    states = list(islice(rich_pool_states(G, B, float(p), sizes, rng, drift), steps + 1))
    growth = np.resize(np.array(drift, dtype=np.int64), steps)
    held = np.array([now for now, _ in states[:-1]]) + growth[:, np.newaxis, np.newaxis]
    out = np.array([entered for _, entered in states[1:]])
    pool = Pool(*sizes, True, sizes)
    return Path(
        f"a rich pool of sizes {sizes[0]}..{sizes[1]}, G = {G}, B = {B}, p = {p}, drift {drift}",
        B,
        np.array([now.sum(axis=1) for now, _ in states]),
        held.sum(axis=2),
        (held * out).sum(axis=2),
        out.sum(axis=2),
        (sizes,) * steps,
        (pool,) * steps,
        (0,) * steps,
        0,
    )


# --- The inequalities ---------------------------------------------------------------------------

# The computed and the claimed side.
Sides = tuple[int, Exact]


class Inequality(NamedTuple):
    """An inequality of a step.

    Parameters
    ----------
    silent : callable
        Why it says nothing of an admission from a pool; empty if it does.
    sides : callable
        Its two sides at a transition, for a share ``p``.
    """

    silent: Callable[[Pool], str]
    sides: Callable[[Path, int, Fraction], Sides]


def _rich(pool: Pool) -> str:
    return "" if pool.rich else POOR


# Both sides are put together in integers, times the denominator of ``p``.


def _authority(path: Path, a: int, b: int, p: Fraction) -> int:
    """``B p (b-a)``."""
    return path.slots * p.numerator * (b - a)


def _excess(path: Path, k: int, a: int, b: int, p: Fraction) -> int:
    """``N = max_g X_g + max_h Y_h``."""
    return max(path.X(k, b, p)) - min(path.X(k, a, p))


def _carried(value: int, p: Fraction) -> int:
    """``(1-p)`` of a value."""
    return (p.denominator - p.numerator) * value


def _spread_above(path: Path, k: int, p: Fraction) -> Sides:
    a, b = path.pools[k].least, path.pools[k].largest
    parts = _excess(path, k, a, b, p), _authority(path, a, b, p), p.numerator, p.denominator
    claimed = spread_after(path.spreads[k], *parts)
    return path.spreads[k + 1], Fraction(claimed, p.denominator)


def _imbalance_above(path: Path, k: int, p: Fraction) -> Sides:
    a, b = path.pools[k].least, path.pools[k].largest
    lost = shortfall(path.X(k, b, p), -min(path.X(k, a, p)), _authority(path, a, b, p))
    claimed = _carried(path.imbalances[k], p) + lost
    return path.imbalances[k + 1], Fraction(claimed, p.denominator)


def _spread_below(path: Path, k: int, p: Fraction) -> Sides:
    a, b = path.entered[k]
    excess, authority = _excess(path, k, a, b, p), _authority(path, a, b, p)
    claimed = excess - authority - _carried(path.spreads[k], p)
    return path.spreads[k + 1], Fraction(claimed, p.denominator)


# Of [geometric.recursion].  Where the imbalance is not known to be optimal but at most by a gap,
# both hold with the gap added: no worker is less below the largest load than after an optimal step.
SPREAD_ABOVE = Inequality(_rich, _spread_above)
IMBALANCE_ABOVE = Inequality(_rich, _imbalance_above)

# Of [threshold.converse], with the sizes that entered.
SPREAD_BELOW = Inequality(lambda _: "", _spread_below)


def _two_sizes_above(path: Path, k: int, p: Fraction) -> Sides:
    G, offered = path.loads.shape[1], path.pools[k].offered
    X = {size: path.X(k, size, p) for size in offered}
    least = min(
        shortfall(X[y], -min(X[x]), _authority(path, x, y, p))
        + p.denominator * spacing_cost(G, y - x)
        for x, y in combinations(offered, 2)
    )
    claimed = _carried(path.imbalances[k], p) + least
    return path.imbalances[k + 1], Fraction(claimed, p.denominator)


# Of [geometric.bfio-upper], for the best of some pairs of offered sizes.
TWO_SIZES_ABOVE = Inequality(
    lambda pool: "" if len(pool.offered) > 1 else ONE_SIZE, _two_sizes_above
)


# --- Holding them -------------------------------------------------------------------------------

# A run, and the shares ``p`` to take along it.
Shared = tuple[Path, tuple[Fraction, ...]]


@dataclass(slots=True)
class Tally:
    """Where one inequality was held.

    Parameters
    ----------
    side : str
        Its name.
    runs, held, moving : int
        Runs, transitions at which it was held, and those of them in which something departs.
    allowed, largest_gap : int
        Transitions of ``held`` with a gap that was allowed for, and the largest.
    skipped : Counter of str
        Transitions of which it says nothing, by the reason.
    tightest : Fraction
        The largest quotient of its smaller side by its larger one, where something departs and
        no gap is allowed for.
    """

    side: str
    runs: int = 0
    held: int = 0
    moving: int = 0
    allowed: int = 0
    largest_gap: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    tightest: Fraction = Fraction(0)

    def __str__(self) -> str:
        gaps = f", {self.allowed:,} of them with a gap of at most {self.largest_gap:,}"
        skipped = ", ".join(f"{count:,} ({why})" for why, count in sorted(self.skipped.items()))
        return (
            f"{self.side}: {self.held:,} steps of {self.runs} runs, {self.moving:,} with departures"
            f"{gaps * bool(self.allowed)}; up to {float(self.tightest):.4g} of the bound; not "
            f"applicable: {skipped or 'none'}"
        )

    def add(self, said: list[Sides], gap: int, *, moving: bool, above: bool) -> None:
        """Count a transition with its computed and claimed sides."""
        self.held += 1
        self.moving += moving
        self.allowed += gap > 0
        self.largest_gap = max(self.largest_gap, gap)
        for computed, claimed in said if moving and gap == 0 else ():
            small, large = (computed, claimed) if above else (claimed, computed)
            (over, under), (most, of) = small.as_integer_ratio(), large.as_integer_ratio()
            # In integers: a quotient in lowest terms for each would be slow.
            known = self.tightest
            if most > 0 and over * of * known.denominator > known.numerator * under * most:
                self.tightest = Fraction(over * of, under * most)

    @property
    def details(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {
            "runs": self.runs,
            "steps": self.held,
            "with departures": self.moving,
            "with a gap": self.allowed,
            "largest gap": self.largest_gap,
            "not applicable": dict(self.skipped),
            "largest share of the bound": float(self.tightest),
        }


class Along:
    """Inequalities held along runs, each transition a case of a check.

    Parameters
    ----------
    trial : Trial
        The run of the check; its factor for each side is put on the claimed side.
    cases : Cases
        Where the cases go; of the relation of the inequalities.
    """

    def __init__(self, trial: Trial, cases: Cases) -> None:
        self._trial, self._cases = trial, cases
        self._tallies: list[Tally] = []

    def hold(self, side: str, inequality: Inequality, paths: Iterable[Shared]) -> None:
        """Hold an inequality at every transition of runs, up to the first that breaks it.

        Parameters
        ----------
        side : str
            Its name.
        inequality : Inequality
            What is held.
        paths : iterable of (Path, tuple of Fraction)
            The runs, with the shares ``p`` to take along each.
        """
        tally, factor = Tally(side), self._trial.scale_of(side)
        self._tallies.append(tally)
        above = self._cases.relation == "<="
        for path, shares in paths if not self._cases.violated else ():
            tally.runs += 1
            tally.skipped[EMPTY] += path.empty
            _require_room(path, shares)
            seen = _late(path) if self._trial.fault("late") else path
            for k in range(len(path.pools)):
                gap = path.gaps[k] if above and path.gaps else 0
                blind = BLIND if above and path.gaps is None else ""
                if silent := blind or inequality.silent(path.pools[k]):
                    tally.skipped[silent] += 1
                    continue
                said = [inequality.sides(seen, k, p) for p in shares]
                tally.add(said, gap, moving=bool(path.gone[k].any()), above=above)
                for p, (computed, claimed) in zip(shares, said, strict=True):
                    witness: Witness = partial(_witness, path, k, p)
                    most = claimed * factor + gap if gap or factor != 1 else claimed
                    if self._cases.add(computed, most, witness, side):
                        return

    def domain(self, exhaustive: str) -> str:
        """What was covered, behind the words for what came before."""
        return "; ".join([exhaustive, *map(str, self._tallies)])

    @property
    def details(self) -> dict[str, Any]:
        """What was covered, by inequality, JSON-ready."""
        return {tally.side: tally.details for tally in self._tallies}


def _require_room(path: Path, shares: Iterable[Fraction]) -> None:
    """Refuse loads whose deviations could leave the 64-bit integers.

    Raises
    ------
    InputError
        If so.
    """
    largest = max(
        path.held.max(initial=0), path.slots * max((pool.largest for pool in path.pools), default=0)
    )
    if 4 * int(largest) * path.loads.shape[1] * max(p.denominator for p in shares) >= INT_LIMIT:
        raise InputError(f"the loads of {path.where} are too large for these shares")


def _late(path: Path) -> Path:
    """The departures of each transition taken for those of the next: a planted fault."""
    released, gone = np.roll(path.released, 1, axis=0), np.roll(path.gone, 1, axis=0)
    return replace(path, released=released, gone=gone)


def _witness(path: Path, k: int, p: Fraction) -> dict[str, Any]:
    """A transition, JSON-ready."""
    return {
        "run": path.where,
        "step": k + 1,
        "p": str(p),
        "loads before": path.loads[k].tolist(),
        "loads with growth": path.held[k].tolist(),
        "load departed": path.released[k].tolist(),
        "number departed": path.gone[k].tolist(),
        "loads after": path.loads[k + 1].tolist(),
    }
