"""Theorem 1: equal output lengths."""
