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
    "any_power",
    "reach",
    "needed_idle",
)
