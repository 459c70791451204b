"""The registry: every claim is complete, its proof stands and its label is known."""

import pytest
from sympy import Basic

from evenkeel.theorems.registry import Assumption, Claim, claim_of, claims, families
from theory.model import InputError
from theory.proof import (
    Computation,
    Conclusion,
    Identity,
    Inequality,
    Lemma,
    Rung,
    Setting,
    Status,
    domain,
    rung,
    verify,
)


@pytest.mark.parametrize("label", claims())
def test_a_claim_is_complete_and_its_proof_stands(label: str) -> None:
    entry = claim_of(label)
    assert entry.label == label
    assert all((entry.title, entry.source, entry.version, entry.statement, entry.evidence))
    assert all(isinstance(assumption, Assumption) for assumption in entry.assumptions)
    if entry.formula is not None:
        assert isinstance(entry.formula(), Basic)
    if entry.proof is not None:
        assert entry.steps
        assert verify(entry.steps) == ()


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
    from sympy import Eq, Limit, Subs, Symbol, oo

    x = Symbol("x", positive=True)
    lemma = Lemma("in words", "a fact that is argued")
    same = Identity("both sides written the same", x + x, 2 * x)
    wrong = Identity("wrong", Limit(1 / x, x, oo), x)
    right = Identity("an evaluated limit", Limit(1 / x, x, oo), 0 * x)
    assert lemma.status is Status.ARGUED
    assert verify([lemma, same, wrong, right]) == (2, 3)
    assert rung([lemma, same], None) is None
    assert rung([lemma, right], Eq(Limit(1 / x, x, oo), 0)) is Rung.ARGUED
    assert rung([right], Eq(Limit(1 / x, x, oo), 0)) is Rung.PROVED
    assert Identity("a substitution", Subs(x**2, x, 3), 9 + 0 * x).status is Status.CONFIRMED


def test_squares_of_sine_and_cosine_share_a_whole() -> None:
    from sympy import Symbol, cos, sin

    x, t = Symbol("x", real=True), Symbol("t", nonnegative=True)
    steps = (
        Inequality("a share", t * sin(x) ** 2, t, t * cos(x) ** 2),
        Identity("fourth powers", cos(x) ** 4 - sin(x) ** 4, cos(x) ** 2 - sin(x) ** 2),
        Inequality("twice the rest", t * sin(x) ** 2, t, 2 * t * cos(x) ** 2),
        Identity("a cosine for its square", t * cos(x), t - t * sin(x) ** 2),
    )
    assert verify(steps) == (3, 4)


def test_the_domain_of_a_step_is_that_of_its_symbols() -> None:
    from sympy import Symbol

    n, r, z = Symbol("n", positive=True, integer=True), Symbol("r", nonnegative=True), Symbol("z")
    assert domain(n + r, z * r) == {"n": "> 0, integer", "r": ">= 0", "z": "complex"}


def test_an_unknown_label_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean .*step\.waterfill"):
        claim_of("step.waterfil")


def test_families_are_where_their_labels_say() -> None:
    assert all(isinstance(entry, Claim) for entry in claims().values())
    # waste, experiment, universal and iir live with the experiments and the limits.
    elsewhere = {"waste", "experiment", "universal", "iir"}
    assert {entry.family for entry in claims().values()} <= {*families(), *elsewhere}


def test_an_evident_step_alone_does_not_carry_a_proof() -> None:
    from sympy import Integer, Le, Symbol, sqrt

    t, r = Symbol("t", nonnegative=True), Symbol("r", nonnegative=True)
    evident = Inequality("t <= t + r", t, t + r, r)
    doubled = Inequality("t <= t + 2 r", t, t + 2 * r, 2 * r)
    numbers = Identity("a line of numbers", Integer(2) + sqrt(4), Integer(2) * 2 + 0 * sqrt(9))
    assert evident.status is doubled.status is Status.CONFIRMED
    assert rung([evident], t <= t + r) is Rung.ARGUED
    assert rung([doubled], t <= t + 2 * r) is Rung.ARGUED
    weighty = Inequality("computed", 2 * t * r, t**2 + r**2, (t - r) ** 2)
    assert rung([evident, weighty], Le(2 * t * r, t**2 + r**2)) is Rung.PROVED
    assert rung([weighty, evident], Le(2 * t * r, t**2 + r**2)) is Rung.ARGUED
    assert rung([numbers, evident], Le(t, t + r)) is not Rung.PROVED


def test_the_last_step_is_the_formula_of_the_claim_whichever_way_it_is_written() -> None:
    from sympy import Eq, Ge, Gt, Le, Symbol

    t, r = Symbol("t", nonnegative=True), Symbol("r", nonnegative=True)
    step = Inequality("", 2 * t * r, t**2 + r**2, (t - r) ** 2)
    assert rung([step], Ge(t**2 + r**2, 2 * t * r)) is Rung.PROVED
    for other in (
        Gt(t**2 + r**2, 2 * t * r),
        Le(t**2 + r**2, 2 * t * r),
        Eq(t**2 + r**2, 2 * t * r, evaluate=False),
        Le(2 * t * r, t**2 + 2 * r**2),
        None,
    ):
        assert rung([step], other) is Rung.ARGUED


def test_a_conclusion_decides_the_formula_with_its_quantities_written_out() -> None:
    from sympy import And, Eq, Integer, Le, Lt, Symbol

    t, r = Symbol("t", nonnegative=True), Symbol("r", nonnegative=True)
    q, high, low = Symbol("q", positive=True), Symbol("H", real=True), Symbol("L", real=True)
    where = {high: (t + r) ** 2, low: 4 * t * r}
    right = Conclusion("", Le(low, high), where, ((t - r) ** 2,))
    assert right.status is Status.CONFIRMED
    for wrong in (
        Conclusion("no slack", Le(low, high), where),
        Conclusion("no sign", Le(low, high), where, (t**2 + r**2 - 2 * t * r,)),
        Conclusion("another slack", Le(low, high), where, ((t - r) ** 2 + t,)),
        Conclusion("not strict", Lt(low, high), where, ((t - r) ** 2,)),
        Conclusion("a slack too many", Le(low, high), where, ((t - r) ** 2, t)),
        Conclusion("half of it", And(Le(low, high), Le(high, low)), where, ((t - r) ** 2,)),
        Conclusion("no relation", high, where),
        Conclusion("an equality", Eq(low, high), where),
    ):
        assert wrong.status is Status.UNCONFIRMED, wrong.text
    strict = Conclusion("", Lt(low, high), {low: t, high: t + q * (1 + r)}, (q * (1 + r),))
    assert strict.status is Status.CONFIRMED
    shown = Identity("", (t + r) ** 2, t**2 + 2 * t * r + r**2)
    product = Identity("", 4 * t * r, 4 * (t + 1) * r - 4 * r)
    let = Setting("let", {high: (t + r) ** 2, low: 4 * t * r})
    assert rung([let, right], Le(low, high)) is Rung.PROVED
    assert rung([shown, product, right], Le(low, high)) is Rung.PROVED
    for before in ([], [shown], [product], [Setting("let")]):
        # What stands for a symbol was shown by no step before.
        assert rung([*before, right], Le(low, high)) is Rung.ARGUED
    empty = Conclusion("anything", Eq(high, 17), {high: Integer(17)})
    assert empty.status is Status.CONFIRMED
    assert rung([shown, empty], Eq(high, 17)) is Rung.ARGUED
    assert rung([let, right], Le(low, high + 1)) is Rung.ARGUED
    assert rung([Lemma("words", "so"), let, right], Le(low, high)) is Rung.ARGUED


def test_an_identity_holds_where_its_symbols_are() -> None:
    from sympy import Integer, Symbol, cos, sin

    x, n = Symbol("x", positive=True), Symbol("n", integer=True, positive=True)
    for left, right in (
        (sin(x) ** 2, 1 - cos(x) ** 2),
        ((Integer(-1) ** n + 1) ** 2, 2 + 2 * Integer(-1) ** n),
        (sin(2 * x), 2 * sin(x) * cos(x)),
    ):
        assert Identity("", left, right).status is Status.CONFIRMED
        for off in (1 + Integer(1) / 10**7, 1 + Integer(1) / 10):
            assert Identity("", left, right * off).status is Status.UNCONFIRMED


def test_a_computation_is_run_and_settings_carry_nothing() -> None:
    assert Computation("2 + 2 = 4", lambda: 2 + 2 == 4).status is Status.COMPUTED
    assert Computation("2 + 2 = 5", lambda: 2 + 2 == 5).status is Status.UNCONFIRMED
    assert rung([Computation("no", lambda: False)], None) is None
    assert rung([Setting("let")], None) is None
    assert rung([], None) is None
