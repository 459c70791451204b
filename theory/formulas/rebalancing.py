"""The balance frontier: which imbalance the admission of one step can undo [threshold.*].

Output lengths are geometric(``p``), the drift is 1, sizes lie in ``[a, b]`` with ``d = b - a``, and
``w`` is the load of a request with the growth of the step included.  Departures unbalance the
workers in every step; a worker with ``n`` free slots can take between ``n a`` and ``n b``.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil, comb, log, prod
from typing import Any

from theory.elementary import exp
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import InputError


def can_rebalance(departed: Sequence[Sequence[int]], a: int, b: int) -> bool:
    """Whether a rich pool can restore perfect balance exactly [threshold.rich].

    Parameters
    ----------
    departed : sequence of G sequences of int
        Loads, growth included, of the requests that left each worker of a balanced system.
    a, b : int
        The pool holds every integer size in ``[a, b]`` often enough.

    Examples
    --------
    A request of load 3 left one worker and none the other.  Sizes 1 to 2 bring back at most 2,
    sizes 1 to 3 the whole load:

    >>> can_rebalance([[3], []], 1, 2), can_rebalance([[3], []], 1, 3)
    (False, True)
    """
    return max(sum(w - b for w in row) for row in departed) <= min(
        sum(w - a for w in row) for row in departed
    )


def failure_bound(state: Sequence[Sequence[int]], p: float, a: int, b: int) -> float:
    """Bound of the probability that balance cannot be restored [threshold.sufficient].

    Parameters
    ----------
    state : sequence of G sequences of B ints
        Loads of all requests after growth; every row has the same sum, every load is ``>= a``.
    p : float
        Probability of each request to depart.
    a, b : int
        The pool holds every integer size in ``[a, b]`` often enough.

    Returns
    -------
    float
        ``G (G-1) exp(-t^2 / (2 (V + R t / 3)))``, at most 1, to a relative error of 1e-10, with
        ``t = B p d``, ``V = p (1-p) (max_g sum (w-b)^2 + max_g sum (w-a)^2)`` and ``R`` an upper
        bound of every centred term.

    Raises
    ------
    InputError
        If the rows have different lengths or sums, or a load is below ``a``.
    """
    if len({(len(row), sum(row)) for row in state}) != 1:
        raise InputError("a balanced state needs rows of one length and one sum")
    low, top = min(map(min, state)), max(map(max, state))
    if low < a:
        raise InputError(f"every load must be >= a = {a}, got {low}")
    G, B = len(state), len(state[0])
    variance = (
        p
        * (1 - p)
        * (
            max(sum((w - b) ** 2 for w in row) for row in state)
            + max(sum((w - a) ** 2 for w in row) for row in state)
        )
    )
    reach = max((1 - p) * (top - b), p * (b - low), p * (top - a))
    return _bernstein(G * (G - 1), B * p * (b - a), variance, reach)


def failure_probability(state: Sequence[Sequence[int]], p: Fraction, a: int, b: int) -> Fraction:
    """Exact probability that balance cannot be restored, for few distinct loads in each row.

    Arguments as for :func:`failure_bound`.  A worker whose requests of number ``n`` and total
    ``W`` depart can take part in every level ``t`` with ``X = W - n b <= t <= Y = W - n a``.  The
    levels open to all workers are consecutive integers, so their number less the number of pairs
    of neighbours is 1 if there are any and 0 otherwise; its expectation is a sum of products.

    Examples
    --------
    Two workers with one request of load 3 each, sizes 1 to 2.  Balance is lost where exactly one of
    them departs:

    >>> failure_probability([[3], [3]], Fraction(1, 4), 1, 2)  # 2 * 1/4 * 3/4
    Fraction(3, 8)
    """
    p = Fraction(p)
    go, stay, scale = p.numerator, p.denominator - p.numerator, p.denominator
    tables = []
    for row in state:
        law = {(0, 0): 1}
        for w, copies in Counter(row).items():
            step: Counter[tuple[int, int]] = Counter()
            for (n, total), mass in law.items():
                for k in range(copies + 1):
                    weight = comb(copies, k) * go**k * stay ** (copies - k)
                    step[n + k, total + k * w] += mass * weight
            law = dict(step)
        tables.append([(total - n * b, total - n * a, mass) for (n, total), mass in law.items()])
    low = min(x for table in tables for x, _, _ in table)
    high = max(y for table in tables for _, y, _ in table)
    levels, neighbours = [], []
    for table in tables:
        changes, pairs = [0] * (high - low + 2), [0] * (high - low + 2)
        for x, y, mass in table:
            changes[x - low] += mass
            changes[y + 1 - low] -= mass
            pairs[x - low] += mass
            pairs[y - low] -= mass
        levels.append(list(accumulate(changes)))
        neighbours.append(list(accumulate(pairs)))
    balanced = sum(map(prod, zip(*levels, strict=True))) - sum(
        map(prod, zip(*neighbours, strict=True))
    )
    return 1 - Fraction(balanced, prod(scale ** len(row) for row in state))


def bernstein_form(events: Any, t: Any, variance: Any, reach: Any) -> Any:
    """``events exp(-t^2 / (2 (V + R t / 3)))``, Bernstein's inequality (Bernstein 1924), summed.

    Bounds the probability that one of ``events`` sums of independent centred terms, each at most
    ``R`` and of total variance ``V``, exceeds ``t``; of any number type.
    """
    return events * exp(-t * t / (2 * (variance + reach * t / 3)))


def _bernstein(events: float, t: float, variance: float, reach: float) -> float:
    """:func:`bernstein_form`, at most 1, also where nothing varies."""
    if variance + reach * t / 3 == 0:
        return 0.0 if t > 0 else 1.0
    return min(1.0, float(bernstein_form(events, t, variance, reach)))


def sufficient_slots(
    G: int, p: float, d: int, failure: float, *, square: float, reach: float
) -> int:
    """Slots that suffice for one-step balance, by the constant 8 [threshold.sufficient].

    The least ``B`` with ``B p d^2 >= (8 (1-p) m + (4/3) R d) (ln G + ln(1/failure) / 2)``.

    Parameters
    ----------
    G, p, d
        Workers, departure probability, width ``b - a >= 1`` of the sizes.
    failure : float
        Probability of failure that is accepted, in (0, 1].
    square : float
        ``m``, the mean of the largest mean ``(w-b)^2`` and the largest mean ``(w-a)^2`` over
        workers.
    reach : float
        ``R``, an upper bound of ``(1-p)(w-b)``, ``p(b-w)`` and ``p(w-a)`` for all requests.
    """
    need = (8 * (1 - p) * square + 4 / 3 * reach * d) * (log(G) - log(failure) / 2)
    return ceil(need / (p * d * d))


def age_squares(p: float, d: int) -> tuple[float, float]:
    """``E[(d + A)^2]`` and ``E[max(A, d)^2]`` for ``A`` geometric(``p``) from 1.

    They bound the expected squares of ``w - a`` and ``w - b`` for ``w = s + A``, whatever the
    sizes in ``[a, a + d]``.

    Examples
    --------
    At ``p = 1`` the age is 1:

    >>> age_squares(1, 3)
    (16.0, 9.0)
    """
    beyond = 2 * d / p + (2 - p) / p**2
    return d * d + beyond, d * d + (1 - p) ** d * beyond


# G, p, d, slots at which the next step fails more often than not, and less [threshold.frontier].
FRONTIER = ((16, 0.2, 5, 61, 76), (64, 0.2, 5, 108, 135), (64, 0.1, 10, 250, 313))


def frontier_in_words() -> str:
    """The systems of :data:`FRONTIER`."""
    return ", ".join(
        f"B = {low} and {high} at (G, p, d) = ({G}, {p:g}, {d})" for G, p, d, low, high in FRONTIER
    )


def stationary_failure_bound(G: int, B: int, p: float, d: int) -> float:
    """Bound of the chance to lose perfect balance in a step [threshold.stationary].

    For every step of an overloaded run and every policy: the probability that a step is perfectly
    balanced and that the next cannot be, under a rich pool.  Minimised over the cut ``n`` of the
    ages and the slack ``theta`` of the mean squares; relative error 1e-10.
    """
    squares = age_squares(p, d)
    best = 1.0
    for cut_failure in (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9):
        n = 1 if p == 1 else max(1, ceil(log(cut_failure / (G * B)) / log(1 - p)))
        old = G * B * (1 - p) ** n
        largest = float((d + n) ** 2)
        for theta in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
            uneven = sum(_bernstein(G, theta * B * m, largest * B * m, largest) for m in squares)
            variance = p * (1 - p) * B * (1 + theta) * sum(squares)
            reach = max((1 - p) * n, p * (d + n))
            lost = _bernstein(G * (G - 1), B * p * d, variance, reach)
            best = min(best, old + uneven + lost)
    return best


def guaranteed_slots(G: int, p: float, d: int, failure: float) -> int:
    """The least power of two ``B`` with :func:`stationary_failure_bound` at most ``failure``."""
    B = 1
    while stationary_failure_bound(G, B, p, d) > failure:
        B *= 2
    return B


def unavoidable_imbalance(
    G: int, B: int, p: Fraction, d: int, step: int | None = None, lattice: int | None = None
) -> Fraction:
    """Lower bound of every online policy's ``E[Imb]`` at a step [threshold.any-policy].

    ``(E[G max_g A_g - sum_g A_g] - (G-1) B d)^+`` with ``A_g`` the sum of the ages on worker
    ``g``, which no sticky, work-conserving policy can influence; the expectation is the lower end
    of an enclosure, so the bound is rigorous.

    Parameters
    ----------
    G, B, p, d
        Workers, slots, departure probability, width ``b - a`` of the sizes.
    step : int, optional
        Step counted from a cold start; None for stationarity.
    lattice : int, optional
        Cell of the enclosure, chosen by its length if None.

    Examples
    --------
    Equal sizes on two workers of one slot, two steps after a cold start with ``p = 1/2``: the ages
    are 0, 1, 2 with probabilities 1/2, 1/4, 1/4, so ``E|A_1 - A_2| = 3/8 + 2/4``.

    >>> unavoidable_imbalance(2, 1, Fraction(1, 2), 0, step=2)
    Fraction(7, 8)
    """
    ages = geometric_slot(Law.of({0: 1}), p, step=step)
    least = expected_imbalance(ages, G, B, lattice).imbalance.lower - (G - 1) * B * d
    return max(Fraction(0), least)


@dataclass(frozen=True, slots=True)
class RareSizeRun:
    """An overloaded run in which the largest size ``b`` almost never occurs.

    Sizes are 1 or 2 at equal odds and ``b`` with probability ``rare``, so that a bound in terms of
    ``b - a`` promises what no policy can do [geometric.bfio-upper-range].  All of ``requests`` wait
    from the start, so many that the paper's pool condition holds at every step to ``2 start`` once
    sizes 1 and 2 each make up a quarter of them.

    Parameters
    ----------
    G, B, p, b
        Workers, slots, departure probability, the rare size.
    rare : Fraction
        Its probability.
    lattice : int
        Cell of the enclosures.
    """

    G: int = 1024
    B: int = 13_042
    p: Fraction = Fraction(1, 50)
    b: int = 43
    rare: Fraction = Fraction(1, 10**15)
    lattice: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.rare <= Fraction(1, 50):
            raise InputError(f"a rare size has a chance of at most 1/50, got {self.rare}")

    @property
    def sizes(self) -> Law:
        """The law of a size."""
        common = (1 - self.rare) / 2
        return Law.of({1: common, 2: common, self.b: self.rare})

    @property
    def start(self) -> int:
        """The first step that counts, ``40 / p``."""
        return ceil(40 / self.p)

    @property
    def requests(self) -> int:
        """``4 G B`` for each of the steps: at most ``G B`` enter in one."""
        return 4 * self.G * self.B * (2 * self.start + 1)

    @property
    def start_up(self) -> Fraction:
        """How far ``E[Imb]`` of FCFS and ``E[G max A - sum A]`` are from stationary at the start.

        Both at most ``G`` times the mean total of what the ages miss, ``(A - k)^+`` on each slot.
        """
        missed = (1 - self.p) ** (self.start + 1) / self.p
        return self.G**2 * self.B * missed

    @property
    def unlikely(self) -> Fraction:
        """Chance that a quarter of the requests is not of size 1, or not of size 2.

        At most ``2^-1000`` or, by Hoeffding's inequality (Hoeffding 1963) and for a ``rare`` up to
        1/50, ``2 exp(-2 N (1/4 - rare/2)^2) <= 2 exp(-N / 9)``, whichever is larger.
        """
        return Fraction(1, 2 ** min(1000, self.requests // 9 - 1))

    @property
    def floor(self) -> Fraction:
        """Lower bound of every online policy's ``E[Imb]`` at every step from the start on.

        Given that the pool condition holds throughout: sizes do not depend on ages.  Worker
        ``g`` has sizes of at most ``2 B + (b - 2) R_g`` with ``R_g`` rare ones.
        """
        found = (self.b - 2) * self.rare * self.requests / (1 - self.unlikely)
        least = unavoidable_imbalance(self.G, self.B, self.p, 1, lattice=self.lattice)
        return max(Fraction(0), least - self.start_up - found)

    @property
    def fcfs(self) -> Fraction:
        """Upper bound of ``E[Imb(FCFS)]`` at every step from the start on, given the same."""
        law = geometric_slot(self.sizes, self.p)
        most = expected_imbalance(law, self.G, self.B, self.lattice).imbalance.upper
        return (most + self.start_up) / (1 - self.unlikely)
