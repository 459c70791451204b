"""The link between claims and Coq theorems, both ways, and the record of the last check."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import gcd
from typing import Any

import pytest

from evenkeel.findings.check import Verdict
from evenkeel.findings.verdicts import rung
from evenkeel.theorems.registry import check_of, claims
from theory.formal import record as machine_checked
from theory.formal.record import (
    ALLOWED_AXIOMS,
    digest,
    is_checked,
    last_check,
    mark,
    note,
    sources,
    statement,
    theorems,
    without_comments,
)
from theory.formulas.balanceroute import br0_score, brh_score
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_envelope_of,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_cap_tangent,
    saving_floor,
    saving_paper,
    saving_sharp,
    speed_up,
)
from theory.formulas.energy_inversions import limit_paper
from theory.formulas.fcfs import worst_imbalance
from theory.formulas.step import (
    full_refill_bound,
    spacing_cost,
    spacing_extremal,
    spare_request_bound,
)
from theory.laws.law import Law
from theory.laws.order_statistics import pairing_bound
from theory.model import Requests, idle_share

THEOREMS = {label: claim.coq for label, claim in claims().items() if claim.coq}


@pytest.mark.parametrize("label", THEOREMS)
def test_a_linked_claim_and_its_theorem_exist_and_the_file_names_the_claim(label):
    theorem = THEOREMS[label]
    assert label in claims()
    assert theorem.name in theorems(sources()[theorem.file])
    assert f"[{label}]" in sources()[theorem.file]


def test_every_theorem_is_linked_to_one_claim():
    named = sorted(theorem.name for theorem in THEOREMS.values())
    assert sorted(name for text in sources().values() for name in theorems(text)) == named
    assert len(set(named)) == len(named)


def test_labels_in_the_proofs_are_labels_of_claims():
    families = {label.partition(".")[0] for label in claims()}
    for text in sources().values():
        for label in re.findall(r"\[([a-z]+\.[a-z0-9-]+)\]", text):
            assert label.partition(".")[0] not in families or label in claims()


def test_a_false_claim_has_the_is_checked_its_negation():
    for label, theorem in THEOREMS.items():
        assert theorem.name.endswith("_is_false") == (not claims()[label].holds)
        assert ("~" in statement(theorem)) == (not claims()[label].holds)


def test_the_record_is_of_these_very_files():
    assert last_check()["files"] == {name: digest(text) for name, text in sources().items()}
    assert set(last_check()["theorems"]) == {theorem.name for theorem in THEOREMS.values()}
    assert all(ALLOWED_AXIOMS.issuperset(axioms) for axioms in last_check()["theorems"].values())
    # What is about whole numbers assumes nothing at all.
    for theorem in THEOREMS.values():
        about_reals = "Require Import Reals" in without_comments(sources()[theorem.file])
        assert about_reals == bool(last_check()["theorems"][theorem.name])


@pytest.fixture
def edited(monkeypatch):
    """Put other proof texts, or another record, in place of the stored ones."""

    def put(name: str, value: dict[str, Any]) -> None:
        monkeypatch.setattr(machine_checked, name, lambda: value)

    return put


def test_an_edited_proof_is_not_machine_checked(edited):
    theorem = THEOREMS["step.full-refill-gap"]
    assert mark(theorem) == "machine-checked"
    assert (
        note(theorem) == "machine-checked: theorem step_full_refill_gap in theory/formal/Refill.v"
    )
    edited("sources", {**sources(), "Refill.v": sources()["Refill.v"] + " "})
    assert not is_checked(theorem)
    assert mark(theorem) == ""
    assert note(theorem).startswith("not machine-checked: ")


def test_without_a_record_or_with_a_new_axiom_nothing_is_machine_checked(edited):
    axioms = {**last_check()["theorems"], "step_waterfill": ["my_own_axiom"]}
    edited("last_check", {**last_check(), "theorems": axioms})
    assert mark(THEOREMS["step.waterfill"]) == ""
    assert mark(THEOREMS["step.lower-bound"]) == "machine-checked"
    edited("last_check", {})
    assert mark(THEOREMS["step.lower-bound"]) == ""


def test_a_theorem_that_covers_a_part_says_so():
    assert mark(THEOREMS["fcfs.pairing"]) == "machine-checked in part"
    assert note(THEOREMS["fcfs.pairing"]).endswith(", and the step from FCFS to independent loads")
    assert mark(None) == note(None) == ""


PARTIAL = [label for label, theorem in THEOREMS.items() if theorem.without]


@pytest.mark.parametrize("label", PARTIAL)
def test_what_coq_covers_in_part_is_never_of_its_rung(label):
    assert rung(label) not in (None, Verdict.MACHINE_CHECKED)


def test_the_rest_of_the_ladder_decides_where_coq_covers_a_part(monkeypatch):
    # One proof is decided by sympy to its last step, one has steps in words, one claim is false.
    labels = ("energy.sharp-dominates", "energy.cap", "step.gap-naive")
    assert [rung(label) for label in labels] == [Verdict.MACHINE_CHECKED] * 2 + [None]
    partly = {k: replace(claims()[k], coq=replace(THEOREMS[k], without="a part")) for k in labels}
    monkeypatch.setattr("evenkeel.findings.verdicts.claim_of", partly.__getitem__)
    assert [rung(label) for label in labels] == [Verdict.PROVED, Verdict.ARGUED, None]


def test_an_edited_file_takes_the_rung_away(edited):
    check = check_of("energy.sharp-dominates")
    assert check.run(check.trial()).verdict is Verdict.MACHINE_CHECKED
    edited("sources", {**sources(), "Saving28.v": sources()["Saving28.v"] + " "})
    # Any file: what was checked was all of them together.
    assert check.run(check.trial()).verdict is Verdict.PROVED
    assert rung("energy.cap") is Verdict.ARGUED


def test_comments_are_not_code():
    assert without_comments("Lemma a. (* Admitted (* nested *) Axiom *) Qed.") == "Lemma a.  Qed."


# Definitions of the proofs, transcribed word by word and evaluated beside the Python functions.

TOKEN = re.compile(r"\s*([A-Za-z_][\w.']*|\d+|[-+*/()])")


class Definition:
    """An arithmetical ``Definition`` of a proof file as a Python function.

    Covers what the formulas use: sums, products, quotients, signs, brackets and functions applied
    to arguments side by side.
    """

    def __init__(self, name: str, file: str, names: dict[str, Any], divide: Callable[..., Any]):
        found = re.search(
            rf"Definition {name} ((?:\([^()]*\)\s*)+): \w+ :=(.*?)\.\n",
            without_comments(sources()[file]),
            re.S,
        )
        assert found, f"{name} is no definition of {file}"
        groups = re.findall(r"\(([^():]*):[^()]*\)", found[1])
        self.parameters = [word for group in groups for word in group.split()]
        self.tokens = TOKEN.findall(found[2])
        self.names, self.divide = names, divide

    def __call__(self, *arguments: Any) -> Any:
        self.at = 0
        self.scope = {**self.names, **dict(zip(self.parameters, arguments, strict=True))}
        value = self.sum()
        assert self.at == len(self.tokens)
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def sum(self) -> Any:
        value = self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        value = self.application()
        while self.peek() in ("*", "/"):
            times = self.take() == "*"
            other = self.application()
            value = value * other if times else self.divide(value, other)
        return value

    def application(self) -> Any:
        if self.peek() == "-":
            self.take()
            return -self.application()
        head, *arguments = self.atoms()
        return head(*arguments) if arguments else head

    def atoms(self) -> list[Any]:
        found = [self.atom()]
        while self.peek() and self.peek() not in "+-*/)":
            found.append(self.atom())
        return found

    def atom(self) -> Any:
        token = self.take()
        if token == "(":
            value = self.sum()
            assert self.take() == ")"
            return value
        return int(token) if token.isdigit() else self.scope[token]


DEVICE: dict[str, Any] = {
    "P_idle": lambda d: d.idle_w,
    "P_max": lambda d: d.max_w,
    "gamma": lambda d: d.gamma,
    "waste": lambda d: d.waste_w,
    "dynamic": lambda d: d.dynamic_w,
    "power_of": lambda u, g: u**g,
}


def real(name: str, file: str) -> Definition:
    names = dict(DEVICE)
    if name == "envelope_of":
        names["others"] = real("others", file)
    if name != "envelope_per_work" and file == "Saving.v":
        names["envelope_per_work"] = real("envelope_per_work", file)
    return Definition(name, file, names, lambda x, y: x / y)


def whole(name: str, file: str) -> Definition:
    names = {"Z.max": max, "Z.gcd": gcd, "Z.of_nat": int}
    return Definition(name, file, names, lambda x, y: x // y)


def test_whole_number_formulas_are_the_python_functions():
    rng = random.Random(0)
    bound, worst = whole("full_refill_bound", "Refill.v"), whole("worst_imbalance", "Refill.v")
    spare = whole("spare_request_bound", "SpareRequest.v")
    score, work = whole("score", "Scores.v"), whole("request_work", "Work.v")
    spacing, spaced = whole("spacing", "Spacing.v"), whole("spaced", "Spacing.v")
    for _ in range(300):
        G, B, a = rng.randint(1, 99), rng.randint(1, 99), rng.randint(1, 999)
        b = a + rng.randint(0, 999)
        assert bound(G, a, b) == full_refill_bound(G, a, b)
        assert spare(G, a, b) == G * spare_request_bound(G, a, b)
        assert worst(G, B, a, b) == worst_imbalance(G, B, a, b)
        assert score(G, a, b) == br0_score(a, b, G)
        assert score(G, b, a) == br0_score(b, a, G) == brh_score(b, [a], [1], 1, G)
        assert work(B, a, G) == Requests([a], [G]).work(B)
        assert spacing(G, a) == spacing_cost(G, a)
        assert tuple(spaced(G, a, j) for j in range(G)) == spacing_extremal(G, a)


def _fractions(seed: int) -> tuple[Constants[Fraction], Fraction, Fraction]:
    rng = random.Random(seed)

    def draw(most: int = 50) -> Fraction:
        return Fraction(rng.randint(1, most), rng.randint(1, 50))

    idle = draw()
    power = Constants(idle, idle + draw(), Fraction(rng.randint(1, 50), 50))
    return power, draw(), draw()


@pytest.mark.parametrize("seed", range(30))
def test_rational_energy_formulas_are_the_python_functions(seed):
    power, busy, idle = _fractions(seed)
    run, eta, eta1 = Usage(busy, idle), busy, idle
    base, new = Usage(Fraction(1), eta), Usage(Fraction(1), eta1)
    waste = real("waste", "PowerLaw.v")
    assert waste(power) == power.waste_w
    assert real("dynamic", "PowerLaw.v")(power) == power.dynamic_w
    assert real("energy_floor", "Energy.v")(power, busy, idle) == energy_floor(power, run)
    assert real("energy_tangent", "Energy.v")(power, busy, idle) == energy_tangent(power, run)
    for name, function in (
        ("saving_paper", saving_paper),
        ("saving_sharp", saving_sharp),
        ("saving_cap_tangent", saving_cap_tangent),
    ):
        assert real(name, "Saving.v")(power, eta, eta1) == function(power, base, new)
    alpha = eta / eta1
    assert real("paper_form", "Saving.v")(power, eta, alpha) == saving_paper(power, base, new)
    assert real("sharp_form", "Saving.v")(power, eta, alpha) == saving_sharp(power, base, new)
    assert real("limit_paper", "Saving.v")(power) == limit_paper(power)
    assert real("speed_up", "Throughput.v")(eta, eta1) == speed_up(base, new)
    whole_run = Fraction(seed + 1), Fraction(3 * seed)
    share = real("idle_share", "Throughput.v")(*whole_run)
    assert share == idle_share(int(whole_run[1]), int(whole_run[0]))


@pytest.mark.parametrize("seed", range(30))
def test_energy_formulas_with_powers_are_the_python_functions(seed):
    exact, busy, idle = _fractions(seed)
    power = Constants(float(exact.idle_w), float(exact.max_w), float(exact.gamma))
    eta, eta1 = float(busy), float(idle)
    run, base, new = Usage(eta, eta1), Usage(1.0, eta), Usage(1.0, eta1)
    # The same formula written in another order: equal up to a few roundings.
    near = pytest.approx
    assert real("envelope", "Energy.v")(power, eta, eta1) == near(energy_envelope(power, run))
    # Three workers more than the least number that can idle this much.
    workers = int(eta1 / eta) + 4
    share = real("envelope_of", "EnvelopeWorkers.v")(power, workers, eta + eta1, eta1)
    assert share == near(energy_envelope_of(power, run, workers))
    unit = real("envelope_per_work", "Saving.v")(power, eta)
    assert unit == near(energy_envelope(power, base))
    floor = real("saving_floor", "Saving.v")(power, eta, eta1)
    assert floor == near(saving_floor(power, base, new), abs=1e-12)
    cap = real("saving_cap", "Saving.v")(power, eta, eta1)
    assert cap == near(saving_cap(power, base, new), abs=1e-12)


@pytest.mark.parametrize(("seed", "slots"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3)])
def test_moments_of_the_difference_of_two_loads_are_those_of_all_draws(seed, slots):
    rng = random.Random(seed)
    values = [rng.randint(1, 9) for _ in range(3)]  # equally likely
    mean = Fraction(sum(values), 3)
    variance, fourth = (sum((x - mean) ** k for x in values) / 3 for k in (2, 4))
    loads = [sum(draw) for draw in product(values, repeat=slots)]
    differences = [x - y for x, y in product(loads, loads)]
    second_of, fourth_of = (real(name, "Extremes.v") for name in ("second", "fourth"))
    assert second_of(slots, variance) == Fraction(sum(d**2 for d in differences), len(differences))
    assert fourth_of(slots, variance, fourth) == Fraction(
        sum(d**4 for d in differences), len(differences)
    )
    # The bound of the theorem is the one that evenkeel computes, rounded down there.
    law = Law.of({x: Fraction(values.count(x), 3) for x in set(values)})
    bound = pairing_bound(law, 5, slots)
    square = Fraction(25, 4) * second_of(slots, variance) ** 3
    if square:
        square /= fourth_of(slots, variance, fourth)
    assert 0 <= square - bound**2 <= Fraction(1, 10**9)


def test_a_transcribed_formula_with_another_constant_differs():
    # The transcription has the power to see a change: D with gamma in place of 1 - gamma.
    power = Constants(Fraction(100), Fraction(400), Fraction(7, 10))
    waste = real("waste", "PowerLaw.v")
    assert waste(power) == 190
    waste.tokens[waste.tokens.index("1")] = "2"
    assert waste(power) != power.waste_w
