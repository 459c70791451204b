"""Theorem 3: any common drift."""

FAMILY = "drift"
ORDER = ("sides", "commonness", "ratio")
