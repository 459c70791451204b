"""Names and texts of other people are shown, and do nothing: in pages, Markdown, terminals, CSV."""

import csv
import io
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from adversary.witnesses.gallery import GALLERY
from evenkeel.output import table
from evenkeel.report.rendering import report_html, report_markdown
from paper_figures.files import to_csv
from tests.evenkeel.test_records import an_entry
from tests.hostile.conftest import Call
from theory.content import printable

SCRIPT = "<script>alert(1)</script>"
ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b31m\u202e"


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def hostile(entry: Any) -> Any:
    """A record of which every text that is free has a script in it."""
    free = {"domain", "measures", "kill_rate"}
    return {
        key: f"{value} {SCRIPT} [x](javascript:alert(1)) <javascript:alert(1)>"
        if key in free
        else value
        for key, value in entry.items()
    } | {
        "witness": {SCRIPT: [SCRIPT, "</pre>" + SCRIPT]},
        "details": {SCRIPT: SCRIPT},
        "power": {SCRIPT: True, "b" + SCRIPT: False},
        "versions": {SCRIPT: SCRIPT},
        "params": {"file": SCRIPT, "policy": SCRIPT, "column": SCRIPT},
    }


def test_no_text_of_a_record_is_markup_in_the_page() -> None:
    page = report_html([hostile(an_entry())], f"evenkeel {SCRIPT}", figures={})
    tags = Tags(page).found
    names = {tag for tag, _ in tags}
    assert not names & {"script", "iframe", "object", "base", "form"}
    for _, attributes in tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert not (attributes.get("href") or "").startswith("javascript")
    assert "&lt;script&gt;" in page


def test_the_page_allows_its_own_style_and_nothing_else() -> None:
    page = report_html([an_entry()], "evenkeel", figures={})
    [policy] = [
        attributes["content"]
        for tag, attributes in Tags(page).found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    [style] = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_no_text_of_a_record_is_markup_in_markdown() -> None:
    text = report_markdown([hostile(an_entry())], f"evenkeel {SCRIPT}")
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert "script" in outside
    assert not re.search(r"(?<!\\)<[A-Za-z/!?]", outside)
    assert "](javascript" not in text


def test_a_witness_cannot_steer_a_terminal(call: Call) -> None:
    stored = json.loads((GALLERY / "iir-zero.json").read_text("utf-8"))
    Path("shelf").mkdir()
    for key in ("text", "provenance", "claim"):
        Path("shelf/w.json").write_text(json.dumps(stored | {key: ESCAPE}), "utf-8")
        for words in ((), ("w",), ("--json",)):
            code, out, err = call("gallery", "--gallery", "shelf", *words)
            assert (code, out) == (2, "")
            assert "steer a terminal: \\x1b]0;owned" in err
            assert printable(err.rstrip("\n"), len(err)) + "\n" == err
    Path("shelf/w.json").rename(f"shelf/{ESCAPE}.json")
    code, out, err = call("gallery", "--gallery", "shelf")
    assert (code, out, "\x1b" in err) == (2, "", False)


def test_a_name_in_an_error_cannot_steer_a_terminal(call: Call) -> None:
    for words in (("solve", ESCAPE), ("simulate", "--policy", ESCAPE), ("sweep", f"a\n{ESCAPE}")):
        code, out, err = call(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert not set(err) & set(ESCAPE[:1] + "\x9b\u202e\x07")


def test_cells_of_a_table_cannot_steer_a_terminal() -> None:
    shown = table(("name", ESCAPE), [(ESCAPE, "2"), ("a\u00a0b", "3")])
    assert not set(shown) & set("\x1b\x9b\x07\u202e")
    assert "\\x1b[31m\\x9b31m\\u202e" in shown


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("x")']
)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    rows = list(
        csv.reader(io.StringIO(to_csv([{"policy": text, text: -0.5, "n": "-7"}]), newline=""))
    )
    shown = "'" + text.replace("\r", " ")
    assert rows == [["policy", shown, "n"], [shown, "-0.5", "-7"]]


@pytest.mark.parametrize("file", ["loads.csv", "lo\x1b[2Jads.csv"])
def test_a_name_in_a_log_cannot_steer_a_terminal(call: Call, file: str) -> None:
    rows = "".join(f"{i},<b>{r}\x1b[31m,{i * r + 1}\n" for i in range(20) for r in range(2))
    Path(file).write_text("step,rank,load\n" + rows, "utf-8")
    code, out, err = call("measure", file)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "<b>1\\x1b[31m" in out


def test_a_number_of_a_log_has_no_thousand_digits(call: Call) -> None:
    Path("m.json").write_text('{"step": 1, "rank": 0, "load": ' + "9" * 5000 + "}\n", "utf-8")
    code, out, err = call("measure", "m.json")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: m.json: line 1: load = 9999")
