"""Limits: one assumption dropped at a time."""

FAMILY = "limits"
ORDER = ("forecasts", "pools", "admissions", "dispatch", "rounds")
