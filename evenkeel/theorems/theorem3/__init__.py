"""Theorem 3: any common drift."""
