"""How large a guaranteed saving can be, and what it takes."""

from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Any

from flint import ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.headline import Record, headline, percent, says
from evenkeel.findings.scoreboard import Comparison, broken, refuted, stands
from evenkeel.theorems.registry import claim
from evenkeel.theorems.theorem4.caps import at_share
from evenkeel.theorems.theorem4.pairs import AT_C0
from evenkeel.theorems.theorem4.power_constants import (
    BALANCED,
    PAPER,
    PRECISION,
    half_unit,
    per_work,
)
from theory.formulas.energy import saving_cap, saving_cap_tangent, saving_paper, saving_sharp
from theory.formulas.energy_inversions import (
    eta_for_cap,
    eta_for_paper,
    eta_for_sharp,
    eta_for_tangent_cap,
    eta_of,
    limit_paper,
    share_of,
)
from theory.laws.fcfs_expectation import to_ball
from theory.power import hardware
from theory.proof import Computation, Conclusion, Identity, Inequality, Setting, Step
from theory.symbolic import es, sp

_FULLEST = Setting(
    "Let M be the sum over steps of the largest loads and r that of all the other loads, so that "
    "W = M + r and I = G M - W."
)


def rising() -> Inequality:
    """The envelope's energy rises with ``eta``, and so does its cap."""
    drawn = es.p * (1 + es.eta) + es.d * (1 + es.eta) ** es.e
    return Inequality(
        "The envelope P_idle (1+eta) + dP (1+eta)^(1-gamma) rises with eta, and so does its cap",
        sp.Integer(0),
        sp.Derivative(drawn, es.eta),
        es.p + es.d * es.e * (1 + es.eta) ** (es.e - 1),
    )


def _eta_at_most() -> Inequality:
    """``eta <= G - 1``."""
    M, G = sp.Symbol("M", positive=True), sp.Symbol("G", positive=True)
    return Inequality(
        "eta = I/W is at most G - 1",
        (G * M - (M + es.r)) / (M + es.r),
        G - 1,
        G * es.r / (M + es.r),
    )


def paper_at(eta: Fraction) -> Fraction:
    """The paper-shaped floor on 100/400 W, gamma 0.7, at perfect balance."""
    return saving_paper(PAPER, per_work(eta), BALANCED)


def _stated_floors() -> bool:
    half, fifty_two = Fraction(1, 2), Fraction(13, 25)
    exact = paper_at(Fraction(40)) == half and paper_at(Fraction(520, 3)) == fifty_two
    between = paper_at(Fraction(173)) < fifty_two < paper_at(Fraction(174))
    return exact and between and paper_at(Fraction(31)) == Fraction(310, 629)


def _eta_for_cap(_power: object, saving: Fraction, remaining: Fraction) -> Fraction | None:
    """The middle of the bracket of :func:`eta_for_cap`, with the paper's constants."""
    bracket = eta_for_cap(hardware("a100-paper"), float(saving), float(remaining))
    return None if bracket is None else Fraction(bracket.middle)


# Each bound, and the eta at which it reaches a saving.
BOUNDS: dict[str, tuple[Callable[..., Any], Callable[..., Fraction | None]]] = {
    "tangent cap": (saving_cap_tangent, eta_for_tangent_cap),
    "cap": (saving_cap, _eta_for_cap),
    "paper": (saving_paper, eta_for_paper),
    "sharp": (saving_sharp, eta_for_sharp),
}

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
HALF_UNIT = half_unit("0.4502")


def reached_at(bound: str, saving: Fraction, share: Fraction) -> bool:
    """Whether the bound passes the saving within half a unit of the share's last digit (balls)."""
    low, high = share - HALF_UNIT, share + HALF_UNIT
    if high >= 1:
        return False
    with ctx.workprec(PRECISION):
        before, after = (at_share(BOUNDS[bound][0], end) for end in (low, high))
        return bool(before < to_ball(saving) < after)


@claim(
    "energy.reach",
    "equality",
    assumptions=AT_C0,
    requires=("energy.cap", "energy.saving-paper"),
    answers=("fact 4",),
)
class Reach:
    """How much idle a bound needs to reach a given saving, on 100/400 W and gamma 0.7.

    For 100/400 W, gamma 0.7 and C = 0, at perfect balance: the caps allow 28 % from an idle share
    of 45.02 % (tangent) and 47.70 % (envelope) on, 28.2 % from 45.27 % and 47.97 %, 52 % from 69.52
    % and 73.97 %, each rounded up. The paper-shaped floor reaches 28 % at 70.53 % idle, 50 % at eta
    = 40 (97.56 % idle, G >= 41) and 52 % at eta = 520/3 (99.43 % idle). As eta <= G-1, that takes G
    >= 175, and at G = 32 the form never exceeds 310/629 = 49.28 %. For any constants it reaches s >
    0 at eta = s P_max/(P_idle - s D) if P_idle > s D, else nowhere.
    """

    def formula(self) -> "sp.Basic":
        s = sp.Symbol("s", positive=True)
        slope = es.p - s * es.POWER.waste_w
        return sp.Eq(
            saving_paper(es.POWER, es.BASE, es.BALANCED) - s,
            slope
            * (es.eta - s * es.POWER.max_w / slope)
            / (es.POWER.max_w + es.POWER.waste_w * es.eta),
            evaluate=False,
        )

    def proof(self) -> tuple[Step, ...]:
        s = sp.Symbol("s", positive=True)
        return (
            rising(),
            Computation(
                "Every stated share of the caps brackets the saving to half a unit of its last "
                "digit (balls)",
                lambda: all(reached_at(*row) for row in STATED if row[0].endswith("cap")),
            ),
            _FULLEST,
            _eta_at_most(),
            Computation(
                "The paper-shaped floor in fractions: 1/2 at eta = 40, 13/25 at 520/3, between the "
                "values at G = 174 and 175, 310/629 at G = 32",
                _stated_floors,
            ),
            Identity(
                "The tangent's cap minus s has the sign of eta - s P_max/((1 - s) D)",
                saving_cap_tangent(es.POWER, es.BASE, es.BALANCED) - s,
                ((1 - s) * es.D * es.eta - s * es.TOP) / (es.TOP + es.D * es.eta),
            ),
            Conclusion(
                "The paper-shaped floor minus s, for P_idle > s D, has the sign of eta - s P_max/"
                "(P_idle - s D)",
                self.formula(),
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Exact inversion in fractions, and brackets verified in ball arithmetic; a digit that
        differs refutes it.
        """
        for bound, saving, stated in STATED:
            share = stated * trial.scale_of(bound)
            eta = BOUNDS[bound][1](PAPER, saving, Fraction(0))
            inverse = None if eta is None else share_of(eta)
            near = inverse is not None and abs(inverse - share) <= HALF_UNIT
            if not near or not reached_at(bound, saving, share):
                return refuted(
                    inverse,
                    "==",
                    share,
                    f"idle share at which the {bound} reaches {float(saving):.1%}",
                    {"bound": bound, "saving": str(saving), "stated": str(share)},
                )
        # eta <= G - 1, so the form at G workers is at most its value at eta = G - 1.
        least = 175 - trial.fault("one-worker-fewer")
        best = {G: paper_at(Fraction(G - 1)) for G in (32, 41, least - 1, least)}
        target = Fraction(13, 25)
        at_32 = Fraction(310, 629) * trial.scale_of("at 32")
        reached = best[least - 1] <= target < best[least]
        if not reached or best[32] != at_32:
            G = 32 if reached else least
            return refuted(
                best[G],
                "==" if reached else ">=",
                at_32 if reached else target,
                f"paper-shaped floor at G = {G}, eta = {G - 1}",
                {"G": G, "value": str(best[G])},
            )
        return stands(
            trial,
            best[least],
            ">=",
            target,
            f"{len(STATED)} shares bracketed in balls to half a unit of the fourth digit; G >= "
            "175 exact (G = 174 gives 51.9988 %); at G = 32 the form is at most 49.28 %",
            details={f"largest paper-shaped floor at G = {G}": float(v) for G, v in best.items()},
        )


@claim(
    "energy.exceed-52",
    "lower",
    source="paper, Theorem 4",
    version="v2",
    assumptions=AT_C0,
    requires=("energy.reach",),
    answers=("T4", "fact 4"),
)
class Exceed52:
    """The saving "can exceed 52 %", on 100/400 W and gamma 0.7.

    The guaranteed (paper-shaped) saving can exceed 52 % for 100/400 W, gamma 0.7 and C = 0. It does
    at perfect balance exactly where eta > 520/3.
    """

    def formula(self) -> "sp.Basic":
        return sp.Eq(
            saving_paper(es.A100, es.BASE, es.BALANCED) - sp.Rational(52, 100),
            sp.Rational(6, 5) * (es.eta - sp.Rational(520, 3)) / (400 + 190 * es.eta),
            evaluate=False,
        )

    def proof(self) -> tuple[Step, ...]:
        return (
            _FULLEST,
            _eta_at_most(),
            Computation(
                "G = 175 with all load on one worker has eta = 174, where the form is 870/1673 > "
                "13/25; G = 174 allows eta = 173 < 520/3",
                lambda: (
                    paper_at(Fraction(174)) == Fraction(870, 1673) > Fraction(13, 25)
                    and 173 < Fraction(520, 3) < 174
                ),
            ),
            Conclusion("The form minus 52 % has the sign of eta - 520/3", self.formula()),
        )

    @evidence(
        measures="paper-shaped floor at eta = 174 (share)",
        plants=(
            Variant("57.2 % in place of 52 %", Fraction(11, 10)),
            Variant("52.1 % in place of 52 %", Fraction(521, 520)),
            Variant("eta = 520/3 x1.001", Fraction(1001, 1000), side="eta"),
            Variant("from eta = 173 on", fault="too-early"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact fractions: the region of (eta, G) where the form exceeds 13/25, and what it is
        worth at the idle shares that are observed; an empty region refutes it.
        """
        target = Fraction(13, 25) * trial.scale
        eta = eta_for_paper(PAPER, target, Fraction(0))
        claimed = Fraction(520, 3) * trial.scale_of("eta")
        if trial.fault("too-early"):
            eta = claimed = Fraction(173)
        if eta is None:  # out of reach: the form at the claimed eta shows it
            eta = claimed
        at, beyond = paper_at(eta), paper_at(Fraction(174))
        if found := broken(
            (
                Comparison(eta == claimed, eta, "==", claimed, "eta"),
                Comparison(at == target, at, "==", target, "the form at it"),
                Comparison(beyond > target, beyond, ">=", target, "the form at 174"),
            ),
            "the paper-shaped floor, exact",
            {"eta": str(eta), "limit": str(limit_paper(PAPER))},
        ):
            return found
        # In a full refill loads lie in [Ba, Bb], so eta <= (G-1)(b-a)/(b + (G-1)a); with r = b/a
        # this exceeds eta where (G-1)(r-1) > eta (r + G-1).
        G = 256
        ratio = (eta * (G - 1) + (G - 1)) / (G - 1 - eta)
        floors = {
            f"{share:.0%} idle": float(paper_at(eta_of(Fraction(round(share * 100), 100))))
            for share in (0.2, 0.4, 0.488, 0.6, 0.8, 0.9)
        }
        return stands(
            trial,
            paper_at(Fraction(174)),
            ">=",
            target,
            f"holds only for eta > {eta} ({float(share_of(eta)):.2%} idle), so G >= 175; in a "
            f"full refill with sizes in [a, b] and G = {G} only for b/a > {float(ratio):.0f}; "
            f"at 40 % idle the form says {floors['40% idle']:.1%}",
            details={"eta": str(eta), "paper-shaped floor": floors, "b/a at G = 256": float(ratio)},
        )

    @headline("Can the guaranteed saving exceed 52 %?", 1, "energy.reach")
    def answer(self, exceed: Record, reach: Record) -> str:
        eta = Fraction(exceed["details"]["eta"])
        at_32 = reach["details"]["largest paper-shaped floor at G = 32"]
        # As eta <= G - 1, more than eta needs G - 1 > eta.
        return (
            f"{says(exceed)}, the paper's bound can, with a waiting worker at the paper's 100 W of "
            f"400 W: where FCFS idles more than {percent(share_of(eta))} of the time, which takes "
            f"G >= {floor(eta) + 2} workers; at G = 32 it stays below {percent(at_32)}."
        )
