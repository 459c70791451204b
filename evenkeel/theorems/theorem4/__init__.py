"""Theorem 4: energy and its saving."""
