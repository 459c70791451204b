"""Findings: checks and what they find, verdicts, the scoreboard, statistics, and the gate."""
