"""One column for each worker, from lists: against all choices, for random prices and supplies."""

from itertools import combinations_with_replacement, product

import numpy as np

from solvers.step.branch_and_price.column_choice import (
    begin_choice,
    column_lists,
    go_on_choosing,
)


def test_the_choice_is_the_cheapest_of_all() -> None:
    none = found = cut = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        m, workers = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        supply = rng.integers(0, 3, m)
        prices = rng.integers(0, 9, m) * rng.integers(0, 2, m)
        lists = []
        for _ in range(workers):
            k = int(rng.integers(1, 4))
            sets = np.array([*combinations_with_replacement(range(m), k)])
            some = rng.permutation(len(sets))[: int(rng.integers(1, 7))]
            lists.append((sets[some], rng.integers(0, 10, some.size)))
        gap = int(rng.integers(0, 60))
        costs = [gap + 1]
        for choice in product(*(range(cost.size) for _, cost in lists)):
            taken = np.zeros(m, np.int64)
            for (columns, _), c in zip(lists, choice, strict=True):
                np.add.at(taken, columns[c], 1)
            if (taken <= supply).all():
                cost = sum(int(x[c]) for (_, x), c in zip(lists, choice, strict=True))
                costs.append(cost + int((prices * (supply - taken)).sum()))
        listed = column_lists(lists)
        whole = begin_choice(listed, workers, supply, gap)
        assert go_on_choosing(listed, whole, prices, supply, 2**20)
        cost, out = int(whole.at[1]), whole.best
        assert cost == min(costs)
        if cost <= gap:
            assert listed.worker[out].tolist() == [*range(workers)]
            taken = np.zeros(m, np.int64)
            for c in out:
                np.add.at(taken, listed.size[listed.start[c] : listed.start[c + 1]], 1)
            assert (taken <= supply).all()
            assert cost == listed.cost[out].sum() + (prices * (supply - taken)).sum()
        none, found = none + (cost > gap), found + (cost <= gap)
        # In pieces it is the same, and before the last one nothing is claimed.
        pieces = begin_choice(listed, workers, supply, gap)
        parts = 1
        while not go_on_choosing(listed, pieces, prices, supply, 0):
            assert pieces.at[1] >= cost
            parts += 1
        assert pieces.at.tolist() == whole.at.tolist()
        assert pieces.best.tolist() == whole.best.tolist()
        cut += parts > 1
    assert min(none, found, cut) > 50
