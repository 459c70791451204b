"""The checks are checked: each catches every deliberately false version planted beside it."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from evenkeel.evidence import Variant, checks
from theory.claims import claim

LABELS = [label for label, check in checks().items() if check.plants]

# What a false version may be: each kind is planted in some check, and caught there.
KINDS: dict[str, Callable[[Variant], bool]] = {
    "constant x1.1": lambda v: v.scale == Fraction(11, 10),
    "constant halved": lambda v: v.scale == Fraction(1, 2),
    "wrong exponent": lambda v: v.exponent != 0,
    "wrong sign": lambda v: v.scale == -1 or "sign" in (v.fault or ""),
    "off by one in w_i(j)": lambda v: v.fault in ("age-off-by-one", "late-start"),
    "loads after departures": lambda v: v.fault == "departed-loads",
    "policy peeks at o_i": lambda v: v.fault == "peek",
    "always_busiest for BF-IO": lambda v: v.policy == "always_busiest",
    "slots not uniform": lambda v: v.fault == "unequal-slots",
}


@pytest.mark.parametrize("label", LABELS)
def test_every_planted_false_version_is_caught(label: str) -> None:
    power = checks()[label].power(seed=1)
    assert len(power) >= 2
    assert all(power.values()), power


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *range(2, 10)])
@pytest.mark.parametrize("label", LABELS)
def test_power_does_not_hang_on_one_seed(label: str, seed: int) -> None:
    power = checks()[label].power(seed=seed)
    assert all(power.values()), power


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_false_version_is_planted_somewhere(kind: str) -> None:
    planted = [label for label in LABELS if any(map(KINDS[kind], checks()[label].plants))]
    assert len(planted) >= 2, planted


@pytest.mark.parametrize("label", LABELS)
def test_false_versions_are_modest(label: str) -> None:
    # A claim that holds is not tested by a version that is absurd: two at least are close to it.
    # For a claim that is false the planted versions are weaker statements, the weaker the harder.
    plants = checks()[label].plants
    assert len({plant.name for plant in plants}) == len(plants), "two plants share a name"
    for plant in plants:
        changed = plant.scale != 1 or plant.exponent != 0 or plant.policy or plant.fault
        assert changed, f"{plant.name} changes nothing"
    if claim(label).holds:
        modest = [
            plant.name
            for plant in plants
            if (plant.scale == -1 or Fraction(1, 2) <= plant.scale <= 2)
            and abs(plant.exponent) <= 1
        ]
        assert len(modest) >= 2, modest


def test_every_check_has_two_false_versions() -> None:
    bare = {label for label, check in checks().items() if len(check.plants) < 2}
    assert {label for label in bare if claim(label).recovered} == set()
