import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solvers.step.fast.bitset import full, insert, predecessor, remove, successor


@given(st.data())
def test_neighbours_equal_those_of_a_set(data):
    n = data.draw(st.sampled_from([0, 1, 63, 64, 65, 200, 4096, 4097, 9000]))
    words, summary = full(n)
    members = set(range(n))
    if n:
        gone = data.draw(st.integers(0, n - 1))
        for i in range(gone, min(n, gone + data.draw(st.integers(0, n)))):
            remove(words, summary, i)
            members.discard(i)
        for i in data.draw(st.lists(st.integers(0, n - 1), max_size=20)):
            if i in members:
                remove(words, summary, i)
                members.discard(i)
            else:
                insert(words, summary, i)
                members.add(i)
    ordered = np.array(sorted(members), dtype=np.int64)
    for i in data.draw(st.lists(st.integers(-1, n), max_size=20)):
        below = ordered[ordered <= i]
        above = ordered[ordered >= i]
        if i < n:
            assert predecessor(words, summary, i) == (below[-1] if below.size else -1)
        if i >= 0:
            assert successor(words, summary, i) == (above[0] if above.size else -1)
