"""
What can a saving be, given how much FCFS idles?
================================================

Between a floor that perfect balance guarantees and a cap that nobody exceeds, for a device and no
fixed part of a step.
"""

import matplotlib.pyplot as plt
import numpy as np

from evenkeel import hardware
from theory.formulas.energy import Usage, saving_cap, saving_sharp

figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
shares = np.linspace(0.01, 0.9, 60)
for ax, name in zip(axes, ("a100-paper", "h100-sxm-decode"), strict=True):
    device = hardware(name)
    balanced = Usage(1.0, 0.0)
    bounds = [
        [100 * bound(device, Usage(1.0, share / (1 - share)), balanced) for share in shares]
        for bound in (saving_sharp, saving_cap)
    ]
    ax.fill_between(100 * shares, *bounds, alpha=0.3)
    ax.plot(100 * shares, bounds[0], label="guaranteed")
    ax.plot(100 * shares, bounds[1], label="at most")
    ax.set_title(f"{name}: {device.waiting}", fontsize=9)
    ax.set_xlabel("idle share of FCFS (%)")
axes[0].set_ylabel("energy saved (%)")
axes[0].legend()
