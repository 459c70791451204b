"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = ("sides", "ratio", "vacuity")
