"""
From how many slots on do the theorems say anything about my trace?
===================================================================

Theorem 1 bounds the ratio of two imbalances; below some number of slots the bound is less than 1,
and says nothing. The edge depends on the sizes of the trace.
"""

import matplotlib.pyplot as plt

from adversary.workloads.sample_trace import SAMPLE_TRACE
from evenkeel import first_slots_of, hardware, lengths_of, read_trace

lengths = lengths_of("the sample trace", read_trace(SAMPLE_TRACE).requests)
device, workers = hardware("h100-sxm-decode"), (2, 4, 8, 16, 32, 64)
edges = {
    "Theorem 1 with the constant 1": "T1",
    "with exact FCFS on top": "T1 computed",
    "Theorem 4 by the latter": "T4 computed",
}
figure, ax = plt.subplots(layout="constrained")
for text, name in edges.items():
    slots = [first_slots_of(name, lengths, G, device) for G in workers]
    known = [(G, B) for G, B in zip(workers, slots, strict=True) if B]
    if known:
        ax.plot(*zip(*known, strict=True), "o-", label=text)
    print(text, dict(zip(workers, slots, strict=True)))
ax.set_xscale("log", base=2)
ax.set_yscale("log", base=10)
ax.set_xlabel("workers, G")
ax.set_ylabel("slots B from which it says something")
ax.legend()
