"""The registry: every claim is complete, its proof stands and its label is known."""

import pytest
from sympy import Basic

from theory.claims import FAMILIES, Assumption, Claim, claim, claims
from theory.model import InputError
from theory.proof import Identity, Inequality, Lemma, Status, domain, stands, verify


@pytest.mark.parametrize("label", claims())
def test_a_claim_is_complete_and_its_proof_stands(label: str) -> None:
    entry = claim(label)
    assert entry.label == label
    assert all((entry.title, entry.source, entry.version, entry.statement, entry.evidence))
    assert all(isinstance(assumption, Assumption) for assumption in entry.assumptions)
    if entry.formula is not None:
        assert isinstance(entry.formula(), Basic)
    if entry.proof is not None:
        steps = entry.proof()
        assert steps
        assert verify(steps) == ()


def test_a_wrong_step_is_named() -> None:
    from sympy import Symbol

    x = Symbol("x", positive=True)
    steps = (
        Inequality("right", x, x + 1, 1 + 0 * x),
        Inequality("the slack is not the difference", x, x + 1, 2 + 0 * x),
        Inequality("the slack has no sign", x, x**2, x**2 - x),
    )
    assert verify(steps) == (2, 3)


def test_what_cannot_be_computed_does_not_read_as_confirmed() -> None:
    from sympy import Limit, Subs, Symbol, oo

    x = Symbol("x", positive=True)
    lemma = Lemma("in words", "a fact that is argued")
    same = Identity("both sides written the same", x + x, 2 * x)
    wrong = Identity("wrong", Limit(1 / x, x, oo), x)
    right = Identity("an evaluated limit", Limit(1 / x, x, oo), 0 * x)
    assert lemma.status is Status.ARGUED
    assert verify([lemma, same, wrong, right]) == (2, 3)
    assert not stands([lemma])
    assert not stands([lemma, same])
    assert stands([lemma, right])
    assert stands([Identity("a substitution", Subs(x**2, x, 3), 9 + 0 * x)])


def test_the_domain_of_a_step_is_that_of_its_symbols() -> None:
    from sympy import Symbol

    n, r, z = Symbol("n", positive=True, integer=True), Symbol("r", nonnegative=True), Symbol("z")
    assert domain(n + r, z * r) == {"n": "> 0, integer", "r": ">= 0", "z": "complex"}


def test_an_unknown_label_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean .*step\.waterfill"):
        claim("step.waterfil")


def test_families_are_where_their_labels_say() -> None:
    assert all(isinstance(entry, Claim) for entry in claims().values())
    # waste, experiment, universal and iir live with the experiments and the limits.
    elsewhere = {"waste", "experiment", "universal", "iir"}
    assert {entry.family for entry in claims().values()} <= {*FAMILIES, *elsewhere}


def test_an_evident_step_alone_does_not_carry_a_proof() -> None:
    from sympy import Symbol

    t, r = Symbol("t", nonnegative=True), Symbol("r", nonnegative=True)
    evident = Inequality("t <= t + r", t, t + r, r)
    assert evident.status is Status.CONFIRMED
    assert not stands([evident])
    assert stands([evident, Inequality("computed", 2 * t * r, t**2 + r**2, (t - r) ** 2)])
