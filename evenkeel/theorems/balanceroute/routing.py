"""Checks of BalanceRoute's policies in the simulator: against baselines, and with look-ahead."""

from fractions import Fraction

from adversary.paired_runs import (
    Setting,
    replay,
    throughput_gain,
)
from evenkeel.evidence.check import Finding, Trial, Variant, check
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import BUSIEST, HALVED, weighed
from evenkeel.theorems.balanceroute.statements import REPORTED_THROUGHPUT
from evenkeel.theorems.experiments.paired_runs import (
    compare,
    seeds_of,
    setting_of,
)


def _setting(trial: Trial) -> Setting:
    G = trial["G"]
    return Setting("burst-like", G, 72, trial["rounds"] * G * 72, 4 * G)


@check(
    "balanceroute.beats-baselines",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="relative gain of throughput over the better baseline",
    G=8,
    rounds=5,
    seeds=32,
    standard={"rounds": 20, "seeds": 64},
    plants=(BUSIEST, Variant("JSQ in place of BR-0", policy="jsq")),
)
def beats_baselines(trial: Trial) -> Finding:
    """Throughput up to the last admission against the better of round robin and JSQ."""
    setting, policy = _setting(trial), trial.policy_or("br0")
    gains = [
        replay(setting, policy, seed).window.throughput
        / max(replay(setting, name, seed).window.throughput for name in ("round_robin", "jsq"))
        - 1
        for seed in seeds_of(trial)
    ]
    gain = Mean.of(gains)
    refuted = gain.value <= 0
    return Finding(
        weighed(refuted, gain.low > 0),
        gain.value,
        0.0,
        ">=",
        f"{policy}, {trial['seeds']} seeds, BurstGPT-like lengths, G = {trial['G']}, B = 72: mean "
        "relative gain over the better baseline of each seed",
        gain.interval,
        setting_of(setting) | {"policy": policy} if refuted else None,
    )


@check(
    "balanceroute.lookahead-gain",
    measures="relative gain of throughput of BR-H over BR-0",
    G=8,
    rounds=5,
    seeds=16,
    standard={"rounds": 20, "seeds": 48},
    plants=(HALVED, Variant("three quarters of the reported gain", Fraction(3, 4))),
)
def lookahead_gain(trial: Trial) -> Finding:
    """Throughput of BR-H over that of BR-0; the planted versions are weaker and false too."""
    setting, policy = _setting(trial), "brh:horizon=20"
    gain = compare(setting, policy, seeds_of(trial), throughput_gain, "br0").window
    reported = REPORTED_THROUGHPUT["BR-H oracle"][0] / REPORTED_THROUGHPUT["BR-0"][0] - 1
    claimed = reported * float(trial.scale)
    refuted, held = gain.high < claimed, gain.low >= claimed
    return Finding(
        weighed(refuted, held),
        gain.value,
        claimed,
        ">=",
        f"BR-H (H = 20, oracle, discount 0.86), {trial['seeds']} seeds, BurstGPT-like lengths, "
        f"G = {trial['G']}, B = 72, overloaded: mean relative gain over BR-0",
        gain.interval,
        setting_of(setting) | {"policy": policy} if refuted else None,
    )
