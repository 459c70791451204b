"""
Which rule of a serving engine balances best?
=============================================

The rules of vLLM, SGLang and TensorRT-LLM on one backlog, beside BF-IO. ``evenkeel policies
--list`` says what each does, with its version and source.
"""

import matplotlib.pyplot as plt

from evenkeel import System, simulate, workload

rules = ("jsq", "vllm_in_flight", "sglang_total_tokens", "trtllm_adp", "bfio")
requests = workload("longbench-like", 800, seed=0)
idle = {
    rule: 100 * float(simulate(System.paper(4, 16), requests, rule).overloaded.idle_share)
    for rule in rules
}
print({rule: round(share, 1) for rule, share in idle.items()})
figure, ax = plt.subplots(layout="constrained")
ax.barh(list(idle), list(idle.values()))
ax.invert_yaxis()
ax.set_xlabel("idle share while slots are full (%)")
