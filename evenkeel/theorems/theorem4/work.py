"""Checks of the claims about total work and durations."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.verdicts import DEPARTED, held
from evenkeel.theorems.theorem4.load_histories import (
    Run,
    proof_fails,
    run_of,
    runs,
    shown,
    small_workloads,
)
from solvers.simulation.reference import simulate_reference
from theory.formulas.energy import Constants, Usage, saving_sharp, speed_up
from theory.model import Requests, System


@check(
    "energy.throughput",
    measures="ratio of the durations of two runs",
    plants=(
        Variant("identity x1.001", Fraction(1001, 1000), side="identity"),
        Variant("lower end with overhead x1.001", Fraction(1001, 1000), side="lower end"),
        Variant("upper end with overhead x0.999", Fraction(999, 1000), side="upper end"),
        Variant("5/3 x1.001", Fraction(1001, 1000), side="5/3"),
        Variant("diluted where the steps are no more", fault="dilution"),
        Variant("imbalances added, not shared over work", fault="difference"),
        Variant("idle share in place of eta", fault="share"),
    ),
    seeds=3,
    standard={"seeds": 30},
)
def throughput(trial: Trial) -> Finding:
    """Ratio of durations of real runs, with and without overhead, in fractions."""
    compared, policies = 0, ("fcfs", trial.policy_or("least_loaded"), "always_busiest")
    most = speed_up(Usage(Fraction(3, 5), Fraction(2, 5)), Usage(Fraction(3, 5), Fraction(0)))
    claimed = Fraction(5, 3) * trial.scale_of("5/3")
    if most != claimed:
        return Finding(
            Verdict.REFUTED, most, claimed, "==", "from 40 % idle to none, exact", witness={}
        )
    widest: tuple[Fraction, Fraction] = Fraction(1), Fraction(1)
    for seed in range(trial.seed, trial.seed + trial["seeds"]):
        for group in runs(seed, policies):
            for base in group:
                for new in group:
                    finding = _speed_up(trial, base, new)
                    if isinstance(finding, Finding):
                        return finding
                    compared += 1
                    widest = max(widest, finding)
    failed = proof_fails("energy.throughput")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.throughput"),
        *widest,
        "==",
        failed
        or f"{compared} pairs of runs of the same backlog, exact, the largest speed-up shown; with "
        f"overheads of {', '.join(map(str, OVERHEADS))} units of load between K0/K1 and it",
        details={"pairs": compared, "most at 40 % idle": str(Fraction(5, 3))},
    )


OVERHEADS = (Fraction(1, 2), Fraction(50))


def _speed_up(trial: Trial, base: Run, new: Run) -> Finding | tuple[Fraction, Fraction]:
    """The ratio of durations without overhead, twice, or the finding that ends the check."""
    h0, h1 = base.history, new.history
    if h0.work != h1.work:
        return Finding(
            Verdict.NOT_APPLICABLE, None, None, "==", "the runs did different total work"
        )
    top0, top1 = (sum(max(step) for step in h.loads) for h in (h0, h1))
    K0, K1 = len(h0.loads), len(h1.loads)
    computed = Fraction(top0, top1)
    eta0, eta1 = (Fraction(h.imbalance, h.work) for h in (h0, h1))
    if trial.fault("share"):
        eta0, eta1 = eta0 / (1 + eta0), eta1 / (1 + eta1)
    claimed = 1 + eta0 - eta1 if trial.fault("difference") else (1 + eta0) / (1 + eta1)
    claimed *= trial.scale_of("identity")
    witness: Mapping[str, Any] = {"baseline": shown(h0.loads), "improved": shown(h1.loads)}
    if computed != claimed:
        return Finding(
            Verdict.REFUTED, computed, claimed, "==", "durations without overhead", witness=witness
        )
    steps = Fraction(K0, K1)
    low = min(computed, steps) * trial.scale_of("lower end")
    high = max(computed, steps) * trial.scale_of("upper end")
    for c in OVERHEADS:
        ratio = (c * K0 + top0) / (c * K1 + top1)
        # Diluted exactly where the steps are, for a baseline of no less imbalance.
        expected = steps <= (1 if trial.fault("dilution") else computed)
        wrong = h0.imbalance >= h1.imbalance and (ratio <= computed) != expected
        if not low <= ratio <= high or wrong:
            above = ratio > computed if low <= ratio <= high else ratio > high
            return Finding(
                Verdict.REFUTED,
                ratio,
                computed if low <= ratio <= high else high if above else low,
                "<=" if above else ">=",
                f"durations with an overhead of {c} units of load, exact",
                witness=witness,
            )
    return computed, claimed


def _timed(*same: Run) -> dict[str, Any]:
    """Timed requests, and the loads of runs that serve them."""
    requests = same[0].result.requests
    assert requests.arrival is not None
    return {
        "prefill": requests.prefill.tolist(),
        "decode": requests.decode.tolist(),
        "arrival": requests.arrival.tolist(),
    } | {f"loads under {run.result.policy}": shown(run.history.loads) for run in same}


@check(
    "energy.throughput-timed",
    measures="ratio of the durations of two runs",
    plants=(
        Variant("identity x0.9", Fraction(9, 10)),
        Variant("a later gap: arrivals at 100", fault="later"),
    ),
)
def throughput_timed(trial: Trial) -> Finding:
    """Three requests, two of them late: the gap before them is the same for both policies."""
    system = System(2, 2, seconds_per_token=1.0)
    late = 100.0 if trial.fault("later") else 10.0
    requests = Requests([1, 1, 1], [1, 1, 2], [0.0, late, late])
    fcfs, jsq = (run_of(system, requests, policy) for policy in ("fcfs", "jsq"))
    # Durations are small integers: exact as floats.
    computed = Fraction(fcfs.result.time_s) / Fraction(jsq.result.time_s)
    eta0, eta1 = (Fraction(run.history.imbalance, run.history.work) for run in (fcfs, jsq))
    claimed = trial.scale * (1 + eta0) / (1 + eta1)
    if computed == claimed:
        return Finding(Verdict.INCONCLUSIVE, computed, claimed, "==", "the identity holds here")
    return Finding(
        Verdict.REFUTED,
        computed,
        claimed,
        "==",
        f"G = B = 2, sizes 1, lengths 1, 1, 2, two arrivals at {late:g}: the gap belongs to both "
        "durations and to no step",
        witness=_timed(fcfs, jsq),
    )


@check(
    "energy.saving-timed",
    measures="saving 1 - E1/E0 over the whole time",
    plants=(
        Variant("floor x0.9", Fraction(9, 10)),
        Variant("a later gap: arrivals at 1,000", fault="later"),
    ),
)
def saving_timed(trial: Trial) -> Finding:
    """Four requests, and two late ones: who is done early with the four waits longer for them."""
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
    usages = (
        Usage(Fraction(run.history.work), Fraction(run.history.imbalance)) for run in (base, new)
    )
    claimed = trial.scale * saving_sharp(power, *usages)
    if saving >= claimed:
        return Finding(Verdict.INCONCLUSIVE, saving, claimed, ">=", "the floor holds here")
    return Finding(
        Verdict.REFUTED,
        saving,
        claimed,
        ">=",
        f"G = 2, B = 1, drift 0, lengths 1, two arrivals at {late:g}, 100 and 400 W, gamma = 1: "
        "both runs end together",
        witness=_timed(base, new),
    )


@check(
    "energy.work-invariance",
    measures="total work of a run (load)",
    plants=(
        Variant("claimed side x1.001", Fraction(1001, 1000)),
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
        or f"{compared} runs of {len(policies)} policies, drift 0 and 1, "
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
def work_oldest_first(trial: Trial) -> Finding:
    """Start steps and work of rules that admit the oldest, under changing drifts, in ints."""
    policies = ("fcfs", "round_robin", "jsq", "power_of_two", trial.policy_or("least_loaded"))
    later = int(trial.fault("one-step-later"))
    compared, work, claimed = 0, 0, Fraction(0)
    for seed in range(trial.seed, trial.seed + trial["seeds"]):
        for constant, requests in small_workloads(seed):
            for drift in ((0, 4), (3, 0, 1, 0, 0)):
                system = System(constant.workers, constant.slots, drift=drift)
                first, *others = (
                    simulate_reference(system, requests, policy, seed=seed) for policy in policies
                )
                claimed = first.total.work * trial.scale_of("work")
                for other in others:
                    compared += 1
                    work = other.total.work
                    starts = zip(other.start_step, first.start_step + later, strict=True)
                    apart = [(int(a), int(b)) for a, b in starts if a != b]
                    if work != claimed or apart:
                        shows, should = apart[0] if work == claimed else (work, claimed)
                        return Finding(
                            Verdict.REFUTED,
                            shows,
                            should,
                            "==",
                            ("step at which a request starts" if work == claimed else "total work")
                            + f" under {other.policy} against {first.policy}",
                            witness={
                                "drift": list(drift),
                                "prefill": requests.prefill.tolist(),
                                "decode": requests.decode.tolist(),
                                "different start steps": len(apart),
                            },
                        )
    failed = proof_fails("energy.work-oldest-first")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.work-oldest-first"),
        work,
        claimed,
        "==",
        failed
        or f"{compared} pairs of runs of a backlog, FCFS against {len(policies) - 1} policies, two "
        "drifts that change; start steps and work equal",
        details={"pairs": compared},
    )


@check(
    "energy.work-oldest-first-timed",
    measures="total work of JSQ (load)",
    plants=(
        Variant("drift of twice the size", Fraction(2)),
        Variant("work of FCFS x1.05", fault="allowance"),
    ),
)
def work_oldest_first_timed(trial: Trial) -> Finding:
    """Four requests, one of them late: the lengths of the steps decide when it starts."""
    system = System(
        2, 2, drift=tuple(int(trial.scale) * x for x in (3, 0, 1)), seconds_per_token=1.0
    )
    requests = Requests([2, 3, 1, 2], [3, 3, 2, 2], [0.0, 0.0, 0.0, 3.5])
    fcfs, jsq = (run_of(system, requests, policy) for policy in ("fcfs", "jsq"))
    computed, claimed = jsq.history.work, Fraction(fcfs.history.work)
    if trial.fault("allowance"):
        claimed *= Fraction(21, 20)
    if computed == claimed:
        return Finding(Verdict.INCONCLUSIVE, computed, claimed, "==", "they do the same work")
    return Finding(
        Verdict.REFUTED,
        computed,
        claimed,
        "==",
        "G = B = 2, drift 3, 0, 1: the request that arrives at 3.5 is there before FCFS's second "
        "step and after JSQ's",
        witness={
            "drift": list(system.drift),
            "prefill": requests.prefill.tolist(),
            "decode": requests.decode.tolist(),
            "arrival": [0.0, 0.0, 0.0, 3.5],
            "loads under fcfs": shown(fcfs.history.loads),
            "loads under jsq": shown(jsq.history.loads),
        },
    )


@check(
    "energy.work-any-drift",
    measures="total work of BF-IO (load)",
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
