"""Checks of the claims about sweeps, waits and the sign of the saving in the experiments."""

from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np

from adversary.paired_runs import (
    E2,
    E3,
    Setting,
    Stretch,
    imbalance_ratio,
    replay,
    saving,
    throughput_gain,
)
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import BUSIEST, planted_policy, weighed
from evenkeel.theorems.experiments.paired_runs import (
    Measure,
    compare,
    seeds_of,
    setting_of,
)
from evenkeel.theorems.step.domains import EXACT
from solvers.simulation.engine import simulate
from theory.formulas.energy import Usage, saving_floor
from theory.model import Requests, System
from theory.power import hardware


@check(
    "experiment.energy-sign",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="energy saved for the same requests (share)",
    plants=(
        BUSIEST,
        Variant("no step overhead", fault="no-overhead"),
        Variant("LongBench-like prompts", fault="long-prompts"),
    ),
    seeds=16,
    standard={"seeds": 32},
)
def energy_sign(trial: Trial) -> Finding:
    """Saving and speed-up where the overhead dominates."""
    sizes = "longbench-like" if trial.fault("long-prompts") else "uniform"
    setting = Setting(sizes, 32, 72, 5 * 32 * 72, 32 * 72, (("length", 20),))
    policy = trial.policy_or("bfio")

    def energy_saving(base: Stretch, new: Stretch) -> float:
        if trial.fault("no-overhead"):
            # Both runs take the same number of steps; at C = 0 only the loads remain.
            rest = [end.imbalance / end.work for end in (base, new)]
            return saving_floor(hardware("a100-paper"), Usage(1.0, rest[0]), Usage(1.0, rest[1]))
        return saving(base, new)

    saved = compare(setting, policy, seeds_of(trial), energy_saving).completed
    faster = compare(setting, policy, seeds_of(trial), throughput_gain).completed
    refuted = saved.value >= 0 or faster.value <= 0
    held = saved.high < 0 < faster.low
    return Finding(
        weighed(refuted, held),
        saved.value,
        0,
        "<=",
        f"{policy}, {trial['seeds']} seeds, same requests completed in the same number of steps, "
        f"throughput {faster.value:+.2%}; C = 4.9 ms, longest load 0.4 ms",
        interval=saved.interval,
        witness=setting_of(setting) | {"policy": policy} if refuted else None,
        details={"throughput gain": [faster.value, faster.low, faster.high]},
    )


def _gain_difference(trial: Trial, small: Setting, large: Setting, measure: Measure) -> Mean:
    """Difference of the gains in two settings up to the last admission, seeds as pairs."""
    policy = trial.policy_or("bfio")
    gains = [
        [
            measure(replay(s, "fcfs", seed).window, replay(s, policy, seed).window)
            for seed in seeds_of(trial)
        ]
        for s in (small, large)
    ]
    return Mean.of([b - a for a, b in zip(*gains, strict=True)])


def _longbench(workers: int, slots: int) -> Setting:
    return Setting("longbench-like", workers, slots, 5 * workers * slots, 4 * workers)


@check(
    "experiment.scale",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="gain of throughput at G = 256 less that at G = 16",
    plants=(
        BUSIEST,
        Variant("from G = 256 to G = 16", fault="reversed"),
    ),
    seeds=24,
    standard={"seeds": 48},
)
def scale(trial: Trial) -> Finding:
    """Throughput gain at G = 16 and G = 256, B = 72."""
    small, large = _longbench(16, 72), _longbench(256, 72)
    if trial.fault("reversed"):
        small, large = large, small
    growth = _gain_difference(trial, small, large, throughput_gain)
    refuted = growth.high < 0 or growth.value <= 0
    return Finding(
        weighed(refuted, growth.low > 0),
        growth.value,
        0,
        ">=",
        f"H = 0, {trial['seeds']} seeds, B = 72, G = 16 to 256, up to the last admission: the "
        f"throughput gain grows by {growth.value:+.2f}",
        interval=growth.interval,
        witness=setting_of(large) if refuted else None,
    )


@check(
    "experiment.scale-slots",
    measures="gain of throughput at B = 144 less that at B = 24",
    plants=(
        Variant("grows by a fifth at least", Fraction(6, 5)),
        Variant("grows by a half at least", Fraction(3, 2)),
    ),
    seeds=32,
    standard={"seeds": 96},
)
def scale_slots(trial: Trial) -> Finding:
    """Throughput gain at B = 24 and B = 144, G = 64."""
    small, large = _longbench(64, 24), _longbench(64, 144)
    growth = _gain_difference(trial, small, large, throughput_gain)
    claimed = float(trial.scale) - 1
    refuted = growth.high < claimed
    ratio = _gain_difference(trial, small, large, imbalance_ratio)
    return Finding(
        Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE,
        growth.value,
        claimed,
        ">=",
        f"H = 0, {trial['seeds']} seeds, G = 64, B = 24 to 144, up to the last admission: the "
        f"throughput gain changes by {growth.value:+.2f} while the ratio of imbalances grows "
        f"{10**ratio.value:.1f} times: more slots leave less idle time to save",
        interval=growth.interval,
        witness=setting_of(large) if refuted else None,
        details={"log10 of the imbalance ratio": [ratio.value, ratio.low, ratio.high]},
    )


# Longest waits under BF-IO over those under FCFS that most runs exceed.
LONGER = {"E2": (E2, Fraction(450)), "E3": (E3, Fraction(13))}


@check(
    "experiment.starvation",
    measures="runs whose longest wait is as many times that of FCFS as claimed (share)",
    shares="E3",
    plants=(
        Variant("562 times in E2", Fraction(5, 4), side="E2"),
        Variant("45 times in E3", Fraction(7, 2), side="E3"),
        Variant("least loaded in place of BF-IO", policy="least_loaded"),
        Variant("JSQ in place of BF-IO", policy="jsq"),
    ),
    seeds=32,
    standard={"seeds": 64},
    paper={"seeds": 256},
)
def starvation(trial: Trial) -> Finding:
    """How many runs have a longest wait so many times that of FCFS, in both settings."""
    policy = planted_policy(trial, "bfio")  # the claim is about BF-IO, not a user's policy
    shares, details = {}, {}
    for name, (setting, times) in LONGER.items():
        waits = [
            [replay(setting, rule, seed).window.wait.largest for seed in seeds_of(trial)]
            for rule in (policy, "fcfs")
        ]
        # Waits are whole steps: a run in which FCFS lets none wait counts as one step.
        ratios = [a / max(1, b) for a, b in zip(*waits, strict=True)]
        claimed = times * trial.scale_of(name)
        shares[name] = Mean.share(sum(ratio > claimed for ratio in ratios), len(ratios))
        details[name] = {
            "share of runs": list(shares[name].interval),
            "median of the ratios": float(np.median(ratios)),
            "longest wait in steps": max(waits[0]),
        }
    name = min(shares, key=lambda name: shares[name].value)
    least = shares[name]
    refuted = any(share.high < 0.5 for share in shares.values())
    return Finding(
        weighed(refuted, all(share.low >= 0.5 for share in shares.values())),
        least.value,
        0.5,
        ">=",
        f"{policy} at H = 0, {trial['seeds']} seeds each, fewest in {name}: longest wait over "
        f"{' and '.join(f'{times} times in {key}' for key, (_, times) in LONGER.items())} that of "
        "FCFS; exact binomial interval",
        least.interval,
        {"setting": name, "policy": policy} if refuted else None,
        {**details, "intervals": len(shares)},
    )


@check(
    "experiment.starvation-unbounded",
    no_near_factor="an identity or an equivalence, without a constant",
    measures="steps that the first request waits",
    plants=(
        Variant("waits for one step more", fault="off-by-one"),
        Variant("FCFS in place of BF-IO", policy="fcfs"),
        Variant("a first request of size 1", fault="equal-sizes"),
        Variant("a pool of two", fault="no-choice"),
    ),
    longest=40,
    standard={"longest": 400},
)
def starvation_unbounded(trial: Trial) -> Finding:
    """The wait of the first request for every n, lexicographic and certified steps, in ints."""
    cases, system = Cases("=="), System(2, 1)
    planted = planted_policy(trial, "bfio")
    policies = (EXACT, "bfio") if planted == "bfio" else (planted,)
    first = 1 if trial.fault("equal-sizes") else 2
    pool = 2 if trial.fault("no-choice") else 3
    for n, policy in product(range(1, trial["longest"] + 1), policies):
        requests = Requests([first] + [1] * (2 * n), [1] * (2 * n + 1))
        wait = int(simulate(system, requests, policy, pool=pool).waiting_steps[0])
        fcfs = int(simulate(system, requests, "fcfs", pool=pool).waiting_steps.max())
        witness: Witness = partial(dict, n=n, policy=policy, fcfs=fcfs)
        if cases.add(wait, n + trial.fault("off-by-one"), witness) or cases.add(
            int(fcfs <= 1), 1, witness
        ):
            break
    return cases.finding(
        trial,
        "experiment.starvation-unbounded",
        f"steps that the first request waits, for n up to {trial['longest']}",
    )
