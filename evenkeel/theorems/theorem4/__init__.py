"""Theorem 4: energy."""

FAMILY = "energy"
ORDER = (
    "envelope",
    "overhead",
    "throughput",
    "work",
    "exponents",
    "devices",
    "saving",
    "limits",
    "caps",
    "reach",
    "needed_idle",
)
