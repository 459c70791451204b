"""Theorem 4 for the power figures of devices."""

from dataclasses import replace
from fractions import Fraction

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import near, refuted, stands
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.power_constants import (
    PAPER,
    WASTE,
    seen,
)
from theory.formulas.energy import (
    Constants,
    exact,
)
from theory.formulas.energy_inversions import limit_paper, limit_sensitivity, partials
from theory.power import hardware, hardware_catalogue
from theory.proof import Conclusion, Identity, Inequality, Step
from theory.relations import at_least, at_most, both
from theory.symbolic import es, sp

# Ranges of P_idle/D that the claim states, by group of devices, in percent to one digit.
RANGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "paper": ("52.6", "52.6", ("a100-paper",)),
    "V100 to GB200, gamma 0.7": (
        "27.0",
        "43.4",
        (
            "v100-sxm2",
            "v100-sxm2-bare",
            "a100-sxm4",
            "a100-sxm4-bare",
            "h100-sxm",
            "h100-sxm-bare",
            "h200-sxm-bare",
            "b200",
            "b200-bare",
            "gb200-bare",
        ),
    ),
    "MI300X, gamma 0.7": ("45.5", "51.6", ("mi300x", "mi300x-bare")),
    "TPU v4, gamma 0.7": ("74.6", "74.6", ("tpu-v4",)),
    "measured exponents": (
        "22.9",
        "28.6",
        ("a100-sxm4-decode", "h100-sxm-decode", "b200-decode"),
    ),
}


def waiting_at_idle(power: Constants[float]) -> Constants[Fraction]:
    """The device as the paper has it: a waiting worker draws the idle power."""
    return replace(exact(power), wait_w=None)


@claim(
    "energy.hardware",
    "equality",
    source="paper, experiment E5; devices: evenkeel",
    version="ours",
    assumptions=(Assumption.POWER_LAW,),
    requires=("energy.limit-paper",),
    answers=("E5",),
)
class Hardware:
    """The limit belongs to the constants, not to the method.

    With a waiting worker at P_idle, P_idle/D is 52.6 % for the paper's constants, and for none of
    the devices below. With gamma 0.7 it is 27.0 % to 43.4 % for the idle powers of V100 to GB200,
    45.5 % and 51.6 % for MI300X (bare and loaded) and 74.6 % for TPU v4's smallest power; with
    measured exponents it is 22.9 % to 28.6 %. For 100/400 W, gamma 0.5 to 0.9 moves it from 40 % to
    76.9 %.
    """

    def formula(self) -> "sp.Basic":
        q, top, gamma = (sp.Symbol(name, positive=True) for name in ("P_idle", "P_max", "gamma"))
        power = Constants(q, top, gamma)
        slopes = limit_sensitivity(power)
        return sp.And(
            *(
                sp.Eq(sp.Derivative(limit_paper(power), symbol), slopes[name], evaluate=False)
                for name, symbol in (("wait_w", q), ("max_w", top), ("gamma", gamma))
            )
        )

    def proof(self) -> tuple[Step, ...]:
        return (
            Identity(
                "For 100/400 W P_idle/D is 10/(40 - 30 gamma): 2/5 at gamma 0.5, 10/13 at 0.9",
                sp.Integer(100) / (100 + (1 - es.v) * 300),
                10 / (40 - 30 * es.v),
            ),
            Conclusion("Its partial derivatives", self.formula()),
        )

    @evidence(
        measures="smallest and largest P_idle/D of the catalogue (share)",
        plants=(
            near("shares", Fraction(101, 100)),
            near("shares", Fraction(99, 100)),
            near("slopes"),
            WASTE,
            Variant("derivative in gamma without the idle power", fault="derivative"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact fractions for every device that is named, and sympy's partial derivatives
        against the closed ones; a device outside its stated range refutes it.
        """
        scale, steeper = trial.scale_of("shares"), float(trial.scale_of("slopes"))
        # The claim is about the devices that it names; others have a row in `evenkeel energy`.
        listed = {name for _low, _high, names in RANGES.values() for name in names}
        limits = {
            name: limit_paper(seen(trial, waiting_at_idle(power))) / scale
            for name, power in hardware_catalogue().items()
            if name in listed
        }
        ranges = [
            (group, Fraction(low) / 100, Fraction(high) / 100, [limits[name] for name in names])
            for group, (low, high, names) in RANGES.items()
        ]
        by_gamma = [
            limit_paper(seen(trial, Constants(PAPER.idle_w, PAPER.max_w, gamma))) / scale
            for gamma in (Fraction(1, 2), Fraction(9, 10))
        ]
        # 100/(100 + 0.5*300) = 2/5 and 100/(100 + 0.1*300) = 10/13 = 76.9 %.
        ranges.append(("100/400 W, gamma 0.5 to 0.9", Fraction(2, 5), Fraction(10, 13), by_gamma))
        for group, low, high, values in ranges:
            for value, end in ((min(values), low), (max(values), high)):
                if abs(value - end) > Fraction(1, 2000):  # stated to a tenth of a per cent
                    return refuted(
                        value,
                        "==",
                        end,
                        f"P_idle/D of {group}, exact",
                        {"group": group, "limits": [str(value) for value in values]},
                    )
        derivatives: dict[str, dict[str, float]] = {}
        for name, model in hardware_catalogue().items():
            closed, derived = limit_sensitivity(model), partials(limit_paper, model)
            if trial.fault("derivative"):
                closed["gamma"] = model.dynamic_w / model.waste_w**2
            derivatives[name] = derived
            for field, slope in derived.items():
                # Two ways to the same float: a few roundings apart.
                if abs(closed[field] * steeper - slope) > 1e-12 * abs(slope):
                    return refuted(
                        closed[field],
                        "==",
                        slope,
                        f"partial derivative of P_idle/D in {field} at {name}",
                        {"device": name, "field": field},
                    )
        least, most = min(limits.values()), max(limits.values())
        return stands(
            trial,
            least,
            "~",
            most,
            f"P_idle/D of the {len(limits)} devices that are named, exact; it runs from "
            f"{float(least):.1%} to {float(most):.1%}",
            strongest=Verdict.CERTIFIED,
            details={
                "limits": {name: float(value) for name, value in limits.items()},
                "partial derivatives": derivatives,
                "sources": {name: power.source for name, power in hardware_catalogue().items()},
            },
        )


@claim(
    "energy.limit-range",
    "equality",
    assumptions=(Assumption.POWER_LAW,),
    requires=("energy.hardware",),
    holds=False,
)
class LimitRange:
    """27 % to 45 % for current devices.

    With gamma 0.7 and a waiting worker at P_idle the limit P_idle/D lies between 27 % and 45 % for
    the published idle power of every current device.
    """

    def formula(self) -> "sp.Basic":
        return both(at_least("P_idle / D", "27/100"), at_most("P_idle / D", "9/20"))

    def proof(self) -> tuple[Step, ...]:
        idle, full = sp.symbols("P_idle P_max", positive=True)
        limit = idle / (idle + sp.Rational(3, 10) * (full - idle))
        return (
            Identity(
                "TPU v4 draws between 90 W and 192 W: with gamma 0.7 P_idle/D is",
                sp.Subs(limit, (idle, full), (90, 192)),
                sp.Rational(50, 67),
            ),
            Inequality(
                "which is above 45 %",
                sp.Rational(9, 20),
                sp.Rational(50, 67),
                sp.Rational(50, 67) - sp.Rational(9, 20),
            ),
        )

    @evidence(
        measures="P_idle/D of a device (share)",
        plants=(
            Variant("29.7 % to 49.5 %", Fraction(11, 10)),
            Variant("24.3 % to 40.5 %", Fraction(9, 10)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact fractions for every device of the catalogue at gamma 0.7, the paper's own constants
        aside; a device outside refutes it.
        """
        low, high = Fraction(27, 100) * trial.scale, Fraction(45, 100) * trial.scale
        limits = {
            name: limit_paper(waiting_at_idle(power))
            for name, power in hardware_catalogue().items()
            if power.gamma == 0.7 and name != "a100-paper"
        }
        # The stated range has two digits: a value that rounds into it is inside.
        outside = {
            name: value
            for name, value in limits.items()
            if not low - Fraction(1, 200) <= value <= high + Fraction(1, 200)
        }
        if not outside:
            return Finding(
                verdict=Verdict.CERTIFIED,
                computed=min(limits.values()),
                claimed=low,
                relation=">=",
                domain="every device lies inside",
            )
        name, value = max(outside.items(), key=lambda item: item[1])
        return refuted(
            value,
            "<=",
            high,
            f"{len(limits) - len(outside)} of {len(limits)} devices lie inside; outside: "
            + ", ".join(f"{name} {float(value):.1%}" for name, value in outside.items()),
            {
                "device": name,
                "idle_w": hardware(name).idle_w,
                "max_w": hardware(name).max_w,
                "gamma": hardware(name).gamma,
                "source": hardware(name).source,
            },
        )
