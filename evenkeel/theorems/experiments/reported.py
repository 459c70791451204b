"""Checks of the paper's measurements, run again.

Sweeps and waits are in :mod:`evenkeel.theorems.experiments.scale_and_waits`; what is idle and what
is universal, in :mod:`evenkeel.theorems.experiments.other_systems`.
"""

from dataclasses import replace
from fractions import Fraction
from math import log10
from typing import Any

from flint import arb, ctx

from adversary.paired_runs import (
    E2,
    E3,
    Setting,
    Stretch,
    imbalance_ratio,
    replay,
    saving,
    saving_per_work,
    throughput_gain,
    time_per_token_drop,
)
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import BUSIEST, LARGER, held, planted_policy, weighed
from evenkeel.theorems.experiments.paired_runs import (
    SEEDS,
    Compared,
    Measure,
    compare,
    seeds_of,
    setting_of,
)
from evenkeel.theorems.experiments.proofs import OVERHEAD, OVERHEAD_SIZES
from evenkeel.theorems.theorem4.load_histories import DEVICES, PRECISION, ball_constants, ball_usage
from solvers.simulation.reference import simulate_reference
from theory.formulas.energy import Usage, saving_cap, saving_floor
from theory.formulas.energy_inversions import eta_of, share_of
from theory.laws.fcfs_expectation import to_ball
from theory.model import Requests, System
from theory.reported import REPORTED

# By how much the saving up to the last admission exceeds that of the whole run, at least.
STOPS_EARLY = Fraction(1, 40)


def _ends(both: Compared) -> dict[str, float]:
    return {"to the last admission": both.window.value, "completed": both.completed.value}


def _reached(
    trial: Trial, setting: Setting, measure: Measure, reported: float, *, completed: bool = False
) -> Finding:
    """Whether the mean of a measure is at least what was reported, at one end of the runs."""
    policy = trial.policy_or("bfio")
    both = compare(setting, policy, seeds_of(trial), measure)
    here = both.completed if completed else both.window
    refuted, held = here.high < reported, here.low >= reported
    return Finding(
        weighed(refuted, held),
        here.value,
        reported,
        ">=",
        f"{policy} at H = 0, {trial['seeds']} seeds, {setting.workload}, G = {setting.workers}, "
        f"B = {setting.slots}: {both.window.value:.3g} up to the last admission (where the paper "
        f"stops; unequal work), {both.completed.value:.3g} for the same requests completed",
        here.interval,
        setting_of(setting) | {"policy": policy, **_ends(both)} if refuted else None,
        {**_ends(both), "standard deviation of one run": here.deviation},
    )


JSQ = Variant("JSQ in place of BF-IO", policy="jsq")
LEAST = Variant("least loaded in place of BF-IO", policy="least_loaded")
# Of the reported number, the nearest that the spread of the runs lets a check tell from it.
DOUBLED = Variant("twice the reported number", Fraction(2))
HALF_MORE = Variant("half more than the reported number", Fraction(3, 2))


@check(
    "experiment.energy28",
    measures="energy saved up to the last admission (share)",
    shares="E3",
    plants=(LARGER, JSQ, LEAST),
    **SEEDS,
)
def energy28(trial: Trial) -> Finding:
    """The saving of E3 up to the last admission."""
    return _reached(trial, E3, saving, float(REPORTED["E3"]["energy"] * trial.scale))


@check(
    "experiment.energy28-completed",
    measures="energy saved for the same requests (share)",
    shares="E3",
    plants=(LARGER, JSQ, LEAST),
    **SEEDS,
)
def energy28_completed(trial: Trial) -> Finding:
    """The saving of E3 for the same requests to completion."""
    return _reached(
        trial, E3, saving, float(REPORTED["E3"]["energy"] * trial.scale), completed=True
    )


@check(
    "experiment.stops-early",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="saving per unit of work up to the last admission, less that to completion (share)",
    shares="E3",
    plants=(
        Variant("by at least 5.5 points", Fraction(11, 5)),
        Variant("baseline and improved run exchanged", fault="exchanged"),
        Variant("the two ends exchanged", fault="ends"),
    ),
    **SEEDS,
)
def stops_early(trial: Trial) -> Finding:
    """Savings per unit of work at the two ends, paired by seed."""
    order = ["fcfs", planted_policy(trial, "bfio")]
    if trial.fault("exchanged"):
        order.reverse()
    runs = [(replay(E3, order[0], seed), replay(E3, order[1], seed)) for seed in seeds_of(trial)]
    less_work = Mean.of([1 - b.window.work / a.window.work for a, b in runs])
    sign = -1 if trial.fault("ends") else 1
    excess = Mean.of(
        [
            sign * (saving_per_work(a.window, b.window) - saving(a.completed, b.completed))
            for a, b in runs
        ]
    )
    claimed = float(STOPS_EARLY * trial.scale)
    refuted = excess.high < claimed
    return Finding(
        weighed(refuted, excess.low >= claimed),
        excess.value,
        claimed,
        ">=",
        f"E3 at H = 0, {trial['seeds']} seeds: saving per unit of work up to the last admission, "
        "less the saving for the same requests completed",
        interval=excess.interval,
        witness=setting_of(E3) | {"policies": order} if refuted else None,
        details={"share of work not done": [less_work.value, less_work.low, less_work.high]},
    )


@check(
    "experiment.energy3",
    measures="energy saved up to the last admission (share)",
    shares="E2",
    plants=(
        DOUBLED,
        JSQ,
        LEAST,
        Variant("energies exchanged: 396 kJ for 383 kJ", fault="exchanged"),
    ),
    **SEEDS,
)
def energy3(trial: Trial) -> Finding:
    """The saving of E2; the two reported energies give 1 - 383/396."""

    def exchanged(base: Stretch, new: Stretch) -> float:
        return saving(new, base)

    reported = float(REPORTED["E2"]["energy"] * trial.scale)
    return _reached(trial, E2, exchanged if trial.fault("exchanged") else saving, reported)


@check(
    "experiment.throughput",
    measures="relative gain of throughput up to the last admission",
    shares="E2",
    plants=(DOUBLED, BUSIEST, JSQ, LEAST),
    **SEEDS,
)
def throughput(trial: Trial) -> Finding:
    """The gain of E2."""
    return _reached(trial, E2, throughput_gain, float(REPORTED["E2"]["throughput"] * trial.scale))


@check(
    "experiment.throughput92",
    measures="relative gain of throughput up to the last admission",
    shares="E3",
    plants=(HALF_MORE, BUSIEST, JSQ, LEAST),
    **SEEDS,
)
def throughput92(trial: Trial) -> Finding:
    """The gain of E3, and the idle share that a gain of 92 % needs."""
    finding = _reached(
        trial, E3, throughput_gain, float(REPORTED["E3"]["throughput"] * trial.scale)
    )
    # At C = 0 the speed-up is (1 + eta0)/(1 + eta1) <= 1 + eta0, so eta0 >= 0.92: f >= 0.92/1.92.
    needed = share_of(REPORTED["E3"]["throughput"])
    idle = Mean.of([replay(E3, "fcfs", seed).window.idle_share for seed in seeds_of(trial)])
    return replace(
        finding,
        domain=f"{finding.domain}; a gain of 92 % needs {float(needed):.1%} idle, FCFS idles "
        f"{idle.value:.1%} up to the last admission",
        details={**finding.details, "idle share of FCFS": idle.value},
    )


@check(
    "experiment.consistency",
    measures="largest saving at the least idle share that E3 needs (share of energy)",
    plants=(
        Variant("least idle share x1.01", Fraction(101, 100), side="least"),
        Variant("least idle share x0.99", Fraction(99, 100), side="least"),
        Variant("largest idle share x1.01", Fraction(101, 100), side="most"),
        Variant("largest idle share x0.99", Fraction(99, 100), side="most"),
        Variant("most saving at 48.8 % idle x1.01", Fraction(101, 100), side="cap"),
        Variant("most saving at 48.8 % idle x0.99", Fraction(99, 100), side="cap"),
    ),
)
def consistency(trial: Trial) -> Finding:
    """Where the numbers reported of E3 are possible together, in balls."""
    power = ball_constants(DEVICES[0][1])

    def bounds(share: Fraction, speed: Fraction) -> tuple[Any, Any]:
        """Floor and cap of the saving at that speed-up: 1 + eta1 = (1 + eta0)/speed."""
        eta = eta_of(share)
        base, new = Usage(Fraction(1), eta), Usage(Fraction(1), (1 + eta) / speed - 1)
        balls = ball_usage(base), ball_usage(new)
        return saving_floor(power, *balls), saving_cap(power, *balls)

    e3 = 1 + REPORTED["E3"]["throughput"]
    unit = Fraction(1, 2000)
    saved, least, most = (
        REPORTED["E3"]["energy"],
        Fraction("0.480") * trial.scale_of("least"),
        Fraction("0.949") * trial.scale_of("most"),
    )
    saved_at_most = Fraction("0.285") * trial.scale_of("cap")
    with ctx.workprec(PRECISION):
        target = to_ball(saved)
        # 28.2 % is possible from where the cap reaches it to where the floor does: on a grid each
        # of them passes it once, upwards.
        shares = [Fraction(479 + k, 1000) for k in range(0, 500, 5)]
        sides = [bounds(share, e3) for share in shares]
        once = all(
            [bool(side[at] > target) for side in sides] == [share > end for share in shares]
            for at, end in ((1, least), (0, most))
        )
        numbers = {
            "least idle share in E3": (
                bool(bounds(least - unit, e3)[1] < target < bounds(least + unit, e3)[1])
            ),
            "largest idle share in E3": (
                bool(bounds(most - unit, e3)[0] < target < bounds(most + unit, e3)[0])
            ),
            "most saving at 48.8 % idle": (
                bool(abs(bounds(Fraction("0.488"), e3)[1] - to_ball(saved_at_most)) < to_ball(unit))
            ),
        }
        at_least = float(bounds(least, e3)[1])
    wrong = [name for name, right in numbers.items() if not right]
    refuted = bool(wrong) or not once
    return Finding(
        Verdict.REFUTED if refuted else held("experiment.consistency"),
        at_least,
        float(saved),
        "~",
        f"cap of the saving at {float(least):.2%} idle and a speed-up of 1.92, every stated digit "
        "in balls; no overhead (0.3 % of E3's time); 28.2 % is 99 % of all that a speed-up of 1.92 "
        "could save at 48.8 % idle",
        witness={"not so": wrong, "one crossing each": once} if refuted else None,
        details=numbers,
    )


@check(
    "experiment.consistency-overhead",
    measures="energy saved by BF-IO at a speed-up of 1.14 (share)",
    plants=(
        Variant("a saving of at least 2.56 %", Fraction(4, 5)),
        Variant("a saving of at least 2.24 %", Fraction(7, 10)),
    ),
)
def consistency_overhead(trial: Trial) -> Finding:
    """FCFS and BF-IO on the four requests of the disproof, with its overhead.

    The planted versions are weaker statements that are false too.
    """
    system = System(2, 2, (0,), float(OVERHEAD), 1.0)
    requests = Requests(OVERHEAD_SIZES, (1,) * 4)
    power = ball_constants(DEVICES[0][1])

    def one_step(policy: str) -> tuple[int, int, Any]:
        run = simulate_reference(system, requests, policy, history=True)
        assert run.loads is not None
        [loads] = run.loads.tolist()
        time = OVERHEAD + max(loads)
        usages = [to_ball(Fraction(load, max(loads))) for load in loads]
        watts = sum((power.idle_w + power.dynamic_w * u**power.gamma for u in usages), arb(0))
        return time, run.total.imbalance, time * watts

    with ctx.workprec(PRECISION):
        slow, more, base = one_step("fcfs")
        fast, less, new = one_step("bfio")
        saved, claimed = 1 - new / base, Fraction("0.032") * trial.scale
        as_reported = (Fraction(slow, fast), Fraction(more, less)) == (
            1 + REPORTED["E2"]["throughput"],
            REPORTED["E2"]["imbalance"],
        )
        refuted = as_reported and bool(saved < to_ball(claimed))
    return Finding(
        Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE,
        float(saved),
        float(claimed),
        ">=",
        f"1 case: G = 2, B = 2, no growth, C = {OVERHEAD} t_l, a third of FCFS's time; it idles "
        f"{more / (2 * (slow - OVERHEAD)):.1%} at the barrier, the energies in "
        "balls",
        witness={"sizes": list(OVERHEAD_SIZES), "workers": 2, "slots": 2, "overhead": OVERHEAD}
        if refuted
        else None,
    )


@check(
    "experiment.latency",
    measures="relative drop of the mean time per output token",
    shares="E2",
    plants=(DOUBLED, BUSIEST, JSQ, LEAST),
    **SEEDS,
)
def latency(trial: Trial) -> Finding:
    """The drop of the mean time per output token in E2."""
    return _reached(
        trial, E2, time_per_token_drop, float(REPORTED["E2"]["time per token"] * trial.scale)
    )


@check(
    "experiment.imbalance17",
    measures="mean imbalance of FCFS over that of BF-IO (ratio)",
    shares="E2",
    plants=(HALF_MORE, BUSIEST, JSQ, LEAST),
    **SEEDS,
)
def imbalance17(trial: Trial) -> Finding:
    """The ratio of average imbalances in E2, decided in logarithms."""
    finding = _reached(trial, E2, imbalance_ratio, log10(REPORTED["E2"]["imbalance"] * trial.scale))
    assert finding.interval is not None
    assert isinstance(finding.computed, float)
    ends = {name: 10 ** finding.details[name] for name in ("to the last admission", "completed")}
    return replace(
        finding,
        computed=10**finding.computed,
        claimed=float(REPORTED["E2"]["imbalance"] * trial.scale),
        domain=f"{trial.policy_or('bfio')} at H = 0, {trial['seeds']} seeds: "
        f"{ends['to the last admission']:.1f} times up to the last admission, "
        f"{ends['completed']:.1f} times with the drain (geometric means)",
        interval=(10 ** finding.interval[0], 10 ** finding.interval[1]),
        details=ends,
    )
