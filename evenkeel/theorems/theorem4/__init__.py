"""Theorem 4: energy."""

FAMILY = "energy"
ORDER = (
    "envelope",
    "overhead",
    "throughput",
    "work",
    "devices",
    "saving",
    "limits",
    "caps",
    "reach",
)
