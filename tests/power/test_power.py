"""The checks are checked by deliberately false versions: what these are, and at other seeds.

That each is caught is held in tests/bounds, beside the claim and on the same runs.
"""

from collections.abc import Callable
from fractions import Fraction

import pytest

from evenkeel.findings.check import Variant
from evenkeel.theorems.registry import checks, claim_of

CHECKS = {label: check for label, check in checks().items() if check.plants}

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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 10))
@pytest.mark.parametrize("label", CHECKS)
def test_power_does_not_hang_on_one_seed(label: str, seed: int) -> None:
    power = CHECKS[label].power(seed=seed)
    assert all(power.values()), power


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_false_version_is_planted_somewhere(kind: str) -> None:
    planted = [label for label, check in CHECKS.items() if any(map(KINDS[kind], check.plants))]
    assert len(planted) >= 2, planted


@pytest.mark.parametrize("label", CHECKS)
def test_every_false_version_changes_something(label: str) -> None:
    plants = CHECKS[label].plants
    assert len({plant.name for plant in plants}) == len(plants), "two plants share a name"
    for plant in plants:
        changed = plant.scale != 1 or plant.exponent != 0 or plant.policy or plant.fault
        assert changed, f"{plant.name} changes nothing"


def _near(plant: Variant) -> bool:
    """Whether a false version is near the claim by a number, not by a policy or a fault."""
    half = Fraction(1, 2)
    return (plant.scale != 1 and half <= plant.scale <= 2) or 0 < abs(plant.exponent) <= half


@pytest.mark.parametrize("label", CHECKS)
def test_a_false_version_is_near_the_claim(label: str) -> None:
    # A claim is not tested by a version that is absurd.  That each is caught is tested above.
    check = CHECKS[label]
    near = [plant.name for plant in check.plants if _near(plant)]
    assert bool(near) != bool(check.no_near_factor), check.no_near_factor or "no near version"


def test_every_check_has_two_false_versions() -> None:
    bare = {label for label, check in checks().items() if len(check.plants) < 2}
    assert {label for label in bare if claim_of(label).recovered} == set()
