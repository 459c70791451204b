"""The total work of a run, and which policies can change it."""

from fractions import Fraction

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import near, refuted, stands, weighed
from evenkeel.findings.verdicts import DEPARTED
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.theorem4.load_histories import (
    run_of,
    runs,
    small_workloads,
    written_requests,
    written_runs,
)
from solvers.simulation.reference import simulate_reference
from theory.formal.record import Theorem
from theory.model import Requests, System
from theory.proof import Computation, Conclusion, Identity, Lemma, Setting, Step
from theory.relations import equal
from theory.symbolic import sp


@claim(
    "energy.work-invariance",
    "equality",
    source="paper, model",
    version="v1, v2",
    assumptions=(
        Assumption.ANY_SCHEDULE,
        Assumption.SAME_REQUESTS,
        Assumption.CONSTANT_DRIFT,
        Assumption.STICKY,
    ),
    coq=Theorem("energy_work_invariance", "Work.v"),
    answers=("state", "fact 7"),
)
class WorkInvariance:
    """Total work does not depend on the policy.

    A request contributes sum_j w_i(j) = o s + o(o-1)/2 (drift 1; o s + dl o(o-1)/2 for constant
    drift dl), so all policies that serve the same requests to completion have the same total work
    W.
    """

    def formula(self) -> "sp.Basic":
        j, o, s, growth = (
            sp.Symbol(name, positive=True, integer=True) for name in ("j", "o", "s", "dl")
        )
        return sp.Eq(
            sp.Sum(s + growth * (j - 1), (j, 1, o)),
            o * s + growth * o * (o - 1) / 2,
            evaluate=False,
        )

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "conservation",
                "Every request is served to completion on one worker, so it adds its own work to "
                "the total, wherever and whenever it runs.",
            ),
            Conclusion("A request of size s and length o, growing by dl a step", self.formula()),
        )

    @evidence(
        measures="total work of a run (load)",
        plants=(
            near(),
            Variant("w_i(j) = s + j", fault="late-start"),
            Variant("o^2/2 in place of o(o-1)/2", fault="square"),
            DEPARTED,
        ),
        seeds=5,
        standard={"seeds": 50},
    )
    def check(self, trial: Trial) -> Finding:
        """Work measured from the loads of runs under several policies against the formula, in ints;
        one difference refutes it.
        """
        policies = ("fcfs", "round_robin", "jsq", trial.policy_or("least_loaded"), "always_busiest")
        compared = 0
        measured, claimed = 0, Fraction(0)
        for seed in range(trial.seed, trial.seed + trial["seeds"]):
            for group in runs(seed, policies):
                for run in group:
                    requests, growth = run.result.requests, run.result.system.drift[0]
                    loads = run.departed if trial.fault("departed-loads") else run.history.loads
                    measured = sum(map(sum, loads))
                    # o(o+1)/2 or o^2/2 in place of o(o-1)/2.
                    more = trial.fault("late-start") + Fraction(trial.fault("square"), 2)
                    work = requests.work(growth) + growth * more * int(requests.decode.sum())
                    claimed = trial.scale * work
                    compared += 1
                    if measured != claimed:
                        return refuted(
                            measured,
                            "==",
                            claimed,
                            f"total work of a run of {run.result.policy}",
                            {**written_requests(requests), "drift": growth},
                        )
        return stands(
            trial,
            measured,
            "==",
            claimed,
            f"{compared} runs of {len(policies)} policies, drift 0 and 1, "
            "exact; constant drift only [energy.work-any-drift]",
            details={"runs": compared},
        )


@claim(
    "energy.work-any-drift",
    "equality",
    assumptions=(Assumption.SAME_REQUESTS, Assumption.COMMON_DRIFT, Assumption.STICKY),
    requires=("energy.work-invariance",),
    holds=False,
    answers=("fact 7",),
    drops=(Dropped("energy.work-invariance", "constant drift"),),
)
class WorkAnyDrift:
    """Total work is policy-invariant under any common drift.

    All policies that serve the same requests to completion have the same total work, for every
    common non-negative drift sequence (the setting of Theorem 3).
    """

    def formula(self) -> "sp.Basic":
        return equal("W_1", "W_0")

    def proof(self) -> tuple[Step, ...]:
        s, grown, d = sp.symbols("s x d", positive=True)
        work = s + (s + grown)
        return (
            Lemma(
                "calendar drift",
                "Every active request grows by d after the first step and by 0 after the second.  "
                "A request of size s and length 2 starts at the first step or at the second.",
            ),
            Identity(
                "Started at the first step it does d more work",
                sp.Subs(work, grown, d) - sp.Subs(work, grown, 0),
                d,
            ),
        )

    @evidence(
        measures="total work of BF-IO (load)",
        plants=(
            Variant("drift of twice the size", Fraction(2)),
            Variant("drift of three times the size", Fraction(3)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Runs of FCFS and BF-IO under a drift that changes from step to step; two different totals
        refute it, and with it every comparison of their energies at equal work outside constant
        drift.
        """
        growth = int(trial.scale) * 4
        system = System(2, 1, drift=(0, growth))
        requests = Requests([1, 2, 1], [1, 1, 2])
        fcfs, bfio = (run_of(system, requests, policy, pool=3) for policy in ("fcfs", "bfio"))
        computed, claimed = bfio.history.work, fcfs.history.work
        return weighed(
            computed != claimed,
            False,
            computed,
            "==",
            claimed,
            "G = 2, B = 1, three requests, a drift that alternates: BF-IO takes the two equal "
            "requests first, FCFS the two oldest; so its runs are not compared with others at "
            "equal work under such a drift",
            {"drift": [0, growth], **written_runs(fcfs, bfio)},
        )


@claim(
    "energy.work-oldest-first",
    "equality",
    assumptions=(
        Assumption.BACKLOG,
        Assumption.SAME_REQUESTS,
        Assumption.COMMON_DRIFT,
        Assumption.STICKY,
        Assumption.WORK_CONSERVING,
    ),
    requires=("energy.work-invariance",),
)
class WorkOldestFirst:
    """Rules that admit the oldest requests share the total work under any drift.

    All policies that serve a backlog and admit the oldest waiting requests, wherever they place
    them (FCFS, round robin, JSQ, least loaded, ...), start every request at the same step, so their
    total work W is the same for every common drift sequence.
    """

    def formula(self) -> "sp.Basic":
        return equal("W_1", "W_0")

    def proof(self) -> tuple[Step, ...]:
        k, o, start = (sp.Symbol(name, positive=True, integer=True) for name in ("k", "o", "start"))
        size = sp.Symbol("s", positive=True)
        D = sp.Function("D")
        return (
            Lemma(
                "induction over steps",
                "The number of free slots in the whole system depends only on which requests are "
                "active, not where.  If two such policies have started the same requests at the "
                "same steps so far, the same ones depart, the same number of slots is free, and "
                "the same oldest requests are admitted.",
            ),
            Identity(
                "A request that starts at a given step does the same work wherever it runs: its "
                "load at step k is s + D(k) - D(start), D the cumulative drift",
                sp.Sum(size + D(k) - D(start), (k, start, start + o - 1)),
                sp.Sum(D(k), (k, start, start + o - 1)) + o * (size - D(start)),
            ),
        )

    @evidence(
        measures="total work of the last run (load)",
        plants=(
            Variant("work of FCFS x1.001", Fraction(1001, 1000), side="work"),
            Variant("one step later than FCFS", fault="one-step-later"),
            Variant("BF-IO in place of least loaded", policy="bfio"),
            Variant("always busiest in place of least loaded", policy="always_busiest"),
        ),
        seeds=3,
        standard={"seeds": 30},
    )
    def check(self, trial: Trial) -> Finding:
        """Start steps and work of runs of five such policies under drifts that change from step to
        step, in ints; one difference refutes it.
        """
        policies = ("fcfs", "round_robin", "jsq", "power_of_two", trial.policy_or("least_loaded"))
        later = int(trial.fault("one-step-later"))
        compared, work, claimed = 0, 0, Fraction(0)
        for seed in range(trial.seed, trial.seed + trial["seeds"]):
            for constant, requests in small_workloads(seed):
                for drift in ((0, 4), (3, 0, 1, 0, 0)):
                    system = System(constant.workers, constant.slots, drift=drift)
                    first, *others = (
                        simulate_reference(system, requests, policy, seed=seed)
                        for policy in policies
                    )
                    claimed = first.total.work * trial.scale_of("work")
                    for other in others:
                        compared += 1
                        work = other.total.work
                        starts = zip(other.start_step, first.start_step + later, strict=True)
                        apart = [(int(a), int(b)) for a, b in starts if a != b]
                        if work != claimed or apart:
                            shows, should = apart[0] if work == claimed else (work, claimed)
                            return refuted(
                                shows,
                                "==",
                                should,
                                (
                                    "step at which a request starts"
                                    if work == claimed
                                    else "total work"
                                )
                                + f" under {other.policy} against {first.policy}",
                                {
                                    "drift": list(drift),
                                    **written_requests(requests),
                                    "different start steps": len(apart),
                                },
                            )
        return stands(
            trial,
            work,
            "==",
            claimed,
            f"{compared} pairs of runs of a backlog, FCFS against {len(policies) - 1} "
            "policies, two drifts that change; start steps and work equal",
            details={"pairs": compared},
        )


@claim(
    "energy.work-oldest-first-timed",
    "equality",
    assumptions=(
        Assumption.SAME_REQUESTS,
        Assumption.COMMON_DRIFT,
        Assumption.STICKY,
        Assumption.WORK_CONSERVING,
    ),
    requires=("energy.work-oldest-first",),
    holds=False,
)
class WorkOldestFirstTimed:
    """They share the total work for timed arrivals, too.

    All policies that admit the oldest waiting requests have the same total work W for every common
    drift sequence, whenever the requests arrive.
    """

    def formula(self) -> "sp.Basic":
        return equal("W_1", "W_0")

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting(
                "G = B = 2, t_l = 1, C = 0, drift 3, 0, 1 from step to step: requests (size, "
                "length) (2, 3), (3, 3), (1, 2) from the start and (2, 2) from time 3.5.  The "
                "first step lasts 5 under FCFS (2 + 3 on one worker) and 3 under JSQ (2 + 1 and "
                "3), so the last request starts at the second step under FCFS and at the third "
                "under JSQ."
            ),
            Computation(
                "It grows by 0 there and by 1 here: (2,5,5) + (3,6,6) + (1,4) + (2,2) = 36 "
                "against 37",
                lambda: (
                    (
                        sum((2, 5, 5, 3, 6, 6, 1, 4)) + sum((2, 2)),
                        sum((2, 5, 5, 3, 6, 6, 1, 4, 2, 3)),
                    )
                    == (36, 37)
                ),
            ),
        )

    @evidence(
        measures="total work of JSQ (load)",
        plants=(
            Variant("drift of twice the size", Fraction(2)),
            Variant("work of FCFS x1.05", fault="allowance"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """FCFS and JSQ on four requests, one of which arrives late: how long the steps last decides
        at which step it is there; two different totals refute it.
        """
        system = System(
            2, 2, drift=tuple(int(trial.scale) * x for x in (3, 0, 1)), seconds_per_token=1.0
        )
        requests = Requests([2, 3, 1, 2], [3, 3, 2, 2], [0.0, 0.0, 0.0, 3.5])
        fcfs, jsq = (run_of(system, requests, policy) for policy in ("fcfs", "jsq"))
        computed, claimed = jsq.history.work, Fraction(fcfs.history.work)
        if trial.fault("allowance"):
            claimed *= Fraction(21, 20)
        return weighed(
            computed != claimed,
            False,
            computed,
            "==",
            claimed,
            "G = B = 2, drift 3, 0, 1: the request that arrives at 3.5 is there before FCFS's "
            "second step and after JSQ's",
            {"drift": list(system.drift), **written_runs(fcfs, jsq)},
        )
