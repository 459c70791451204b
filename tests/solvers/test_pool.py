import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from solvers.arrays import sort_in_place
from solvers.step.sorted_sizes import indexed, last_at_most, order_of, prefix_sums, sorted_pool

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


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62)))
@example([2, 1, 2, 0, 1])
def test_orders(values):
    given_ = np.array(values, dtype=np.int64)
    # Python's sort is stable: equal numbers stay in the order that they come in.
    assert order_of(given_).tolist() == sorted(range(len(values)), key=values.__getitem__)
    assert given_.tolist() == values
    sort_in_place(given_)
    assert given_.tolist() == sorted(values)
