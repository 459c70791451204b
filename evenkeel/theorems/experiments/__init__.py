"""Experiments E1 to E5."""

FAMILY = "experiments"
ORDER = ("other_systems", "reported", "consistency", "scale", "lookahead", "waits")
