"""The paper's measurements, run again with its look-ahead."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from adversary.paired_runs import E3, replay, saving, throughput_gain
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import weighed
from evenkeel.findings.statistics import Mean
from evenkeel.theorems.experiments.paired_runs import (
    SAME,
    compare,
    overloaded,
    seeds_of,
    setting_of,
)
from evenkeel.theorems.experiments.reported_numbers import (
    DOUBLED,
    E2_ENERGY,
    E2_IMBALANCE,
    E2_LATENCY,
    E2_THROUGHPUT,
    E3_ENERGY,
    E3_THROUGHPUT,
    LEAST,
    LESS,
)
from evenkeel.theorems.registry import Assumption, claim
from theory.symbolic import sp

# The longest horizon of the paper's sweep.
LONGEST = 200


@claim(
    "experiment.lookahead",
    "empirical",
    source="paper, experiment E4",
    version="v1, v2",
    assumptions=SAME,
    holds=False,
    answers=("E4",),
)
class Lookahead:
    """A moderate look-ahead is best.

    At G = 16, B = 72, pool 64, on BurstGPT-like and on LongBench-like lengths, with perfect
    predictions of departures: a horizon of 20 or of 60 gives BF-IO a throughput up to the last
    admission that is at least that of H = 0, and one of 200 gives it no more than the better of the
    two. The second half holds; the first does not where the steps of H = 0 are solved to near
    optimality.
    """

    @evidence(
        measures="relative gain of throughput over H = 0, the best horizon",
        G=16,
        rounds=3,
        seeds=32,
        horizons=(20, 60),
        standard={"rounds": 10, "horizons": (10, 20, 40, 60, 100)},
        plants=(
            Variant("within half a per cent of H = 0", Fraction(199, 200)),
            Variant("with a horizon of 200", fault="longest"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Paired runs over several seeds; intervals of the relative gain over H = 0 that lie below
        zero for both horizons, on either workload, refute it. The paper's sweep is one of its own
        greedy policy, with later steps discounted; which lengths it used is not known. Worded after
        looking at runs of this solver.
        """
        horizons = (LONGEST,) if trial.fault("longest") else trial["horizons"]
        claimed = float(trial.scale) - 1
        gains: dict[str, dict[int, Mean]] = {}
        for workload in ("burst-like", "longbench-like"):
            setting = overloaded(workload, trial["G"], 72, trial["rounds"])
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
        against = best[worst].high < claimed
        supports = all(gain.low >= claimed for gain in best.values()) and all(
            by_horizon[LONGEST].value <= best[workload].value
            for workload, by_horizon in gains.items()
        )
        return weighed(
            against,
            supports,
            best[worst].value,
            ">=",
            claimed,
            "relative gain of throughput over H = 0 up to the last admission, the best of "
            f"H = {', '.join(map(str, horizons))}, {trial['seeds']} seeds, G = "
            f"{trial['G']}, B = 72: smallest on {worst} lengths",
            {"workload": worst, "workers": trial["G"], "slots": 72},
            interval=best[worst].interval,
            details={
                f"{workload}, H = {H}": [gain.value, gain.low, gain.high]
                for workload, by_horizon in gains.items()
                for H, gain in sorted(by_horizon.items())
            },
        )


@claim(
    "experiment.lookahead-saving",
    "empirical",
    assumptions=(*SAME, Assumption.POWER_LAW),
    requires=("experiment.energy28", "experiment.lookahead"),
    holds=False,
    answers=("E4",),
)
class LookaheadSaving:
    """Its look-ahead adds to the saving of E3.

    On LongBench-like lengths, G = 256, B = 72, pool 1024, BF-IO with H = 40 and perfect predictions
    saves at least as much energy over FCFS, up to the last admission, as with H = 0.
    """

    @evidence(
        no_near_factor="an order alone is claimed: zero has no factor",
        measures="energy saved at H = 40 less that at H = 0 (share)",
        requests=40_000,
        seeds=16,
        standard={"requests": 80_000, "seeds": 24},
        plants=(
            Variant("at most one point less", fault="point"),
            Variant("at most two points less", fault="points"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Paired differences over several seeds; an interval of the mean below zero refutes it.
        Worded after looking at runs of this solver.
        """
        setting = replace(E3, requests=trial["requests"])
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
        against, supports = added.high < claimed, added.low >= claimed
        return weighed(
            against,
            supports,
            added.value,
            ">=",
            claimed,
            f"{trial['seeds']} seeds of {trial['requests']} requests, up to the last "
            f"admission: {policy} saves {np.mean(savings[policy, 'window']):.1%} over "
            f"FCFS, and H = 0 saves {np.mean(savings['H = 0', 'window']):.1%}",
            setting_of(setting) | {"policy": policy},
            interval=added.interval,
            details={
                f"{name}, {end}": float(np.mean(values)) for (name, end), values in savings.items()
            },
        )


@claim(
    "experiment.energy28-lookahead",
    "lower",
    source="paper, experiment E3",
    version="v2",
    assumptions=(*SAME, Assumption.POWER_LAW),
    requires=("experiment.energy28",),
    holds=False,
    answers=("E3",),
)
class Energy28Lookahead:
    """28 % less energy, with the paper's look-ahead.

    On LongBench-v2 lengths, G = 256, B = 72, BF-IO with the paper's horizon H = 40 and perfect
    predictions of departures saves on average at least the reported 28.2 % of FCFS's energy, up to
    the last admission.
    """

    def formula(self) -> "sp.Basic":
        return E3_ENERGY.formula()

    check = E3_ENERGY.check(LESS, LEAST, ahead=True)


@claim(
    "experiment.throughput92-lookahead",
    "lower",
    source="paper, experiment E3",
    version="v2",
    assumptions=SAME,
    requires=("experiment.throughput92",),
    holds=False,
    answers=("E3",),
)
class Throughput92Lookahead:
    """92 % more throughput, with the paper's look-ahead.

    On LongBench-v2 lengths, G = 256, B = 72, BF-IO with the paper's horizon H = 40 and perfect
    predictions of departures raises throughput on average by at least the reported 92 %, up to the
    last admission.
    """

    def formula(self) -> "sp.Basic":
        return E3_THROUGHPUT.formula()

    check = E3_THROUGHPUT.check(LESS, LEAST, ahead=True)


@claim(
    "experiment.energy3-lookahead",
    "lower",
    source="paper, experiment E2",
    version="v1",
    assumptions=(*SAME, Assumption.POWER_LAW),
    requires=("experiment.energy3",),
    open=True,
    answers=("E2",),
)
class Energy3Lookahead:
    """3.3 % less energy, with the paper's look-ahead.

    On BurstGPT lengths, G = 32, B = 72, pool 128, BF-IO with the paper's horizon H = 20 and perfect
    predictions of departures saves on average at least the reported 3.3 % of FCFS's energy, up to
    the last admission.
    """

    def formula(self) -> "sp.Basic":
        return E2_ENERGY.formula()

    check = E2_ENERGY.check(DOUBLED, LEAST, ahead=True)


@claim(
    "experiment.throughput-lookahead",
    "lower",
    source="paper, experiment E2",
    version="v1",
    assumptions=SAME,
    requires=("experiment.throughput",),
    open=True,
    answers=("E2",),
)
class ThroughputLookahead:
    """14 % more throughput, with the paper's look-ahead.

    On BurstGPT lengths, G = 32, B = 72, pool 128, BF-IO with the paper's horizon H = 20 and perfect
    predictions of departures raises throughput on average by at least the reported 14 %, up to the
    last admission.
    """

    def formula(self) -> "sp.Basic":
        return E2_THROUGHPUT.formula()

    check = E2_THROUGHPUT.check(DOUBLED, LEAST, ahead=True)


@claim(
    "experiment.latency-lookahead",
    "lower",
    source="paper, experiment E2",
    version="v1",
    assumptions=SAME,
    requires=("experiment.latency",),
    open=True,
    answers=("E2",),
)
class LatencyLookahead:
    """13 % less time per output token, with the paper's look-ahead.

    On BurstGPT lengths, G = 32, B = 72, pool 128, BF-IO with the paper's horizon H = 20 and perfect
    predictions of departures lowers the mean time per output token on average by at least the
    reported 13 %, up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return E2_LATENCY.formula()

    check = E2_LATENCY.check(DOUBLED, LEAST, ahead=True)


@claim(
    "experiment.imbalance17-lookahead",
    "lower",
    source="paper, experiment E2",
    version="v1",
    assumptions=SAME,
    requires=("experiment.imbalance17",),
    holds=False,
    answers=("E2",),
)
class Imbalance17Lookahead:
    """17 times less imbalance, with the paper's look-ahead.

    On BurstGPT lengths, G = 32, B = 72, pool 128, BF-IO with the paper's horizon H = 20 and perfect
    predictions of departures lowers the average imbalance at least the reported 17 times (geometric
    mean over runs), up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return E2_IMBALANCE.formula()

    check = E2_IMBALANCE.check(LESS, LEAST, ahead=True)
