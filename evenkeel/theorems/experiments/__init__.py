"""Experiments E1 to E5, and what else the principle serves."""
