"""
What is lost at the barrier?
============================

Every step lasts as long as its slowest worker. The area between the largest and the mean load is
what the others wait: FCFS beside BF-IO, on the same requests.
"""

import matplotlib.pyplot as plt

from evenkeel import System, simulate, workload

requests = workload("burst-like", 1_500, seed=0)
figure, axes = plt.subplots(2, 1, sharex=True, sharey=True, layout="constrained")
for ax, policy in zip(axes, ("fcfs", "bfio"), strict=True):
    run = simulate(System.paper(8, 16), requests, policy)
    run.plot(ax)
    print(run.summary(), end="\n\n")
