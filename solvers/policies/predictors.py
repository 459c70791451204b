"""Predictors of departures: the only ones that may know anything of hidden output lengths.

A policy that looks ahead sees the loads that its predictor predicts, never a length.  There are
two kinds.  A *length predictor* names the length of every request before the run; a request that
outlives it is expected to end with the present step, at every step anew.  An *age predictor* knows
only for how long each request has been served: it predicts the number of steps that are left,
the present one included, from the age alone.  It is asked anew whenever the number of departures
has doubled since it was last asked.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from solvers.policies.making import takes_seed
from theory.model import INT_LIMIT, InputError, IntArray, Requests
from theory.own import installed, is_own, own, running

# Entry points of predictors that installed packages have.
OWN = "evenkeel.predictors"

# More steps than any run has.
FOREVER = INT_LIMIT


@runtime_checkable
class LengthPredictor(Protocol):
    """Predicts the length of each request, once."""

    name: str

    def lengths(self, requests: Requests) -> IntArray:
        """Predicted output lengths, int64[N], each ``>= 1``."""
        ...


@runtime_checkable
class AgePredictor(Protocol):
    """Predicts what is left of a request from its age."""

    name: str

    def remaining(self, ended: IntArray, running: IntArray) -> IntArray:
        """Predicted steps left by age, the present one included.

        Parameters
        ----------
        ended : int64[m]
            Lengths of the requests that have departed.
        running : int64[k]
            Steps that each running request has been served.

        Returns
        -------
        int64[A], A >= 1
            ``>= 1``, for the ages ``0..A-1``; the last entry stands for all greater ages.
        """
        ...


Predictor = LengthPredictor | AgePredictor


class Oracle:
    """Knows every length."""

    name = "oracle"

    def lengths(self, requests: Requests) -> IntArray:
        """See :class:`LengthPredictor`."""
        return requests.decode


class GivenLengths:
    """Predicts lengths that are given, one for each request in order."""

    name = "given"

    def __init__(self, lengths: ArrayLike) -> None:
        self._lengths = np.asarray(lengths, dtype=np.int64)

    def lengths(self, requests: Requests) -> IntArray:
        """See :class:`LengthPredictor`."""
        return self._lengths


class NoisyOracle:
    """The true length times a log-normal error: ``max(1, round(o exp(error z)))``.

    The ``z`` are independent standard normal, one a request, so the median of the prediction is
    the truth and two thirds of the predictions lie within a factor ``exp(error)`` of it.

    Parameters
    ----------
    error : float
        Standard deviation of the logarithm of the prediction, ``>= 0``.
    seed : int
        Seed of the errors; taken modulo ``2^64``.

    Raises
    ------
    InputError
        If the error is negative or not finite.
    """

    def __init__(self, error: float, seed: int = 0) -> None:
        if not (np.isfinite(error) and error >= 0):
            raise InputError(f"the error of a noisy predictor must be >= 0, got {error!r}")
        self.error = error
        self.seed = seed
        self.name = f"noisy:{error:g}"

    def lengths(self, requests: Requests) -> IntArray:
        """See :class:`LengthPredictor`."""
        z = np.random.default_rng(self.seed % 2**64).standard_normal(len(requests))
        guess = np.rint(requests.decode * np.exp(self.error * z))
        return np.clip(guess, 1, 2.0**61).astype(np.int64)


class Survival:
    """The median remaining life under a known law of the lengths.

    Parameters
    ----------
    lengths : array of int
        A sample of output lengths ``>= 1``, such as yesterday's; its empirical law is taken.

    Raises
    ------
    InputError
        If the sample is empty or holds anything but integers ``>= 1``.
    """

    name = "survival"

    def __init__(self, lengths: ArrayLike) -> None:
        sample = np.asarray(lengths)
        if sample.ndim != 1 or sample.size == 0 or sample.dtype.kind not in "iu":
            raise InputError("a survival predictor needs a non-empty list of integer lengths")
        if int(sample.min()) < 1 or int(sample.max()) >= INT_LIMIT:
            raise InputError("lengths must lie in [1, 2^62)")
        self._table = median_remaining(sample.astype(np.int64), np.empty(0, np.int64))

    def remaining(self, ended: IntArray, running: IntArray) -> IntArray:
        """See :class:`AgePredictor`; what is observed changes nothing."""
        return self._table


class Observed:
    """The median remaining life under the lengths and ages observed so far in the run."""

    name = "observed"

    def remaining(self, ended: IntArray, running: IntArray) -> IntArray:
        """See :class:`AgePredictor`."""
        return median_remaining(ended, running)


def median_remaining(ended: IntArray, running: IntArray) -> IntArray:
    """Median remaining life by age, from lengths of which some are known only to be larger.

    The product-limit estimate of the survival function ``S(a) = P(o > a)``; at age ``a`` the least
    ``r >= 1`` with ``S(a + r) <= S(a) / 2``, or :data:`FOREVER` where ``S`` falls that far at no
    age that was observed.

    Parameters
    ----------
    ended : int64[m]
        Lengths of requests that have departed, ``>= 1``.
    running : int64[k]
        Steps served of requests that are still there, ``>= 0``.

    Returns
    -------
    int64[A + 1]
        By age, ``A`` the largest age observed; the last entry is :data:`FOREVER`.

    Notes
    -----
    Source: (Kaplan and Meier 1958).

    Examples
    --------
    >>> nobody = np.empty(0, dtype=np.int64)
    >>> median_remaining(np.array([2, 2, 2]), nobody)[:2].tolist()  # all end with their second step
    [2, 1]
    """
    longest = int(max(ended.max(initial=0), running.max(initial=0)))
    last = np.bincount(ended, minlength=longest + 1)[1:]  # whose last step was that of age a
    seen = last + np.bincount(running, minlength=longest + 1)[1:]
    at_risk = np.cumsum(seen[::-1])[::-1]  # served a step at age a or later
    survival = np.cumprod(np.concatenate([[1.0], 1 - last / np.maximum(at_risk, 1)]))
    # A little more than half, so that rounding does not decide where it is half exactly.
    half = np.searchsorted(-survival, -survival * (0.5 + 1e-9), side="left")
    remaining: IntArray = half - np.arange(longest + 1)
    remaining[(half > longest) | (survival == 0)] = FOREVER
    return remaining


def is_built_in(spec: str) -> bool:
    """Whether a predictor of that name is built in, whatever its parameter."""
    return spec.partition(":")[0] in ("oracle", "observed", "noisy")


def predictor_of(spec: str | Predictor, seed: int = 0) -> Predictor:
    """The predictor of that name, or the object that is given.

    Parameters
    ----------
    spec : str or Predictor
        ``oracle``, ``noisy:ERROR`` or ``observed``; ``module:attribute`` or ``file.py:attribute``
        of a class or an instance of your own; or an entry point in the group
        ``evenkeel.predictors``.
    seed : int
        Seed of the errors of ``noisy``, and of a class with a parameter ``seed``.

    Raises
    ------
    InputError
        If there is no such predictor.
    """
    if not isinstance(spec, str) and isinstance(spec, LengthPredictor | AgePredictor):
        return spec  # of a text it takes ten times as long to see that it is none
    name, _, error = str(spec).partition(":")
    if spec == "oracle":
        return Oracle()
    if spec == "observed":
        return Observed()
    if name == "noisy":
        with suppress(ValueError):
            return NoisyOracle(float(error), seed)
    if not is_built_in(str(spec)) and (is_own(str(spec)) or spec in installed(OWN)):
        return _own(str(spec), seed)
    raise InputError(
        f"unknown predictor {spec!r}; known: oracle, observed, noisy:ERROR with an error >= 0, and "
        "module:attribute for one of your own"
    )


def _own(spec: str, seed: int) -> Predictor:
    """A predictor of one's own, made if it is a class."""
    found = own(spec, OWN)
    if inspect.isclass(found):
        given = {"seed": seed} if takes_seed(found) else {}  # type: ignore[arg-type]
        with running(f"predictor {spec!r}: cannot create it"):
            found = found(**given)
    if not isinstance(found, LengthPredictor | AgePredictor):
        raise InputError(
            f"predictor {spec!r}: expected a class or an instance with a text `name` and a method "
            f"lengths(requests) or remaining(ended, running), found {type(found).__name__}"
        )
    return found


def forecast(name: str, ask: Callable[..., Any], *seen: Any, size: int | None = None) -> IntArray:
    """What a predictor answers, as int64, if it is a list of integers ``>= 1`` of that size.

    Parameters
    ----------
    name : str
        The predictor's.
    ask : callable
        Its method.
    *seen
        What that is shown.
    size : int, optional
        Integers that are wanted; any number of them if it is not given.

    Raises
    ------
    InputError
        If it is not, or a predictor of one's own raises an exception.
    """
    with running(f"predictor {name!r}", getattr(ask, "__module__", None)):
        column = np.asarray(ask(*seen))
    wanted = "a non-empty list of" if size is None else f"{size}"
    if (
        column.ndim != 1
        or (column.size != size if size is not None else column.size == 0)
        or (column.size and (column.dtype.kind not in "iu" or int(column.min()) < 1))
    ):
        raise InputError(f"predictor {name!r} must return {wanted} integers >= 1")
    return column.astype(np.int64)
