"""The energy claims: their proofs can fail; which are false; constants at their edges."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from evenkeel.theorems.registry import chapters, families
from theory.formulas.energy import Constants
from theory.formulas.energy_inversions import (
    eta_past_limit,
    idle_shares_for,
    limit_paper,
    limit_sensitivity,
)
from theory.model import InputError
from theory.power import PowerModel
from theory.proof import Conclusion, Identity, Inequality, verify

CLAIMS = chapters()[families()["energy"]]
PROVED = [claim for claim in CLAIMS if claim.proof]


@pytest.mark.parametrize("claim", PROVED, ids=lambda claim: claim.label)
def test_proofs_notice_a_wrong_step(claim):
    """Each algebraic step, with one side off by a tenth, is reported."""
    off = sympy.Rational(1, 10)
    for step in claim.proof():
        if isinstance(step, Identity):
            assert verify([Identity(step.text, step.lhs, step.rhs + off)]) == (1,)
        elif isinstance(step, Inequality):
            assert verify([Inequality(step.text, step.lhs, step.rhs + off, step.slack)]) == (1,)
        elif isinstance(step, Conclusion):
            for slack in range(len(step.slacks)):
                slacks = [s + off * int(k == slack) for k, s in enumerate(step.slacks)]
                assert verify([replace(step, slacks=tuple(slacks))]) == (1,)
            if not step.slacks:
                assert verify([replace(step, formula=_off(step.formula, off))]) == (1,)


def _off(formula, off):
    """The equations of a formula with their right sides off."""
    if isinstance(formula, sympy.And):
        return sympy.And(*(_off(part, off) for part in formula.args), evaluate=False)
    return sympy.Eq(formula.lhs, formula.rhs + off, evaluate=False)


def test_claims_that_the_notes_deny():
    assert {claim.label for claim in CLAIMS if not claim.holds} == {
        "energy.paper-everywhere",
        "energy.limit-is-a-cap",
        "energy.limit-sharp-unpowered",
        "energy.cap-with-overhead",
        "energy.any-power-convex",
        "energy.throughput-timed",
        "energy.saving-timed",
        "energy.work-oldest-first-timed",
        "energy.limit-range",
        "energy.overhead-dilutes",
        "energy.work-any-drift",
    }


def law(idle, full, gamma):
    return Constants(Fraction(idle), Fraction(full), Fraction(gamma))


def test_constants_that_leave_nothing_to_divide_by_are_answered_by_name():
    # P_w = P_idle = 0 and gamma = 1: D = 0.
    for function in (limit_paper, limit_sensitivity):
        with pytest.raises(InputError, match=r"0/0 for P_w = 0 and gamma = 1"):
            function(law(0, 300, 1))
    assert limit_paper(law(0, 300, "0.7")) == 0


def test_where_the_sharp_floor_passes_the_papers_limit():
    # 400/(190 - 100) = 40/9.
    assert eta_past_limit(law(100, 400, "0.7")) == Fraction(40, 9)
    # D = P_idle: the limit is 1; no idle power: the floor is 0.
    for constants in (law(100, 400, 1), law(300, 300, "0.7"), law(0, 300, "0.7"), law(0, 300, 1)):
        assert eta_past_limit(constants) is None


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        # No idle power: nothing is guaranteed.  gamma = 1: E0 = P_max whatever idles, no cap.
        (PowerModel(0, 300, 1), {"cap": None, "tangent cap": None, "sharp": None, "paper": None}),
        # gamma = 1: both lines are one, eta = 0.2 * 300 / (0.8 * 60) = 5/4 for three bounds.
        (PowerModel(60, 300, 1), {"cap": 5 / 9, "tangent cap": 5 / 9, "sharp": 5 / 9}),
        # Constant power: the saving of perfect balance is the idle share.
        (PowerModel(300, 300, 0.7), {"cap": 0.2, "tangent cap": 0.2, "sharp": 0.2, "paper": 0.2}),
    ],
    ids=["no power to idle or to curve", "linear", "constant"],
)
def test_idle_shares_at_the_edges_of_the_constants(power, expected):
    found = idle_shares_for(power, 0.2)
    for bound, share in expected.items():
        assert found[bound] == (None if share is None else pytest.approx(share, rel=1e-9))
