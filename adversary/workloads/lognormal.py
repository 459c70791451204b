"""Mixtures of lognormal laws, rounded to integers."""

import numpy as np

from theory.model import FloatArray, InputError, IntArray

# Values that a distribution function is computed for at a time: the largest has four million.
_BLOCK = 2**16


def mixture_cdf(w: list[float], mu: list[float], sigma: list[float], most: int) -> FloatArray:
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


def quantile(cdf: FloatArray, u: FloatArray) -> IntArray:
    """Index of the smallest value whose distribution function reaches ``u`` in (0, 1]."""
    return np.searchsorted(cdf, u, side="left").astype(np.int64)
