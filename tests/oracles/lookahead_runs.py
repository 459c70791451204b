"""BF-IO(H) on tiny backlogs, by trying every assignment at every step.

The window counts requests that are predicted to be active; a request that is admitted now is
taken to stay for the whole window, for its length is unknown, and nothing more is admitted in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from theory.model import imbalance


@dataclass(slots=True)
class _Active:
    size: int
    age: int
    length: int
    predicted: int

    @property
    def load(self) -> int:
        return self.size + self.age


def _predicted_loads(
    active: Sequence[Sequence[_Active]], added: Sequence[int], counts: Sequence[int], h: int
) -> list[int]:
    """Loads ``h`` steps ahead; a request that is active now counts at ``h = 0`` in any case."""
    return [
        sum(r.load + h for r in workers if h < max(1, r.predicted - r.age)) + size + h * count
        for workers, size, count in zip(active, added, counts, strict=True)
    ]


def average_imbalance(
    sizes: Sequence[int],
    lengths: Sequence[int],
    workers: int,
    slots: int,
    window: int,
    predicted: Sequence[int] | None = None,
) -> Fraction:
    """``AvgImb`` of BF-IO(H) over a whole backlog that is visible from the start.

    Parameters
    ----------
    sizes, lengths : sequence of int
        The requests in arrival order, growing by 1 a step.
    workers, slots : int
        ``G`` and ``B``.
    window : int
        ``H``: the sum of the predicted imbalances at 0..H steps ahead is minimised, then the
        imbalance, the largest load, the sum of squares, and the assignment in arrival order.
    predicted : sequence of int, optional
        Predicted lengths; the true ones by default.
    """
    forecasts = lengths if predicted is None else predicted
    waiting = list(range(len(sizes)))
    active: list[list[_Active]] = [[] for _ in range(workers)]
    total = steps = 0
    while waiting or any(active):
        room = [slots - len(requests) for requests in active]
        admitted = min(sum(room), len(waiting))
        best: tuple[tuple[int, ...], tuple[int, ...]] | None = None
        # Worker number G stands for waiting, so that the order is that of [step.lexicographic].
        for choice in product(range(workers + 1), repeat=len(waiting)):
            counts = [choice.count(g) for g in range(workers)]
            if sum(counts) != admitted or any(c > r for c, r in zip(counts, room, strict=True)):
                continue
            added = [0] * (workers + 1)
            for i, g in zip(waiting, choice, strict=True):
                added[g] += sizes[i]
            ahead = [_predicted_loads(active, added[:-1], counts, h) for h in range(window + 1)]
            now = ahead[0]
            key = (
                sum(map(imbalance, ahead)),
                imbalance(now),
                max(now),
                sum(x * x for x in now),
                *choice,
            )
            if best is None or key < best[0]:
                best = key, choice
        assert best is not None  # admitting in arrival order is always possible
        for i, g in zip(waiting, best[1], strict=True):
            if g < workers:
                active[g].append(_Active(sizes[i], 0, lengths[i], forecasts[i]))
        waiting = [i for i, g in zip(waiting, best[1], strict=True) if g == workers]
        total += imbalance([sum(r.load for r in requests) for requests in active])
        steps += 1
        for requests in active:
            for request in requests:
                request.age += 1
            requests[:] = [r for r in requests if r.age < r.length]
    return Fraction(total, steps)
