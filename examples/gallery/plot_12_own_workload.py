"""
What do blocks of long requests do?
===================================

A workload family of one's own is a function; every command and every study takes it. Here long
requests come one by one or in blocks, and the share of them is the same.
"""

import matplotlib.pyplot as plt
import numpy as np

from evenkeel import Parameter, Requests, System, simulate, workload_family


@workload_family(
    "long requests in blocks", {"block": Parameter(1, 1, 10**6, "requests in a block")}
)
def blocks(rng, n, block):
    """Sizes and output lengths of n requests."""
    long = np.repeat(rng.random(-(-n // block)) < 0.1, block)[:n]
    return np.where(long, 2000, 100), rng.geometric(0.05, n)


sizes = (1, 2, 4, 8, 16, 32)
figure, ax = plt.subplots(layout="constrained")
for policy in ("jsq", "bfio"):
    shares = []
    for block in sizes:
        drawn = Requests(*blocks.draw(np.random.default_rng(0), 1_000, block=block))
        run = simulate(System.paper(8, 8), drawn, policy)
        shares.append(100 * float(run.overloaded.idle_share))
    ax.plot(sizes, shares, "o-", label=policy)
ax.set_xscale("log", base=2)
ax.set_xlabel("requests in a block")
ax.set_ylabel("idle share while slots are full (%)")
ax.set_ylim(0)
ax.legend()
