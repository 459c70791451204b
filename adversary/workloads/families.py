"""Workload families: seeded generators of requests, and the overloaded class.

Every family is a function of ``(n, seed, parameters)`` and returns the same requests for the same
arguments.  The random families draw requests independently, so a backlog of them is the
overloaded model of the paper once it is long enough (:func:`requests_to_overload`) and its pool
is rich enough (:func:`pool_survives_a_class`).
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.budget import affordable_requests
from theory.model import FloatArray, InputError, IntArray, Requests, System
from theory.own import OwnError, installed, is_own, own, running

_HERE = Path(__file__).parent

# Entry points of families that installed packages have.
OWN = "evenkeel.families"

# A draw larger than this would overflow the sums of a long run; no real request comes near it.
SIZE_LIMIT = 2**31 - 1


Draw = Callable[..., tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a workload family.

    Parameters
    ----------
    default : int, float or None
        Value when none is given; None where the family has a rule of its own.
    least, most : int or float
        Range, both ends included.
    text : str
        What it means.
    integer : bool
        Whether only integers make sense.

    Examples
    --------
    >>> Parameter(50, 1, 10**6, "largest size").check("bursts", "b", 80)
    80
    """

    default: int | float | None
    least: int | float
    most: int | float
    text: str
    integer: bool = True

    def check(self, family: str, name: str, value: Any) -> int | float | None:
        """The value as a plain number.

        Raises
        ------
        InputError
            If it is not a number of the right kind, or out of range.
        """
        if value is None and self.default is None:
            return None
        kinds = (int, np.integer) if self.integer else (int, float, np.integer, np.floating)
        if isinstance(value, kinds) and not isinstance(value, bool):
            number = int(value) if self.integer else float(value)
            if self.least <= number <= self.most:
                return number
        kind = "an integer" if self.integer else "a number"
        raise InputError(
            f"{name} of the workload {family} must be {kind} in [{self.least}, {self.most}], "
            f"got {value!r}"
        )


@dataclass(frozen=True, slots=True)
class Family:
    """A workload family: what it is, its parameters, and how it is drawn.

    Parameters
    ----------
    name : str
        Its name.
    text : str
        A few words.
    parameters : mapping of str to Parameter
        What it may be asked for.
    draw : callable
        ``draw(rng, n, **parameters)``: sizes and output lengths of ``n`` requests.
    measured : bool
        Whether its output lengths, by default, follow those of a trace.
    """

    name: str
    text: str
    parameters: Mapping[str, Parameter]
    draw: "Draw"
    measured: bool = False


_SIZE = 1, SIZE_LIMIT
_A = Parameter(1, *_SIZE, "smallest size")
_B = Parameter(100, *_SIZE, "largest size")
_LENGTHS = {
    "p": Parameter(None, 2**-40, 1.0, "geometric output lengths, of mean 1/p", integer=False),
    "length": Parameter(None, *_SIZE, "equal output lengths"),
}
_REFILL = {
    "workers": Parameter(8, 1, 2**20, "workers G of the system that is refilled"),
    "slots": Parameter(8, 1, 2**20, "slots B of each worker"),
    "a": _A,
    "b": _B,
    "length": Parameter(1, *_SIZE, "equal output lengths"),
}


def workload(name: str, n: int, seed: int, **params: Any) -> Requests:
    """Draw ``n`` requests of a family, as a backlog in arrival order.

    Parameters
    ----------
    name : str
        One of :func:`workload_names`; or one of your own, as :func:`family` finds it.
    n : int
        Number of requests, at least 1.
    seed : int
        The same seed and parameters give the same requests.
    **params
        Parameters of the family, see :func:`family`.  Where a family takes ``p`` (geometric
        output lengths of mean ``1/p``) and ``length`` (all equal), at most one of the two may be
        given; with neither, a fitted family draws its own output lengths and the others take
        ``p = 0.02``.

    Raises
    ------
    InputError
        If the family or a parameter is not known, or a value is out of its range.

    Examples
    --------
    >>> workload("refill-tight", 8, seed=0, workers=2, slots=2, a=1, b=5).prefill.tolist()
    [5, 1, 1, 1, 5, 1, 1, 1]
    """
    chosen = family(name)
    for key in params:
        if key not in chosen.parameters:
            known = ", ".join(chosen.parameters) or "none"
            raise InputError(f"the workload {name} has no parameter {key!r}; it has: {known}")
    _check_integer("n", n, 1)
    affordable_requests(n)
    _check_integer("seed", seed, 0)
    values = {
        key: parameter.check(name, key, params.get(key, parameter.default))
        for key, parameter in chosen.parameters.items()
    }
    if values.get("a", 0) > values.get("b", SIZE_LIMIT):  # type: ignore[operator]
        raise InputError(
            f"the workload {name} needs a <= b, got a = {values['a']} and b = {values['b']}"
        )
    if values.get("p") is not None and values.get("length") is not None:
        raise InputError(f"the workload {name} takes p or length, not both")
    rng = np.random.default_rng(seed)
    if name in _families():
        return Requests(*chosen.draw(rng, n, **values))
    try:
        with running(f"the workload {name}"):
            sizes, lengths = chosen.draw(rng, n, **values)
            drawn = Requests(sizes, lengths)
    except OwnError:
        raise
    except InputError as error:
        raise InputError(f"the workload {name}: {error}") from error
    if len(drawn) != n:
        raise InputError(f"the workload {name} drew {len(drawn)} requests where {n} were asked for")
    return drawn


def family(name: str) -> Family:
    """The family of that name.

    Parameters
    ----------
    name : str
        One of :func:`workload_names`; ``module:attribute`` or ``file.py:attribute`` of a function
        under :func:`workload_family`; or an entry point in the group ``evenkeel.families``.

    Raises
    ------
    InputError
        If there is none; the message lists those that exist.
    """
    known = _families()
    if name in known:
        return known[name]
    others = installed(OWN)
    if name not in others and not is_own(name):
        raise InputError(
            f"no workload {name!r}; known workloads: {', '.join([*known, *others])}, or "
            "module:attribute for one of your own"
        )
    found = own(name, OWN)
    if not isinstance(found, Family):
        raise InputError(
            f"the workload {name} must be a function under @workload_family, not "
            f"{type(found).__name__}"
        )
    return found


def workload_family(
    text: str,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    name: str = "",
    sizes_only: bool = False,
    measured: bool = False,
) -> Callable[[Callable[..., Any]], Family]:
    """Decorate the function that draws a workload family.

    It is called with a random generator, the number of requests and a value for each parameter,
    and returns their sizes and output lengths, two lists of that many integers ``>= 1``.

    Parameters
    ----------
    text : str
        What the family is, in a few words.
    parameters : mapping of str to Parameter, optional
        What it may be asked for.
    name : str
        By default that of the function, with hyphens.
    sizes_only : bool
        The function returns sizes alone.  Their output lengths are independent of them: geometric
        (``p``), equal (``length``), or geometric of mean 50; these two parameters are added.
    measured : bool
        Whether its output lengths, by default, follow those of a trace.

    Examples
    --------
    >>> @workload_family("one large in each block", {"every": Parameter(8, 1, 10**6, "block")})
    ... def one_large(rng, n, every):
    ...     sizes = np.where(np.arange(n) % every == 0, 1000, 10)
    ...     return sizes, rng.geometric(0.02, n)
    >>> one_large.name, one_large.draw(np.random.default_rng(0), 3, every=2)[0].tolist()
    ('one-large', [1000, 10, 1000])
    """
    own_parameters = dict(parameters or {})
    for key, value in own_parameters.items():
        if not isinstance(value, Parameter):
            raise InputError(f"the parameter {key} of a workload family must be a Parameter")

    def decorate(draw: Callable[..., Any]) -> Family:
        called = name or draw.__name__.strip("_").replace("_", "-")
        if sizes_only:
            return Family(called, text, own_parameters | _LENGTHS, _with_lengths(draw), measured)
        return Family(called, text, own_parameters, draw, measured)

    return decorate


def workload_names() -> tuple[str, ...]:
    """Names of all families."""
    return tuple(_families())


def requests_to_overload(
    system: System,
    steps: int,
    *,
    p: float | None = None,
    length: int | None = None,
    pool: int | None = None,
    failure: float = 1e-9,
) -> int:
    """How many requests keep every slot full, and the pool at its limit, for that many steps.

    Parameters
    ----------
    system : System
        ``G`` and ``B``.
    steps : int
        Number of steps ``K >= 1`` that must run at full slots.
    p, length : float or int, optional
        Output lengths: geometric, or all equal; exactly one must be given.
    pool : int, optional
        Pool limit ``R``; ``G*B`` by default.
    failure : float
        For geometric lengths, largest probability that the backlog runs out early.

    Returns
    -------
    int
        ``G*B + R`` plus the departures after the first ``K - 1`` steps: exactly
        ``G*B*floor((K-1)/length)`` for equal lengths.  A full slot of geometric lengths empties
        after each step with probability ``p``, so the departures are binomial, and Bernstein's
        inequality (Bernstein 1924) bounds them: mean ``m`` plus ``sqrt(2 m t) + 2t/3``, ``t =
        ln(1/failure)``.
    """
    _check_integer("steps", steps, 1)
    if (p is None) == (length is None):
        raise InputError("give exactly one of p (geometric lengths) and length (equal lengths)")
    pool = system.capacity if pool is None else pool
    _check_integer("pool", pool, 1)
    slot_steps = system.capacity * (steps - 1)
    if length is not None:
        _check_integer("length", length, 1)
        departures = system.capacity * ((steps - 1) // length)
    elif p is not None:
        _LENGTHS["p"].check("requests_to_overload", "p", p)
        if not 0 < failure < 1:
            raise InputError(f"failure must be in (0, 1), got {failure!r}")
        mean, t = slot_steps * p, math.log(1 / failure)
        departures = min(slot_steps, math.ceil(mean + math.sqrt(2 * mean * t) + 2 * t / 3))
    return system.capacity + pool + departures


def pool_survives_a_class(pool: ArrayLike, free_slots: int) -> bool:
    """Whether the pool can fill all free slots even after any one size class is removed.

    The pool condition of the paper's overloaded class.

    Parameters
    ----------
    pool : int[n]
        Sizes of the waiting requests.
    free_slots : int
        Free slots in the whole system.
    """
    sizes = np.asarray(pool)
    largest_class = int(np.unique(sizes, return_counts=True)[1].max()) if sizes.size else 0
    return int(sizes.size) - largest_class >= free_slots


def _check_integer(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} must be an integer >= {least}, got {value!r}")


# --- Output lengths -----------------------------------------------------------------------------


def _lengths(
    rng: np.random.Generator,
    n: int,
    p: float | None,
    length: int | None,
    otherwise: Callable[[], IntArray],
) -> IntArray:
    """Geometric or equal output lengths, or the family's own when neither is asked for."""
    if length is not None:
        return np.full(n, length, dtype=np.int64)
    return otherwise() if p is None else _geometric(rng, n, p)


def _geometric(rng: np.random.Generator, n: int, p: float) -> IntArray:
    return np.minimum(rng.geometric(p, n), SIZE_LIMIT).astype(np.int64)


def _with_lengths(
    sizes: Callable[..., IntArray],
) -> Callable[..., tuple[IntArray, IntArray]]:
    """A family of independent sizes, with geometric lengths of mean 50 unless others are given."""

    def draw(
        rng: np.random.Generator, n: int, *, p: float | None, length: int | None, **params: Any
    ) -> tuple[IntArray, IntArray]:
        prefill = sizes(rng, n, **params)
        return prefill, _lengths(rng, n, p, length, lambda: _geometric(rng, n, 0.02))

    return draw


# --- Independent sizes --------------------------------------------------------------------------


@workload_family("sizes uniform on a..b", {"a": _A, "b": _B}, sizes_only=True)
def _uniform(rng: np.random.Generator, n: int, a: int, b: int) -> IntArray:
    return rng.integers(a, b, size=n, endpoint=True, dtype=np.int64)


@workload_family(
    "size b with probability q, else a",
    {"a": _A, "b": _B, "q": Parameter(0.5, 0.0, 1.0, "probability of b", integer=False)},
    sizes_only=True,
)
def _two_point(rng: np.random.Generator, n: int, a: int, b: int, q: float) -> IntArray:
    return np.where(rng.random(n) < q, b, a).astype(np.int64)


@workload_family(
    "rounded lognormal sizes, cut to a..b",
    {
        "a": _A,
        "b": Parameter(8192, 1, 2**24, "largest size"),
        "median": Parameter(500.0, 1e-3, 1e12, "median before the cut", integer=False),
        "sigma": Parameter(1.0, 1e-3, 100.0, "standard deviation of ln", integer=False),
    },
    sizes_only=True,
)
def _lognormal(
    rng: np.random.Generator, n: int, *, median: float, sigma: float, a: int, b: int
) -> IntArray:
    cdf = _mixture_cdf([1.0], [math.log(median)], [sigma], b)
    below = float(cdf[a - 2]) if a > 1 else 0.0
    if below >= 1:
        raise InputError(f"the lognormal has no mass from a = {a} up: lower a or raise the median")
    return 1 + _quantile(cdf, below + (1 - below) * (1 - rng.random(n)))


# Values that a distribution function is computed for at a time: the largest has four million.
_BLOCK = 2**16


def _mixture_cdf(w: list[float], mu: list[float], sigma: list[float], most: int) -> FloatArray:
    """Distribution function of a rounded lognormal mixture on 1..most, truncated above.

    Mass below 1/2 sits on 1: a length is at least one, however short the text.
    """
    from scipy.special import ndtr

    cdf = np.zeros(most)
    for first in range(0, most, _BLOCK):
        block = cdf[first : first + _BLOCK]
        edges = np.log(np.arange(first + 1, first + 1 + block.size) + 0.5)
        for share, mean, deviation in zip(w, mu, sigma, strict=True):
            block += share * ndtr((edges - mean) / deviation)
    whole = float(cdf[-1])
    if whole <= 0:
        raise InputError(f"the lognormal has no mass up to b = {most}: raise b or lower the median")
    cdf /= whole
    return cdf


def _quantile(cdf: FloatArray, u: FloatArray) -> IntArray:
    """Index of the smallest value whose distribution function reaches ``u`` in (0, 1]."""
    return np.searchsorted(cdf, u, side="left").astype(np.int64)


# --- Worst cases of a full refill ---------------------------------------------------------------


@workload_family("full refill, FCFS: each round gives the first worker all the b's", _REFILL)
def _fcfs_worst(
    _rng: np.random.Generator, n: int, *, workers: int, slots: int, a: int, b: int, length: int
) -> tuple[IntArray, IntArray]:
    round_ = np.full(workers * slots, a, dtype=np.int64)
    round_[:slots] = b
    return np.resize(round_, n), np.full(n, length, dtype=np.int64)


@workload_family("full refill: each round has one b and G*B - 1 a's", _REFILL, name="refill-tight")
def _refill_tight(
    _rng: np.random.Generator, n: int, *, workers: int, slots: int, a: int, b: int, length: int
) -> tuple[IntArray, IntArray]:
    round_ = np.full(workers * slots, a, dtype=np.int64)
    round_[0] = b
    return np.resize(round_, n), np.full(n, length, dtype=np.int64)


# --- Fitted mixtures and histograms -------------------------------------------------------------


@lru_cache(maxsize=4)  # both of two families: the longest has a value for each of 10^6 lengths
def _marginal(name: str, which: str) -> FloatArray:
    fit = _fits()[name]
    mixture = fit[which]
    return _mixture_cdf(mixture["w"], mixture["mu"], mixture["sigma"], fit[f"{which}_max"])


@cache
def _fits() -> dict[str, Any]:
    return tomllib.loads((_HERE / "families.toml").read_text(encoding="utf-8"))


def _fitted(name: str) -> Callable[..., tuple[IntArray, IntArray]]:
    """Both lengths from the fitted marginals, tied by the Gaussian copula."""

    def draw(
        rng: np.random.Generator, n: int, p: float | None, length: int | None
    ) -> tuple[IntArray, IntArray]:
        from scipy.special import ndtr

        rho = _fits()[name].get("copula_rho", 0.0)
        x, y = rng.standard_normal((2, n))
        prefill = 1 + _quantile(_marginal(name, "prompt"), ndtr(x))
        z = rho * x + math.sqrt(1 - rho**2) * y
        return prefill, _lengths(
            rng, n, p, length, lambda: 1 + _quantile(_marginal(name, "output"), ndtr(z))
        )

    return draw


def _bin_bounds(b: int) -> tuple[int, int]:
    """Smallest and largest integer ``x`` with ``floor(4 log2 x) = b``, that is ``x^4 >= 2^b``."""

    def least(power: int) -> int:
        x = math.isqrt(math.isqrt(2**power))
        return x if x**4 >= 2**power else x + 1

    return least(b), least(b + 1) - 1


@cache
def _histogram(name: str) -> tuple[FloatArray, IntArray]:
    """Cumulative shares of the cells, and their bounds int64[cells, prompt/output, low/high]."""
    path = _HERE / f"{name}_histogram.csv"
    rows = np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=4)
    bounds = [[_bin_bounds(x), _bin_bounds(y)] for x, y, _ in rows.tolist()]
    share = np.cumsum(rows[:, 2])
    return share / share[-1], np.array(bounds, dtype=np.int64)


# Equal parts of [0, 1), in each of which one starts to look for a cell.
_PARTS = 2**12


@cache
def _cells_from(name: str) -> IntArray:
    """The cell of the least number of each part."""
    share, _ = _histogram(name)
    return np.searchsorted(share, np.arange(_PARTS) / _PARTS, side="right")


def _cells(name: str, u: FloatArray) -> IntArray:
    """The cell of each number in [0, 1): how many of the cumulative shares it reaches.

    As ``np.searchsorted`` on their right, which takes nine times as long.
    """
    share, _ = _histogram(name)
    cell = _cells_from(name)[(u * _PARTS).astype(np.int64)]
    while (beyond := share[cell] <= u).any():
        cell += beyond
    return cell


def _from_histogram(name: str) -> Callable[..., tuple[IntArray, IntArray]]:
    """A cell by its count, then both lengths uniform in it."""

    def draw(
        rng: np.random.Generator, n: int, p: float | None, length: int | None
    ) -> tuple[IntArray, IntArray]:
        _, bounds = _histogram(name)
        cell = bounds[_cells(name, rng.random(n))]
        drawn = rng.integers(cell[:, :, 0], cell[:, :, 1], endpoint=True)
        return drawn[:, 0], _lengths(rng, n, p, length, lambda: drawn[:, 1])

    return draw


# --- The registry -------------------------------------------------------------------------------


@cache
def _families() -> dict[str, Family]:
    listed = [_uniform, _two_point, _lognormal, _fcfs_worst, _refill_tight]
    listed += [
        workload_family(f"fit to {fit['text']}", _LENGTHS, name=name, measured=True)(_fitted(name))
        for name, fit in _fits().items()
    ]
    listed += [
        workload_family(
            f"joint histogram of the paper's {name} sample",
            _LENGTHS,
            name=f"{name}-like",
            measured=True,
        )(_from_histogram(name))
        for name in ("burst", "longbench", "arxiv")
    ]
    return {f.name: f for f in listed}
