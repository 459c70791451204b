"""A claim reads well in a terminal, and its Markdown and LaTeX are well formed."""

import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evenkeel.report.claim_view import data
from evenkeel.report.companion import claim_latex, companion_latex
from evenkeel.report.prose import prose
from evenkeel.report.rendering import claim_markdown
from evenkeel.report.terminal import show
from evenkeel.report.typeset import escape_latex, escape_markdown, maths
from evenkeel.runs.records import record
from evenkeel.runs.reproduce import versions
from evenkeel.theorems.registry import Claim, checks, claim_of, claims
from paper_figures.catalogue import FIGURES, committed
from theory.bibliography import references
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
    for number, step in enumerate(entry.steps, 1):
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


def _well_formed(text: str) -> None:
    """Nothing is left open, and no character that LaTeX would take for a command of its own."""
    text = text.partition(r"\begin{document}")[2].partition(r"\end{document}")[0]
    text = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.S)
    plain = re.sub(r"\\[\\{}$&%#_]", "", text.replace(r"\left\{", "").replace(r"\right\}", ""))
    assert _balanced(plain, "{}")
    assert plain.count("$") % 2 == 0
    assert len(re.findall(r"\\left\b", plain)) == len(re.findall(r"\\right\b", plain))
    open_ones: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert open_ones == []
    words = re.sub(r"\\formula\{.*\}", "", plain)
    words = re.sub(r"\$[^$]*\$|\\(?:label|hyperref|ref|claim)[\[{][^\]}]*[\]}]", "", words)
    words = re.sub(r"\\begin\{(tabular|longtable)\}.*?\\end\{\1\}", "", words, flags=re.S)
    assert not re.search(r"[_^&#]", words)
    # The fonts have the letters of European languages; what else people type is a command.
    assert re.fullmatch(r"[\x00-\x7f\u00c0-\u017f]*", text)


@pytest.mark.parametrize("label", SHOWN)
def test_latex_is_well_formed(label: str) -> None:
    _well_formed(claim_latex(claim_of(label)))


@pytest.fixture(scope="module")
def companion() -> str:
    return companion_latex()


def test_the_companion_has_every_claim_once_and_leads_nowhere_else(companion: str) -> None:
    _well_formed(companion)
    assert re.findall(r"^\\claim\{(\S+?)\}", companion, flags=re.M) == list(claims())
    works = re.findall(r"\\label\{work:(.*?)\}", companion)
    assert len(works) == len(set(works)) == len(references())
    assert set(re.findall(r"\[work:(.*?)\]", companion)) <= set(works)
    body = companion.partition(r"\begin{document}")[2]
    assert set(re.findall(r"\\see\{(.*?)\}|\[claim:(.*?)\]", body)) <= {
        pair for label in claims() for pair in ((label, ""), ("", label))
    }
    # The index leads to all of them; a text to those that it names.
    assert re.findall(r"\\pageref\{claim:(.*?)\}", body) == sorted(claims())
    assert r"[\see{step.objective}{" in body
    assert r"(\hyperref[work:Berry-1941]{Berry 1941}; \hyperref[work:Esseen-1942]" in body
    for entry in claims().values():
        for label in entry.requires:
            assert label in claims()
    assert "includegraphics" not in body
    assert "No verdict of a run is shown" in body


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX")
def test_the_companion_compiles_without_a_warning(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name in ("needed_idle", "fairness"):
        text = committed(name)
        (run / "figures").mkdir(parents=True, exist_ok=True)
        (run / "figures" / f"{name}.csv").write_text(text, "utf-8")
        FIGURES[name].draw(run / "figures" / f"{name}.csv", run / "figures")
    checked = [checks()[label] for label in ("step.full-refill-gap", "step.gap-naive")]
    entries = []
    for check in checked:
        trial = check.trial()
        entries.append(record(check, trial, check.run(trial), {}, versions()))
    document = companion_latex(entries, run)
    assert document.count(r"\includegraphics") == 2
    assert r"\textbf{refuted (as expected" in document
    for text in (document, claim_latex(claim_of("warmup.theorem-1"))):
        (tmp_path / "claims.tex").write_text(text, "utf-8")
        for _ in range(3):
            words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "claims.tex"]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
            assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
        log = (tmp_path / "claims.log").read_text("latin-1")
        assert re.findall(r"^(?:.*Warning:|Overfull|.*undefined).*", log, flags=re.M) == []


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
    assert len(re.findall(r"^\d+\. \*\*", text, flags=re.M)) == len(claim_of(label).steps)


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
    assert prose(text, escape_latex) == (r"40 \% of $P_{\mathrm{idle}}$, $x \le y$ \& [fcfs.exact]")
    assert prose(text, escape_markdown) == (
        r"40 % of $P_{\mathrm{idle}}$, $x \le y$ & \[fcfs.exact\]"
    )


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("P_max W + D I <= E", r"$P_{\max}\,W + D\,I \le E$"),
        ("(1 - 1/G) (G-1)(b-a)", r"$(1 - 1/G)\,(G-1)(b-a)$"),
        ("a load of 100 W in 2 s", "a load of 100 W in 2 s"),
        ("FCFS's max, a B and a <= b", r"FCFS's max, a $B$ and $a \le b$"),
        ("c sqrt(B ln G) for max(waiting, free)", r"$c\,\sqrt{B\,\ln G}$ for max(waiting, free)"),
        ("E[Imb(FCFS)] at B (G = 32)", r"$E[\mathrm{Imb}(\text{FCFS})]$ at $B$ $(G = 32)$"),
        ("s_((i+1)G) of 2^-1000", r"$s_{(i+1)G}$ of $2^{-1000}$"),
        ("always_busiest, e.g. in 1..4", r"always\_busiest, e.g. in 1..4"),
        ("margin 2.387e-09, power_of_two", r"margin $2.387 \cdot 10^{-9}$, power\_of\_two"),
        ("s_0 <= ... <= s_n, n at most 20,000", r"$s_{0} \le \dots \le s_{n}$, $n$ at most 20,000"),
    ],
)
def test_a_formula_in_running_text_is_set_whole(typed: str, wanted: str) -> None:
    assert prose(typed, escape_latex) == wanted


def test_what_is_typed_beyond_ascii_is_set_too() -> None:
    assert escape_latex("μ² ≤ ½ Eßmann ☃") == r"$\mu$$^2$ $\le$ [U+00BD] Eßmann [U+2603]"


def test_symbols_are_in_one_order_whatever_the_hash_seed() -> None:
    # Without the claims of all other modules.
    code = (
        "import evenkeel.theorems.step.waterfill; "
        "from evenkeel.report.claim_view import ClaimView; "
        "from evenkeel.theorems.registry import _CLAIMS; "
        "print(list(ClaimView(_CLAIMS['step.waterfill']).symbols))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
    assert "'L', 'l'" in seen.pop()
