"""The paper's measurements, run again without look-ahead."""

from dataclasses import replace
from fractions import Fraction

from adversary.paired_runs import E3, replay, saving, saving_per_work
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.headline import Record, headline, percent
from evenkeel.findings.scoreboard import weighed
from evenkeel.findings.statistics import Mean
from evenkeel.findings.verdicts import BUSIEST, LARGER, planted_policy
from evenkeel.theorems.experiments.paired_runs import (
    SAME_MYOPIC,
    SEEDS,
    SHARED,
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
    HALF_MORE,
    JSQ,
    LEAST,
)
from evenkeel.theorems.registry import Assumption, claim
from theory.formulas.energy_inversions import share_of
from theory.symbolic import sp


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
        return E3_ENERGY.formula()

    check = E3_ENERGY.check(LARGER, JSQ, LEAST)

    @headline("Does the reported 28 % fit?", 6, "energy.saving-28")
    def answer(self, reported: Record, needs: Record) -> str:
        ends, last = reported["details"], needs["details"]
        return (
            "On 100/400 W with gamma 0.7 and a waiting worker at 100 W our re-run without "
            f"look-ahead saves {percent(ends['to the last admission'])} up to the last admission, "
            f"where the paper stops, and {percent(ends['completed'])} for the same requests "
            "completed; at C = 0 no policy saves 28 % where FCFS idles less than "
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
        return E3_ENERGY.formula()

    @evidence(
        measures="energy saved for the same requests (share)",
        shares=SHARED,
        plants=(LARGER, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds to completion; an interval of the mean saving that
        lies below 28.2 % refutes it.
        """
        return E3_ENERGY.held_against(trial, completed=True)


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
        shares=SHARED,
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
        return E2_ENERGY.formula()

    check = E2_ENERGY.check(
        DOUBLED, JSQ, LEAST, Variant("energies exchanged: 396 kJ for 383 kJ", fault="exchanged")
    )


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
        return E2_THROUGHPUT.formula()

    check = E2_THROUGHPUT.check(DOUBLED, BUSIEST, JSQ, LEAST)


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
        return E3_THROUGHPUT.formula()

    @evidence(
        measures=E3_THROUGHPUT.measures,
        shares=SHARED,
        plants=(HALF_MORE, BUSIEST, JSQ, LEAST),
        **SEEDS,
    )
    def check(self, trial: Trial) -> Finding:
        """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
        stop; an interval of the mean below the reported number refutes it. That number is one run
        of a policy that looks ahead: a refutation says that the myopic policy does not account for
        it. The needed idle share is arithmetic.
        """
        finding = E3_THROUGHPUT.held_against(trial)
        # At C = 0 the speed-up is (1 + eta0)/(1 + eta1) <= 1 + eta0, so eta0 >= 0.92 and f >=
        # 0.92/1.92.
        needed = share_of(E3_THROUGHPUT.value)
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
        return E2_LATENCY.formula()

    check = E2_LATENCY.check(DOUBLED, BUSIEST, JSQ, LEAST)


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
        return E2_IMBALANCE.formula()

    check = E2_IMBALANCE.check(HALF_MORE, BUSIEST, JSQ, LEAST)
