"""The table of goals is made of the goals that the benchmarks return with their lines."""

from benchmarks.goals import Goal, Line, show, titled

REACHED, MISSED = Goal(2.0, 3), Goal(4.0, 3)
LINES = (
    titled("Steps: ten of them"),
    Line("  fast: 2.0 x sort (goal 3: pass), excess 1e-5 (goal 1e-4: pass)", (REACHED, REACHED)),
    Line("  slow: 4.0 x sort (goal 3: MISSED), excess 1e-5 (goal 1e-4: pass)", (MISSED, REACHED)),
    Line("family   rate   passed on"),
    Line("bypass    1.0"),
    titled("\nRuns"),
    Line("uniform   3.0   MISSED", (Goal(3.0, 5, at_least=True),)),
    Line("lognormal 9.0   pass", (Goal(9.0, 5, at_least=True),)),
)


def test_a_line_is_a_goal_if_it_has_one_and_is_missed_if_one_of_its_goals_is(capsys):
    goals = show(LINES)
    assert [(title, line.text.split()[0], line.reached) for title, line in goals] == [
        ("Steps", "fast:", True),
        ("Steps", "slow:", False),
        ("Runs", "uniform", False),
        ("Runs", "lognormal", True),
    ]
    assert capsys.readouterr().out == "".join(f"{line.text}\n" for line in LINES)
    assert [str(goal) for goal in (REACHED, MISSED)] == ["pass", "MISSED"]
