"""Figures of energy and what balance saves."""
