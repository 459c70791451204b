"""Writes the logs of a small fleet: vLLM's line for each step and rank, and nvidia-smi's samples.

Four ranks of 16 slots step together; the oldest waiting request takes the slot that is free.  A
step takes 6 ms and 0.25 us for each token of the largest load; a device draws 95 W without steps,
260 W while it waits and 610 W while it works.  All of this is what the walk finds again.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

RANKS, SLOTS, STEPS, CACHE = 4, 16, 600, 400_000
OVERHEAD_S, PER_TOKEN_S = 6e-3, 2.5e-7
IDLE_W, WAIT_W, WORK_W = 95.0, 260.0, 610.0
PERIOD_S, BEGIN = 0.1, datetime(2026, 5, 4, 9, 0, 0, 350_000, tzinfo=UTC)

rng = np.random.default_rng(7)
held = rng.lognormal(8, 1, (RANKS, SLOTS))
lines = [f"INFO Engine {rank:03d}: GPU KV cache size: {CACHE:,} tokens" for rank in range(RANKS)]
times, busy = [0.0], []
for step in range(STEPS):
    loads = held.sum(axis=1)
    took = (OVERHEAD_S + PER_TOKEN_S * loads.max()) * (1 + 0.004 * rng.normal())
    for rank, load in enumerate(loads):
        lines.append(
            f"INFO Engine {rank:03d}: Iteration({step}): 0 context requests, 0 context tokens, "
            f"{SLOTS} generation requests, {SLOTS} generation tokens, iteration elapsed time: "
            f"{1e3 * took:.2f} ms, GPU KV cache usage: {100 * load / CACHE:.1f}%"
        )
    times.append(times[-1] + took)
    busy.append((OVERHEAD_S + PER_TOKEN_S * loads) / (OVERHEAD_S + PER_TOKEN_S * loads.max()))
    held += 1
    done = rng.random(held.shape) < 0.02
    held[done] = rng.lognormal(8, 1, done.sum())
Path("engine.log").write_text("\n".join(lines) + "\n", "utf-8")

# Energy since the beginning, at the edges of steps and 5 s beside them, by device.
draws = np.array([np.full(RANKS, IDLE_W), *(WAIT_W + (WORK_W - WAIT_W) * np.array(busy))])
edges = np.array([-5.0, *times, times[-1] + 5.0])
powers = np.vstack([draws, np.full(RANKS, IDLE_W)])
energy = np.vstack([np.zeros(RANKS), np.cumsum(powers * np.diff(edges)[:, None], axis=0)])
rows = ["timestamp, index, power.draw [W], utilization.gpu [%]"]
for at in np.arange(edges[0] + PERIOD_S, edges[-1], PERIOD_S):
    stamp = BEGIN + timedelta(seconds=float(at))
    for rank in range(RANKS):
        ends = np.interp([at - PERIOD_S, at], edges, energy[:, rank])
        watts = (ends[1] - ends[0]) / PERIOD_S + 4 * rng.normal()
        rows.append(f"{stamp:%Y/%m/%d %H:%M:%S.%f}"[:-3] + f", {rank}, {watts:.2f} W, 100 %")
Path("nvidia-smi.csv").write_text("\n".join(rows) + "\n", "utf-8")
