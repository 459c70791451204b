"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = ("sides", "recursion", "rare_sizes", "ratio", "vacuity")
