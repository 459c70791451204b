"""Systems and requests say which value of theirs cannot be used."""

import pytest

from theory.model import InputError, Requests, System


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
