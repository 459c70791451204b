"""Exact comparisons at the boundary: one unit, one part in 10^30, and which case is shown."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from evenkeel.findings import verdicts
from evenkeel.findings.check import EVERY, Check, Finding, Trial, Variant, Verdict, kill_rate
from evenkeel.findings.scoreboard import Cases, Intervals, sampled_mean, weighed, without
from evenkeel.findings.statistics import Mean
from evenkeel.findings.verdicts import held, rung
from evenkeel.report.summary import chance, is_expected, summary, surprises, undecided
from evenkeel.theorems.registry import claims

LEAST = Fraction(1, 10**30)
PROVED_LABEL, BARE_LABEL = "step.waterfill", "geometric.outputs-fit"


def added(relation, *cases):
    board = Cases(relation)
    violated = [board.add(computed, claimed, lambda: {"at": "here"}) for computed, claimed in cases]
    return board, violated


def test_numbers_of_numpy_are_compared_without_wrapping_round():
    large = np.int64(2**62)
    cases = [(large, np.int64(2**62 + 1)), (large, large + Fraction(1, 3)), (large, np.int64(3))]
    assert added("<=", *cases)[1] == [False, False, True]


@pytest.mark.parametrize("sides", [(0.1 + 0.2, 0.3), (1.0, 1), (1, np.float64(1)), (1, 1.5)])
def test_a_side_that_was_rounded_decides_nothing(sides):
    """0.1 + 0.2 <= 0.3 would be refuted, and 10**17 + 1.0 <= 10**17 held."""
    with pytest.raises(TypeError, match="which was rounded: count in integers and fractions"):
        added("<=", sides)


@pytest.mark.parametrize("size", [1, LEAST, Fraction(1, 3)])
@pytest.mark.parametrize("claimed", [0, 7, -7, 10**25, Fraction(22, 7)])
@pytest.mark.parametrize(("relation", "signs"), [("<=", (1,)), (">=", (-1,)), ("==", (1, -1))])
def test_a_violation_by_the_least_amount_is_one(relation, signs, claimed, size):
    for sign in (1, -1):
        board, (violated,) = added(relation, (claimed + sign * size, claimed))
        assert violated is (sign in signs)
        assert board.violated is violated
        finding = board.finding(Trial(BARE_LABEL, {}), "one")
        assert finding.verdict is (Verdict.REFUTED if violated else Verdict.CERTIFIED)
        assert (finding.witness == {"at": "here"}) is violated
        assert (finding.margin < 0) is violated
    board, (violated,) = added(relation, (claimed, claimed))
    assert not violated
    assert board.attained == 1
    assert board.finding(Trial(BARE_LABEL, {}), "one").margin == 0


def test_a_violation_is_shown_whatever_came_before_or_after():
    for order in ([(1, 9), (10, 9), (9, 9)], [(10, 9), (1, 9)], [(9, 9), (10, 9)]):
        board, _ = added("<=", *order)
        finding = board.finding(Trial(BARE_LABEL, {}), "some")
        assert (finding.verdict, finding.computed, finding.claimed) == (Verdict.REFUTED, 10, 9)


def test_the_tightest_case_is_shown_and_of_ties_the_largest():
    board, _ = added("<=", (1, 9), (8, 9), (5, 9))
    assert board.finding(Trial(BARE_LABEL, {}), "").computed == 8
    board, _ = added("<=", (1, 1), (9, 9), (3, 3))
    assert board.finding(Trial(BARE_LABEL, {}), "").computed == 9
    board, _ = added(">=", (12, 9), (10, 9), (11, 9))
    assert board.finding(Trial(BARE_LABEL, {}), "").computed == 10


def test_a_search_without_an_assumption_ends_at_its_first_case_and_tries_every_control():
    tried = []

    def each(*cases):
        for computed, claimed in cases:
            tried.append(computed)
            yield computed, claimed, lambda: {"at": "here"}

    def searched(trial):
        return without(trial, "<=", each((1, 2), (3, 2), (9, 2)), each((0, 2), (5, 2)), "numbers")

    finding = searched(Trial(BARE_LABEL, {}))
    assert tried == [1, 3, 0, 5]
    assert (finding.verdict, finding.computed, finding.claimed) == (Verdict.REFUTED, 3, 2)
    assert finding.details["control: cases with the assumption"] == 2
    assert finding.details["control: violations"] == 1
    # A planted factor is on the claimed side of the search, not of the control.
    doubled = searched(Trial(BARE_LABEL, {}, variant=Variant("doubled", Fraction(2))))
    assert (doubled.computed, doubled.claimed) == (9, 4)
    assert doubled.details["control: violations"] == 1
    none = without(Trial(BARE_LABEL, {}), "<=", each((1, 2)), (), "numbers")
    assert none.verdict is Verdict.INCONCLUSIVE


def test_no_case_decides_nothing():
    finding = Cases("<=").finding(Trial(PROVED_LABEL, {}), "none")
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.domain.startswith("0 cases")


def test_the_number_of_cases_is_said():
    board, _ = added("==", *((i, i) for i in range(1234)))
    finding = board.finding(Trial(BARE_LABEL, {}), "all")
    assert finding.domain == "1,234 cases: all"
    assert finding.details["cases"] == finding.details["attained"] == 1234


def test_a_proof_lifts_the_claim_as_stated_and_nothing_else():
    board, _ = added("==", (1, 1))
    top = rung(PROVED_LABEL)
    assert top is Verdict.MACHINE_CHECKED
    assert board.finding(Trial(PROVED_LABEL, {}), "").verdict is top
    planted = Trial(PROVED_LABEL, {}, variant=Variant("a false version", Fraction(2)))
    assert board.finding(planted, "").verdict is Verdict.CERTIFIED
    users = Trial(PROVED_LABEL, {}, policy="mine:Mine")
    assert board.finding(users, "").verdict is Verdict.CERTIFIED
    low = board.finding(Trial(PROVED_LABEL, {}), "", strongest=Verdict.INCONCLUSIVE)
    assert low.verdict is Verdict.INCONCLUSIVE
    bare = board.finding(Trial(BARE_LABEL, {}), "", strongest=Verdict.ATTACKED)
    assert bare.verdict is Verdict.ATTACKED


def test_the_weaker_of_proof_and_evidence_is_held(monkeypatch):
    assert held(Trial(PROVED_LABEL, {})) is Verdict.MACHINE_CHECKED
    assert held(Trial(PROVED_LABEL, {}), Verdict.CERTIFIED) is Verdict.CERTIFIED
    assert held(Trial(BARE_LABEL, {})) is Verdict.INCONCLUSIVE
    monkeypatch.setattr(verdicts, "rung", lambda label: Verdict.ARGUED)
    assert held(Trial(PROVED_LABEL, {})) is Verdict.ARGUED
    assert held(Trial(PROVED_LABEL, {}), Verdict.PROVED) is Verdict.ARGUED
    assert held(Trial(PROVED_LABEL, {}), Verdict.SUPPORTED) is Verdict.SUPPORTED


def test_a_statement_held_false_has_no_rung():
    false = [label for label, entry in claims().items() if not entry.holds and entry.proof]
    assert len(false) > 10
    assert {rung(label) for label in false} == {None}


def test_what_speaks_against_a_claim_weighs_more():
    found = {
        signs: weighed(*signs, 1, "<=", 2, "here", {"seed": 3}, interval=(0.5, 1.5))
        for signs in product((True, False), repeat=2)
    }
    assert {signs: finding.verdict for signs, finding in found.items()} == {
        (True, True): Verdict.REFUTED,
        (True, False): Verdict.REFUTED,
        (False, True): Verdict.SUPPORTED,
        (False, False): Verdict.INCONCLUSIVE,
    }
    assert all((finding.witness == {"seed": 3}) == signs[0] for signs, finding in found.items())


@pytest.mark.parametrize("verdict", Verdict)
def test_a_planted_version_is_caught_by_a_refutation_alone(verdict):
    def run(trial):
        stated = trial.variant is None
        witness = {"at": 1} if verdict is Verdict.REFUTED else None
        return Finding(
            verdict=Verdict.CERTIFIED if stated else verdict,
            computed=1,
            claimed=1,
            relation="<=",
            domain="",
            interval=None,
            witness=None if stated else witness,
        )

    check = Check("step.objective", run, {}, {}, (Variant("planted", Fraction(11, 10)),))
    power = check.power()
    assert power == {"planted": verdict is Verdict.REFUTED}
    assert kill_rate(power) == ("1/1" if verdict is Verdict.REFUTED else "no power")
    assert (check.smallest_factor(power) is not None) is (verdict is Verdict.REFUTED)


def test_a_factor_is_planted_on_the_side_that_it_names():
    left = Trial(BARE_LABEL, {}, variant=Variant("left", Fraction(2), side="left"))
    assert (left.scale_of("left"), left.scale_of("right"), left.scale) == (2, 1, 1)
    assert left.sides == {"left", "right", ""}
    whole = Trial(BARE_LABEL, {}, variant=Variant("all of it", Fraction(3)))
    assert (whole.scale, whole.scale_of("left")) == (3, 1)
    every = Trial(BARE_LABEL, {}, variant=Variant("each of them", Fraction(3), side=EVERY))
    assert (every.scale, every.scale_of("left")) == (3, 3)


def entry_of(label, verdict):
    return {"claim": label, "verdict": verdict}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_record_against_what_is_asserted_is_named(verdict):
    true = next(label for label, entry in claims().items() if entry.holds)
    false = next(label for label, entry in claims().items() if not entry.holds)
    assert bool(surprises([entry_of(true, verdict)])) is (verdict is Verdict.REFUTED)
    assert bool(surprises([entry_of(false, verdict)])) is verdict.held
    open_ones = {Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE}
    assert bool(undecided([entry_of(true, verdict)])) is (verdict in open_ones)
    assert is_expected(entry_of(false, verdict)) is (verdict is Verdict.REFUTED)
    assert not is_expected(entry_of(true, verdict))


def test_the_summary_counts_refutations_that_were_expected():
    true = next(label for label, entry in claims().items() if entry.holds)
    false = [label for label, entry in claims().items() if not entry.holds][:2]
    expected = [entry_of(label, Verdict.REFUTED) for label in false]
    assert summary(expected) == "2 claims: 2 refuted (all as expected)"
    both = [*expected, entry_of(true, Verdict.REFUTED), entry_of(true, Verdict.PROVED)]
    assert summary(both) == "4 claims: 1 proved, 3 refuted (2 as expected)"


def test_the_chance_that_any_interval_misses_is_that_of_all_together():
    def statistical(**details):
        return {"interval": (0.0, 1.0), "details": details}

    exact = {"interval": None, "details": {"intervals": 99}}
    # 1 + 4 + 1 of them at one in ten thousand each.
    said = chance([statistical(), statistical(intervals=4), exact, statistical()])
    assert said.startswith("6 intervals, each of which misses with a chance of at most 1 in 10,000")
    assert said.endswith("that any of them does, 0.1% at most.")
    assert chance([exact]) == ""


def test_verdicts_stand_in_the_order_of_the_ladder():
    ladder = list(Verdict)
    settled = [verdict for verdict in Verdict if verdict.is_settled]
    assert settled == ladder[:4] == ["machine-checked", "proved", "argued", "certified"]
    assert [verdict for verdict in Verdict if verdict.held] == [*settled, "attacked", "supported"]


def test_a_sampled_mean_must_hold_the_exact_one():
    mean = Mean.of([1.0, 2.0, 4.0, 3.0, 2.5])
    trial = Trial(PROVED_LABEL, {})
    inside = sampled_mean(trial, mean, 2.5, "five runs", {"seed": 0})
    assert inside.verdict is held(trial)
    assert inside.interval == mean.interval
    outside = sampled_mean(trial, mean, mean.high + 1, "five runs", {"seed": 0})
    assert (outside.verdict, outside.witness) == (Verdict.REFUTED, {"seed": 0})


def test_a_sample_that_says_nothing_decides_nothing():
    mean = Mean.of([2.0, 2.0, 2.0])
    assert mean.interval == (-np.inf, np.inf)
    found = sampled_mean(Trial(PROVED_LABEL, {}), mean, 2.0, "three runs", {"seed": 0})
    assert (found.verdict, found.witness) == (Verdict.INCONCLUSIVE, None)


def test_a_stretch_is_one_unless_an_exponent_is_planted():
    assert Trial(BARE_LABEL, {}).stretch(72) == 1
    steeper = Variant("steeper", exponent=Fraction(1, 2))
    assert Trial(BARE_LABEL, {}, variant=steeper).stretch(16) == 4


def test_an_interval_that_refutes_outranks_one_that_decides_nothing() -> None:
    cases = Intervals(">=")
    assert cases.add(Mean(3.0, 2.0, 4.0), 1.0, "beyond", {}) is None
    assert cases.finding("all").verdict is Verdict.SUPPORTED
    assert cases.add(Mean(3.0, 2.0, 4.0), 3.5, "across", {}) is None
    assert cases.add(Mean(3.0, 2.0, 4.0), 2.5, "across too", {}) is None
    undecided = cases.finding("all")
    assert (undecided.verdict, undecided.domain) == (Verdict.INCONCLUSIVE, "across")
    failed = cases.add(Mean(3.0, 2.0, 4.0), 4.5, "below", {"seed": 1})
    assert failed is not None
    assert (failed.verdict, failed.domain) == (Verdict.REFUTED, "below")
    assert failed.witness == {"seed": 1}
