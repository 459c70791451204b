"""Figures of how the imbalance scales with workers and slots."""
