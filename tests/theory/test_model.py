"""Systems and requests say which value of theirs cannot be used."""

from fractions import Fraction

import pytest

from theory.model import InputError, Requests, System, idle_share, imbalance


@pytest.mark.parametrize(
    ("prefill", "message"),
    [
        ([1, 2.5], r"prefill\[1\] = 2.5 must be an integer in \[1, 2\^62\)"),
        ([1.0, 2.0], r"prefill\[0\] = 1.0 must be an integer"),
        ([1, float("nan")], r"prefill\[1\] = nan must be an integer"),
        ([3, None], r"prefill\[1\] = None must be an integer"),
        ([3, "x"], r"prefill\[1\] = 'x' must be an integer"),
        ([True, False], r"prefill\[1\] = False must be an integer"),
        ([1, 10**20], r"prefill\[1\] = 100000000000000000000 must be an integer"),
        ([1, 2**62], r"prefill\[1\] = 4611686018427387904 must be an integer"),
        ([1, 0], r"prefill\[1\] = 0 must be an integer"),
        ([[1], [2]], r"prefill must be a flat list of integers, got \[\[1\], \[2\]\]"),
        ([[1], [2, 3]], r"prefill must be a flat list of integers, got \[\[1\], \[2, 3\]\]"),
        ("ab", "prefill must be a flat list of integers, got 'ab'"),
        (3, "prefill must be a flat list of integers, got 3"),
    ],
)
def test_a_bad_size_is_named(prefill: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Requests(prefill, [1, 1])  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True, None])
def test_a_system_needs_a_whole_number_of_workers(workers: object) -> None:
    with pytest.raises(InputError, match="workers must be an integer >= 1, got"):
        System(workers, 2)  # type: ignore[arg-type]


def test_an_empty_list_of_requests_is_one() -> None:
    assert len(Requests([], [])) == 0


@pytest.mark.parametrize("drift", [(), (-1,), (1, -1), (2**31,), (0.5,), ("1",)])
def test_a_drift_is_a_list_of_whole_numbers(drift: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="drift must be a non-empty tuple of integers"):
        System(1, 1, drift)


@pytest.mark.parametrize("seconds", [-1e-9, float("nan"), float("inf")])
def test_times_of_a_step_are_finite_and_not_negative(seconds: float) -> None:
    with pytest.raises(InputError, match="step_overhead_s must be a finite number >= 0"):
        System(1, 1, step_overhead_s=seconds)
    with pytest.raises(InputError, match="seconds_per_token must be a finite number > 0"):
        System(1, 1, seconds_per_token=seconds)


def test_a_system_at_the_edges_of_what_is_allowed() -> None:
    system = System(1, 1, (0, 2**31 - 1))
    assert (system.capacity, system.step_overhead_s, system.has_constant_drift) == (1, 0, False)
    assert System(3, 5).capacity == 15
    assert System(3, 5).drift == (1,)
    assert System(1, 1, (2, 2)).has_constant_drift
    with pytest.raises(InputError, match="seconds_per_token"):
        System(1, 1, seconds_per_token=0)


def test_the_constants_of_the_papers_experiments() -> None:
    # (0.6 ms * 72 + 35 ms) / 16 = 78.2 / 16 ms.
    system = System.paper(32, 72)
    assert (system.workers, system.slots) == (32, 72)
    assert system.step_overhead_s == pytest.approx(4.8875e-3, rel=1e-12)
    assert system.seconds_per_token == 1.0052e-7


@pytest.mark.parametrize(
    ("arrival", "message"),
    [
        ([0.0], r"arrival has shape \(1,\) but there are 2 requests"),
        ([0.0, float("inf")], "finite and >= 0"),
        ([-1.0, 0.0], "finite and >= 0"),
        ([1.0, 0.5], "must not decrease"),
    ],
)
def test_arrivals_are_told_what_is_wrong(arrival: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Requests([1, 2], [1, 1], arrival)
    with pytest.raises(InputError, match="prefill has 2 entries but decode has 1"):
        Requests([1, 2], [1])


def test_requests_are_equal_by_value() -> None:
    plain, timed = Requests([1, 2], [3, 4]), Requests([1, 2], [3, 4], [0, 0.5])
    assert plain == Requests([1, 2], [3, 4])
    assert timed == Requests([1, 2], [3, 4], [0, 0.5])
    others = (timed, Requests([1, 3], [3, 4]), Requests([1, 2], [3, 5]), [1, 2])
    assert all(plain != other for other in others)
    assert timed != Requests([1, 2], [3, 4], [0, 0.25])
    assert len(timed) == 2


def test_work_imbalance_and_idle_share_by_hand() -> None:
    # Size 5 for 3 steps growing by 2: 5 + 7 + 9; size 1 for one step: 1.
    assert Requests([5, 1], [3, 1]).work(2) == 22
    assert Requests([5, 1], [3, 1]).work() == 5 + 6 + 7 + 1
    # 3 * 7 - (7 + 2 + 4).
    assert imbalance([7, 2, 4]) == 8
    assert idle_share(8, 13) == Fraction(8, 21)
    assert idle_share(0, 0) == 0
