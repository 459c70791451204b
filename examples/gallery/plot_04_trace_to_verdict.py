"""
From a trace to a verdict: would BF-IO save energy?
===================================================

A trace is read as its tool wrote it; here the synthetic one that ships with evenkeel. ``evenkeel
assess`` does this with intervals and says where the answer holds.
"""

import matplotlib.pyplot as plt

from adversary.workloads.sample_trace import SAMPLE_TRACE
from evenkeel import Requests, System, hardware, read_trace, simulate

trace = read_trace(SAMPLE_TRACE)
print(trace.summary())

requests = Requests(trace.requests.prefill, trace.requests.decode)  # as a backlog
device = hardware("h100-sxm-decode")
energy = {
    name: simulate(System.paper(4, 8), requests, name).energy_j(device) / 1e3
    for name in ("jsq", "sglang_total_tokens", "bfio")
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
trace.plot(left)
right.bar(list(energy), list(energy.values()))
right.set_ylabel("energy (kJ)")
right.set_ylim(0.9 * min(energy.values()))
right.set_title(f"{1 - energy['bfio'] / energy['jsq']:.1%} less with BF-IO")
