"""Random numbers inside compiled searches: a xorshift generator with a state of one 64-bit word.

Source: (Marsaglia 2003).
"""

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled

# One number, not 0.
State = NDArray[np.uint64]


@compiled
def draw(state: State, below: int) -> int:
    """Draw a number in ``0..below - 1`` (xorshift)."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return int((x >> np.uint64(2)) % np.uint64(below))
