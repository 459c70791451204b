"""The checks of Theorems 2 and 3: what their exact comparisons rest on."""

from fractions import Fraction
from itertools import product

import pytest

from evenkeel.evidence.check import Variant, Verdict
from evenkeel.theorems.registry import checks
from evenkeel.theorems.theorem2.departures import Departures
from theory.formulas.rebalancing import RareSizeRun
from theory.model import InputError


@pytest.mark.parametrize("label", ["geometric.bfio-upper", "drift.bfio-upper"])
def test_the_inequality_of_a_step_by_hand(label: str) -> None:
    # G = 2, B = 1, both loads 1, drift 1, p = 1/5, x = 1, delta = 2.  The second worker's request
    # leaves, so l = (2, 0) and the pool offers 1 or 3: at best (2, 1) or (2, 3), Imb' = 1.
    # X_1 = -p (2-3) = 1/5, Y_1 = p (2-1) = 1/5; X_2 = (1-p)(2-3), Y_2 = (p-1)(2-1) = -4/5; so
    # max Y = 1/5, B p delta = 2/5 and both terms are 0: the bound is delta - 1 = 1, attained.
    check = checks()[label]
    small = {"systems": ((2, 1, 1),), "x": (1,), "delta": (2,), "p": (Fraction(1, 5),)}
    finding = check.run(check.trial(**small))
    assert finding.verdict.held
    assert (finding.computed, finding.claimed) == (1, 1)
    near = check.trial(variant=Variant("", Fraction(99, 100), side="spacing"), **small)
    assert check.run(near).verdict is Verdict.REFUTED


def test_the_rare_size_is_refuted_by_little_systems_too() -> None:
    # By brute force, G = 2 and B = 1: ages of two slots, sizes 1 or 2 on each as bad as can be.
    # E (2 max A - A_1 - A_2) = E|A_1 - A_2| = 2 (1-p) / (p (2-p)); with p = 1/10 it is 180/19.
    it = RareSizeRun(G=2, B=1, p=Fraction(1, 10), b=5, lattice=1)
    assert it.unlikely == Fraction(1, 2**711)  # 4 * 2 * (2 * 400 + 1) = 6408 requests
    slack = it.start_up + 3 * it.rare * it.requests / (1 - it.unlikely)
    assert slack < Fraction(1, 10**6)
    exact = Fraction(180, 19) - 1
    assert exact - 2 * slack < it.floor <= exact
    # FCFS: sizes differ by 1 with chance 1/2; |A_1 - A_2| = 0 has chance p / (2-p) = 1/19, and
    # elsewhere the difference of sizes averages out.
    least = Fraction(180, 19) + Fraction(1, 2) * Fraction(1, 19)
    assert least < it.fcfs < least + Fraction(1, 10**6)


def test_what_the_start_up_and_the_rare_size_can_add_is_taken_off() -> None:
    class Late(RareSizeRun):
        start_up = Fraction(1)  # type: ignore[assignment]

    settled = RareSizeRun(G=2, B=1, p=Fraction(1, 10), b=5, rare=Fraction(1, 10**5), lattice=1)
    late = Late(G=2, B=1, p=Fraction(1, 10), b=5, rare=Fraction(1, 10**5), lattice=1)
    assert float(settled.floor - late.floor) == pytest.approx(1)
    assert float(late.fcfs - settled.fcfs) == pytest.approx(1)
    # 6408 requests, each of size 5 with chance 1e-5, raise a worker by at most 3.
    assert float(settled.floor) == pytest.approx(180 / 19 - 1 - 3 * 6408e-5)


def test_a_size_that_is_not_rare_is_refused() -> None:
    with pytest.raises(InputError, match="1/50"):
        RareSizeRun(rare=Fraction(1, 10))


def test_the_start_up_of_the_rare_size_by_hand() -> None:
    # (1/2)^(k+1) / (1/2) with k = 80, times G^2 B = 12.
    it = RareSizeRun(G=2, B=3, p=Fraction(1, 2), b=5)
    assert it.start == 80
    assert it.start_up == 12 * Fraction(1, 2**80)
    assert it.requests == 4 * 2 * 3 * 161


def test_the_pool_condition_of_the_rare_size() -> None:
    # Whatever a policy takes, G B a step, the scarcer of the two common sizes fills every slot.
    it = RareSizeRun(G=2, B=3, p=Fraction(1, 2), b=5)
    for step, share in product(range(0, 2 * it.start + 1, 40), (4,)):
        assert it.requests // share - it.G * it.B * step >= it.G * it.B


@pytest.mark.parametrize(
    ("label", "claimed"),
    [
        ("geometric.bfio-upper-range", 1023 * 43 * 50),
        ("drift.bfio-upper-range", 1023 * (43 + 50)),
    ],
)
def test_a_range_is_refuted_against_the_papers_bound(label: str, claimed: int) -> None:
    check = checks()[label]
    finding = check.run(check.trial())
    assert finding.verdict is Verdict.REFUTED
    assert finding.claimed == claimed
    assert finding.computed > 2.4 * 1023 * 43 * 50


def test_another_constant_than_the_refuted_one_is_not_refuted() -> None:
    check = checks()["geometric.bfio-upper-range"]
    finding = check.run(check.trial(variant=Variant("", Fraction(5, 2))))
    assert finding.verdict is Verdict.INCONCLUSIVE
    check = checks()["geometric.iir-range"]
    finding = check.run(check.trial(variant=Variant("", Fraction(3, 4))))
    assert finding.verdict is Verdict.INCONCLUSIVE


ONE = {"systems": ((1, 1, 3), (1, 2, 2)), "p": (Fraction(1, 3), Fraction(1))}


@pytest.mark.parametrize(
    ("label", "edge"),
    [
        ("geometric.recursion", ONE),
        ("geometric.recursion", {"systems": ((2, 1, 3),), "d": (0,), "p": (Fraction(1),)}),
        ("geometric.two-sizes-half", ONE),
        ("geometric.two-sizes-half", {"systems": ((2, 1, 3),), "delta": (1,), "p": (Fraction(1),)}),
        ("threshold.converse", ONE | {"p": (Fraction(0), Fraction(1))}),
        ("threshold.converse", {"systems": ((2, 1, 3),), "d": (0,)}),
    ],
)
def test_the_step_from_one_to_the_next_at_its_edges(label, edge):
    check = checks()[label]
    assert check.run(check.trial(**edge)).verdict is Verdict.MACHINE_CHECKED
    # One worker, all of a size, every request gone: nothing is left over.
    assert check.run(check.trial(**edge)).details["attained"] > 0


def test_a_spread_by_hand():
    # Two workers of one slot, loads 3 and 1, sizes 1 and 2, p = 1/2; the request of load 3 departs.
    step, p = Departures(((3,), (1,)), ((True,), (False,))), Fraction(1, 2)
    assert (step.spread, step.imbalance, step.free, step.kept) == (2, 2, (1, 0), (0, 1))
    # X at b = 2: (1/2) 1 and (-1/2)(-1); Y at a = 1: (-1/2) 2 and (1/2) 0.
    assert ([Fraction(1, 2), Fraction(1, 2)], [-1, 0]) == (step.X(2, p), step.Y(1, p))
    assert (step.refilled(1), step.refilled(2)) == ((1, 1), (2, 1))
    # N - B p (b-a) - (1-p) V = 1/2 - 1/2 - 1 < 0 = V', which taking size 1 leaves.
    assert max(step.X(2, p)) + max(step.Y(1, p)) == Fraction(1, 2)
