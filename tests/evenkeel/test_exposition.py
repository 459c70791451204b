"""A claim reads well in a terminal, and its Markdown and LaTeX are well formed."""

import os
import re
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from evenkeel.report.claim_view import data
from evenkeel.report.rendering import claim_latex, claim_markdown
from evenkeel.report.terminal import show
from evenkeel.report.typeset import escape_latex, escape_markdown, maths, prose
from evenkeel.theorems.registry import Claim, claim_of, claims
from theory.proof import Identity, Lemma

# One claim of every shape: identities, inequalities, limits, integrals, sums, words alone, none.
SHOWN = (
    "warmup.theorem-1",
    "step.objective",
    "step.full-refill-gap",
    "step.lp-closed-form",
    "step.gap-naive",
    "fcfs.gaussian",
    "energy.sandwich",
    "energy.limit-paper",
    "balanceroute.telescopes",
    "limits.overloaded",
)


def _terminal(entry: Claim, width: int) -> str:
    out = StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    show(entry, console)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("label", SHOWN)
def test_a_terminal_shows_every_part_within_its_width(label: str, width: int) -> None:
    entry = claim_of(label)
    lines = [line.rstrip() for line in _terminal(entry, width).splitlines()]
    assert max(map(len, lines)) <= width
    heads = [line for line in lines if re.match(r"[A-Z]", line) and not line.endswith(".")]
    steps = "Proof" if entry.holds else "Disproof"
    wanted = ["Statement", "Formula", "Symbols", "Assumptions", "Numbers", steps]
    wanted += ["Formal proof", "Evidence", "Rests on", "References"]
    seen = [head.split("  ")[0] for head in heads if head.split("  ")[0] in wanted]
    assert seen == [head for head in wanted if head in seen]
    assert {"Statement", "Assumptions", "Evidence"} <= set(seen)
    assert ("Formula" in seen) == (entry.formula is not None)
    assert (steps in seen) == (entry.proof is not None)
    assert ("Rests on" in seen) == bool(entry.requires)
    assert ("Numbers" in seen) == (entry.numbers is not None)
    assert ("Formal proof" in seen) == (entry.coq is not None)
    flat = " ".join(" ".join(lines).split())
    assert " ".join(entry.statement.split()) in flat
    assert " ".join(entry.evidence.split()) in flat
    for number, step in enumerate(entry.proof() if entry.proof else (), 1):
        assert f" {number}. {type(step).__name__}" in flat
        assert step.status.value in flat
    assert f"evenkeel check {label}" in flat


def test_a_step_that_is_not_verified_never_reads_as_verified() -> None:
    from sympy import Symbol

    x = Symbol("x", positive=True)
    steps = (Lemma("words", "Argued."), Identity("False.", x, x + 1))
    entry = claim_of("step.objective")
    wrong = Claim(
        "step.wrong",
        "A wrong proof",
        entry.source,
        entry.version,
        entry.kind,
        entry.statement,
        (),
        entry.evidence,
        None,
        lambda: steps,
    )
    assert [step["status"] for step in data(wrong)["proof"]] == [
        "argued in words",
        "NOT CONFIRMED",
    ]
    for text in (_terminal(wrong, 80), claim_markdown(wrong), claim_latex(wrong)):
        assert "confirmed by sympy" not in text
        assert "1 argued in words, 1 NOT CONFIRMED" in text


def _balanced(text: str, pairs: str) -> bool:
    stack: list[str] = []
    for character in text:
        if character in pairs[::2]:
            stack.append(pairs[pairs.index(character) + 1])
        elif character in pairs[1::2] and (not stack or stack.pop() != character):
            return False
    return not stack


@pytest.mark.parametrize("label", claims())
def test_latex_is_well_formed(label: str) -> None:
    text = claim_latex(claim_of(label))
    text = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.S)
    plain = re.sub(r"\\[\\{}$&%#_]", "", text.replace(r"\left\{", "").replace(r"\right\}", ""))
    assert _balanced(plain, "{}")
    assert plain.count("$") % 2 == 0
    assert plain.count(r"\left") == plain.count(r"\right")
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert open_ones == []
    assert text.count(r"\[") == text.count(r"\]")
    # Outside of maths nothing is left that LaTeX would take for a command of its own.
    words = re.sub(
        r"\\\[.*?\\\]|\\begin\{multline\*\}.*?\\end\{multline\*\}", "", plain, flags=re.S
    )
    words = re.sub(r"\$[^$]*\$", "", words)
    words = re.sub(
        r"\\begin\{tabular\}.*?\\end\{tabular\}",
        lambda cells: cells[0].replace(" & ", " "),
        words,
        flags=re.S,
    )
    assert not re.search(r"(?<!\\)[_^&#]", words)
    assert text.isascii() or re.fullmatch(r"[\x00-\u024f]*", text)


@pytest.mark.parametrize("label", claims())
def test_markdown_is_well_formed(label: str) -> None:
    text = claim_markdown(claim_of(label))
    assert text.startswith(f"# {label}: ")
    assert text.count("$$") % 2 == 0
    inline = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    inline = re.sub(r"\\\$", "", inline)
    for paragraph in inline.split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph
        for formula in re.findall(r"\$([^$]*)\$", paragraph):
            assert formula == formula.strip()
            assert formula
            assert _balanced(formula, "{}")
    heads = re.findall(r"^## (\w+)", text, flags=re.M)
    wanted = ("Statement", "Assumptions", "Numbers", "Proof", "Disproof", "Formal")
    wanted += ("Evidence", "References")
    assert heads == [h for h in wanted if h in heads]
    assert not {"Proof", "Disproof"} <= set(heads)
    proof = claim_of(label).proof
    assert len(re.findall(r"^\d+\. \*\*", text, flags=re.M)) == (len(proof()) if proof else 0)


@pytest.mark.parametrize("label", SHOWN)
def test_data_holds_every_step_with_its_formula(label: str) -> None:
    entry = claim_of(label)
    found = data(entry)
    assert found["label"] == label
    for number, step in enumerate(found["proof"], 1):
        assert step["step"] == number
        assert ("formula" in step) == ("latex" in step)
        if step["kind"] != "setting":  # which may define a symbol
            assert ("formula" in step) == (step["kind"] not in ("lemma", "computation"))
        # A conclusion has a slack for each of its inequalities, and may have none.
        if step["kind"] != "conclusion":
            assert ("slack" in step) == (step["kind"] == "inequality")
        assert ("name" in step) == (step["kind"] == "lemma")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("P_max", r"P_{\max}"),
        ("l_(g+1)", "l_{g+1}"),
        ("S^max_{c_g}", r"S_{c_{g}}^{\max}"),
        ("eta1", r"\eta_{1}"),
        ("dP", r"\Delta P"),
        ("E[AvgImb(BF-IO)]", r"E[\mathrm{AvgImb}(\text{BF-IO})]"),
    ],
)
def test_typed_formulas_are_set_as_mathematics(typed: str, wanted: str) -> None:
    assert maths(typed) == wanted


def test_running_text_is_escaped_around_its_formulas() -> None:
    text = "40 % of P_idle, x <= y & [fcfs.exact]"
    assert prose(text, escape_latex) == (r"40 \% of $P_{\mathrm{idle}}$, x $\le$ y \& [fcfs.exact]")
    assert prose(text, escape_markdown) == (
        r"40 % of $P_{\mathrm{idle}}$, x $\le$ y & \[fcfs.exact\]"
    )


def test_symbols_are_in_one_order_whatever_the_hash_seed() -> None:
    code = (
        "from evenkeel.report.claim_view import data; "
        "from evenkeel.theorems.registry import claim_of; "
        "print(list(data(claim_of('step.waterfill'))['symbols']))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(seen) == 1
    assert "'L', 'l'" in seen.pop()
