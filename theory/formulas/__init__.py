"""Formulas: the bounds as numbers and as symbols."""
