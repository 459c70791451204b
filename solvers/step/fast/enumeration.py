"""Exhaustive search inside the fast solver, for steps with few choices: the optimum, with proof.

The free slots are filled one after the other by distinct sizes, those of one worker in descending
order, so assignments that differ only among equal requests, or in the order of one worker's slots,
are looked at once.  With few slots and many waiting requests this takes a small part of the time
of a search by request (:func:`solvers.step.exact.brute_force.optimal_step`), which alone can keep
the order of assignments.
"""

import numpy as np

from solvers.arrays import max_of, sum_of
from solvers.compiled import compiled
from solvers.step.fast.bitset import remove
from solvers.step.fast.partial_assignment import Plan
from solvers.step.sorted_sizes import Pool
from theory.model import IntArray

# Stands for more choices than anyone would look at.
MANY = 2**62


@compiled
def choices(free: IntArray, n: int) -> int:
    """How many multisets of ``n`` sizes the workers can take at most; :data:`MANY` above 2^30.

    With fewer requests than slots, a slot may also stay free.
    """
    options = n + (sum_of(free) > n)
    count = 1
    for g in range(free.size):
        for c in range(1, int(free[g]) + 1):
            if count > 2**30:
                return MANY
            # Multisets of c sizes, from those of c - 1.
            count = -(-count * (options + c - 1) // c)
    return count


@compiled
def best_choice(plan: Plan, pool: Pool) -> int:
    """Look at every way to complete an empty plan, make it the best, and return its imbalance."""
    sizes, start, after = pool.sizes, plan.start, plan.after.copy()
    n, slots = sizes.size, plan.item.size
    to_admit = min(n, slots)
    worker = np.empty(slots, np.int64)
    for g in range(after.size):
        for t in range(start[g], start[g + 1]):
            worker[t] = g
    taken = np.zeros(n, np.bool_)
    # The request in each slot; n for a slot that stays free, n + 1 before anything is tried.
    chosen = np.full(slots + 1, n + 1, np.int64)
    best = chosen.copy()
    least = MANY
    admitted = 0
    t = 0
    while t >= 0:
        if t == slots:
            value = after.size * max_of(after) - sum_of(after)
            if value < least:
                least = value
                for s in range(slots):
                    best[s] = chosen[s]
            t -= 1
            continue
        g = worker[t]
        i = chosen[t]
        if i < n:
            taken[i] = False
            after[g] -= sizes[i]
            admitted -= 1
        # A free slot comes first, then requests from the largest down.
        first_of_worker = t == start[g]
        usable = i > n and slots - t > to_admit - admitted
        i = min(i, n)
        while not usable and i > 0:
            i -= 1
            # Equal requests go in one order; a worker's descend, and after a free slot come free
            # slots alone.
            usable = (
                not taken[i]
                and admitted < to_admit
                and (i == n - 1 or sizes[i + 1] != sizes[i] or taken[i + 1])
                and (first_of_worker or i < chosen[t - 1] < n)
            )
        if not usable:
            chosen[t] = n + 1
            t -= 1
            continue
        chosen[t] = i
        if i < n:
            taken[i] = True
            after[g] += sizes[i]
            admitted += 1
        t += 1
    for t in range(slots):
        if best[t] < n:
            g = worker[t]
            plan.item[t] = best[t]
            plan.taken[g] += 1
            plan.after[g] += sizes[best[t]]
            remove(plan.words, plan.summary, best[t])
    return least
