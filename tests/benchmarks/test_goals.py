"""The table of goals is read off the benchmarks' own lines."""

from benchmarks.__main__ import goals_of

PRINTED = """\
Steps: ten of them
  fast: 2.0 x sort (goal 3: reached), excess 1e-5 (goal 1e-4: reached)
  slow: 4.0 x sort (goal 3: missed), excess 1e-5 (goal 1e-4: reached)
family   rate   passed on
bypass    1.0

Runs
uniform   3.0   MISSED
lognormal 9.0   pass
"""


def test_a_line_is_a_goal_if_it_has_a_mark_and_is_missed_if_one_of_its_marks_is():
    goals = list(goals_of(PRINTED.splitlines(keepends=True)))
    assert [(heading, line.split()[0], reached) for heading, line, reached in goals] == [
        ("Steps", "fast:", True),
        ("Steps", "slow:", False),
        ("Runs", "uniform", False),
        ("Runs", "lognormal", True),
    ]
