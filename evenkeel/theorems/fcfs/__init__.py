"""FCFS in expectation: the lower side of Theorems 1 to 3."""

FAMILY = "fcfs"
ORDER = (
    "law",
    "pairing",
    "growth",
    "tournament",
    "constants",
    "uniform",
    "tilting",
    "stationary",
    "slot_moments",
    "moments",
    "worst_case",
)
