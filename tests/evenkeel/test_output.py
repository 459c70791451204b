"""Tables: plain text of one line a row, unless text is to wrap."""

from evenkeel.output import MOST_CELL, table

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


def test_a_cell_without_end_is_cut_and_others_are_whole():
    whole = "y" * MOST_CELL
    _, _, row = table(("cut", "whole"), [("x" * (MOST_CELL + 1), whole)]).split("\n")
    assert row == "x" * MOST_CELL + "…  " + whole


def test_a_table_without_rows_is_its_head():
    assert table(("one", "two"), []).split("\n") == ["one  two", "---  ---"]
