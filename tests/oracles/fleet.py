"""A fleet whose constants are known: loads of sticky requests, step times, and sampled power."""

import numpy as np

from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.power import DevicePower, MeasuredPower
from theory.model import FloatArray

# Points at which the power within a window is looked at: a second way to take its mean.
POINTS = 200


def measured(
    seed: int = 0,
    ranks: int = 4,
    steps: int = 400,
    overhead_s: float = 5e-3,
    per_token_s: float = 3e-7,
    noise: float = 0.003,
    slots: int = 12,
) -> MeasuredLoads:
    """Slots of sticky requests that grow by a token a step; all steps have a time."""
    rng = np.random.default_rng(seed)
    held = rng.lognormal(8, 0.8, (ranks, slots))
    loads = np.empty((steps, ranks))
    for step in range(steps):
        loads[step] = np.floor(held).sum(axis=1)
        held += 1
        ends = rng.random(held.shape) < 0.02
        held[ends] = rng.lognormal(8, 0.8, ends.sum())
    duration = overhead_s + per_token_s * loads.max(axis=1)
    duration *= 1 + noise * rng.normal(size=steps)
    return MeasuredLoads(
        "long", "tokens", tuple(map(str, range(ranks))), np.arange(steps), loads, duration
    )


def sampled(
    run: MeasuredLoads,
    watts: tuple[float, float, float] = (90.0, 240.0, 600.0),
    *,
    overhead_s: float = 5e-3,
    per_token_s: float = 3e-7,
    window_s: float = 0.1,
    period_s: float = 0.1,
    begins_s: float = 104.0,
    beside_s: float = 4.0,
    noise_w: float = 3.0,
    gamma: float | None = None,
    per_rank: int = 1,
    seed: int = 0,
) -> MeasuredPower:
    """Power of a fleet that is idle before and after its steps.

    Within a step a rank works for its busy share, then waits; with ``gamma`` it draws the power law
    through the step instead.  The first step begins at ``begins_s``.
    """
    rng = np.random.default_rng(seed)
    assert run.duration_s is not None
    idle, wait, most = watts
    start = np.concatenate(([0.0], np.cumsum(run.duration_s)))
    largest = run.loads.max(axis=1, keepdims=True)
    busy = (overhead_s + per_token_s * run.loads) / (overhead_s + per_token_s * largest)
    at = np.arange(-beside_s, start[-1] + beside_s, period_s)
    # Before each sample, the middles of parts of its window.
    points = at[:, None] - window_s * (np.arange(POINTS) + 0.5) / POINTS

    def drawn(rank: int) -> FloatArray:
        step = np.searchsorted(start, points, side="right") - 1
        inside = (step >= 0) & (step < len(busy))
        step = np.clip(step, 0, len(busy) - 1)
        share = busy[step, rank]
        if gamma is None:
            phase = (points - start[step]) / (start[step + 1] - start[step])
            power = np.where(phase < share, most, wait)
        else:
            power = wait + (most - wait) * share**gamma
        return np.asarray(np.where(inside, power, idle).mean(axis=1))

    devices = [
        DevicePower(
            str(device),
            at + begins_s,
            drawn(device // per_rank) + noise_w * rng.normal(size=len(at)),
            1.0,
        )
        for device in range(per_rank * len(run.ranks))
    ]
    return MeasuredPower("nvidia-smi", tuple(devices))
