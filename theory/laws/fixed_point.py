"""Numbers below 1 in fixed point, in arrays, and powers of them, every product rounded down.

A number is the sum of its *limbs*, integers below ``2^24``, over ``2^24``, ``2^48`` and so on.
Products of two limbs are below ``2^48``, and int64 holds sums of thousands of them.
"""

from collections.abc import Sequence

import numpy as np

from theory.model import IntArray

LIMB = 24  # bits; whole bytes

# Numbers at hand at once, which stay in a processor's cache.
PIECE = 2**12


def powers(numbers: Sequence[int], scale: int, exponent: int, limbs: int) -> IntArray:
    """``(number / scale)^exponent``, too low by less than ``exponent (limbs + 1)`` last units.

    Parameters
    ----------
    numbers : sequence of N int
        At least 0 and below ``scale``.
    scale, exponent : int
        At least 1.
    limbs : int
        Between 1 and 1000, of each number.

    Returns
    -------
    int64[limbs, N]
        The highest limbs first.

    Notes
    -----
    A quotient is rounded down by less than a unit, and so is what the column behind the last limb
    adds to a product.  Further columns are left out: of ``limbs - 1`` products of limbs, at most
    ``(2^24 - 1)^2``, over ``2^48`` units; of ``limbs - 2`` over ``2^72``; and so on, less than
    ``limbs - 1`` units in all.  So a product adds less than ``limbs`` units to the errors of its
    factors, which do not grow, as neither factor exceeds 1.

    Examples
    --------
    The squares of 1/2 and of 3/4 are 4 and 9 of 16 parts:

    >>> powers([2, 3], 4, 2, 2).tolist() == [[4 * 2**20, 9 * 2**20], [0, 0]]
    True
    """
    found = _limbs(numbers, scale, limbs)
    for start in range(0, len(numbers), PIECE):
        piece = found[:, start : start + PIECE]
        power = piece
        for bit in bin(exponent)[3:]:
            power = _product(power, power)
            if bit == "1":
                power = _product(power, piece)
        piece[:] = power
    return found


def _limbs(numbers: Sequence[int], scale: int, limbs: int) -> IntArray:
    """The numbers over the scale, rounded down."""
    size = limbs * LIMB // 8
    up = limbs * LIMB - (scale.bit_length() - 1)
    if scale & (scale - 1):
        units = [(number << limbs * LIMB) // scale for number in numbers]
    else:  # as it mostly is: a shift is quick
        units = [number << up for number in numbers] if up > 0 else [n >> -up for n in numbers]
    joined = b"".join([unit.to_bytes(size, "big") for unit in units])
    octets = np.frombuffer(joined, dtype=np.uint8).reshape(-1, limbs, LIMB // 8)
    return np.ascontiguousarray((octets @ np.array([1 << 16, 1 << 8, 1])).T)


def _product(x: IntArray, y: IntArray) -> IntArray:
    """The products of two lists of numbers, rounded down."""
    found = np.empty_like(x)
    carry: IntArray = np.einsum("ij,ij->j", x, y[::-1]) >> LIMB
    for column in range(len(x) - 1, 0, -1):
        carry += np.einsum("ij,ij->j", x[:column], y[column - 1 :: -1])
        np.bitwise_and(carry, (1 << LIMB) - 1, out=found[column])
        carry >>= LIMB
    found[0] = carry
    return found
