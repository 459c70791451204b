"""A set of positions ``0..n-1`` with its nearest neighbours, in compiled code.

One bit a position in words of 64, and above them one bit a word that is not empty, so the nearest
member below or above a position is found by looking at a handful of words.
"""

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled

Words = NDArray[np.uint64]

_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def _highest(word: np.uint64) -> int:
    """Position of the highest bit of a word that is not zero: the exponent of a float.

    Without the bit below the highest, so that it is not rounded up to the next power of two.
    """
    return int(np.float64(word & ~(word >> _ONE)).view(np.int64) >> 52) - 1023


@compiled
def _lowest(word: np.uint64) -> int:
    """Position of the lowest bit of a word that is not zero."""
    return _highest(word & (~word + _ONE))


@compiled
def full(n: int) -> tuple[Words, Words]:
    """The set of all positions below ``n``: its words, and their summary."""
    words = np.zeros((n >> 6) + 1, np.uint64)
    words[: n >> 6] = _ALL
    words[n >> 6] = (_ONE << np.uint64(n & 63)) - _ONE
    summary = np.zeros((words.size >> 6) + 1, np.uint64)
    for i in range(words.size):
        if words[i]:
            summary[i >> 6] |= _ONE << np.uint64(i & 63)
    return words, summary


@compiled
def empty(n: int) -> tuple[Words, Words]:
    """The set of none of the positions below ``n``: its words, and their summary."""
    words = np.zeros((n >> 6) + 1, np.uint64)
    return words, np.zeros((words.size >> 6) + 1, np.uint64)


@compiled
def contains(words: Words, i: int) -> bool:
    """Whether position ``i`` is in."""
    return bool((words[i >> 6] >> np.uint64(i & 63)) & _ONE)


@compiled
def remove(words: Words, summary: Words, i: int) -> None:
    """Take position ``i`` out."""
    w = i >> 6
    words[w] &= ~(_ONE << np.uint64(i & 63))
    if not words[w]:
        summary[w >> 6] &= ~(_ONE << np.uint64(w & 63))


@compiled
def insert(words: Words, summary: Words, i: int) -> None:
    """Put position ``i`` in."""
    w = i >> 6
    words[w] |= _ONE << np.uint64(i & 63)
    summary[w >> 6] |= _ONE << np.uint64(w & 63)


@compiled
def predecessor(words: Words, summary: Words, i: int) -> int:
    """The largest member ``<= i``, or -1."""
    if i < 0:
        return -1
    w = i >> 6
    word = words[w] & (_ALL >> np.uint64(63 - (i & 63)))
    if word:
        return (w << 6) + _highest(word)
    s = w >> 6
    word = summary[s] & ((_ONE << np.uint64(w & 63)) - _ONE)
    while not word:
        s -= 1
        if s < 0:
            return -1
        word = summary[s]
    w = (s << 6) + _highest(word)
    return (w << 6) + _highest(words[w])


@compiled
def successor(words: Words, summary: Words, i: int) -> int:
    """The smallest member ``>= i``, or -1; ``i`` is at most ``n``."""
    w = i >> 6
    word = words[w] & (_ALL << np.uint64(i & 63))
    if word:
        return (w << 6) + _lowest(word)
    s = w >> 6
    # Bits above bit w of the summary word; a shift by 64 would be undefined, hence two shifts.
    word = summary[s] & ((_ALL << np.uint64(w & 63)) << _ONE)
    while not word:
        s += 1
        if s >= summary.size:
            return -1
        word = summary[s]
    w = (s << 6) + _lowest(word)
    return (w << 6) + _lowest(words[w])
