"""Figures of where the theorems say something, and where balance is possible."""
