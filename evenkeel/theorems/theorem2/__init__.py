"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = ("sides", "recursion", "guarantee", "rare_sizes", "ratio", "vacuity")
