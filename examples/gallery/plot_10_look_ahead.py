"""
Does look-ahead help, and how good must predictions be?
=======================================================

BF-IO with a horizon balances the steps to come as well, by predicted lengths: true ones, or true
ones with a log-normal error.
"""

import matplotlib.pyplot as plt

from evenkeel import System, simulate, workload

requests, system = workload("uniform", 600, seed=0, a=1, b=50, p=0.05), System(4, 8)
horizons = (0, 1, 2, 5, 10, 20)
figure, ax = plt.subplots(layout="constrained")
for text, predictor in (("true lengths", "oracle"), ("an error of e^0.5", "noisy:0.5")):
    left = [
        simulate(
            system, requests, f"bfio:horizon={H},predictor={predictor}" if H else "bfio", seed=1
        ).overloaded.avg_imbalance
        for H in horizons
    ]
    ax.plot(horizons, [float(value) for value in left], "o-", label=text)
ax.set_xlabel("horizon (steps)")
ax.set_ylabel("imbalance per step (tokens)")
ax.set_ylim(0)
ax.legend()
