"""Instances: what is searched and drawn, and small runs by brute force."""
