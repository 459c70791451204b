import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from solvers.step.sorted_sizes import indexed, last_at_most, prefix_sums, sorted_pool

sizes = st.lists(
    st.integers(1, 50) | st.integers(1, 2**61) | st.integers(2**60, 2**60 + 3), min_size=1
)


@given(sizes, st.lists(st.integers(-(2**61), 2**62), max_size=20))
@example([2**60, 2**60 + 1, 2**60 + 2], [])
def test_look_ups_with_and_without_an_index(values, asked):
    ascending = np.sort(np.array(values, dtype=np.int64))
    plain = sorted_pool(ascending)
    quick = indexed(plain)
    for value in [*asked, *values, *(v - 1 for v in values), *(v + 1 for v in values)]:
        expected = int(np.searchsorted(ascending, value, side="right")) - 1
        assert last_at_most(plain, value) == expected
        assert last_at_most(quick, value) == expected


@given(sizes)
def test_the_index_is_no_larger_than_twice_the_pool(values):
    pool = indexed(sorted_pool(np.sort(np.array(values, dtype=np.int64))))
    assert pool.below.size <= 2 * len(values) + 3


def test_prefix_sums():
    assert prefix_sums(np.array([1, 2, 4])).tolist() == [0, 1, 3, 7]
    assert prefix_sums(np.array([], dtype=np.int64)).tolist() == [0]
