"""The claims about one admission step: their proofs can fail."""

from evenkeel.theorems.registry import chapters, claim_of, families
from theory.proof import Identity, Inequality, verify

CLAIMS = chapters()[families()["step"]]


def test_every_claim_has_a_proof_or_a_disproof():
    assert [entry.label for entry in CLAIMS if entry.proof is None] == []


def test_a_wrong_step_is_caught():
    import sympy as sp

    steps = claim_of("step.full-refill-gap").steps
    number = next(n for n, step in enumerate(steps, 1) if isinstance(step, Identity))
    good = steps[number - 1]
    wrong = Identity(good.text, good.lhs, 2 * good.rhs)
    assert verify((*steps[: number - 1], wrong, *steps[number:])) == (number,)
    last = max(n for n, step in enumerate(steps, 1) if isinstance(step, Inequality))
    bound = steps[last - 1]
    halved = Inequality(bound.text, bound.lhs, bound.rhs / 2, bound.slack)
    assert verify((*steps[: last - 1], halved, *steps[last:])) == (last,)
    # A slack that equals the difference but has no evident sign proves nothing.
    D, r = sp.symbols("D r", real=True)
    assert verify([Inequality("no sign", D - r, D, r)]) == (1,)
