"""Evidence: checks, findings and verdicts, the scoreboard, statistics, and the gate."""
