"""Worst cases: exhaustive and heuristic search, shrinking, certificates."""
