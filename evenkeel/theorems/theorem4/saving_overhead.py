"""Checks of the claims about savings with a fixed step overhead.

Overheads are given as shares of a run's work: 1/100 of it in every step is little for a history of
one step and much for one of many.
"""

from fractions import Fraction
from typing import Any

from flint import ctx

from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.theorem4.load_histories import (
    BALANCED,
    DEVICES,
    PRECISION,
    ball_constants,
    ball_usage,
    energy_of,
    histories,
    proof_fails,
    shown,
    usage_of,
)
from evenkeel.theorems.theorem4.pairs import Pair, hold
from evenkeel.theorems.theorem4.saving import SAVED
from theory.formulas.energy import Usage, saving_cap, saving_floor, saving_sharp
from theory.laws.fcfs_expectation import to_ball

SHARES = (Fraction(1, 100), Fraction(1), Fraction(100))


@check(
    "energy.saving-overhead",
    measures=SAVED,
    plants=(
        Variant("sharp floor x1.001", Fraction(1001, 1000), side="sharp floor"),
        Variant("best floor x1.001", Fraction(1001, 1000), side="best floor"),
        Variant("cap x1.001 where it is negative", Fraction(1001, 1000), side="cap"),
        Variant("overhead left out", fault="left-out"),
        Variant("overhead charged as idle time alone", fault="all-idle"),
    ),
    random=12,
    standard={"random": 100},
    paper={"random": 400},
)
def saving_overhead(trial: Trial) -> Finding:
    """Floors and cap from usages that include the overhead."""

    def seen(pair: Pair) -> tuple[Usage[Any], Usage[Any]]:
        """Both usages as the bounds see them."""
        if trial.fault("left-out"):
            return ball_usage(pair.base.bare), ball_usage(pair.new.bare)
        if trial.fault("all-idle"):
            bare = [(entry.bare.busy, entry.run.total) for entry in (pair.base, pair.new)]
            base, new = (ball_usage(Usage(busy, total - busy)) for busy, total in bare)
            return base, new
        return pair.base.balls, pair.new.balls

    return hold(
        trial,
        "energy.saving-overhead",
        (
            ("sharp floor", ">=", lambda pair: saving_sharp(pair.power, *seen(pair))),
            ("best floor", ">=", lambda pair: saving_floor(pair.power, *seen(pair))),
            ("cap", "<=", lambda pair: saving_cap(pair.power, *seen(pair))),
        ),
        overheads=SHARES,
    )


@check(
    "energy.overhead-lowers",
    measures="energy that perfect balance saves with more overhead (share)",
    plants=(
        Variant("saving with less overhead x0.999", Fraction(999, 1000), side="less overhead"),
        Variant("cap without overhead x0.99", Fraction(99, 100), side="cap"),
        Variant("three quarters of the steps", fault="fewer-steps"),
        Variant("nine tenths of the overhead in the improved run", fault="less-overhead"),
    ),
    random=40,
    standard={"random": 400},
    paper={"random": 4000},
)
def overhead_lowers(trial: Trial) -> Finding:
    """Savings of perfect balance along a growing overhead, in balls."""
    compared, least = 0, (float("inf"), 0.0, 0.0)
    lowered, scale = to_ball(trial.scale_of("less overhead")), to_ball(trial.scale_of("cap"))
    with ctx.workprec(PRECISION):
        for history in histories(trial.seed, trial["random"]):
            worker_steps = history.workers * len(history.loads)
            for extra in (1, 2):
                steps = Fraction(extra * worker_steps)
                if trial.fault("fewer-steps"):
                    steps *= Fraction(3, 4)
                for device, power in DEVICES:
                    balls, before = ball_constants(power), None
                    bare = usage_of(history.loads, Fraction(0))
                    per_work = Usage(Fraction(1), bare.idle / bare.busy)
                    cap = scale * saving_cap(balls, ball_usage(per_work), ball_usage(BALANCED))
                    for share in (Fraction(0), Fraction(1, 10**6), *SHARES):
                        base = energy_of(history.loads, balls, share * history.work) / history.work
                        spent = share * steps
                        if trial.fault("less-overhead"):
                            spent *= Fraction(9, 10)
                        saving = 1 - balls.max_w * to_ball(1 + spent) / base
                        if before is not None:
                            compared += 1
                            most = before if cap > before else cap
                            if saving > most:
                                return Finding(
                                    Verdict.REFUTED,
                                    float(saving),
                                    float(most),
                                    "<=",
                                    "saving of perfect balance, with more overhead and with less",
                                    witness={
                                        "device": device,
                                        "baseline": shown(history.loads),
                                        "overhead as a share of the work": str(share),
                                        "worker-steps of the balanced run": str(steps),
                                    },
                                )
                            slack = float(before - saving)
                            if 1e-9 < slack < least[0] and power is DEVICES[0][1]:
                                least = slack, float(saving), float(before)
                        before = saving * lowered
    failed = proof_fails("energy.overhead-lowers")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.overhead-lowers"),
        least[1],
        least[2],
        "<=",
        failed
        or f"{compared} pairs of overheads on adversarial histories and "
        f"{len(DEVICES)} devices, the balanced run in as many steps or twice as many",
    )
