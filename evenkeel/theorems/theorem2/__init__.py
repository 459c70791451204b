"""Theorem 2: geometric output lengths."""
