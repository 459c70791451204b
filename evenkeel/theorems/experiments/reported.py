"""The paper's measurements, run again without look-ahead."""

from dataclasses import replace
from fractions import Fraction
from math import log10

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
from evenkeel.evidence.check import Finding, Trial, Variant, evidence
from evenkeel.evidence.headline import Record, headline, percent
from evenkeel.evidence.scoreboard import weighed
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import BUSIEST, LARGER, planted_policy
from evenkeel.theorems.experiments.paired_runs import (
    SAME_MYOPIC,
    SEEDS,
    Compared,
    Measure,
    compare,
    seeds_of,
    setting_of,
)
from evenkeel.theorems.registry import Assumption, claim
from theory.formulas.energy_inversions import share_of
from theory.relations import at_least
from theory.reported import REPORTED
from theory.symbolic import sp

AT_LEAST = (
    "Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics stop; "
    "an interval of the mean below the reported number refutes it.  That number is one run of a "
    "policy that looks ahead: a refutation says that the myopic policy does not account for it."
)


def _ends(both: Compared) -> dict[str, float]:
    return {"to the last admission": both.window.value, "completed": both.completed.value}


def _reached(
    trial: Trial, setting: Setting, measure: Measure, reported: float, *, completed: bool = False
) -> Finding:
    """Whether the mean of a measure is at least what was reported, at one end of the runs."""
    policy = trial.policy_or("bfio")
    both = compare(setting, policy, seeds_of(trial), measure)
    here = both.completed if completed else both.window
    against, supports = here.high < reported, here.low >= reported
    return weighed(
        against,
        supports,
        here.value,
        ">=",
        reported,
        f"{policy} at H = 0, {trial['seeds']} seeds, {setting.workload}, G = "
        f"{setting.workers}, B = {setting.slots}: {both.window.value:.3g} up to the last "
        f"admission (where the paper stops; unequal work), {both.completed.value:.3g} for "
        "the same requests completed",
        setting_of(setting) | {"policy": policy, **_ends(both)},
        interval=here.interval,
        details={**_ends(both), "standard deviation of one run": here.deviation},
    )


JSQ = Variant("JSQ in place of BF-IO", policy="jsq")
LEAST = Variant("least loaded in place of BF-IO", policy="least_loaded")


@claim(
    "experiment.energy28",
    "lower",
    source="evenkeel, on experiment E3 (theirs used H = 40)",
    version="ours",
    assumptions=(*SAME_MYOPIC, Assumption.POWER_LAW),
    requires=("energy.reach",),
    holds=False,
    answers=("E3",),
)
class Energy28:
    """28 % less energy, without look-ahead already.

    On LongBench-v2 lengths, G = 256, B = 72, myopic BF-IO saves on average at least the reported
    28.2 % of FCFS's energy, up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return at_least("saving", "282/1000")

    @evidence(
        measures="energy saved up to the last admission (share)",
        shares="E3",
        plants=(LARGER, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it.
        """
        return _reached(trial, E3, saving, float(REPORTED["E3"]["energy"] * trial.scale))

    @headline("Does the reported 28 % fit?", 6, "energy.saving-28")
    def answer(self, reported: Record, needs: Record) -> str:
        ends, last = reported["details"], needs["details"]
        return (
            f"Without look-ahead our re-run saves {percent(ends['to the last admission'])} up to "
            f"the last admission, where the paper stops, and {percent(ends['completed'])} for the "
            "same requests completed.  On 100/400 W with gamma 0.7, a waiting worker at 100 W "
            "and C = 0, no policy saves 28 % where FCFS idles less than "
            f"{percent(last['idle share needed'])}."
        )


@claim(
    "experiment.energy28-completed",
    "lower",
    assumptions=(*SAME_MYOPIC, Assumption.POWER_LAW),
    requires=("experiment.energy28",),
    holds=False,
)
class Energy28Completed:
    """28 % less energy for the same requests.

    In that setting myopic BF-IO saves on average at least 28.2 % of FCFS's energy when both serve
    all requests to completion.
    """

    def formula(self) -> "sp.Basic":
        return at_least("saving", "282/1000")

    @evidence(
        measures="energy saved for the same requests (share)",
        shares="E3",
        plants=(LARGER, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds to completion; an interval of the mean saving that
        lies below 28.2 % refutes it.
        """
        return _reached(
            trial, E3, saving, float(REPORTED["E3"]["energy"] * trial.scale), completed=True
        )


# By how much the saving up to the last admission exceeds that of the whole run, at least.
STOPS_EARLY = Fraction(1, 40)


@claim(
    "experiment.stops-early",
    "lower",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.MYOPIC, Assumption.POWER_LAW),
    requires=("energy.work-invariance",),
)
class StopsEarly:
    """Metrics that stop at the last admission favour BF-IO.

    In the setting of E3, the energy that myopic BF-IO saves over FCFS per unit of work up to the
    last admission exceeds what it saves when both serve the same requests to completion by at least
    2.5 points on average: after the last admission no policy can balance anything, so the saving of
    the rest is left to chance.
    """

    @evidence(
        no_near_factor="an order alone is claimed: zero has no factor",
        measures="saving per unit of work up to the last admission, less that to completion "
        "(share)",
        shares="E3",
        plants=(
            Variant("by at least 5.5 points", Fraction(11, 5)),
            Variant("baseline and improved run exchanged", fault="exchanged"),
            Variant("the two ends exchanged", fault="ends"),
        ),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Paired differences over several seeds; an interval of the mean difference below 2.5
        points refutes it. The number was set after looking at runs of other seeds. The work done up
        to the last admission is shown beside it.
        """
        order = ["fcfs", planted_policy(trial, "bfio")]
        if trial.fault("exchanged"):
            order.reverse()
        runs = [
            (replay(E3, order[0], seed), replay(E3, order[1], seed)) for seed in seeds_of(trial)
        ]
        less_work = Mean.of([1 - b.window.work / a.window.work for a, b in runs])
        sign = -1 if trial.fault("ends") else 1
        excess = Mean.of(
            [
                sign * (saving_per_work(a.window, b.window) - saving(a.completed, b.completed))
                for a, b in runs
            ]
        )
        claimed = float(STOPS_EARLY * trial.scale)
        against = excess.high < claimed
        return weighed(
            against,
            excess.low >= claimed,
            excess.value,
            ">=",
            claimed,
            f"E3 at H = 0, {trial['seeds']} seeds: saving per unit of work up to the last "
            "admission, less the saving for the same requests completed",
            setting_of(E3) | {"policies": order},
            interval=excess.interval,
            details={"share of work not done": [less_work.value, less_work.low, less_work.high]},
        )


# Of the reported number, the nearest that the spread of the runs lets a check tell from it.
DOUBLED = Variant("twice the reported number", Fraction(2))


@claim(
    "experiment.energy3",
    "lower",
    source="evenkeel, on experiment E2 (theirs used H = 20)",
    version="ours",
    assumptions=(*SAME_MYOPIC, Assumption.POWER_LAW),
    requires=("energy.overhead",),
    open=True,
    answers=("E2",),
)
class Energy3:
    """3.3 % less energy, without look-ahead already.

    On BurstGPT lengths, G = 32, B = 72, pool 128, myopic BF-IO saves on average at least the
    reported 3.3 % of FCFS's energy (383 kJ for 396 kJ), up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return at_least("saving", "1 - 383/396")

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it.
        """

        def exchanged(base: Stretch, new: Stretch) -> float:
            return saving(new, base)

        reported = float(REPORTED["E2"]["energy"] * trial.scale)
        return _reached(trial, E2, exchanged if trial.fault("exchanged") else saving, reported)


@claim(
    "experiment.throughput",
    "lower",
    source="evenkeel, on experiment E2 (theirs used H = 20)",
    version="ours",
    assumptions=SAME_MYOPIC,
    requires=("energy.throughput",),
    answers=("E2",),
)
class Throughput:
    """14 % more throughput, without look-ahead already.

    On BurstGPT lengths, G = 32, B = 72, pool 128, myopic BF-IO raises throughput on average by at
    least the reported 14 %, up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return at_least("gain", "14/100")

    @evidence(
        measures="relative gain of throughput up to the last admission",
        shares="E2",
        plants=(DOUBLED, BUSIEST, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it.
        """
        return _reached(
            trial, E2, throughput_gain, float(REPORTED["E2"]["throughput"] * trial.scale)
        )


HALF_MORE = Variant("half more than the reported number", Fraction(3, 2))


@claim(
    "experiment.throughput92",
    "lower",
    source="evenkeel, on experiment E3 (theirs used H = 40)",
    version="ours",
    assumptions=SAME_MYOPIC,
    requires=("energy.throughput",),
    open=True,
    answers=("E3",),
)
class Throughput92:
    """92 % more throughput, without look-ahead already.

    On LongBench-v2 lengths, G = 256, B = 72, myopic BF-IO raises throughput on average by at least
    the reported 92 %, up to the last admission. Any policy needs at least 47.9 % idle under FCFS
    for that (eta0 >= 0.92), wherever the step overhead is negligible.
    """

    def formula(self) -> "sp.Basic":
        return at_least("gain", "92/100")

    @evidence(
        measures="relative gain of throughput up to the last admission",
        shares="E3",
        plants=(HALF_MORE, BUSIEST, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it. The needed idle share is arithmetic.
        """
        finding = _reached(
            trial, E3, throughput_gain, float(REPORTED["E3"]["throughput"] * trial.scale)
        )
        # At C = 0 the speed-up is (1 + eta0)/(1 + eta1) <= 1 + eta0, so eta0 >= 0.92 and f >=
        # 0.92/1.92.
        needed = share_of(REPORTED["E3"]["throughput"])
        idle = Mean.of([replay(E3, "fcfs", seed).window.idle_share for seed in seeds_of(trial)])
        return replace(
            finding,
            domain=f"{finding.domain}; a gain of 92 % needs {float(needed):.1%} idle, FCFS idles "
            f"{idle.value:.1%} up to the last admission",
            details={**finding.details, "idle share of FCFS": idle.value},
        )


@claim(
    "experiment.latency",
    "lower",
    source="evenkeel, on experiment E2 (theirs used H = 20)",
    version="ours",
    assumptions=SAME_MYOPIC,
    answers=("E2",),
)
class Latency:
    """13 % less time per output token, without look-ahead already.

    On BurstGPT lengths, G = 32, B = 72, pool 128, myopic BF-IO lowers the mean time per output
    token on average by at least the reported 13 %, up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return at_least("drop", "13/100")

    @evidence(
        measures="relative drop of the mean time per output token",
        shares="E2",
        plants=(DOUBLED, BUSIEST, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it.
        """
        return _reached(
            trial, E2, time_per_token_drop, float(REPORTED["E2"]["time per token"] * trial.scale)
        )


@claim(
    "experiment.imbalance17",
    "lower",
    source="evenkeel, on experiment E2 (theirs used H = 20)",
    version="ours",
    assumptions=SAME_MYOPIC,
    open=True,
    answers=("E2",),
)
class Imbalance17:
    """17 times less imbalance, without look-ahead already.

    On BurstGPT lengths, G = 32, B = 72, pool 128, myopic BF-IO lowers the average imbalance at
    least the reported 17 times (geometric mean over runs), up to the last admission.
    """

    def formula(self) -> "sp.Basic":
        return at_least("AvgImb_FCFS / AvgImb_BFIO", "17")

    @evidence(
        measures="mean imbalance of FCFS over that of BF-IO (ratio)",
        shares="E2",
        plants=(HALF_MORE, BUSIEST, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it.
        """
        finding = _reached(
            trial, E2, imbalance_ratio, log10(REPORTED["E2"]["imbalance"] * trial.scale)
        )
        assert finding.interval is not None
        assert isinstance(finding.computed, float)
        ends = {
            name: 10 ** finding.details[name] for name in ("to the last admission", "completed")
        }
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
