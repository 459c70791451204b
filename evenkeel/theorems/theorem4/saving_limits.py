"""Checks of the claims about limits, inversions and regions.

Everything here is decided in fractions, or in balls where a power is irrational.
"""

from fractions import Fraction
from itertools import pairwise

from adversary.instances.load_histories import zero_one
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Comparison, broken
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.theorem4.load_histories import BALANCED, DEVICES, proof_fails, shown
from evenkeel.theorems.theorem4.saving import SAVED, WASTE
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_floor,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_inversions import eta_past_limit, limit_paper


@check(
    "energy.sharp-dominates",
    measures=SAVED,
    plants=(
        Variant("paper-shaped form x1.001", Fraction(1001, 1000), side="order"),
        Variant("paper-shaped form x1.001 below D/P_idle", Fraction(1001, 1000), side="reversed"),
        Variant("negative up to 1.1 D/P_idle", Fraction(11, 10), side="negative"),
        Variant("strictly above for gamma = 1, too", fault="always-strict"),
        Variant("claimed at every alpha", fault="every-alpha"),
    ),
)
def sharp_dominates(trial: Trial) -> Finding:
    """The two floors in fractions over a grid of devices, eta0 and eta1."""
    grid = [Fraction(k, 20) for k in (0, 1, 3, 8, 13, 20, 40, 200, 4000)]
    order, backwards = trial.scale_of("order"), trial.scale_of("reversed")
    reach = trial.scale_of("negative")
    tightest: tuple[Fraction, Fraction, Fraction] | None = None
    compared = strict = reversed_order = 0
    for device, power in DEVICES:
        curved = power.gamma < 1 and power.idle_w < power.max_w
        for eta0 in grid:
            for eta1 in grid:
                base, new = Usage(Fraction(1), eta0), Usage(Fraction(1), eta1)
                sharp, paper = saving_sharp(power, base, new), saving_paper(power, base, new)
                gained, lost = power.idle_w * eta0, power.waste_w * eta1
                if gained >= lost or trial.fault("every-alpha"):
                    compared += 1
                    strict += sharp > paper
                    must = gained > lost and eta0 > 0 and (curved or trial.fault("always-strict"))
                    above = [
                        Comparison(sharp >= paper * order, sharp, ">=", paper * order),
                        Comparison(sharp > paper or not must, sharp, ">=", paper),
                    ]
                else:
                    reversed_order += 1
                    most = paper * backwards
                    above = [Comparison(sharp <= most, sharp, "<=", most)]
                if gained < lost * reach:
                    above.append(Comparison(paper < 0, paper, "<=", Fraction(0)))
                if found := broken(
                    above,
                    "sharp floor against paper-shaped floor, exact",
                    {"device": device, "eta0": str(eta0), "eta1": str(eta1)},
                ):
                    return found
                if sharp > paper and (tightest is None or sharp - paper < tightest[0]):
                    tightest = (sharp - paper, sharp, paper)
    failed = proof_fails("energy.sharp-dominates")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.sharp-dominates"),
        tightest[1] if tightest else None,
        tightest[2] if tightest else None,
        ">=",
        failed
        or f"sharp floor against the paper-shaped one at {compared} grid points with alpha >= "
        f"D/P_idle ({strict} strict); at the {reversed_order} others both are negative and the "
        "order is reversed",
        details={"points": compared, "strict": strict, "reversed": reversed_order},
    )


# Devices that draw power when idle: without, both limits are 0 [energy.limit-sharp-unpowered].
POWERED = [(device, power) for device, power in DEVICES if power.idle_w > 0]


@check(
    "energy.limit-paper",
    measures="limit of the paper-shaped floor of the saving (share)",
    plants=(
        Variant("limit x1.001", Fraction(1001, 1000), side="limit"),
        Variant("bound that is never attained x0.999", Fraction(999, 1000), side="below"),
        Variant("bound that is approached x1.001", Fraction(1001, 1000), side="approached"),
        Variant("rising by a thousandth in each step", Fraction(1001, 1000), side="rising"),
        WASTE,
    ),
)
def limit_of_paper(trial: Trial) -> Finding:
    """The limit by sympy, and along eta = alpha = 10^k in fractions for every powered device."""
    import sympy

    from theory.formulas.energy_symbols import A100, BASE, eta
    from theory.formulas.energy_symbols import BALANCED as BALANCED_SYMBOLS

    symbolic = sympy.limit(saving_paper(A100, BASE, BALANCED_SYMBOLS), eta, sympy.oo)
    values: list[Fraction] = []
    for device, power in POWERED:
        seen = Constants(power.idle_w, power.max_w, 1 - power.gamma)
        limit = limit_paper(seen if trial.fault("gamma-for-waste") else power)
        runs = [(Fraction(10**k), Fraction(1)) for k in range(1, 13)]
        values = [
            saving_paper(power, Usage(Fraction(1), eta0), Usage(Fraction(1), eta1))
            for eta0, eta1 in runs
        ]
        # The first values may be negative; from there on the form rises.
        rising = Cases(">=")
        for before, after in pairwise(value for value in values if value > 0):
            rising.add(after, before * trial.scale_of("rising"), dict)
        balanced = saving_paper(power, Usage(Fraction(1), Fraction(10**12)), BALANCED)
        below, nearly = limit * trial.scale_of("below"), limit * trial.scale_of("approached")
        if rising.violated:
            return rising.finding(trial, "energy.limit-paper", f"along eta = alpha, on {device}")
        near = nearly - Fraction(1, 10**9)
        comparisons = [
            Comparison(value < below, value, "<=", below) for value in (*values, balanced)
        ]
        comparisons.append(Comparison(values[-1] > near, values[-1], ">=", near))
        if power is DEVICES[0][1]:
            computed = Fraction(int(symbolic.p), int(symbolic.q))
            comparisons += [
                Comparison(computed == claimed, computed, "==", claimed)
                for claimed in (limit * trial.scale_of("limit"), Fraction(10, 19))
            ]
        if found := broken(
            comparisons,
            "sympy's limit, and fractions along eta = alpha = 10^k",
            {"device": device, "last value": str(values[-1]), "limit": str(limit)},
        ):
            return found
    failed = proof_fails("energy.limit-paper")
    limit = limit_paper(DEVICES[0][1])
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.limit-paper"),
        Fraction(int(symbolic.p), int(symbolic.q)),
        limit,
        "==",
        failed
        or f"10/19 = 52.63 % for 100/400 W, gamma 0.7; {len(POWERED)} devices that draw idle power "
        "approach P_idle/D from below, within 1e-9 only at eta = alpha = 10^12, and eta <= G-1",
        details={"devices": len(POWERED)},
    )


@check(
    "energy.limit-sharp",
    measures="sharp floor of the saving at eta = 10^12 (share)",
    plants=(
        Variant("limit x0.999", Fraction(999, 1000), side="limit"),
        Variant("crossing x1.001", Fraction(1001, 1000), side="crossing"),
        Variant("40/9 x1.001", Fraction(1001, 1000), side="40/9"),
        Variant("limit P_idle/D, as for the paper's form", fault="paper-limit"),
        Variant("crossing at P_max/D", fault="crossing"),
    ),
)
def limit_of_sharp(trial: Trial) -> Finding:
    """The sharp floor along growing eta, and where it passes the paper's limit, if it does."""
    never = []
    for device, power in POWERED:
        limit = limit_paper(power) if trial.fault("paper-limit") else Fraction(1)
        claimed = limit * trial.scale_of("limit")

        def sharp(eta: Fraction, power: Constants[Fraction] = power) -> Fraction:
            return saving_sharp(power, Usage(Fraction(1), eta), BALANCED)

        value, crossing = sharp(Fraction(10**12)), eta_past_limit(power)
        witness = {"device": device, "sharp floor at 10^12": str(value), "crossing": str(crossing)}
        if not claimed - Fraction(1, 10**9) < value < claimed:
            return Finding(
                Verdict.REFUTED, value, claimed, "==", "eta = 10^12, exact", witness=witness
            )
        if crossing is None:
            never.append(device)
            continue
        if trial.fault("crossing"):
            crossing = power.max_w / power.waste_w
        crossing *= trial.scale_of("crossing")
        at = sharp(crossing)
        if at != limit_paper(power):
            return Finding(
                Verdict.REFUTED,
                at,
                limit_paper(power),
                "==",
                "the sharp floor at the claimed crossing, exact",
                witness=witness,
            )
    crossing, stated = eta_past_limit(DEVICES[0][1]), Fraction(40, 9) * trial.scale_of("40/9")
    if crossing != stated:
        return Finding(
            Verdict.REFUTED,
            crossing,
            stated,
            "==",
            "eta from which the sharp floor passes 10/19, exact",
            witness={"device": DEVICES[0][0]},
        )
    failed = proof_fails("energy.limit-sharp")
    share = stated / (1 + stated)
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.limit-sharp"),
        value,
        Fraction(1),
        "==",
        failed
        or f"within 1e-9 of 1 for {len(POWERED)} devices that draw idle power; passes 10/19 at eta "
        f"= 40/9 ({float(share):.1%} idle) on 100/400 W, and no limit where D = P_idle "
        f"({', '.join(never)})",
        details={
            "limit of the paper's form": str(limit_paper(DEVICES[0][1])),
            "passed at idle share": str(share),
        },
    )


@check(
    "energy.limit-sharp-unpowered",
    measures="sharp floor of the saving at eta = 10^12 (share)",
    plants=(
        Variant("90 % in place of 100 %", Fraction(9, 10)),
        Variant("at least a thousandth", fault="thousandth"),
    ),
)
def limit_sharp_unpowered(trial: Trial) -> Finding:
    """A device without idle power: idle time is free, and so is imbalance at the lower side."""
    device, power = next((name, power) for name, power in DEVICES if power.idle_w == 0)
    claimed = Fraction(1, 1000) if trial.fault("thousandth") else trial.scale
    value = saving_sharp(power, Usage(Fraction(1), Fraction(10**12)), BALANCED)
    if value >= claimed - Fraction(1, 10**9):
        return Finding(Verdict.INCONCLUSIVE, value, claimed, ">=", "this device gets there")
    return Finding(
        Verdict.REFUTED,
        value,
        claimed,
        ">=",
        f"{device}: the sharp floor is 0 at every eta, exact",
        witness={
            "device": device,
            "idle_w": str(power.idle_w),
            "max_w": str(power.max_w),
            "gamma": str(power.gamma),
            "eta": str(10**12),
        },
    )


@check(
    "energy.limit-is-a-cap",
    measures=SAVED,
    plants=(
        Variant("limit x1.25", Fraction(5, 4)),
        Variant("limit x1.5", Fraction(3, 2)),
    ),
    workers=32,
)
def limit_is_a_cap(trial: Trial) -> Finding:
    """All load on one worker, against perfect balance."""
    device, power = DEVICES[0]
    history = zero_one(int(trial["workers"]), 1, int(trial["workers"]))
    base = Usage(Fraction(history.work), Fraction(history.imbalance))
    # Exact on both sides: utilisations are 0 and 1 in the baseline, all 1 in the improved run.
    saving = 1 - power.max_w * history.work / energy_floor(power, base)
    claimed = limit_paper(power) * trial.scale
    if saving <= claimed:
        return Finding(Verdict.INCONCLUSIVE, saving, claimed, "<=", "this baseline saves less")
    crossing = eta_past_limit(power)
    assert crossing is not None  # 100/400 W, gamma 0.7
    return Finding(
        Verdict.REFUTED,
        saving,
        claimed,
        "<=",
        f"{device}: the sharp floor is above P_idle/D from {float(crossing / (1 + crossing)):.1%} "
        "baseline idle on; exact",
        witness={
            "device": device,
            "baseline": shown(history.loads),
            "improved": [[1] * history.workers],
        },
    )
