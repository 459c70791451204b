"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = (
    "sides",
    "recursion",
    "in_expectation",
    "deviations",
    "guarantee",
    "rare_sizes",
    "ratio",
    "vacuity",
)
