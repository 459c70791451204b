"""A compiled heap of workers, for the policies."""

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def sift_down(weight: IntArray, worker: IntArray, top: int, size: int) -> None:
    """Restore the heap order, least (weight, worker) first, below an entry that has grown."""
    w, g = weight[top], worker[top]
    while True:
        child = 2 * top + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            weight[right] < weight[child]
            or (weight[right] == weight[child] and worker[right] < worker[child])
        ):
            child = right
        if weight[child] > w or (weight[child] == w and worker[child] > g):
            break
        weight[top], worker[top] = weight[child], worker[child]
        top = child
    weight[top], worker[top] = w, g


@compiled
def heap_of_open_workers(
    loads: IntArray, free: IntArray, per_load: int, weight: IntArray, worker: IntArray
) -> int:
    """Make a heap of the workers with a free slot, least (weight, worker) first; its size.

    The weight is the load times 1 or -1, or the number running if ``per_load`` is 0.
    """
    size = 0
    for g in range(free.size):
        if free[g]:
            # Only differences of weights matter, so -free stands for the number running.
            weight[size] = per_load * loads[g] if per_load else -free[g]
            worker[size] = g
            size += 1
    for top in range(size // 2 - 1, -1, -1):
        sift_down(weight, worker, top, size)
    return size
