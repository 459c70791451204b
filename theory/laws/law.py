"""Laws of integer variables, with every lost bit of probability accounted for.

A :class:`Law` lists probabilities *from below* as integers over a common scale.  What the list
lacks to one is its ``lost`` mass: zero for an exact law, and otherwise the sum of all roundings
and truncations that led to it.  As roundings only ever go down, every law computed from such
lists encloses the true one: the lost mass is the error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from operator import mul

import numpy as np
from flint import fmpz_poly
from numpy.typing import ArrayLike, NDArray

from theory.model import InputError

# Binary digits of a probability that is not kept exact.  With supports of 2^17 points and B = 256
# the lost mass stays below 2^-50, far under any use made of it.
BITS = 80

# A law with more points than this does not fit in memory comfortably.
MAX_POINTS = 2**24


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A real number known to lie in ``[lower, upper]``, two exact rationals."""

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise InputError(f"an enclosure needs lower <= upper, got {self.lower}, {self.upper}")

    @classmethod
    def exactly(cls, number: Fraction | int) -> "Enclosure":
        """A number that is known exactly."""
        return cls(Fraction(number), Fraction(number))

    @property
    def value(self) -> float:
        """The midpoint, as a float."""
        return float(self.lower if self.exact else (self.lower + self.upper) / 2)

    @property
    def exact(self) -> bool:
        """Whether the number is known exactly."""
        return self.lower == self.upper

    def __contains__(self, number: float | Fraction) -> bool:
        return self.lower <= number <= self.upper

    def __add__(self, other: "Enclosure") -> "Enclosure":
        return Enclosure(self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: "Enclosure") -> "Enclosure":
        return Enclosure(self.lower - other.upper, self.upper - other.lower)

    def __mul__(self, factor: int | Fraction) -> "Enclosure":
        ends = self.lower * factor, self.upper * factor
        return Enclosure(min(ends), max(ends))

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if self.exact and self.lower.denominator < 10**6:
            return str(self.lower)
        half = float(self.upper - self.lower) / 2
        return f"{self.value:.15g}" + (f" ± {half:.1g}" if half else "")


@dataclass(frozen=True)
class Law:
    """The law of an integer variable ``X``.

    Parameters
    ----------
    offset : int
        Smallest listed value.
    weights : tuple of int
        ``P(X = offset + i) >= weights[i] / scale``.
    scale : int
        Common denominator.
    bound : int
        The mass that is not listed lies somewhere in ``[offset, bound]``.
    excess : Fraction
        The law is that of ``min(Y, bound)``, and ``excess`` bounds the mean of ``e^2`` with
        ``e = (Y - bound)^+``, so also the mean of the integer ``e`` and the chance that it is not
        zero.  Zero unless an infinite tail was capped.

    Raises
    ------
    InputError
        If a weight is negative, the weights exceed the scale, or the list is empty or too long.
    """

    offset: int
    weights: tuple[int, ...]
    scale: int
    bound: int
    excess: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.weights or len(self.weights) > MAX_POINTS:
            raise InputError(
                f"a law needs between 1 and {MAX_POINTS} points, got {len(self.weights)}: "
                "coarsen the sizes"
            )
        if min(self.weights) < 0 or self.scale < 1 or sum(self.weights) > self.scale:
            raise InputError("the weights of a law must be >= 0 and sum to at most its scale")
        if self.bound < self.top:
            raise InputError(f"bound = {self.bound} lies below the largest value {self.top}")

    @classmethod
    def of(cls, probabilities: Mapping[int, Fraction | int]) -> "Law":
        """The exact law with these probabilities.

        Parameters
        ----------
        probabilities : mapping of int to Fraction
            Probability of each value; they must sum to exactly 1.

        Raises
        ------
        InputError
            If they do not, or the values are too far apart for a list.
        """
        if not probabilities or sum(probabilities.values()) != 1:
            raise InputError("probabilities must sum to exactly 1: give them as Fractions")
        scale = lcm(*(Fraction(q).denominator for q in probabilities.values()))
        low, high = min(probabilities), max(probabilities)
        if high - low >= MAX_POINTS:
            raise InputError(f"values from {low} to {high} are too far apart: coarsen the sizes")
        weights = [0] * (high - low + 1)
        for value, q in probabilities.items():
            weights[value - low] = int(q * scale)
        return cls(low, tuple(weights), scale, high)

    @classmethod
    def uniform(cls, a: int, b: int) -> "Law":
        """The uniform law on the integers ``a..b``.

        Raises
        ------
        InputError
            If ``a > b``.

        Examples
        --------
        >>> die = Law.uniform(1, 6)
        >>> str(die.mean), str(die.variance)
        ('7/2', '35/12')
        """
        if a > b:
            raise InputError(f"uniform sizes need a <= b, got {a}..{b}")
        return cls(a, (1,) * (b - a + 1), b - a + 1, b)

    @classmethod
    def empirical(cls, values: ArrayLike) -> "Law":
        """The law of a uniformly chosen entry of a sample.

        Parameters
        ----------
        values : int[N]
            The sample.

        Raises
        ------
        InputError
            If it is empty or holds anything but integers, or they are too far apart for a list.
        """
        sample = np.asarray(values)
        if sample.ndim != 1 or sample.size == 0 or sample.dtype.kind not in "iu":
            raise InputError("an empirical law needs a non-empty list of integers")
        low, high = int(sample.min()), int(sample.max())
        if high - low >= MAX_POINTS:
            raise InputError(f"values from {low} to {high} are too far apart: coarsen the sizes")
        return cls(low, tuple(np.bincount(sample - low).tolist()), sample.size, high)

    @property
    def top(self) -> int:
        """Largest listed value."""
        return self.offset + len(self.weights) - 1

    @cached_property
    def lost(self) -> Fraction:
        """Mass that is not listed."""
        return Fraction(self.scale - sum(self.weights), self.scale)

    @cached_property
    def exact(self) -> bool:
        """Whether the list is the whole law."""
        return self.lost == 0 and self.excess == 0

    @property
    def floats(self) -> NDArray[np.float64]:
        """Listed probabilities, rounded, float64[points]."""
        return np.array([w / self.scale for w in self.weights])

    def moment(self, order: int, centre: int | Fraction = 0) -> Enclosure:
        """``E|X - centre|^order``, enclosed; an absolute moment.

        The lost mass may sit anywhere in ``[offset, bound]``.  A first moment encloses that of the
        variable before its tail was capped too; higher moments are those of the capped one.
        """
        listed = _listed_moment(self, order, centre)
        if self.exact:
            return Enclosure(listed, listed)
        c = Fraction(centre)
        farthest = max(abs(self.offset - c), abs(self.bound - c)) ** order
        nearest = Fraction(0)
        if not self.offset <= c <= self.bound:
            nearest = min(abs(self.offset - c), abs(self.bound - c)) ** order
        tail = self.excess if order == 1 else Fraction(0)
        lower = listed + self.lost * nearest - (tail if c > self.bound else 0)
        return Enclosure(max(Fraction(0), lower), listed + self.lost * farthest + tail)

    @cached_property
    def mean(self) -> Enclosure:
        """``E X``."""
        shifted = self.moment(1, self.offset)
        return Enclosure(self.offset + shifted.lower, self.offset + shifted.upper)

    @cached_property
    def variance(self) -> Enclosure:
        """Variance of ``X``, and of the variable before its tail was capped."""
        mean = self.mean
        middle = (mean.lower + mean.upper) / 2
        second = self.moment(2, middle)
        # Var X = E(X - m)^2 - (E X - m)^2 for any m.
        slack = ((mean.upper - mean.lower) / 2) ** 2
        # A tail e adds its variance and 2 cov(X, e), neither negative: e > 0 only at the bound.
        tail = self.excess * (1 + 2 * (self.bound - mean.lower))
        return Enclosure(max(Fraction(0), second.lower - slack), second.upper + tail)

    def rounded(self, bits: int = BITS) -> "Law":
        """The same law with probabilities rounded down to multiples of ``2^-bits``."""
        finer = self.scale.bit_length() - 1 - bits
        if finer >= 0 and self.scale == 1 << bits + finer:  # as it mostly is: a shift is quick
            weights = tuple([w >> finer for w in self.weights])
        else:
            weights = tuple([(w << bits) // self.scale for w in self.weights])
        return Law(self.offset, weights, 1 << bits, self.bound, self.excess)

    def coarsened(self, cell: int) -> "Law":
        """The law of ``floor(X / cell)``.

        Examples
        --------
        Sizes 1 to 4 in cells of 2: 0, 1, 1, 2.

        >>> cells = Law.uniform(1, 4).coarsened(2)
        >>> cells.offset, cells.weights
        (0, (1, 2, 1))
        """
        low, lead = divmod(self.offset, cell)
        starts = range(-lead, len(self.weights), cell)
        weights = tuple([sum(self.weights[max(0, at) : at + cell]) for at in starts])
        return Law(low, weights, self.scale, self.bound // cell, self.excess)

    def plus(self, other: "Law") -> "Law":
        """The law of the sum with an independent variable, exact where both are.

        Examples
        --------
        The sum of two dice:

        >>> two = Law.uniform(1, 6).plus(Law.uniform(1, 6))
        >>> two.offset, two.weights, two.scale
        (2, (1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1), 36)
        """
        product = fmpz_poly(list(self.weights)) * fmpz_poly(list(other.weights))
        both = 2 if self.excess and other.excess else 1  # (e + e')^2 <= 2 (e^2 + e'^2)
        # fmpz_poly drops zero leading coefficients.
        weights = [int(w) for w in product.coeffs()]
        weights += [0] * (len(self.weights) + len(other.weights) - 1 - len(weights))
        return Law(
            self.offset + other.offset,
            tuple(weights),
            self.scale * other.scale,
            self.bound + other.bound,
            both * (self.excess + other.excess),
        )


@lru_cache(maxsize=1024)  # of the laws of traces, which have 10^5 points, the same are asked for
def _listed_moment(law: Law, order: int, centre: int | Fraction) -> Fraction:
    """``E|X - centre|^order`` over the listed mass."""
    p, q = centre.as_integer_ratio()
    if order == 1 and centre <= law.offset:  # the means of the longest laws: no value below
        above = sum(map(mul, law.weights, range(len(law.weights))))
        return Fraction(above, law.scale) + (law.offset - centre) * (1 - law.lost)
    total = sum([w * abs(q * x - p) ** order for x, w in enumerate(law.weights, law.offset) if w])
    return Fraction(total, law.scale * q**order)
