"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = ("sides", "rare_sizes", "ratio", "vacuity")
