"""Witnesses: stored instances that refute something, and where they come from."""
