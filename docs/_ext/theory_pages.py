"""The theory as pages: one for each family and each claim, written from the claims themselves.

What a run has found (verdict, margin, kill rate) is shown where a run is at hand, the records of
``evenkeel reproduce`` in ``out/smoke``; nothing here is typed by hand.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sphinx.application import Sphinx

from evenkeel.report.claim_view import ClaimView
from evenkeel.report.rendering import markdown_table, mathml
from evenkeel.report.summary import verdict_text
from evenkeel.report.typeset import escape_markdown
from evenkeel.runs.records import read_records
from evenkeel.theorems.registry import chapters, claim_of, claims, families
from paper_figures.catalogue import FIGURES, committed

HERE = Path(__file__).parents[1]
RECORDS = HERE.parent / "out" / "smoke" / "records.jsonl"


def linked(text: str) -> str:
    """A text for Markdown in which the label of each claim is a link to its page."""

    def link(match: re.Match[str]) -> str:
        label = match[0]
        return f"[{label}]({label}.md)" if label in claims() else label

    return re.sub(r"\b[a-z0-9]+\\?\.[a-z0-9-]+\b", link, escape_markdown(text))


def environment() -> Environment:
    """Jinja with what the templates need."""
    made = Environment(
        loader=FileSystemLoader(HERE / "_templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "plain": escape_markdown,
        "linked": linked,
        "mathml": mathml,
        "verdict": verdict_text,
        "table": lambda table: markdown_table(table.head, table.rows),
    }
    return made


def page(label: str) -> str:
    """The page of a claim."""
    claim = claim_of(label)
    used = [other.label for other in claims().values() if label in other.requires]
    family = next(
        name
        for name, members in zip(families(), chapters().values(), strict=True)
        if label in {member.label for member in members}
    )
    view = ClaimView(claim)
    return (
        environment()
        .get_template("claim.md.j2")
        .render(
            claim=claim,
            view=view,
            record=records().get(label),
            used_by=used,
            family=family,
            figures=[figure for figure in FIGURES.values() if figure.family == family],
        )
    )


def records() -> Mapping[str, dict[str, Any]]:
    """The records of the run at hand by claim; none without one."""
    if not RECORDS.is_file():
        return {}
    return {entry["claim"]: entry for entry in read_records(RECORDS)}


def picture(name: str) -> None:
    """Draw a figure from its committed table."""
    table = HERE / "theory" / f"{name}.csv"
    write(table, committed(name))
    FIGURES[name].draw(table, table.parent, ["png"])


def write(path: Path, text: str) -> None:
    """Write a file unless it says the same already, so that Sphinx need not read it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def generate(app: Sphinx, config: object) -> None:
    """Write all pages of the theory, before the examples register claims of their own."""
    folder = HERE / "theory"
    known = {f"{label}.md" for label in claims()} | {f"family-{name}.md" for name in families()}
    for path in folder.glob("*.md"):
        if path.name not in known | {"index.md"}:
            path.unlink()
    # Proofs are confirmed as their pages are written, and pictures drawn, side by side.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        drawn = pool.map(picture, FIGURES)
        for label, text in zip(claims(), pool.map(page, claims(), chunksize=4), strict=True):
            write(folder / f"{label}.md", text)
        list(drawn)
    found, jinja = records(), environment()
    groups = list(zip(families(), chapters().items(), strict=True))
    for name, (heading, members) in groups:
        text = jinja.get_template("family.md.j2").render(
            name=name,
            heading=heading,
            members=members,
            records=found,
            figures=[figure for figure in FIGURES.values() if figure.family == name],
        )
        write(folder / f"family-{name}.md", text)
    text = jinja.get_template("theory.md.j2").render(groups=groups, records=found)
    write(folder / "index.md", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", generate, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
