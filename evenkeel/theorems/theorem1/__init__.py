"""Theorem 1: equal output lengths."""

FAMILY = "warmup"
ORDER = ("sides", "ratio", "vacuity")
