"""The checks of Theorems 2 and 3: what their exact comparisons rest on."""

from fractions import Fraction
from itertools import product
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.findings.check import Variant, Verdict
from evenkeel.theorems.balance_frontier.criterion import refill_optimum
from evenkeel.theorems.registry import checks
from evenkeel.theorems.theorem2.deviations import deviations_of
from evenkeel.theorems.theorem2.in_expectation import means_along
from tests.oracles.found import found
from theory.formulas.departures import Departures
from theory.formulas.geometric import deviations_bound, deviations_bound_at
from theory.formulas.rebalancing import RareSizeRun
from theory.formulas.step import spacing_cost, spacing_extremal
from theory.model import InputError


@pytest.mark.parametrize("label", ["geometric.bfio-upper", "drift.bfio-upper"])
def test_the_inequality_of_a_step_by_hand(label: str) -> None:
    # G = 2, B = 1, both loads 1, drift 1, p = 1/5, x = 1, delta = 2.  The second worker's request
    # leaves, so l = (2, 0) and the pool offers 1 or 3: at best (2, 1) or (2, 3), Imb' = 1.
    # X_1 = -p (2-3) = 1/5, Y_1 = p (2-1) = 1/5; X_2 = (1-p)(2-3), Y_2 = (p-1)(2-1) = -4/5; so
    # max Y = 1/5, B p delta = 2/5 and both terms are 0: the bound is (1 + 2 - 1) / 2, attained.
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
    finding = found(label).finding
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
        ("geometric.bfio-upper", ONE),
        ("geometric.bfio-upper", {"systems": ((2, 1, 3),), "delta": (1,), "p": (Fraction(1),)}),
        ("geometric.expected", ONE),
        ("geometric.expected", {"systems": ((2, 1, 3),), "delta": (1,), "p": (Fraction(1),)}),
        ("geometric.deviations-tail", ONE),
        ("threshold.converse", ONE | {"p": (Fraction(0), Fraction(1))}),
        ("threshold.converse", {"systems": ((2, 1, 3),), "d": (0,)}),
    ],
)
def test_the_step_from_one_to_the_next_at_its_edges(label, edge):
    check = checks()[label]
    finding = check.run(check.trial(**edge))
    assert finding.verdict is Verdict.MACHINE_CHECKED
    # One worker, all of a size, every request gone: nothing is left over.
    assert finding.details["attained"] > 0


def test_a_spread_by_hand():
    # Two workers of one slot, loads 3 and 1, sizes 1 and 2, p = 1/2; the request of load 3 departs.
    step, p = Departures(((3,), (1,)), ((True,), (False,))), Fraction(1, 2)
    assert (step.spread, step.imbalance, step.free, step.kept) == (2, 2, (1, 0), (0, 1))
    # X at b = 2: (1/2) 1 and (-1/2)(-1); Y at a = 1: (-1/2) 2 and (1/2) 0.
    assert ([Fraction(1, 2), Fraction(1, 2)], [-1, 0]) == (step.X(2, p), step.Y(1, p))
    assert (step.refilled(1), step.refilled(2)) == ((1, 1), (2, 1))
    # N - B p (b-a) - (1-p) V = 1/2 - 1/2 - 1 < 0 = V', which taking size 1 leaves.
    assert max(step.X(2, p)) + max(step.Y(1, p)) == Fraction(1, 2)


def test_where_nothing_or_all_departs_nothing_deviates():
    check, ends = checks()["geometric.deviations-tail"], (Fraction(0), Fraction(1))
    assert check.run(check.trial(p=ends)).verdict is Verdict.MACHINE_CHECKED
    mean = deviations_of(((1, 4), (2, 2)), Fraction(0), 1, 2)
    assert mean.total == mean.excess == 0
    # Every request departs: the authority is all of B delta, and no worker lacks any.
    mean = deviations_of(((1, 4), (2, 2)), Fraction(1), 1, 2)
    assert mean.total == mean.excess == 0


@pytest.mark.parametrize(("workers", "delta"), [*product(range(1, 5), range(1, 6))])
def test_the_recursion_needs_the_spacing(workers: int, delta: int) -> None:
    # Of two requests on each worker the lower ones stay, equally spaced modulo delta, and p = 1:
    # nothing is carried over, X_g + Y_h - B p delta = w_h - w_g - delta < 0, and S is left.
    kept = [1 + load for load in spacing_extremal(workers, delta)]
    step = Departures([(w, w) for w in kept], ((False, True),) * workers)
    assert step.deviations(1, 1 + delta, Fraction(1)) == 0
    left = refill_optimum(step.kept, step.free, (1, 1 + delta))
    assert left == spacing_cost(workers, delta)


def test_the_worst_residues_by_trying_all() -> None:
    for workers, delta in product(range(1, 5), range(1, 7)):
        worst = max(
            min(sum((e - r) % delta for r in residues) for e in range(delta))
            for residues in product(range(delta), repeat=workers)
        )
        assert spacing_cost(workers, delta) == worst


def test_deviations_in_the_mean_by_hand() -> None:
    # G = 2, B = 1, loads 1, x = 2, delta = 1, p = 1/2: X_g = 1 - 2 xi_g, Y_h = xi_h - 1/2 and
    # B p delta = 1/2, so X_1 + max Y - 1/2 = max(xi) - 2 xi_1, which is 1 if the second departs
    # alone and never above 0 else: 1/4, and 1/4 for the other worker.
    half = Fraction(1, 2)
    mean = deviations_of(((1,), (1,)), half, 2, 1)
    assert (mean.total, mean.excess) == (half, half)
    assert (mean.squares, mean.distance) == (4 + 1, 2)
    # X_1 + Y_2 = 1 - 2 xi_1 + xi_2 - 1/2.
    law = {Fraction(1, 2): 1, Fraction(3, 2): 1, Fraction(-3, 2): 1, Fraction(-1, 2): 1}
    assert mean.pairs == ((5, {value: Fraction(1, 4) for value in law}),) * 2
    # v = 5/2 + 2/3: 2 v e^(-1/(4 v) - 1).
    v = 5 / 2 + 2 / 3
    assert deviations_bound(2, 1, 0.5, 1, 5, 2) == pytest.approx(2 * v * exp(-1 / (4 * v) - 1))


@given(st.integers(2, 9), st.integers(1, 99), st.floats(0, 1), st.integers(1, 20), st.data())
def test_bernstein_is_bennett_at_a_theta(G: int, B: int, p: float, delta: int, data) -> None:
    s, r = data.draw(st.floats(0, 1e4)), data.draw(st.floats(0.5, 100))
    theta = B * delta / ((1 - p) * s + r * B * delta / 3)
    at = deviations_bound_at(G, B, p, delta, s, r, theta)
    assert at <= deviations_bound(G, B, p, delta, s, r) * (1 + 1e-9)


def test_means_along_a_run_are_those_of_its_tree() -> None:
    # Two workers of one slot, sizes 1 and 2, p = 1/3, twice: every departure by hand.
    p, total, start = Fraction(1, 3), Fraction(0), (1, 2)
    for gone in product((False, True), repeat=2):
        for later in product((False, True), repeat=2):
            count = sum(gone) + sum(later)
            chance = p**count * (1 - p) ** (4 - count)
            total += chance * _refilled(_refilled(start, gone, 1), later, 0)
    run = means_along(((1,), (2,)), p, (1, 2), (1, 2), 2)
    assert run[2].imbalance == total


def _refilled(loads, gone, more):
    """Loads after a step, or their imbalance after the last one: the other load, or 1 or 2."""
    best = min(
        (
            [y if out else w for w, y, out in zip(loads, sizes, gone, strict=True)]
            for sizes in product((1, 2), repeat=2)
        ),
        key=lambda after: (max(after) - min(after), max(after)),
    )
    return tuple(w + 1 for w in best) if more else max(best) - min(best)
