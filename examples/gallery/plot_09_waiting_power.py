"""
Does it matter what a waiting worker draws?
===========================================

The paper takes a worker at the barrier to draw its idle power. One run serves every device, and any
power law of one's own: the loads are replayed from its schedule.
"""

import matplotlib.pyplot as plt
import numpy as np

from evenkeel import PowerModel, System, simulate, workload

requests = workload("longbench-like", 1_500, seed=1)
fcfs, bfio = (simulate(System.paper(8, 8), requests, name) for name in ("jsq", "bfio"))


def saved(power):
    """Per cent less energy with BF-IO."""
    return 100 * (1 - bfio.energy_j(power) / fcfs.energy_j(power))


class Steps:
    """A device that knows three clock rates."""

    def powers(self, utilisation):
        return 100 + 100 * np.ceil(3 * utilisation)


waits = np.linspace(100, 400, 13)
figure, ax = plt.subplots(layout="constrained")
for gamma in (0.2, 0.7, 1.0):
    savings = [saved(PowerModel(100, 400, gamma, wait_w=watts)) for watts in waits]
    ax.plot(waits, savings, label=f"gamma = {gamma}")
ax.axhline(saved(Steps()), color="0.5", linestyle=":", label="three clock rates")
ax.set_xlabel("power of a waiting worker (W), idle 100 W, at most 400 W")
ax.set_ylabel("energy saved by BF-IO (%)")
ax.legend()
