"""Caps of the energy saving, whatever the improved run does."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import ctx

from adversary.instances.load_histories import LoadHistory
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.headline import Record, headline, percent
from evenkeel.findings.scoreboard import Comparison, broken, near, weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.any_power import any_power
from evenkeel.theorems.theorem4.load_histories import PAIRED, bare_usage, shown
from evenkeel.theorems.theorem4.pairs import (
    AT_C0,
    PAIR,
    SAVED,
    Pair,
    Side,
    hold_pairs,
)
from evenkeel.theorems.theorem4.power_constants import (
    AT_40,
    BALANCED,
    PAPER,
    PRECISION,
    WASTE,
    ball_constants,
    ball_usage,
    half_unit,
    per_work,
    seen,
)
from theory.formal.record import Theorem
from theory.formulas.energy import (
    Usage,
    saving_cap,
    saving_cap_tangent,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_inversions import eta_of
from theory.laws.fcfs_expectation import to_ball
from theory.proof import Computation, Conclusion, Identity, Lemma, Setting, Step
from theory.symbolic import es, sp


def at_share(bound: Callable[..., Any], share: Fraction) -> Any:
    """A bound of the saving on 100/400 W, gamma 0.7: from that idle share to none, a ball."""
    return bound(ball_constants(PAPER), ball_usage(per_work(eta_of(share))), ball_usage(BALANCED))


def _cap_sides(trial: Trial) -> tuple[Side, ...]:
    """The three caps of [energy.cap]."""

    def tangent(pair: Pair) -> Any:
        return saving_cap_tangent(seen(trial, pair.power), pair.base.balls, pair.new.balls)

    def envelope(pair: Pair) -> Any:
        base = pair.base.balls
        if trial.fault("share-for-eta"):
            base = Usage(base.busy, base.idle_share)
        return saving_cap(pair.power, base, pair.new.balls)

    return (
        ("tangent", "<=", tangent),
        ("envelope", "<=", envelope),
        ("idle share", "<=", lambda pair: pair.base.balls.idle_share),
    )


# At 40 % idle, as the claim states them: exact, and to four digits.
TANGENT_AT_40, ENVELOPE_AT_40 = Fraction(19, 79), "0.2253"


def _is_envelope_at_40(stated: Fraction) -> bool:
    """Whether the envelope's cap at 40 % idle is that number, to half a unit of its last digit."""
    with ctx.workprec(PRECISION):
        cap = at_share(saving_cap, Fraction(2, 5))
        return bool(abs(cap - to_ball(stated)) < to_ball(half_unit(ENVELOPE_AT_40)))


@claim(
    "energy.cap",
    "upper",
    assumptions=(Assumption.ANY_SCHEDULE, *AT_C0),
    requires=("energy.saving-envelope",),
    coq=Theorem("energy_cap", "Saving.v"),
    answers=("fact 4",),
)
class Cap:
    """What a given idle share allows at most, without overhead and for this power law.

    At C = 0 a baseline with idle share f = eta/(1+eta) allows a saving of at most 1 -
    P_max/(P_idle(1+eta) + dP(1+eta)^(1-gamma)) (envelope), which is at most D eta/(P_max + D eta)
    (tangent) and at most f, for every P_idle, P_max and gamma. At f = 40 %, 100/400 W, gamma 0.7:
    19/79 = 24.05 % (tangent) and 22.53 % (envelope). For P_idle > 0 a residual imbalance lowers
    each of them.
    """

    def formula(self) -> "sp.Basic":
        cap = saving_cap(es.POWER, es.BASE, es.BALANCED)
        return sp.And(
            sp.Le(es.saving, cap),
            sp.Le(cap, saving_cap_tangent(es.POWER, es.BASE, es.BALANCED)),
            sp.Le(cap, es.BASE.idle_share),
        )

    def proof(self) -> tuple[Step, ...]:
        spare = es.t / (1 + es.t)  # 1 - gamma, from 0 to below 1
        drawn = es.p * (1 + es.eta) + es.d * (1 + spare * es.eta * es.share)
        tangent, flat = es.TOP + (es.p + spare * es.d) * es.eta, es.TOP * (1 + es.eta)
        w, y = sp.Symbol("w", nonnegative=True), sp.Symbol("y", nonnegative=True)
        return (
            Identity(
                "With imbalance eta1 left, the lower side of E1 grows: the tangent's cap falls by "
                "P_idle eta1 / upper(E0), and the others alike",
                saving_cap_tangent(es.POWER, es.BASE, es.BALANCED)
                - saving_cap_tangent(es.POWER, es.BASE, es.NEW),
                es.p * es.eta1 / (es.TOP + es.D * es.eta),
            ),
            Computation(
                "At 40 % idle, 100/400 W and gamma 0.7 the tangent's cap is 19/79 and the "
                "envelope's 22.53 % (balls)",
                lambda: (
                    saving_cap_tangent(PAPER, AT_40, BALANCED) == TANGENT_AT_40
                    and _is_envelope_at_40(Fraction(ENVELOPE_AT_40))
                ),
            ),
            Lemma(
                "energies",
                "E1 = P_max + w, w >= 0, and E0 is at most the envelope, whose power (1 - "
                "f)^gamma lies between 1 - f and 1 - gamma f, a share sin(x)^2 of the way "
                "[energy.envelope].",
            ),
            Conclusion(
                "The saving is at most the envelope's cap, and that at most the two others",
                self.formula(),
                {
                    es.saving: 1 - (es.TOP + w) * (1 + y) / drawn,
                    (1 + es.eta) ** (es.e - 1): (1 + spare * es.eta * es.share) / (1 + es.eta),
                    es.e: spare,
                },
                (
                    (w + y * (es.TOP + w)) / drawn,
                    es.TOP * es.d * es.eta * (1 + es.t * es.rest) / ((1 + es.t) * drawn * flat),
                    es.TOP * es.d * spare * es.eta * es.rest / (drawn * tangent),
                ),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            Variant("tangent's cap x0.99", Fraction(99, 100), side="tangent"),
            Variant("envelope's cap x0.99", Fraction(99, 100), side="envelope"),
            near("idle share", Fraction(9, 10)),
            Variant("19/79 at 40 % idle x1.001", Fraction(1001, 1000), side="tangent at 40 %"),
            Variant("22.53 % at 40 % idle x1.001", Fraction(1001, 1000), side="envelope at 40 %"),
            WASTE,
            Variant("idle share in place of eta", fault="share-for-eta"),
        ),
        **PAIRED,
    )
    def check(self, trial: Trial) -> Finding:
        """Ball arithmetic at the stated numbers; adversarial pairs of load histories; a saving
        certainly above a cap refutes it.
        """
        tangent = saving_cap_tangent(seen(trial, PAPER), AT_40, BALANCED)
        exactly = TANGENT_AT_40 * trial.scale_of("tangent at 40 %")
        stated = Fraction(ENVELOPE_AT_40) * trial.scale_of("envelope at 40 %")
        with ctx.workprec(PRECISION):
            envelope = float(at_share(saving_cap, Fraction(2, 5)))
        if found := broken(
            (
                Comparison(tangent == exactly, tangent, "==", exactly, "tangent"),
                Comparison(_is_envelope_at_40(stated), envelope, "==", stated, "envelope"),
            ),
            "cap at 40 % idle, 100/400 W, gamma 0.7",
            {"tangent": str(tangent), "envelope": envelope},
        ):
            return found
        finding = hold_pairs(trial, _cap_sides(trial))
        numbers = (
            "; at 40 % idle and 100/400 W: 24.05 % (tangent), 22.53 % (envelope), floor 14.29 % "
            "(sharp) and 12.66 % (paper)"
        )
        return replace(
            finding,
            domain=finding.domain + numbers * finding.verdict.held,
            details={
                **finding.details,
                "at 40 % idle": {
                    "tangent cap": float(tangent),
                    "envelope cap": envelope,
                    "sharp floor": float(saving_sharp(PAPER, AT_40, BALANCED)),
                    "paper floor": float(saving_paper(PAPER, AT_40, BALANCED)),
                },
            },
        )

    @headline("What can 40 % idle time give?", 2, "energy.any-power", "energy.padding")
    def answer(self, cap: Record, any_power: Record, padding: Record) -> str:
        at = cap["details"]["at 40 % idle"]
        whatever, padded = (
            "" if Verdict(record["verdict"]).held else f" ({record['verdict']})"
            for record in (any_power, padding)
        )
        return (
            "With a waiting worker at the paper's 100 W of 400 W, gamma 0.7 and C = 0: at most "
            f"{percent(at['envelope cap'])} less energy, at least {percent(at['sharp floor'])} "
            "with perfect balance (the paper's own form guarantees "
            f"{percent(at['paper floor'])}).  Whatever it draws while waiting, at most 40 % at C "
            f"= 0{whatever}, which perfect balance saves where ranks compute on padding{padded}."
        )


@claim(
    "energy.cap-with-overhead",
    "upper",
    assumptions=PAIR,
    requires=("energy.cap", "energy.overhead-lowers"),
    holds=False,
)
class CapWithOverhead:
    """The idle share caps the saving with an overhead, too.

    1 - E1/E0 <= f, the idle share of the baseline, whatever the overhead C of a step.
    """

    def formula(self) -> "sp.Basic":
        return any_power()

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting(
                "G = 1, B = 3, ten requests of size 1, drift 1, C = 100 t_l: nine of length 1 and "
                "one of length 3, so W = 9 + (1 + 2 + 3) = 15, and one worker never idles."
            ),
            Computation(
                "With the long one last there are 6 steps, with the long one first 4: P_max (600 "
                "+ 15) against P_max (400 + 15) saves 40/123 = 32.5 %, and the idle share is 0",
                lambda: 1 - Fraction(400 + 15, 600 + 15) == Fraction(40, 123) > 0,
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            Variant("half the overhead", Fraction(1, 2)),
            Variant("at most a tenth above the idle share", fault="allowance"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """One worker, which never idles, and two orders of the same requests: the one that takes
        fewer steps pays fewer overheads and saves energy, which refutes it.
        """
        overhead = 100 * trial.scale
        last = LoadHistory("long one last", ((3,), (3,), (3,), (1,), (2,), (3,)))
        first = LoadHistory("long one first", ((3,), (4,), (5,), (3,)))
        assert last.work == first.work == 15  # 9 + (1 + 2 + 3)
        before, after = (overhead * len(run.loads) + run.work for run in (last, first))
        saving = 1 - Fraction(after, 1) / before
        claimed = bare_usage(last).idle_share + Fraction(trial.fault("allowance"), 10)
        return weighed(
            saving > claimed,
            False,
            saving,
            "<=",
            claimed,
            f"G = 1, B = 3, C = {float(overhead):g} t_l: the worker never idles, and 4 steps pay "
            "fewer overheads than 6, whatever the power law",
            {
                "prefill": [1] * 10,
                "decode": [1] * 9 + [3],
                "overhead": str(overhead),
                "baseline": shown(last.loads),
                "improved": shown(first.loads),
            },
        )
