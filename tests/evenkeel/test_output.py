"""Tables: plain text of one line a row, unless text is to wrap."""

import pytest

from evenkeel.output import table

LONG = "a text " * 20


def test_a_row_is_one_line_however_long():
    rows = [(LONG.strip(), "123456"), ("[b]x[/b] :smile:", "")]
    head, rule, *lines = table(("what", "n"), rows).split("\n")
    assert head == "what".ljust(139) + "  " + "n".rjust(6)
    assert rule == "-" * 139 + "  " + "-" * 6
    assert lines == [LONG.strip() + "  123456", "[b]x[/b] :smile:"]


def test_text_wraps_and_numbers_do_not():
    lines = table(("n", "what"), [("1234567890", LONG)], 30).split("\n")
    assert max(map(len, lines)) <= 30
    assert lines[2].startswith("1234567890  a text")
    assert " ".join(" ".join(lines[2:]).split()) == f"1234567890 {LONG.strip()}"


def test_columns_of_numbers_are_to_the_right():
    text = table(("a", "b", "c"), [("+1", "-2.5 %", "x"), ("", "10 ± 3", "1")])
    assert text.split("\n") == [
        *(" a       b  c", "--  ------  -", "+1  -2.5 %  x", "    10 ± 3  1"),
    ]


def test_a_table_without_rows_is_its_head():
    assert table(("one", "two"), []).split("\n") == ["one  two", "---  ---"]


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        (("one", "two"), []),
        (("", ""), [("", "")]),
        (("n", "what"), [("-1", "a\nb"), ("10 ± 3", "")]),
        (("what", "n"), [("two\n\nlines ", "+1 \n-22"), ("1\x1b[31m", "")]),
        (("wide", "n"), [("数据 a", "1"), ("e\u0301…", "22")]),
        (("[b]x[/b]", ":smile:"), [("  in", "[link=x]y[/link]")]),
    ],
)
def test_lines_of_any_length_are_laid_out_as_a_wide_terminal_wraps_them(head, rows):
    assert table(head, rows) == table(head, rows, 1000)
