"""The checks are checked: each catches every deliberately false version planted beside it."""

import pytest

from evenkeel.evidence import checks


@pytest.mark.parametrize("label", [label for label, check in checks().items() if check.plants])
def test_every_planted_false_version_is_caught(label: str) -> None:
    power = checks()[label].power(seed=1)
    assert len(power) >= 2
    assert all(power.values()), power
