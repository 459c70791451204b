"""
How much do workers idle under FCFS?
====================================

Exactly, in stationarity: the loads are sums of independent slot loads, so the expectation of their
maximum is a convolution away. No sampling.
"""

import matplotlib.pyplot as plt

from evenkeel import Law, expected_imbalance

slots = [1, 2, 4, 8, 16, 32, 64]
figure, ax = plt.subplots(layout="constrained")
for workers in (2, 8, 32):
    shares = [expected_imbalance(Law.uniform(1, 100), workers, B).idle_share.value for B in slots]
    ax.plot(slots, [100 * share for share in shares], "o-", label=f"G = {workers}")
print(expected_imbalance(Law.uniform(1, 100), 8, 8).summary())
ax.set_xscale("log", base=2)
ax.set_xlabel("slots of a worker, B")
ax.set_ylabel("idle share (%)")
ax.set_title("equal output lengths, sizes uniform on 1..100")
ax.legend()
