"""Checks of the bounds of the saving, held against pairs."""

from fractions import Fraction
from typing import Any

from flint import arb, ctx

from adversary.instances.load_histories import equal_others, zero_one
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.theorems.theorem4.load_histories import (
    BALANCED,
    DEVICES,
    PRECISION,
    ball_constants,
    ball_usage,
)
from evenkeel.theorems.theorem4.pairs import Pair, Side, entry_of, hold
from theory.formulas.energy import (
    Constants,
    Usage,
    saving_cap,
    saving_cap_tangent,
    saving_floor,
    saving_paper,
    saving_sharp,
)
from theory.laws.fcfs_expectation import to_ball

SAVED = "energy saved (share)"
FLOOR = Variant("floor x1.001", Fraction(1001, 1000), side="floor")
WASTE = Variant("gamma in place of 1 - gamma in D", fault="gamma-for-waste")
AVERAGES = Variant("alpha from averages over unequal numbers of steps", fault="averages")

# Systems that approach the sides, and how near: with half of the devices' power at u = 1/2 the
# floor is missed by (338.7 - 310.8)/500 = 0.0558 over G + 1, the cap by less.
LARGE = (64, 512, 4096)
APPROACHED = Fraction(56, 1000)

# How many random load histories stand beside the adversarial ones.
HISTORIES: dict[str, Any] = {"random": 40, "standard": {"random": 200}, "paper": {"random": 600}}


def _improved(trial: Trial, pair: Pair) -> Usage[Any]:
    """The improved run as the bound sees it; with planted averages, its imbalance a step."""
    if trial.fault("averages"):
        # alpha = AvgImb0/AvgImb1 = (I0/K0)/(I1/K1) in place of I0/I1.
        ratio = Fraction(len(pair.base.history.loads), len(pair.new.history.loads))
        return Usage(pair.new.balls.busy, pair.new.balls.idle * to_ball(ratio))
    return pair.new.balls


def _power(trial: Trial, power: Constants[Any]) -> Constants[Any]:
    """The constants as the bound sees them; planted, ``D`` has gamma for 1 - gamma."""
    if trial.fault("gamma-for-waste"):
        return Constants(power.idle_w, power.max_w, 1 - power.gamma)
    return power


def _floor_says_something(pair: Pair) -> bool:
    """``alpha >= D/P_idle``, decided in fractions."""
    power = pair.exact
    return power.idle_w * pair.base.run.idle >= power.waste_w * pair.new.run.idle


@check(
    "energy.saving-paper",
    measures=SAVED,
    plants=(FLOOR, WASTE, AVERAGES, Variant("eta x2", fault="double-eta")),
    **HISTORIES,
)
def paper_floor(trial: Trial) -> Finding:
    """The paper-shaped floor where it is not negative."""

    def bound(pair: Pair) -> Any:
        power, base, new = _power(trial, pair.power), pair.base.balls, _improved(trial, pair)
        if trial.fault("double-eta"):
            base, new = Usage(base.busy, 2 * base.idle), Usage(new.busy, 2 * new.idle)
        return saving_paper(power, base, new)

    return hold(trial, "energy.saving-paper", (("floor", ">=", bound),), _floor_says_something)


@check(
    "energy.paper-everywhere",
    measures=SAVED,
    plants=(
        Variant("floor x1.1", Fraction(11, 10), side="floor"),
        Variant("floor x0.9", Fraction(9, 10), side="floor"),
    ),
    **HISTORIES,
)
def paper_everywhere(trial: Trial) -> Finding:
    """The same form at every alpha: fails below D/P_idle for small gamma."""
    return hold(
        trial,
        "energy.paper-everywhere",
        (("floor", ">=", lambda pair: saving_paper(pair.power, pair.base.balls, pair.new.balls)),),
        found="a pair with alpha < D/P_idle, where the form is negative and no floor: it holds "
        "only for alpha >= D/P_idle [energy.saving-paper]",
    )


@check(
    "energy.saving-sharp",
    measures=SAVED,
    plants=(FLOOR, WASTE, AVERAGES),
    **HISTORIES,
)
def sharp_floor(trial: Trial) -> Finding:
    """The sharp floor at every alpha."""
    return hold(
        trial,
        "energy.saving-sharp",
        (
            (
                "floor",
                ">=",
                lambda pair: saving_sharp(
                    _power(trial, pair.power), pair.base.balls, _improved(trial, pair)
                ),
            ),
        ),
    )


@check(
    "energy.saving-envelope",
    measures=SAVED,
    plants=(
        FLOOR,
        Variant("cap x1.001 where it is negative", Fraction(1001, 1000), side="cap"),
        Variant("limit pairs a twentieth nearer", Fraction(19, 20), side="approached"),
        AVERAGES,
        Variant("exponent gamma + 0.1 in the cap", fault="exponent"),
    ),
    **HISTORIES,
)
def best_bounds(trial: Trial) -> Finding:
    """The best floor and cap, then how near large systems come to each."""
    shift = to_ball(Fraction(trial.fault("exponent"), 10))

    def cap(pair: Pair) -> Any:
        power = Constants(pair.power.idle_w, pair.power.max_w, pair.power.gamma + shift)
        return saving_cap(power, pair.base.balls, _improved(trial, pair))

    def floor(pair: Pair) -> Any:
        return saving_floor(pair.power, pair.base.balls, _improved(trial, pair))

    near = APPROACHED * trial.scale_of("approached")
    distances = _distances()
    farthest = max(G * d for far in distances.values() for G, d in zip(LARGE, far, strict=True))
    if farthest > near:
        return Finding(
            Verdict.REFUTED,
            farthest,
            near,
            "<=",
            "G times the distance of a limit pair from its side",
            witness={"distances": distances},
        )
    finding = hold(trial, "energy.saving-envelope", (("floor", ">=", floor), ("cap", "<=", cap)))
    if not finding.verdict.held:
        return finding
    return Finding(
        finding.verdict,
        finding.computed,
        finding.claimed,
        finding.relation,
        finding.domain + f"; limit pairs within {float(APPROACHED):g}/G of both sides",
        details={**finding.details, "distances at G = 64, 512, 4096": distances},
    )


def _distances() -> dict[str, list[float]]:
    """Distances from floor and cap, paper's constants, of pairs that approach them as G grows."""
    device, exact = DEVICES[0]
    power, far = ball_constants(exact), {"cap": [], "floor": []}  # type: ignore[var-annotated]
    with ctx.workprec(PRECISION):
        for G in LARGE:
            extreme = entry_of(zero_one(G, G // 2, 10), power)
            equal = entry_of(equal_others(G, 10, 5), power)
            high, low = (
                Pair(device, exact, power, equal, extreme),
                Pair(device, exact, power, extreme, equal),
            )
            far["cap"].append(float(saving_cap(power, equal.balls, extreme.balls) - high.saving))
            far["floor"].append(float(low.saving - saving_floor(power, extreme.balls, equal.balls)))
    return far


def _cap_sides(trial: Trial) -> tuple[Side, ...]:
    """The three caps of [energy.cap]."""

    def tangent(pair: Pair) -> Any:
        return saving_cap_tangent(_power(trial, pair.power), pair.base.balls, pair.new.balls)

    def envelope(pair: Pair) -> Any:
        base = pair.base.balls
        if trial.fault("share-for-eta"):
            base = Usage(base.busy, base.idle / (base.busy + base.idle))
        return saving_cap(pair.power, base, pair.new.balls)

    def share(pair: Pair) -> Any:
        base = pair.base.balls
        return base.idle / (base.busy + base.idle)

    return (("tangent", "<=", tangent), ("envelope", "<=", envelope), ("idle share", "<=", share))


@check(
    "energy.cap",
    measures=SAVED,
    plants=(
        Variant("tangent's cap x0.99", Fraction(99, 100), side="tangent"),
        Variant("envelope's cap x0.99", Fraction(99, 100), side="envelope"),
        Variant("idle share x0.9", Fraction(9, 10), side="idle share"),
        Variant("19/79 at 40 % idle x1.001", Fraction(1001, 1000), side="tangent at 40 %"),
        Variant("22.53 % at 40 % idle x1.001", Fraction(1001, 1000), side="envelope at 40 %"),
        WASTE,
        Variant("idle share in place of eta", fault="share-for-eta"),
    ),
    **HISTORIES,
)
def caps(trial: Trial) -> Finding:
    """The stated numbers at 40 % idle, then every pair against the three caps."""
    _, power = DEVICES[0]
    base = Usage(Fraction(1), Fraction(2, 3))
    seen = Constants(power.idle_w, power.max_w, 1 - power.gamma)
    tangent = saving_cap_tangent(seen if trial.fault("gamma-for-waste") else power, base, BALANCED)
    # D eta/(P_max + D eta) = (190 * 2/3)/(400 + 190 * 2/3) = 380/1580 = 19/79.
    with ctx.workprec(PRECISION):
        # 1 - 400/(100 * 5/3 + 300 (5/3)^0.3), to four digits.
        envelope = 1 - arb(400) / (arb(500) / 3 + 300 * (arb(5) / 3) ** (arb(3) / 10))
        formula: Any = saving_cap(ball_constants(power), ball_usage(base), ball_usage(BALANCED))
        # Half a unit of the last stated digit.
        stated = Fraction("0.2253") * trial.scale_of("envelope at 40 %")
        digits = bool(formula.overlaps(envelope)) and bool(
            abs(envelope - to_ball(stated)) < to_ball(Fraction(1, 20000))
        )
    claimed = Fraction(19, 79) * trial.scale_of("tangent at 40 %")
    for name, computed, side, right in (
        ("tangent", tangent, claimed, tangent == claimed),
        ("envelope", float(envelope), stated, digits),
    ):
        if not right:
            return Finding(
                Verdict.REFUTED,
                computed,
                side,
                "==",
                f"cap by the {name} at 40 % idle, 100/400 W, gamma 0.7",
                witness={"tangent": str(tangent), "envelope": float(envelope)},
            )
    finding = hold(trial, "energy.cap", _cap_sides(trial))
    return Finding(
        finding.verdict,
        finding.computed,
        finding.claimed,
        finding.relation,
        finding.domain + "; at 40 % idle and 100/400 W: 24.05 % (tangent), 22.53 % (envelope), "
        "floor 14.29 % (sharp) and 12.66 % (paper)"
        if finding.verdict.held
        else finding.domain,
        witness=finding.witness,
        details={
            **finding.details,
            "at 40 % idle": {
                "tangent cap": float(tangent),
                "envelope cap": float(envelope),
                "sharp floor": float(saving_sharp(power, base, BALANCED)),
                "paper floor": float(saving_paper(power, base, BALANCED)),
            },
        },
    )
