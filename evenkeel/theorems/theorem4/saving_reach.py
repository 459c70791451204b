"""Checks of the claims about inversions and regions.

Everything here is decided in fractions, or in balls where a power is irrational.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb, ctx

from adversary.instances.load_histories import LoadHistory, equal_others, zero_one
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Comparison, broken
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.theorem4.load_histories import (
    BALANCED,
    DEVICES,
    PRECISION,
    ball_constants,
    ball_usage,
    energy_of,
    proof_fails,
)
from theory.formulas.energy import (
    Usage,
    saving_cap,
    saving_cap_tangent,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_inversions import (
    eta_for_cap,
    eta_for_paper,
    eta_for_sharp,
    eta_for_tangent_cap,
    eta_of,
    limit_paper,
    share_of,
)
from theory.laws.fcfs_expectation import expected_imbalance, to_ball
from theory.laws.law import Law
from theory.power import hardware

# Baseline idle shares that a saving needs with the paper's constants, as the claim states them.
STATED: tuple[tuple[str, Fraction, Fraction], ...] = tuple(
    (bound, Fraction(saving), Fraction(share))
    for bound, saving, share in (
        ("tangent cap", "0.28", "0.4502"),
        ("tangent cap", "0.282", "0.4526"),
        ("tangent cap", "0.52", "0.6952"),
        ("cap", "0.28", "0.4769"),
        ("cap", "0.282", "0.4796"),
        ("cap", "0.52", "0.7397"),
        ("paper", "0.28", "0.7053"),
        ("paper", "0.5", "0.9756"),
        ("paper", "0.52", "0.9943"),
        ("sharp", "0.28", "0.6087"),
    )
)
HALF_UNIT = Fraction(1, 20000)  # of the last stated digit

_INVERSE: dict[str, Callable[..., Fraction | None]] = {
    "tangent cap": eta_for_tangent_cap,
    "paper": eta_for_paper,
    "sharp": eta_for_sharp,
}
_FORWARD: dict[str, Callable[..., Any]] = {
    "tangent cap": saving_cap_tangent,
    "cap": saving_cap,
    "paper": saving_paper,
    "sharp": saving_sharp,
}


def _at_share(bound: str, share: Fraction) -> Any:
    """A bound at that baseline idle share and perfect balance, paper's constants, a ball."""
    power = ball_constants(DEVICES[0][1])
    return _FORWARD[bound](
        power, ball_usage(Usage(1 - share, share)), ball_usage(Usage(1 - share, Fraction(0)))
    )


@check(
    "energy.reach",
    measures="largest paper-shaped floor at G = 175 (share)",
    plants=(
        Variant("shares of the tangent's cap x1.001", Fraction(1001, 1000), side="tangent cap"),
        Variant("shares of the envelope's cap x1.001", Fraction(1001, 1000), side="cap"),
        Variant("shares of the paper's floor x0.999", Fraction(999, 1000), side="paper"),
        Variant("shares of the sharp floor x1.001", Fraction(1001, 1000), side="sharp"),
        Variant("310/629 at G = 32 x0.999", Fraction(999, 1000), side="at 32"),
        Variant("G = 174 reaches 52 %", fault="one-worker-fewer"),
    ),
)
def reach(trial: Trial) -> Finding:
    """Every stated share from both sides, and every inversion between them."""
    power = DEVICES[0][1]
    with ctx.workprec(PRECISION):
        for bound, saving, stated in STATED:
            share = stated * trial.scale_of(bound)
            low, high = share - HALF_UNIT, share + HALF_UNIT
            if bound == "cap":
                bracket = eta_for_cap(hardware("a100-paper"), float(saving), 0.0)
                inverse = None if bracket is None else share_of(Fraction(bracket.middle))
            else:
                eta = _INVERSE[bound](power, saving, Fraction(0))
                inverse = None if eta is None else share_of(eta)
            target = to_ball(saving)
            inside = high < 1 and _at_share(bound, low) < target < _at_share(bound, high)
            if not inside or inverse is None or not low <= inverse <= high:
                return Finding(
                    Verdict.REFUTED,
                    inverse,
                    share,
                    "==",
                    f"idle share at which the {bound} reaches {float(saving):.1%}",
                    witness={"bound": bound, "saving": str(saving), "stated": str(share)},
                )
    # eta <= G - 1, so the form at G workers is at most its value at eta = G - 1.
    least = 175 - trial.fault("one-worker-fewer")
    best = {G: _paper_at(Fraction(G - 1)) for G in (32, 41, least - 1, least)}
    target = Fraction(13, 25)
    at_32 = Fraction(310, 629) * trial.scale_of("at 32")
    reached = best[least - 1] <= target < best[least]
    if not reached or best[32] != at_32:
        G = 32 if reached else least
        return Finding(
            Verdict.REFUTED,
            best[G],
            at_32 if reached else target,
            "==" if reached else ">=",
            f"paper-shaped floor at G = {G}, eta = {G - 1}",
            witness={"G": G, "value": str(best[G])},
        )
    failed = proof_fails("energy.reach")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.reach"),
        best[least],
        target,
        ">=",
        failed
        or f"{len(STATED)} shares bracketed in balls to half a unit of the fourth digit; G >= 175 "
        "exact (G = 174 gives 51.9988 %); at G = 32 the form is at most 49.28 %",
        details={f"largest paper-shaped floor at G = {G}": float(v) for G, v in best.items()},
    )


def _paper_at(eta: Fraction) -> Fraction:
    return saving_paper(DEVICES[0][1], Usage(Fraction(1), eta), BALANCED)


@check(
    "energy.exceed-52",
    measures="paper-shaped floor at eta = 174 (share)",
    plants=(
        Variant("57.2 % in place of 52 %", Fraction(11, 10)),
        Variant("52.1 % in place of 52 %", Fraction(521, 520)),
        Variant("eta = 520/3 x1.001", Fraction(1001, 1000), side="eta"),
        Variant("from eta = 173 on", fault="too-early"),
    ),
)
def exceed_52(trial: Trial) -> Finding:
    """Where the paper-shaped floor exceeds 52 %, and what it says where systems are."""
    power = DEVICES[0][1]
    target = Fraction(13, 25) * trial.scale
    eta = eta_for_paper(power, target, Fraction(0))
    claimed = Fraction(520, 3) * trial.scale_of("eta")
    if trial.fault("too-early"):
        eta = claimed = Fraction(173)
    if eta is None:  # out of reach: the form at the claimed eta shows it
        eta = claimed
    at, beyond = _paper_at(eta), _paper_at(Fraction(174))
    if found := broken(
        (
            Comparison(eta == claimed, eta, "==", claimed, "eta"),
            Comparison(at == target, at, "==", target, "the form at it"),
            Comparison(beyond > target, beyond, ">=", target, "the form at 174"),
        ),
        "the paper-shaped floor, exact",
        {"eta": str(eta), "limit": str(limit_paper(power))},
    ):
        return found
    # In a full refill loads lie in [Ba, Bb], so eta <= (G-1)(b-a)/(b + (G-1)a); with r = b/a this
    # exceeds eta where (G-1)(r-1) > eta (r + G-1).
    G = 256
    ratio = (eta * (G - 1) + (G - 1)) / (G - 1 - eta)
    floors = {
        f"{share:.0%} idle": float(_paper_at(eta_of(Fraction(round(share * 100), 100))))
        for share in (0.2, 0.4, 0.488, 0.6, 0.8, 0.9)
    }
    failed = proof_fails("energy.exceed-52")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.exceed-52"),
        _paper_at(Fraction(174)),
        target,
        ">=",
        failed
        or f"holds only for eta > {eta} ({float(share_of(eta)):.2%} idle), so G >= 175; in a full "
        f"refill with sizes in [a, b] and G = {G} only for b/a > {float(ratio):.0f}; at 40 % idle "
        f"the form says {floors['40% idle']:.1%}",
        details={"eta": str(eta), "paper-shaped floor": floors, "b/a at G = 256": float(ratio)},
    )


@check(
    "energy.saving-28",
    measures="energy that perfect balance saves at 14/23 idle (share)",
    plants=(
        Variant("impossible up to 47.74 % idle", Fraction(1001, 1000), side="impossible"),
        Variant("possible from 47.65 % idle on", Fraction(999, 1000), side="possible"),
        Variant("guaranteed from 60.80 % idle on", Fraction(999, 1000), side="guaranteed"),
        Variant("open up to 60.93 % idle", Fraction(1001, 1000), side="open"),
        Variant("paper-shaped from 70.60 % idle on", Fraction(1001, 1000), side="paper"),
    ),
    workers=2000,
)
def saving_28(trial: Trial) -> Finding:
    """Both thresholds attacked from their own side, and both outcomes between them."""
    G, load = int(trial["workers"]), 10**6
    third = Fraction(14, 23)
    impossible = Fraction("0.4769") * trial.scale_of("impossible")
    possible = Fraction("0.4770") * trial.scale_of("possible")
    guaranteed = third * trial.scale_of("guaranteed")
    # Just inside of the middle region: 14/23 but for one worker in G.
    still_open = (third - Fraction(1, G)) * trial.scale_of("open")
    paper = Fraction(280, 397) * trial.scale_of("paper")
    target = Fraction(28, 100)

    def equal(share: Fraction) -> LoadHistory:
        """Equal utilisations, idle share at most ``share``: the baseline that draws most."""
        gap = int(share * load * G / (G - 1))
        return equal_others(G, load, load - gap)

    def extreme(share: Fraction) -> LoadHistory:
        """Utilisations 0 and 1, idle share at least ``share``: the baseline that draws least."""
        return zero_one(G, int((1 - share) * G), load)

    def saving(history: LoadHistory) -> Any:
        power = ball_constants(DEVICES[0][1])
        base = energy_of(history.loads, power, Fraction(0))
        return 1 - power.max_w * history.work / base

    with ctx.workprec(PRECISION):
        ball = to_ball(target)
        outcomes = (
            ("<=", equal(impossible), "at the share up to which it is impossible"),
            (">=", equal(possible), "at the share from which on it is possible"),
            (">=", extreme(guaranteed), "at the share that guarantees it"),
            ("<=", extreme(still_open), "just below that share"),
        )
        values = [saving(history) for _relation, history, _where in outcomes]
        for value, (relation, history, where) in zip(values, outcomes, strict=True):
            if value > ball if relation == "<=" else value < ball:
                idle = Fraction(history.imbalance, history.imbalance + history.work)
                return Finding(
                    Verdict.REFUTED,
                    float(value),
                    0.28,
                    relation,  # type: ignore[arg-type]
                    f"saving of perfect balance {where}, ball arithmetic",
                    witness={
                        "pattern": history.name,
                        "workers": G,
                        "idle share": float(idle),
                        "loads": sorted(set(history.loads[0])),
                    },
                )
    if _paper_at(eta_of(paper)) != target:
        return Finding(
            Verdict.REFUTED,
            _paper_at(eta_of(paper)),
            target,
            "==",
            "the paper-shaped floor at the claimed share, exact",
            witness={"idle share": str(paper)},
        )
    failed = proof_fails("energy.saving-28")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.saving-28"),
        float(values[2]),
        0.28,
        ">=",
        failed
        or "100/400 W, gamma 0.7, C = 0: no run saves it up to 47.69 % idle, all perfectly "
        "balanced ones do from 60.87 % (sharp floor) on, and the paper-shaped floor says so from "
        f"70.53 %; both outcomes shown, at 47.70 % and just below 60.87 %, G = {G:,}",
        details={
            "idle share needed": str(impossible),
            "idle share that guarantees it": str(guaranteed),
            "saving just below the first": float(values[0]),
            "saving at the second": float(values[2]),
        },
    )


@check(
    "energy.vanishing",
    measures="D/P_max times the exact eta of FCFS at G = B = 64 (share)",
    plants=(
        Variant("bound x0.8", Fraction(4, 5), side="bound"),
        Variant("falling to four fifths in each step", Fraction(4, 5), side="falling"),
        Variant("bound falls like 1/B", exponent=Fraction(-1, 2)),
    ),
    largest=64,
    standard={"largest": 256},
)
def vanishing(trial: Trial) -> Finding:
    """Exact expected imbalance of FCFS along B = G = 4, 16, 64, ...: the cap falls, IIR grows."""
    power, a, b = DEVICES[0][1], 1, 100
    law = Law.of({a: Fraction(1, 2), b: Fraction(1, 2)})
    rows: dict[str, dict[str, float]] = {}
    caps: list[Fraction] = []
    size, computed, claimed = 4, Fraction(0), Fraction(0)
    while size <= int(trial["largest"]):
        expected = expected_imbalance(law, size, size)
        eta = expected.relative_imbalance
        with ctx.workprec(PRECISION):
            width = arb(b - a) / to_ball(law.mean.lower)
            bound = width * (arb(size).log() / (2 * size)).sqrt() * to_ball(trial.scale_of("bound"))
            bound *= arb(size) ** to_ball(trial.exponent)
            violated = to_ball(eta.lower) > bound
        computed = power.waste_w * eta.upper / power.max_w
        claimed = Fraction(float(bound)) * power.waste_w / power.max_w
        if violated:
            return Finding(
                Verdict.REFUTED,
                float(computed),
                float(claimed),
                "<=",
                f"D/P_max times the exact eta of FCFS at G = B = {size}",
                witness={"G": size, "B": size, "sizes": {str(a): "1/2", str(b): "1/2"}},
            )
        # A certified lower bound of the improvement ratio: exact FCFS over (G-1)(b-a).
        ratio = expected.imbalance.lower / ((size - 1) * (b - a))
        rows[f"G = B = {size}"] = {
            "eta": float(eta.upper),
            "saving at most": float(
                saving_cap_tangent(power, Usage(Fraction(1), eta.upper), BALANCED)
            ),
            "improvement ratio at least": float(ratio),
        }
        caps.append(eta.upper)
        size *= 4
    most = Fraction(9, 10) * trial.scale_of("falling")
    for number, (before, after) in enumerate(pairwise(caps), 1):
        if after > most * before:
            return Finding(
                Verdict.REFUTED,
                float(after / before),
                float(most),
                "<=",
                f"eta of FCFS at G = B = {4 ** (number + 1)} as a share of that at {4**number}",
                witness={"sizes": {str(a): "1/2", str(b): "1/2"}, "etas": rows},
            )
    failed = proof_fails("energy.vanishing")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.vanishing"),
        float(computed),
        float(claimed),
        "<=",
        failed
        or f"sizes 1 or 100, G = B = 4 to {size // 4}, exact: the largest possible saving falls by "
        "at least a tenth from each to the next while the certified improvement ratio rises",
        details=rows,
    )
