"""Throughput and savings of runs that serve the same requests."""

from fractions import Fraction
from itertools import product

from adversary.instances.load_histories import LoadHistory
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Comparison, broken, near, refuted, stands, weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import (
    bare_usage,
    paired_policies,
    run_of,
    runs,
    shown,
    written_runs,
)
from evenkeel.theorems.theorem4.power_constants import BALANCED, per_work
from evenkeel.theorems.theorem4.saving import sharp_floor
from theory.formal.record import Theorem
from theory.formulas.energy import Constants, saving_sharp, speed_up
from theory.model import Requests, System
from theory.proof import Computation, Conclusion, Inequality, Lemma, Setting, Step
from theory.symbolic import es, sp


def speed_up_identity() -> "sp.Basic":
    """[energy.throughput]."""
    return sp.Eq(sp.Symbol("speed_up"), speed_up(es.BASE, es.NEW))


# Step overheads of the compared durations, in units of load.
STEP_OVERHEADS = (Fraction(1, 2), Fraction(50))


def _durations(trial: Trial, base: LoadHistory, new: LoadHistory) -> list[Comparison]:
    """The ratio of two durations without overhead against the identity, and with overheads."""
    top0, top1 = (sum(max(step) for step in history.loads) for history in (base, new))
    K0, K1 = len(base.loads), len(new.loads)
    u0, u1 = bare_usage(base), bare_usage(new)
    if trial.fault("share"):
        u0, u1 = per_work(u0.idle_share), per_work(u1.idle_share)
    bare = Fraction(top0, top1)
    claimed = 1 + u0.idle - u1.idle if trial.fault("difference") else speed_up(u0, u1)
    claimed *= trial.scale_of("identity")
    steps = Fraction(K0, K1)
    low = min(bare, steps) * trial.scale_of("lower end")
    high = max(bare, steps) * trial.scale_of("upper end")
    found = [Comparison(bare == claimed, bare, "==", claimed, "durations without overhead")]
    for c in STEP_OVERHEADS:
        what = f"durations with an overhead of {c} units of load"
        ratio = (c * K0 + top0) / (c * K1 + top1)
        found.append(Comparison(ratio <= high, ratio, "<=", high, what))
        found.append(Comparison(ratio >= low, ratio, ">=", low, what))
        if base.imbalance >= new.imbalance:
            # Diluted exactly where the steps are, for a baseline of no less imbalance.
            diluted = steps <= (1 if trial.fault("dilution") else bare)
            right = (ratio <= bare) == diluted
            found.append(Comparison(right, ratio, "<=" if diluted else ">=", bare, what))
    return found


@claim(
    "energy.throughput",
    "equality",
    assumptions=(
        Assumption.SAME_REQUESTS,
        Assumption.CONSTANT_DRIFT,
        Assumption.STICKY,
        Assumption.BACKLOG,
        Assumption.SOME_WORK,
    ),
    requires=("energy.work-invariance",),
    coq=Theorem("energy_throughput", "Throughput.v"),
    answers=("step", "fact 6"),
)
class Throughput:
    """The speed-up is an identity.

    For two backlogs served on the same workers: without overhead the ratio of durations, and of
    throughputs, is (1+eta0)/(1+eta1); 40 % idle allows at most 5/3. With overhead it lies between
    K0/K1 and that ratio; for I0 >= I1 it is at most that ratio exactly if K0/K1 is.
    """

    def formula(self) -> "sp.Basic":
        return speed_up_identity()

    def proof(self) -> tuple[Step, ...]:
        b, a1, b1 = (sp.Symbol(name, positive=True) for name in ("b0", "a1", "b1"))
        return (
            Inequality(
                "With overhead c the times are a + c b (a = W + I, b = G K).  If b0/b1 <= a0/a1 "
                "(a0/a1 = b0/b1 + r), the ratio is at most a0/a1",
                (a1 * (b / b1 + es.r) + b) / (a1 + b1),
                b / b1 + es.r,
                es.r * b1 / (a1 + b1),
            ),
            Inequality(
                "and at least b0/b1",
                b / b1,
                (a1 * (b / b1 + es.r) + b) / (a1 + b1),
                a1 * es.r / (a1 + b1),
            ),
            Lemma(
                "mediant",
                "Exchanging the roles of a and b gives the other order: the speed-up always lies "
                "between the ratio of steps K0/K1 and the ratio (1 + eta0)/(1 + eta1).",
            ),
            Conclusion(
                "Without overhead G time / t_l = W + I: the ratio of times at equal work",
                speed_up_identity(),
                {sp.Symbol("speed_up"): (es.W + es.W * es.eta) / (es.W + es.W * es.eta1)},
            ),
        )

    @evidence(
        measures="ratio of the durations of two runs",
        plants=(
            near("identity"),
            Variant("lower end with overhead x1.001", Fraction(1001, 1000), side="lower end"),
            Variant("upper end with overhead x0.999", Fraction(999, 1000), side="upper end"),
            near("5/3"),
            Variant("diluted where the steps are no more", fault="dilution"),
            Variant("imbalances added, not shared over work", fault="difference"),
            Variant("idle share in place of eta", fault="share"),
        ),
        seeds=6,
        standard={"seeds": 30},
    )
    def check(self, trial: Trial) -> Finding:
        """Durations of real runs recomputed from loads in fractions, with and without overhead; a
        ratio outside refutes it.
        """
        compared, policies = 0, paired_policies(trial)
        most = speed_up(per_work(Fraction(2, 3)), BALANCED)
        claimed = Fraction(5, 3) * trial.scale_of("5/3")
        if most != claimed:
            return refuted(most, "==", claimed, "from 40 % idle to none, exact", {})
        widest = Comparison(True, Fraction(1), "==", Fraction(1))
        for seed in range(trial.seed, trial.seed + trial["seeds"]):
            for group in runs(seed, policies):
                for base, new in product(group, repeat=2):
                    if base.history.work != new.history.work:
                        return Finding(
                            verdict=Verdict.NOT_APPLICABLE,
                            domain="the runs did different total work",
                        )
                    found = _durations(trial, base.history, new.history)
                    witness = {
                        "baseline": shown(base.history.loads),
                        "improved": shown(new.history.loads),
                    }
                    if failed := broken(found, "exact", witness):
                        return failed
                    compared += 1
                    widest = max(widest, found[0])
        return stands(
            trial,
            widest.computed,
            "==",
            widest.claimed,
            f"{compared} pairs of runs of the same backlog, exact, the largest speed-up shown; "
            f"with overheads of {', '.join(map(str, STEP_OVERHEADS))} units of load between K0/K1 "
            "and it",
            details={"pairs": compared, "most at 40 % idle": str(Fraction(5, 3))},
        )


@claim(
    "energy.throughput-timed",
    "equality",
    assumptions=(Assumption.SAME_REQUESTS, Assumption.CONSTANT_DRIFT, Assumption.STICKY),
    requires=("energy.throughput",),
    holds=False,
)
class ThroughputTimed:
    """The speed-up is that identity for timed arrivals, too.

    Without overhead the ratio of durations is (1+eta0)/(1+eta1), whenever the requests arrive.
    """

    def formula(self) -> "sp.Basic":
        return speed_up_identity()

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting(
                "G = B = 2, drift 1, t_l = 1, C = 0: requests of size 1 and lengths 1, 1, 2 "
                "arrive at 0, 10 and 10.  FCFS puts the last two on one worker, JSQ on both: "
                "loads (1,0), (2,0), (2,0) against (1,0), (1,1), (0,2)."
            ),
            Computation(
                "Durations 10 + 2 + 2 = 14 and 10 + 1 + 2 = 13; W = 5, I0 = 5, I1 = 3: 14/13 is "
                "not (1 + 1)/(1 + 3/5) = 5/4",
                lambda: (
                    Fraction(10 + 2 + 2, 10 + 1 + 2) != (1 + Fraction(5, 5)) / (1 + Fraction(3, 5))
                ),
            ),
        )

    @evidence(
        measures="ratio of the durations of two runs",
        plants=(
            Variant("identity x0.9", Fraction(9, 10)),
            Variant("a later gap: arrivals at 100", fault="later"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Runs of FCFS and JSQ with a gap in which nobody is served: it is part of both durations
        and of neither imbalance; a ratio that differs refutes it.
        """
        system = System(2, 2, seconds_per_token=1.0)
        late = 100.0 if trial.fault("later") else 10.0
        requests = Requests([1, 1, 1], [1, 1, 2], [0.0, late, late])
        fcfs, jsq = (run_of(system, requests, policy) for policy in ("fcfs", "jsq"))
        # Durations are small integers: exact as floats.
        computed = Fraction(fcfs.result.time_s) / Fraction(jsq.result.time_s)
        claimed = trial.scale * speed_up(bare_usage(fcfs.history), bare_usage(jsq.history))
        return weighed(
            computed != claimed,
            False,
            computed,
            "==",
            claimed,
            f"G = B = 2, sizes 1, lengths 1, 1, 2, two arrivals at {late:g}: the gap belongs to "
            "both durations and to no step",
            written_runs(fcfs, jsq),
        )


@claim(
    "energy.saving-timed",
    "lower",
    assumptions=(
        Assumption.POWER_LAW,
        Assumption.SAME_REQUESTS,
        Assumption.CONSTANT_DRIFT,
        Assumption.STICKY,
        Assumption.SOME_WORK,
        Assumption.NO_OVERHEAD,
    ),
    requires=("energy.saving-sharp",),
    holds=False,
)
class SavingTimed:
    """The sharp floor holds for the energy of the whole time, gaps included.

    The sharp floor holds whenever the requests arrive, for the energy until the last one departs,
    with P_idle drawn while there is nothing to serve.
    """

    def formula(self) -> "sp.Basic":
        return sharp_floor()

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting(
                "G = 2, B = 1, drift 0, t_l = 1, C = 0, gamma = 1, 100 W idle and 400 W at full "
                "speed: requests of length 1 and sizes 3, 1, 3, 1 at 0, and two of size 1 at 100. "
                " FCFS has loads (3,1), (3,1), (1,1), BF-IO (3,3), (1,1), (1,1): W = 10, I0 = 4, "
                "I1 = 0.  The last step ends at 101 under both."
            ),
            Computation(
                "At gamma = 1 the energy of the time T is G P_idle T + (P_max - P_idle) W: 0 saved",
                lambda: (
                    2 * 100 * Fraction(100 + 1) + 300 * sum((3, 1, 3, 1, 1, 1))
                    == 2 * 100 * Fraction(100 + 1) + 300 * sum((3, 3, 1, 1, 1, 1))
                ),
            ),
            Computation(
                "The sharp floor is (100 (4/10) - 0) / (400 + 100 (4/10)) = 1/11 > 0",
                lambda: 100 * Fraction(4, 10) / (400 + 100 * Fraction(4, 10)) == Fraction(1, 11),
            ),
        )

    @evidence(
        measures="saving 1 - E1/E0 over the whole time",
        plants=(
            Variant("floor x0.9", Fraction(9, 10)),
            Variant("a later gap: arrivals at 1,000", fault="later"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Runs of FCFS and BF-IO that end together after a gap: who is done early idles for longer;
        a saving below the floor refutes it.
        """
        system = System(2, 1, drift=(0,), seconds_per_token=1.0)
        late = 1000.0 if trial.fault("later") else 100.0
        requests = Requests([3, 1, 3, 1, 1, 1], [1] * 6, [0.0] * 4 + [late] * 2)
        base, new = (run_of(system, requests, policy) for policy in ("fcfs", "bfio"))
        idle, full = 100, 400
        # At gamma = 1 the power is linear in the load: no matter when the work is done.
        before, after = (
            2 * idle * Fraction(run.result.time_s) + (full - idle) * run.history.work
            for run in (base, new)
        )
        saving = 1 - after / before
        power = Constants(Fraction(idle), Fraction(full), Fraction(1))
        claimed = trial.scale * saving_sharp(
            power, bare_usage(base.history), bare_usage(new.history)
        )
        return weighed(
            saving < claimed,
            False,
            saving,
            ">=",
            claimed,
            f"G = 2, B = 1, drift 0, lengths 1, two arrivals at {late:g}, 100 and 400 W, gamma = "
            "1: both runs end together",
            written_runs(base, new),
        )
