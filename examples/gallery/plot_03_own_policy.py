"""
How does my policy do where FCFS is worst?
==========================================

A policy is a class with ``admit``. On the backlog that is worst for FCFS each round gives the first
worker all the large requests; here is what the largest-first rule and BF-IO make of it.
"""

import matplotlib.pyplot as plt
import numpy as np

from evenkeel import System, imbalance, simulate, workload


class LargestFirst:
    """The largest waiting request to the least loaded worker, and so on."""

    name = "largest-first"

    def admit(self, view):
        answer = np.full(view.pool.size, -1)
        loads, free = view.loads.copy(), view.free.copy()
        for item in np.argsort(-view.pool[: view.admissions], kind="stable"):
            room = np.flatnonzero(free)
            worker = room[loads[room].argmin()]
            answer[item] = worker
            loads[worker] += view.pool[item]
            free[worker] -= 1
        return answer


requests = workload("fcfs-worst", 8 * 8 * 10, seed=0, workers=8, slots=8, a=1, b=100, length=4)
system = System(8, 8)
figure, ax = plt.subplots(layout="constrained")
for policy in ("fcfs", LargestFirst(), "bfio"):
    run = simulate(system, requests, policy, history=True)
    ax.plot(imbalance(run.loads), label=run.policy)
    print(run.policy, float(run.total.avg_imbalance))
ax.set_yscale("symlog")
ax.set_xlabel("step")
ax.set_ylabel("imbalance (load)")
ax.legend()
