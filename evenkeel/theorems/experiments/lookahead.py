"""Checks of horizons, and of a limit on waiting."""

from fractions import Fraction
from typing import Any

import numpy as np

from adversary.paired_runs import (
    E2,
    E3,
    Setting,
    imbalance_ratio,
    replay,
    saving,
    throughput_gain,
    time_per_token_drop,
)
from evenkeel.evidence.check import Finding, Trial, Variant, check
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import weighed
from evenkeel.theorems.experiments.lookahead_statements import HORIZONS, LONGEST
from evenkeel.theorems.experiments.paired_runs import (
    Measure,
    compare,
    seeds_of,
    setting_of,
)
from theory.reported import REPORTED

SETTINGS = {"E2": E2, "E3": E3}
DOUBLED = Variant("twice the reported number", Fraction(2))
LESS = Variant("0.98 times the reported number", Fraction(49, 50))
LEAST = Variant("least loaded in place of BF-IO", policy="least_loaded")
# The runs of an experiment are shared by the checks of its numbers.
E2_SEEDS: dict[str, Any] = {
    "shares": "E2",
    "seeds": 32,
    "standard": {"seeds": 48},
    "paper": {"seeds": 128},
}
E3_SEEDS: dict[str, Any] = {
    "shares": "E3",
    "seeds": 18,
    "standard": {"seeds": 36},
    "paper": {"seeds": 64},
}


def _reported(trial: Trial, experiment: str, quantity: str, measure: Measure) -> Finding:
    """Whether the mean at the paper's horizon is at least what the paper reports."""
    setting = SETTINGS[experiment]
    policy = trial.policy_or(f"bfio:horizon={HORIZONS[experiment]}")
    both = compare(setting, policy, seeds_of(trial), measure)
    here, completed = both.window, both.completed
    claimed = float(REPORTED[experiment][quantity] * trial.scale)
    low, value, high, whole = here.low, here.value, here.high, completed.value
    if measure is imbalance_ratio:  # decided in logarithms, shown as a ratio
        low, value, high, whole = (10**x for x in (low, value, high, whole))
    refuted = high < claimed
    return Finding(
        weighed(refuted, low >= claimed),
        value,
        claimed,
        ">=",
        f"{policy}, {trial['seeds']} seeds, {setting.workload}, G = {setting.workers}, "
        f"B = {setting.slots}: {value:.3g} up to the last admission (where the paper stops; "
        f"unequal work), {whole:.3g} for the same requests completed",
        (low, high),
        setting_of(setting) | {"policy": policy, "mean": value} if refuted else None,
        {"to the last admission": value, "completed": whole},
    )


@check(
    "experiment.energy28-lookahead",
    measures="energy saved up to the last admission (share)",
    plants=(LESS, LEAST),
    **E3_SEEDS,
)
def energy28(trial: Trial) -> Finding:
    """The saving of E3 at H = 40."""
    return _reported(trial, "E3", "energy", saving)


@check(
    "experiment.throughput92-lookahead",
    measures="relative gain of throughput up to the last admission",
    plants=(LESS, LEAST),
    **E3_SEEDS,
)
def throughput92(trial: Trial) -> Finding:
    """The gain of throughput of E3 at H = 40."""
    return _reported(trial, "E3", "throughput", throughput_gain)


@check(
    "experiment.energy3-lookahead",
    measures="energy saved up to the last admission (share)",
    plants=(DOUBLED, LEAST),
    **E2_SEEDS,
)
def energy3(trial: Trial) -> Finding:
    """The saving of E2 at H = 20."""
    return _reported(trial, "E2", "energy", saving)


@check(
    "experiment.throughput-lookahead",
    measures="relative gain of throughput up to the last admission",
    plants=(DOUBLED, LEAST),
    **E2_SEEDS,
)
def throughput(trial: Trial) -> Finding:
    """The gain of throughput of E2 at H = 20."""
    return _reported(trial, "E2", "throughput", throughput_gain)


@check(
    "experiment.latency-lookahead",
    measures="relative drop of the mean time per output token",
    plants=(DOUBLED, LEAST),
    **E2_SEEDS,
)
def latency(trial: Trial) -> Finding:
    """The drop of the mean time per output token of E2 at H = 20."""
    return _reported(trial, "E2", "time per token", time_per_token_drop)


@check(
    "experiment.imbalance17-lookahead",
    measures="mean imbalance of FCFS over that of BF-IO (ratio)",
    plants=(LESS, LEAST),
    **E2_SEEDS,
)
def imbalance17(trial: Trial) -> Finding:
    """The ratio of average imbalances of E2 at H = 20."""
    return _reported(trial, "E2", "imbalance", imbalance_ratio)


@check(
    "experiment.lookahead",
    measures="relative gain of throughput over H = 0, the best horizon",
    G=16,
    rounds=3,
    seeds=24,
    horizons=(20, 60),
    standard={"rounds": 10, "seeds": 24, "horizons": (10, 20, 40, 60, 100)},
    plants=(
        Variant("within half a per cent of H = 0", Fraction(199, 200)),
        Variant("with a horizon of 200", fault="longest"),
    ),
)
def lookahead(trial: Trial) -> Finding:
    """Throughput by horizon, relative to H = 0.

    The planted versions are weaker statements, or others of the kind, that are false too.
    """
    horizons = (LONGEST,) if trial.fault("longest") else trial["horizons"]
    claimed = float(trial.scale) - 1
    gains: dict[str, dict[int, Mean]] = {}
    for workload in ("burst-like", "longbench-like"):
        requests = trial["rounds"] * trial["G"] * 72
        setting = Setting(workload, trial["G"], 72, requests, 4 * trial["G"])
        gains[workload] = {
            H: compare(
                setting, f"bfio:horizon={H}", seeds_of(trial), throughput_gain, "bfio"
            ).window
            for H in {*horizons, LONGEST}
        }
    best = {
        workload: max((by_horizon[h] for h in horizons), key=lambda gain: gain.high)
        for workload, by_horizon in gains.items()
    }
    worst = min(best, key=lambda workload: best[workload].high)
    refuted = best[worst].high < claimed
    held = all(gain.low >= claimed for gain in best.values()) and all(
        by_horizon[LONGEST].value <= best[workload].value for workload, by_horizon in gains.items()
    )
    return Finding(
        weighed(refuted, held),
        best[worst].value,
        claimed,
        ">=",
        f"relative gain of throughput over H = 0 up to the last admission, the best of H = "
        f"{', '.join(map(str, horizons))}, {trial['seeds']} seeds, G = {trial['G']}, B = 72: "
        f"smallest on {worst} lengths",
        best[worst].interval,
        {"workload": worst, "workers": trial["G"], "slots": 72} if refuted else None,
        {
            f"{workload}, H = {H}": [gain.value, gain.low, gain.high]
            for workload, by_horizon in gains.items()
            for H, gain in sorted(by_horizon.items())
        },
    )


@check(
    "experiment.lookahead-saving",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="energy saved at H = 40 less that at H = 0 (share)",
    requests=40_000,
    seeds=20,
    standard={"requests": 80_000, "seeds": 24},
    plants=(
        Variant("at most one point less", fault="point"),
        Variant("at most two points less", fault="points"),
    ),
)
def lookahead_saving(trial: Trial) -> Finding:
    """What the horizon of E3 adds to the saving; the planted versions are false too."""
    setting = Setting(E3.workload, E3.workers, E3.slots, trial["requests"], E3.pool)
    policy = "bfio:horizon=40"
    base, myopic, ahead = (
        [replay(setting, spec, seed) for seed in seeds_of(trial)]
        for spec in ("fcfs", "bfio", policy)
    )
    savings = {
        (name, end): [
            saving(getattr(a, end), getattr(b, end)) for a, b in zip(base, runs, strict=True)
        ]
        for name, runs in (("H = 0", myopic), (policy, ahead))
        for end in ("window", "completed")
    }
    added = Mean.of(np.subtract(savings[policy, "window"], savings["H = 0", "window"]))
    claimed = 0.0 - 0.01 * (trial.fault("point") + 2 * trial.fault("points"))
    refuted, held = added.high < claimed, added.low >= claimed
    return Finding(
        weighed(refuted, held),
        added.value,
        claimed,
        ">=",
        f"{trial['seeds']} seeds of {trial['requests']} requests, up to the last admission: "
        f"{policy} saves {np.mean(savings[policy, 'window']):.1%} over FCFS, and H = 0 saves "
        f"{np.mean(savings['H = 0', 'window']):.1%}",
        added.interval,
        setting_of(setting) | {"policy": policy} if refuted else None,
        {f"{name}, {end}": float(np.mean(values)) for (name, end), values in savings.items()},
    )


@check(
    "experiment.bounded-waiting",
    measures="longest wait (steps)",
    requests=10_000,
    seeds=32,
    standard={"requests": 100_000, "seeds": 32},
    plants=(
        Variant("no limit", policy="bfio"),
        Variant("waits of at most 49 steps", Fraction(9, 10)),
        LEAST,
    ),
)
def bounded_waiting(trial: Trial) -> Finding:
    """The longest wait under a limit of 50 steps, and the throughput that the limit costs."""
    setting = Setting(E2.workload, E2.workers, E2.slots, trial["requests"], E2.pool)
    policy = trial.policy_or("bfio:max_wait=50")
    gain = compare(setting, policy, seeds_of(trial), throughput_gain, "bfio").window
    ratio = compare(setting, policy, seeds_of(trial), imbalance_ratio).window
    waits, free = (
        [int(replay(setting, spec, seed).window.wait.largest) for seed in seeds_of(trial)]
        for spec in (policy, "bfio")
    )
    claimed = 55 * float(trial.scale)
    refuted = max(waits) > claimed or gain.high < -0.05
    held = max(waits) <= claimed and gain.low >= -0.05
    return Finding(
        weighed(refuted, held),
        max(waits),
        claimed,
        "<=",
        f"{policy}, E2 with {trial['requests']} requests, {trial['seeds']} seeds: longest wait; "
        f"without a limit up to {max(free)}.  Throughput {gain.value:+.2%} "
        f"({gain.low:+.2%} to {gain.high:+.2%}) against no limit",
        witness=setting_of(setting) | {"policy": policy, "longest wait": max(waits)}
        if refuted
        else None,
        details={
            "throughput against no limit": [gain.value, gain.low, gain.high],
            "imbalance of FCFS over this": 10**ratio.value,
        },
    )
