"""Theorem 2: geometric output lengths."""

FAMILY = "geometric"
ORDER = (
    "sides",
    "fcfs_growth",
    "recursion",
    "in_expectation",
    "deviations",
    "guarantee",
    "rare_sizes",
    "ratio",
    "vacuity",
)
