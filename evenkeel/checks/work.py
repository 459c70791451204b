"""Checks of the claims about total work and durations in :mod:`theory.energy`."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from evenkeel.checks.load_energy import Run, proof_fails, run_of, runs, shown, small_workloads
from evenkeel.checks.verdicts import DEPARTED, LARGER, held
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from solvers.reference import simulate_reference
from theory.model import Requests, System


@check(
    "energy.throughput",
    plants=(
        LARGER,
        Variant("imbalances added, not shared over work", fault="difference"),
        Variant("idle share in place of eta", fault="share"),
    ),
    seeds=3,
    standard={"seeds": 30},
)
def throughput(trial: Trial) -> Finding:
    """Ratio of durations of real runs, with and without overhead, in fractions."""
    compared, policies = 0, ("fcfs", trial.policy_or("least_loaded"), "always_busiest")
    last = Fraction(1)
    for seed in range(trial.seed, trial.seed + trial["seeds"]):
        for group in runs(seed, policies):
            for base in group:
                for new in group:
                    finding = _speed_up(trial, base, new)
                    if isinstance(finding, Finding):
                        return finding
                    compared, last = compared + 1, finding
    failed = proof_fails("energy.throughput")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.throughput"),
        last,
        last,
        "==",
        failed
        or f"proof steps confirmed; {compared} pairs of runs of the same requests, exact, and "
        f"between K0/K1 and it with overhead (engine's clock, to 1e-9)",
        details={"pairs": compared, "most at 40 % idle": str(Fraction(5, 3))},
    )


def _speed_up(trial: Trial, base: Run, new: Run) -> Finding | Fraction:
    """The ratio of durations without overhead, or the finding that ends the check."""
    h0, h1 = base.history, new.history
    if h0.work != h1.work:
        return Finding(
            Verdict.NOT_APPLICABLE, None, None, "==", "the runs did different total work"
        )
    tops0, tops1 = ([max(step) for step in h.loads] for h in (h0, h1))
    computed = Fraction(sum(tops0), sum(tops1))
    eta0, eta1 = (Fraction(h.imbalance, h.work) for h in (h0, h1))
    if trial.fault("share"):
        eta0, eta1 = eta0 / (1 + eta0), eta1 / (1 + eta1)
    claimed = 1 + eta0 - eta1 if trial.fault("difference") else (1 + eta0) / (1 + eta1)
    claimed *= trial.scale
    witness: Mapping[str, Any] = {"baseline": shown(h0.loads), "improved": shown(h1.loads)}
    if computed != claimed:
        return Finding(
            Verdict.REFUTED, computed, claimed, "==", "durations without overhead", witness=witness
        )
    # With overhead: the engine's own clock, between the ratio of steps and the identity.
    requests, old = base.result.requests, base.result.system
    system = System(old.workers, old.slots, old.drift, step_overhead_s=50 * old.seconds_per_token)
    times = [run_of(system, requests, run.policy).result for run in (base, new)]
    ratio = times[0].time_s / times[1].time_s
    ends = sorted((float(computed), times[0].total.steps / times[1].total.steps))
    if not ends[0] - 1e-9 <= ratio <= ends[1] + 1e-9:
        return Finding(
            Verdict.REFUTED,
            ratio,
            ends[1] if ratio > ends[1] else ends[0],
            "<=" if ratio > ends[1] else ">=",
            "durations with an overhead of 50 units of load",
            witness=witness,
        )
    return computed


@check(
    "energy.work-invariance",
    plants=(
        LARGER,
        Variant("w_i(j) = s + j", fault="late-start"),
        Variant("o^2/2 in place of o(o-1)/2", fault="square"),
        DEPARTED,
    ),
    seeds=5,
    standard={"seeds": 50},
)
def work_invariance(trial: Trial) -> Finding:
    """Work measured from loads against the formula, in ints."""
    policies = ("fcfs", "round_robin", "jsq", trial.policy_or("least_loaded"), "always_busiest")
    compared = 0
    measured, claimed = 0, Fraction(0)
    for seed in range(trial.seed, trial.seed + trial["seeds"]):
        for group in runs(seed, policies):
            for run in group:
                growth = run.result.system.drift[0]
                loads = run.departed if trial.fault("departed-loads") else run.history.loads
                measured = sum(map(sum, loads))
                claimed = trial.scale * _work(trial, run.result.requests, growth)
                compared += 1
                if measured != claimed:
                    return Finding(
                        Verdict.REFUTED,
                        measured,
                        claimed,
                        "==",
                        f"total work of a run of {run.result.policy}",
                        witness={
                            "prefill": run.result.requests.prefill.tolist(),
                            "decode": run.result.requests.decode.tolist(),
                            "drift": growth,
                        },
                    )
    failed = proof_fails("energy.work-invariance")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.work-invariance"),
        measured,
        claimed,
        "==",
        failed
        or f"proof steps confirmed; {compared} runs of {len(policies)} policies, drift 0 and 1, "
        "exact; constant drift only [energy.work-any-drift]",
        details={"runs": compared},
    )


def _work(trial: Trial, requests: Requests, growth: int) -> Fraction:
    """``sum (o s + growth o (o-1)/2)``, or a planted wrong sum."""
    total = Fraction(0)
    for s, o in zip(requests.prefill.tolist(), requests.decode.tolist(), strict=True):
        if trial.fault("late-start"):
            total += o * s + growth * Fraction(o * (o + 1), 2)
        elif trial.fault("square"):
            total += o * s + growth * Fraction(o * o, 2)
        else:
            total += o * s + growth * Fraction(o * (o - 1), 2)
    return total


@check(
    "energy.work-oldest-first",
    plants=(
        Variant("BF-IO in place of least loaded", policy="bfio"),
        Variant("always busiest in place of least loaded", policy="always_busiest"),
    ),
    seeds=3,
    standard={"seeds": 30},
)
def work_oldest_first(trial: Trial) -> Finding:
    """Start steps and work of rules that admit the oldest, under changing drifts, in ints."""
    policies = ("fcfs", "round_robin", "jsq", "power_of_two", trial.policy_or("least_loaded"))
    compared, work = 0, 0
    for seed in range(trial.seed, trial.seed + trial["seeds"]):
        for constant, requests in small_workloads(seed):
            for drift in ((0, 4), (3, 0, 1, 0, 0)):
                system = System(constant.workers, constant.slots, drift=drift)
                first, *others = (
                    simulate_reference(system, requests, policy, seed=seed) for policy in policies
                )
                work = first.total.work
                for other in others:
                    compared += 1
                    same_steps = bool((other.start_step == first.start_step).all())
                    if other.total.work != work or not same_steps:
                        return Finding(
                            Verdict.REFUTED,
                            other.total.work,
                            work,
                            "==",
                            f"total work under {other.policy} against {first.policy}",
                            witness={
                                "drift": list(drift),
                                "prefill": requests.prefill.tolist(),
                                "decode": requests.decode.tolist(),
                                "same start steps": same_steps,
                            },
                        )
    failed = proof_fails("energy.work-oldest-first")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.work-oldest-first"),
        work,
        work,
        "==",
        failed
        or f"proof steps confirmed; {compared} pairs of runs of {len(policies)} policies under two "
        "drifts that change, start steps and work equal",
        details={"pairs": compared},
    )


@check(
    "energy.work-any-drift",
    plants=(
        Variant("drift of twice the size", Fraction(2)),
        Variant("drift of three times the size", Fraction(3)),
    ),
)
def work_any_drift(trial: Trial) -> Finding:
    """Two policies, three requests, a drift that comes in every other step.

    Only one first admission has the least imbalance, so no tie-break of BF-IO matters.
    """
    growth = int(trial.scale) * 4
    system = System(2, 1, drift=(0, growth))
    requests = Requests([1, 2, 1], [1, 1, 2])
    fcfs, bfio = (run_of(system, requests, policy, pool=3) for policy in ("fcfs", "bfio"))
    computed, claimed = bfio.history.work, fcfs.history.work
    if computed == claimed:
        return Finding(
            Verdict.INCONCLUSIVE, computed, claimed, "==", "these two orders do the same work"
        )
    return Finding(
        Verdict.REFUTED,
        computed,
        claimed,
        "==",
        "G = 2, B = 1, three requests, a drift that alternates: BF-IO takes the two equal requests "
        "first, FCFS the two oldest; so its runs are not compared with others at equal work under "
        "such a drift",
        witness={
            "drift": [0, growth],
            "prefill": requests.prefill.tolist(),
            "decode": requests.decode.tolist(),
            "loads under fcfs": shown(fcfs.history.loads),
            "loads under bfio": shown(bfio.history.loads),
        },
    )
