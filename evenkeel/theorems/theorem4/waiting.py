"""A waiting worker's power, apart from that of one without work."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from flint import ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Comparison, broken, near, refuted, stands
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.envelope import ATTAINED, LOWER, UPPER, WATTS, between
from evenkeel.theorems.theorem4.load_histories import (
    OVERHEADS,
    SINGLE,
    energy_of,
    histories,
    shown,
    usage_of,
)
from evenkeel.theorems.theorem4.pairs import AT_C0
from evenkeel.theorems.theorem4.power_constants import (
    AT_40,
    BALANCED,
    PAPER,
    PRECISION,
    ball_constants,
    ball_usage,
    half_unit,
    per_work,
    written,
)
from theory.formal.record import Theorem
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_floor,
    energy_tangent,
    exact,
    saving_cap,
    saving_cap_tangent,
    saving_sharp,
)
from theory.formulas.energy_inversions import eta_of
from theory.laws.fcfs_expectation import to_ball
from theory.power import hardware
from theory.proof import Conclusion, Identity, Lemma, Setting, Step
from theory.symbolic import es, sp

# Devices whose workers wait at another power than they idle at: half way, measured, at full
# power, from nothing, on a straight line; and the paper's, which has one power for both.
APART: tuple[tuple[str, Constants[Fraction]], ...] = (
    ("a100-paper", PAPER),
    ("a100-paper waiting at 250 W", replace(PAPER, wait_w=Fraction(250))),
    ("v100-sxm2", exact(hardware("v100-sxm2"))),
    ("a100-paper waiting at full power", replace(PAPER, wait_w=Fraction(400))),
    (
        "no idle power",
        Constants(Fraction(0), Fraction(300), Fraction(1, 2), wait_w=Fraction(120)),
    ),
    ("linear", Constants(Fraction(60), Fraction(300), Fraction(1), wait_w=Fraction(150))),
)


def _one_power(power: Constants[Any]) -> Constants[Any]:
    """The device with ``P_w`` for its idle power, too."""
    return replace(power, idle_w=power.barrier_w)


@claim(
    "energy.wait-power",
    "equality",
    assumptions=(Assumption.WAIT_POWER,),
    requires=("energy.sandwich", "energy.envelope"),
    coq=Theorem("energy_wait_power", "Waiting.v"),
)
class WaitPower:
    """A waiting worker's power apart from the idle power.

    E = E_w - (P_w - P_idle) Z for the steps of every run, E_w the energy with P_w for P_idle, Z the
    worker-time without work. So with D_w = P_w + (1 - gamma)(P_max - P_w) and W, I as in
    [energy.sandwich] P_max W + P_w I - (P_w - P_idle) Z <= E <= P_max W + D_w I - (P_w - P_idle) Z,
    and E <= T (P_w + (P_max - P_w)(1-f)^gamma) - (P_w - P_idle) Z for T > 0. Where every worker has
    work in every step Z = 0: what Theorem 4 says of P_idle is said of P_w, and P_idle plays no
    part.
    """

    def formula(self) -> "sp.Basic":
        return sp.And(
            sp.Le(energy_floor(es.APART, es.RUN_APART), es.E),
            sp.Le(es.E, energy_envelope(es.APART, es.RUN_APART)),
            sp.Le(es.E, energy_tangent(es.APART, es.RUN_APART)),
        )

    def proof(self) -> tuple[Step, ...]:
        power = es.APART.barrier_w + es.d * es.v ** (1 - es.e)
        low = energy_floor(_one_power(es.APART), es.RUN)
        mean = es.W / (es.W + es.I)
        # A second number between 0 and 1, and what is left of 1.
        y = sp.Symbol("y", real=True)
        bent, left = sp.sin(y) ** 2, sp.cos(y) ** 2
        spread = es.e * es.d * es.I
        return (
            Setting(
                "Let E_w be the energy of the same steps on the device with P_w for its idle "
                "power, and q = P_w - P_idle, not negative."
            ),
            Identity(
                "A worker with work draws the same on both devices",
                es.m * (es.p + es.extra) + es.m * es.d * es.v ** (1 - es.e),
                es.m * power,
            ),
            Lemma(
                "one without work",
                "It has u = 0 and draws P_idle, in E_w P_w: summed over worker-steps E_w - E = "
                "(P_w - P_idle) Z.",
            ),
            Lemma(
                "two sides",
                "E_w lies between the lines of [energy.sandwich] at P_idle = P_w, a share sin(x)^2 "
                "of the way, and below the envelope; that one lies below the upper line.",
            ),
            Conclusion(
                "With (1 - f)^gamma = 1 - f + (1 - gamma) f sin(y)^2, energies lie a share "
                "sin(x)^2 of the way from the floor to the envelope",
                self.formula(),
                {
                    mean ** (1 - es.e): mean + es.e * (1 - mean) * bent,
                    es.E: low + spread * bent * es.share - es.extra * es.Z,
                },
                (
                    spread * bent * es.share,
                    spread * (left + bent * es.rest),
                    spread * bent * es.rest,
                ),
            ),
        )

    @evidence(
        measures=WATTS,
        plants=(
            Variant("what idling saves x1.001", Fraction(1001, 1000), side="unspent"),
            LOWER,
            UPPER,
            ATTAINED,
            Variant("workers without work counted as waiting", fault="no-empty"),
            Variant("P_idle for a waiting worker", fault="one-power"),
            Variant("workers without work through half of the step", fault="half-empty"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Energies of adversarial load histories and of real runs on devices that wait at another
        power than they idle at, by the definition of power, in ball arithmetic; one that is not the
        energy with one power less the difference refutes it, and so does one certainly outside the
        two sides.
        """

        def seen(run: Usage[Any]) -> Usage[Any]:
            """The usage as the claim sees it."""
            if trial.fault("no-empty"):
                return replace(run, empty=0 * run.empty)
            return replace(run, empty=run.empty / 2) if trial.fault("half-empty") else run

        def known(power: Constants[Any]) -> Constants[Any]:
            return replace(power, wait_w=None) if trial.fault("one-power") else power

        scale = to_ball(trial.scale_of("unspent"))
        with ctx.workprec(PRECISION):
            for history, (device, power), c in product(histories(trial), APART, OVERHEADS):
                balls = ball_constants(power)
                empty = seen(ball_usage(usage_of(history.loads, c))).empty
                unspent = (balls.barrier_w - balls.idle_w) * empty * scale
                energy = energy_of(history.loads, balls, c)
                claimed = energy_of(history.loads, _one_power(known(balls)), c) - unspent
                if not energy.overlaps(claimed):
                    return refuted(
                        float(energy),
                        "==",
                        float(claimed),
                        "energy in watts times units of load, balls",
                        {
                            **written(device, power),
                            "overhead": str(c),
                            "loads": shown(history.loads),
                        },
                    )

        return between(
            trial,
            lambda power, run: energy_floor(known(power), seen(run)),
            lambda power, run, _workers: energy_envelope(known(power), seen(run)),
            APART,
        )


# At 40 % idle, 400 W and gamma 0.7: P_w, floor and cap as the claim states them.
AT_WAITS = (
    (100, "0.1429", "0.2253"),
    (200, "0.2500", "0.2939"),
    (300, "0.3333", "0.3512"),
    (400, "0.4000", "0.4000"),
)


RISING: dict[str, Callable[..., Any]] = {
    "sharp floor": saving_sharp,
    "cap": saving_cap,
    "tangent's cap": saving_cap_tangent,
}


def _stated(trial: Trial) -> Iterator[Comparison]:
    """The stated floors and caps, to half a unit of the last digit, the caps as balls."""
    for wait, floor, cap in AT_WAITS:
        power = replace(PAPER, wait_w=Fraction(wait))
        for side, text, found in (
            ("floor", floor, to_ball(saving_sharp(power, AT_40, BALANCED))),
            (
                "cap",
                cap,
                saving_cap(ball_constants(power), ball_usage(AT_40), ball_usage(BALANCED)),
            ),
        ):
            claimed = Fraction(text) * trial.scale_of(side)
            close = bool(abs(found - to_ball(claimed)) <= to_ball(half_unit(text)))
            yield Comparison(close, float(found), "==", claimed, f"{side} at P_w = {wait} W")


@claim(
    "energy.wait-raises",
    "order",
    assumptions=(
        Assumption.WAIT_POWER,
        *(entry for entry in AT_C0 if entry is not Assumption.POWER_LAW),
        Assumption.WORK_ON_EVERY_WORKER,
    ),
    requires=("energy.wait-power", "energy.cap"),
    coq=Theorem(
        "energy_wait_raises", "Waiting.v", "the numbers at 40 % idle, and that they bound savings"
    ),
)
class WaitRaises:
    """What a waiting worker draws decides what balance saves.

    At perfect balance the sharp floor and both caps of [energy.cap], with P_w for P_idle, do not
    fall as P_w rises, P_max and gamma fixed; at P_w = P_max all are f, which perfect balance then
    saves exactly. At 40 % idle, 400 W and gamma 0.7: 14.29 % to 22.53 % at P_w = 100 W, 25 % to
    29.39 % at 200 W, 33.33 % to 35.12 % at 300 W, exactly 40 % at 400 W.
    """

    def formula(self) -> "sp.Basic":
        wait, top = sp.Symbol("P_w", nonnegative=True), sp.Symbol("P_max", positive=True)
        power = Constants(wait, top, 1 - es.e)
        bounds = [
            bound(power, es.BASE, es.BALANCED)
            for bound in (saving_sharp, saving_cap, saving_cap_tangent)
        ]
        return sp.And(
            *(sp.Ge(sp.Derivative(bound, wait), 0) for bound in bounds),
            *(
                sp.Eq(sp.Subs(bound, wait, top), es.BASE.idle_share, evaluate=False)
                for bound in bounds
            ),
        )

    def proof(self) -> tuple[Step, ...]:
        wait, top = sp.Symbol("P_w", nonnegative=True), sp.Symbol("P_max", positive=True)
        x = 1 + es.eta
        spent = sp.Symbol("drawn", positive=True)
        return (
            Identity(
                "Each bound is 1 - P_max / drawn, drawn the energy of the baseline at one side; "
                "1 - P_max / drawn rises with it",
                sp.Derivative(1 - top / spent, spent),
                top / spent**2,
            ),
            Identity(
                "The lower side P_max + P_w eta rises by eta a watt",
                sp.Derivative(energy_floor(Constants(wait, top, 1 - es.e), es.BASE), wait),
                es.eta,
            ),
            Identity(
                "the upper line by gamma eta",
                sp.Derivative(energy_tangent(Constants(wait, top, 1 - es.e), es.BASE), wait),
                (1 - es.e) * es.eta,
            ),
            Identity(
                "and the envelope by 1 + eta - (1 + eta)^(1-gamma)",
                sp.Derivative(energy_envelope(Constants(wait, top, 1 - es.e), es.BASE), wait),
                x - x**es.e,
            ),
            Lemma("not negative", "(1 + eta)^(1-gamma) <= 1 + eta, as gamma >= 0 and eta >= 0."),
            Identity(
                "At P_w = P_max both sides are P_max (1 + eta), and the saving is f",
                1 - top / (top * x),
                es.BASE.idle_share,
            ),
        )

    @evidence(
        measures="floor of the saving at 40 % idle, waiting at 400 of 400 W (share)",
        plants=(
            near("floor"),
            near("cap"),
            Variant("rising by a thousandth in each step", Fraction(1001, 1000), side="rises"),
            Variant("idle share at full power x1.001", Fraction(1001, 1000), side="idle share"),
            Variant("the caps fall as P_w rises", fault="falls"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The stated numbers; the three bounds along a growing P_w for devices and idle shares, the
        floor and the tangent's cap in fractions, the envelope's in balls. A digit that differs, a
        bound that falls, or one that is not f at P_w = P_max refutes it.
        """
        with ctx.workprec(PRECISION):
            if found := broken(
                _stated(trial), "40 % idle, 400 W, gamma 0.7", {"idle share": "2/5"}
            ):
                return found
            nearly_flat = replace(PAPER, gamma=Fraction(1, 1000))
            compared, least = 0, to_ball(trial.scale_of("rises"))
            grid = product(
                (*(power for _device, power in APART), nearly_flat),
                (Fraction(1, 100), Fraction(2, 5), Fraction(9, 10)),
                RISING.items(),
            )
            for power, share, (name, bound) in grid:
                runs = ball_usage(per_work(eta_of(share))), ball_usage(BALANCED)
                values = []
                for k in range(11):
                    wait = power.max_w * Fraction(k, 10)
                    law = ball_constants(replace(power, idle_w=Fraction(0), wait_w=wait))
                    values.append(bound(law, *runs))
                if trial.fault("falls"):
                    values = values[::-1]
                steps = [
                    Comparison(not b < a * least, float(b), ">=", float(a * least), name)
                    for a, b in pairwise(values)
                ]
                at_full = to_ball(share * trial.scale_of("idle share"))
                last = values[-1]
                steps.append(
                    Comparison(
                        last.overlaps(at_full), float(last), "==", float(at_full), "at full power"
                    )
                )
                compared += len(steps)
                witness = {
                    "max_w": str(power.max_w),
                    "gamma": str(power.gamma),
                    "idle share": str(share),
                    "values": [float(value) for value in values],
                }
                if found := broken(steps, "perfect balance, P_w from 0 to P_max, balls", witness):
                    return found
        return stands(
            trial,
            Fraction(2, 5),
            "==",
            Fraction(2, 5),
            f"{len(AT_WAITS)} stated waiting powers and {compared} comparisons along P_w",
        )
