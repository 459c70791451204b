"""Figures of the optimal step and the optimal schedule: cost, worst cases, prices."""
