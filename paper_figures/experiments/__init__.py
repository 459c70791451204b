"""Figures of the paper's experiments, run again."""
