"""Checks of the claims in :mod:`theory.drift`."""
