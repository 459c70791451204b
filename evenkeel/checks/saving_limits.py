"""Checks of the claims in :mod:`theory.saving_claims` about limits, inversions and regions.

Everything here is decided in fractions, or in balls where a power is irrational.
"""

from fractions import Fraction
from itertools import pairwise

from adversary.load_histories import zero_one
from evenkeel.checks.load_energy import BALANCED, DEVICES, proof_fails, shown
from evenkeel.checks.saving import WASTE
from evenkeel.checks.verdicts import LARGER, SMALLER, held
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from theory.reach import (
    limit_paper,
)
from theory.savings import (
    Constants,
    Usage,
    energy_floor,
    saving_paper,
    saving_sharp,
)


@check(
    "energy.sharp-dominates",
    plants=(
        LARGER,
        Variant("claimed at every alpha", fault="every-alpha"),
        Variant("sides exchanged", fault="exchanged"),
    ),
)
def sharp_dominates(trial: Trial) -> Finding:
    """The two floors in fractions over a grid of devices, eta and alpha."""
    grid = [Fraction(k, 20) for k in (0, 1, 3, 8, 13, 20, 40, 200, 4000)]
    tightest: tuple[Fraction, Fraction, Fraction] | None = None
    compared = strict = reversed_order = 0
    for device, power in DEVICES:
        for eta0 in grid:
            for eta1 in grid:
                base, new = Usage(Fraction(1), eta0), Usage(Fraction(1), eta1)
                sharp = saving_sharp(power, base, new)
                paper = saving_paper(power, base, new) * trial.scale
                if trial.fault("exchanged"):
                    sharp, paper = paper, sharp
                if power.idle_w * eta0 < power.waste_w * eta1 and not trial.fault("every-alpha"):
                    reversed_order += sharp <= paper
                    continue
                compared += 1
                strict += sharp > paper
                if sharp < paper:
                    return Finding(
                        Verdict.REFUTED,
                        sharp,
                        paper,
                        ">=",
                        "sharp floor against paper-shaped floor, exact",
                        witness={"device": device, "eta0": str(eta0), "eta1": str(eta1)},
                    )
                if sharp > paper and (tightest is None or sharp - paper < tightest[0]):
                    tightest = (sharp - paper, sharp, paper)
    failed = proof_fails("energy.sharp-dominates")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.sharp-dominates"),
        tightest[1] if tightest else None,
        tightest[2] if tightest else None,
        ">=",
        failed
        or f"proof steps confirmed; holds for alpha >= D/P_idle only ({compared} grid points, "
        f"{strict} strict); for smaller alpha both are <= 0 and the order is reversed "
        f"({reversed_order} points)",
        details={"points": compared, "strict": strict, "reversed": reversed_order},
    )


@check(
    "energy.limit-paper",
    plants=(LARGER, SMALLER, WASTE),
)
def limit_of_paper(trial: Trial) -> Finding:
    """The limit by sympy and along eta = alpha = 10^k in fractions."""
    import sympy

    from theory.energy_formulas import A100, BASE, eta
    from theory.energy_formulas import BALANCED as BALANCED_SYMBOLS

    _, power = DEVICES[0]
    seen = Constants(power.idle_w, power.max_w, 1 - power.gamma)
    claimed = limit_paper(seen if trial.fault("gamma-for-waste") else power) * trial.scale
    symbolic = sympy.limit(saving_paper(A100, BASE, BALANCED_SYMBOLS), eta, sympy.oo)
    computed = Fraction(int(symbolic.p), int(symbolic.q))
    values = [
        saving_paper(power, Usage(Fraction(1), Fraction(10**k)), Usage(Fraction(1), Fraction(1)))
        for k in range(1, 13)
    ]
    rising = all(a < b for a, b in pairwise(values))
    near = claimed - Fraction(1, 10**9) < values[-1] < claimed
    if computed != claimed or not rising or not near:
        return Finding(
            Verdict.REFUTED,
            computed,
            claimed,
            "==",
            "sympy's limit, and fractions along eta = alpha = 10^k",
            witness={"last value": str(values[-1]), "limit": str(computed)},
        )
    failed = proof_fails("energy.limit-paper")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.limit-paper"),
        computed,
        claimed,
        "==",
        failed
        or "10/19 = 52.63 %, approached from below and never attained; 1e-9 away only at eta = "
        "alpha = 10^12, and eta <= G-1",
        details={"at eta = alpha = 10": float(values[0]), "at 1000": float(values[2])},
    )


@check(
    "energy.limit-sharp",
    plants=(
        Variant("limit x0.9", Fraction(9, 10)),
        Variant("limit P_idle/D, as for the paper's form", fault="paper-limit"),
        Variant("crossing at P_max/D", fault="crossing"),
    ),
)
def limit_of_sharp(trial: Trial) -> Finding:
    """The sharp floor along growing eta, and where it passes the paper's limit."""
    _, power = DEVICES[0]
    limit = limit_paper(power) if trial.fault("paper-limit") else Fraction(1)
    claimed = limit * trial.scale
    gap = power.waste_w - (0 if trial.fault("crossing") else power.idle_w)
    crossing = power.max_w / gap

    def sharp(eta: Fraction) -> Fraction:
        return saving_sharp(power, Usage(Fraction(1), eta), BALANCED)

    values = [sharp(Fraction(10**k)) for k in range(13)]
    witness = {"eta": str(10**12), "sharp floor": str(values[-1]), "crossing": str(crossing)}
    if values[-1] > claimed or claimed - values[-1] > Fraction(1, 10**9):
        return Finding(
            Verdict.REFUTED, values[-1], claimed, "==", "eta = 10^12, exact", witness=witness
        )
    if sharp(crossing) != limit_paper(power):
        return Finding(
            Verdict.REFUTED,
            sharp(crossing),
            limit_paper(power),
            "==",
            "the sharp floor at the claimed crossing, exact",
            witness=witness,
        )
    failed = proof_fails("energy.limit-sharp")
    share = crossing / (1 + crossing)
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.limit-sharp"),
        values[-1],
        claimed,
        "==",
        failed
        or f"proof steps confirmed; passes 10/19 at eta = {crossing} ({float(share):.1%} idle)",
        details={
            "limit of the paper's form": str(limit_paper(power)),
            "passed at idle share": str(share),
        },
    )


@check(
    "energy.limit-is-a-cap",
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
    crossing = power.max_w / (power.waste_w - power.idle_w)
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
