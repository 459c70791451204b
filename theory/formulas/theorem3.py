"""Theorem 3 in numbers: the bound of BF-IO under any common drift, in the form of the paper."""

from fractions import Fraction


def bfio_bound(workers: int, largest: int, p: Fraction, drift: tuple[int, ...]) -> Fraction:
    """``(G-1) (s_max + max drift / p)``: the form of Theorem 2's bound for any common drift.

    ``s_max + max drift / p`` bounds the mean load at departure; at drift 1 it is at most twice
    ``s_max / p``, and at drift 0 it is Theorem 1's ``s_max``.
    """
    return (workers - 1) * (largest + max(drift) / Fraction(p))
