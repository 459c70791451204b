"""Theorem 4: energy."""

FAMILY = "energy"
ORDER = (
    "envelope",
    "overhead",
    "waiting",
    "throughput",
    "work",
    "exponents",
    "devices",
    "saving",
    "limits",
    "caps",
    "any_power",
    "padding",
    "reach",
    "needed_idle",
)
