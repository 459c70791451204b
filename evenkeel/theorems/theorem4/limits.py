"""Limits of the floors of the saving as the idle share grows."""

from fractions import Fraction
from itertools import pairwise

from adversary.instances.load_histories import zero_one
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.headline import Record, headline, percent, says
from evenkeel.findings.scoreboard import Comparison, broken, near, refuted, stands, weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import bare_usage, shown
from evenkeel.theorems.theorem4.pairs import AT_C0, SAVED
from evenkeel.theorems.theorem4.power_constants import (
    BALANCED,
    DEVICES,
    PAPER,
    WASTE,
    per_work,
    seen,
    written,
)
from theory.formal.record import Theorem
from theory.formulas.energy import Constants, saving_paper, saving_sharp
from theory.formulas.energy_inversions import eta_past_limit, limit_paper, share_of
from theory.proof import Conclusion, Identity, Inequality, Lemma, Step
from theory.symbolic import es, sp

# Devices that draw power when idle: without, both limits are 0 [energy.limit-sharp-unpowered].
POWERED = [(device, power) for device, power in DEVICES if power.idle_w > 0]


@claim(
    "energy.limit-paper",
    "limit",
    source="paper, Theorem 4",
    version="v2",
    assumptions=(*AT_C0, Assumption.IDLE_POWER),
    requires=("energy.saving-paper",),
    coq=Theorem("energy_limit_paper", "Saving.v"),
    answers=("T4",),
)
class LimitPaper:
    """The limit of the paper-shaped floor.

    The paper-shaped floor is below P_idle/D at every eta and alpha, perfect balance included; where
    it is not negative it does not fall with eta or alpha, and it tends to P_idle/D as both grow:
    10/19 = 52.6 % for 100/400 W and gamma 0.7.
    """

    def formula(self) -> "sp.Basic":
        return sp.Eq(
            sp.Limit(saving_paper(es.A100, es.BASE, es.BALANCED), es.eta, sp.oo, "-"),
            limit_paper(es.A100),
        )

    def proof(self) -> tuple[Step, ...]:
        P, q = sp.Symbol("P_max", positive=True), sp.Symbol("P_idle", positive=True)
        c, x = sp.Symbol("c", nonnegative=True), sp.Symbol("eta", positive=True)
        D = q + c
        return (
            Inequality(
                "The form (P_idle eta - D eta1)/(P_max + D eta) is below P_idle/D for all eta > 0",
                (q * x - D * es.eta1) / (P + D * x),
                q / D,
                (q * P + D**2 * es.eta1) / (D * (P + D * x)),
            ),
            Identity(
                "At perfect balance the distance is P_idle P_max / (D (P_max + D eta)), which "
                "falls as eta grows",
                q / D - q * x / (P + D * x),
                q * P / (D * (P + D * x)),
            ),
            Identity(
                "and tends to 0",
                sp.Limit(q * P / (D * (P + D * x)), x, sp.oo),
                sp.Integer(0),
            ),
            Conclusion("For 100/400 W and gamma 0.7 the limit is 10/19", self.formula()),
        )

    @evidence(
        measures="limit of the paper-shaped floor of the saving (share)",
        plants=(
            near("limit"),
            Variant("bound that is never attained x0.999", Fraction(999, 1000), side="below"),
            Variant("bound that is approached x1.001", Fraction(1001, 1000), side="approached"),
            Variant("rising by a thousandth in each step", Fraction(1001, 1000), side="rising"),
            WASTE,
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The limit by sympy, exact fractions along growing eta and alpha for every device that
        draws idle power, and the value 10/19; a value at or above the limit, or a different limit,
        refutes it.
        """
        symbolic = sp.limit(saving_paper(es.A100, es.BASE, es.BALANCED), es.eta, sp.oo)
        values: list[Fraction] = []
        for device, power in POWERED:
            limit = limit_paper(seen(trial, power))
            values = [
                saving_paper(power, per_work(Fraction(10**k)), per_work(Fraction(1)))
                for k in range(1, 13)
            ]
            balanced = saving_paper(power, per_work(Fraction(10**12)), BALANCED)
            below, nearly = limit * trial.scale_of("below"), limit * trial.scale_of("approached")
            near = nearly - Fraction(1, 10**9)
            # The first values may be negative; from there on the form rises.
            positive = (value for value in values if value > 0)
            steps = (
                (trial.scale_of("rising") * before, after) for before, after in pairwise(positive)
            )
            comparisons = [
                *(Comparison(after >= least, after, ">=", least) for least, after in steps),
                *(Comparison(value < below, value, "<=", below) for value in (*values, balanced)),
            ]
            comparisons.append(Comparison(values[-1] > near, values[-1], ">=", near))
            if power is PAPER:
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
        return stands(
            trial,
            Fraction(int(symbolic.p), int(symbolic.q)),
            "==",
            limit_paper(PAPER),
            f"10/19 = 52.63 % for 100/400 W, gamma 0.7; {len(POWERED)} devices that draw idle "
            "power approach P_idle/D from below, within 1e-9 only at eta = alpha = 10^12, and "
            "eta <= G-1",
            details={"devices": len(POWERED)},
        )


@claim(
    "energy.limit-sharp",
    "limit",
    assumptions=(*AT_C0, Assumption.IDLE_POWER),
    requires=("energy.saving-sharp",),
    coq=Theorem("energy_limit_sharp", "Saving.v"),
    answers=("fact 4",),
)
class LimitSharp:
    """The sharp floor has no such limit.

    At perfect balance the sharp floor tends to 100 % as eta grows. If D > P_idle (gamma < 1 and
    P_idle < P_max) it is above P_idle/D exactly for eta > P_max/(D - P_idle): 40/9 (81.6 % idle)
    for 100/400 W and gamma 0.7.
    """

    def formula(self) -> "sp.Basic":
        floor = saving_sharp(es.A100, es.BASE, es.BALANCED)
        return sp.And(
            sp.Eq(sp.Limit(floor, es.eta, sp.oo, "-"), sp.Integer(1)),
            sp.Eq(sp.Subs(floor, es.eta, sp.Rational(40, 9)), limit_paper(es.A100)),
        )

    def proof(self) -> tuple[Step, ...]:
        q, P, x = (sp.Symbol(name, positive=True) for name in ("P_idle", "P_max", "eta"))
        c = sp.Symbol("c", positive=True)
        return (
            Identity(
                "For P_idle > 0 the sharp floor P_idle eta/(P_max + P_idle eta) tends to 1",
                sp.Limit(q * x / (P + q * x), x, sp.oo),
                sp.Integer(1),
            ),
            Identity(
                "With c = D - P_idle > 0 its distance from P_idle/D has the sign of eta - P_max/c",
                q * x / (P + q * x) - q / (q + c),
                q * c * (x - P / c) / ((P + q * x) * (q + c)),
            ),
            Conclusion("100/400 W, gamma 0.7: c = 90, crossing at 40/9", self.formula()),
        )

    @evidence(
        measures="sharp floor of the saving at eta = 10^12 (share)",
        plants=(
            near("limit", Fraction(999, 1000)),
            near("crossing"),
            near("40/9"),
            Variant("limit P_idle/D, as for the paper's form", fault="paper-limit"),
            Variant("crossing at P_max/D", fault="crossing"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The limit by sympy and exact fractions along growing eta for every device that draws idle
        power; a value that stays below any number under 1, or another crossing, refutes it.
        """
        never = []
        for device, power in POWERED:
            limit = limit_paper(power) if trial.fault("paper-limit") else Fraction(1)
            claimed = limit * trial.scale_of("limit")
            value = saving_sharp(power, per_work(Fraction(10**12)), BALANCED)
            crossing = eta_past_limit(power)
            comparisons = [
                Comparison(
                    claimed - Fraction(1, 10**9) < value < claimed,
                    value,
                    "==",
                    claimed,
                    "at eta = 10^12",
                )
            ]
            if crossing is None:
                never.append(device)
            else:
                claimed_at = power.max_w / power.waste_w if trial.fault("crossing") else crossing
                claimed_at *= trial.scale_of("crossing")
                at, passed = saving_sharp(power, per_work(claimed_at), BALANCED), limit_paper(power)
                comparisons.append(Comparison(at == passed, at, "==", passed, "at the crossing"))
            witness = {
                "device": device,
                "sharp floor at 10^12": str(value),
                "crossing": str(crossing),
            }
            if found := broken(comparisons, "the sharp floor, exact", witness):
                return found
        crossing, stated = eta_past_limit(PAPER), Fraction(40, 9) * trial.scale_of("40/9")
        if crossing != stated:
            return refuted(
                crossing,
                "==",
                stated,
                "eta from which the sharp floor passes 10/19, exact",
                {"device": DEVICES[0][0]},
            )
        share = share_of(stated)
        return stands(
            trial,
            value,
            "==",
            Fraction(1),
            f"within 1e-9 of 1 for {len(POWERED)} devices that draw idle power; passes 10/19 "
            f"at eta = 40/9 ({float(share):.1%} idle) on 100/400 W, and no limit where D = "
            f"P_idle ({', '.join(never)})",
            details={
                "limit of the paper's form": str(limit_paper(PAPER)),
                "passed at idle share": str(share),
            },
        )


@claim(
    "energy.limit-sharp-unpowered",
    "limit",
    assumptions=AT_C0,
    requires=("energy.limit-sharp",),
    holds=False,
)
class LimitSharpUnpowered:
    """The sharp floor tends to 100 % whatever the power constants.

    At perfect balance the sharp floor tends to 100 % as eta grows, whatever P_idle >= 0.
    """

    def formula(self) -> "sp.Basic":
        floor = saving_sharp(Constants(sp.Integer(0), es.d, 1 - es.e), es.BASE, es.BALANCED)
        return sp.Eq(sp.Limit(floor, es.eta, sp.oo, "-"), sp.Integer(1))

    def proof(self) -> tuple[Step, ...]:
        eta, full = sp.symbols("eta P_max", positive=True)
        idle = sp.Symbol("P_idle", nonnegative=True)
        floor = idle * eta / (full + idle * eta)
        return (
            Identity(
                "With P_idle = 0 the sharp floor is 0", sp.Subs(floor, idle, 0), sp.Integer(0)
            ),
            Identity(
                "and so is its limit",
                sp.Limit(floor.subs(idle, 0), eta, sp.oo),
                sp.Integer(0),
            ),
        )

    @evidence(
        measures="sharp floor of the saving at eta = 10^12 (share)",
        plants=(
            Variant("90 % in place of 100 %", Fraction(9, 10)),
            Variant("at least a thousandth", fault="thousandth"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """A device without idle power: its sharp floor is 0 at every eta, which refutes it."""
        device, power = next((name, power) for name, power in DEVICES if power.idle_w == 0)
        claimed = Fraction(1, 1000) if trial.fault("thousandth") else trial.scale
        value = saving_sharp(power, per_work(Fraction(10**12)), BALANCED)
        return weighed(
            value < claimed - Fraction(1, 10**9),
            False,
            value,
            ">=",
            claimed,
            f"{device}: the sharp floor is 0 at every eta, exact",
            {**written(device, power), "eta": str(10**12)},
        )


@claim(
    "energy.limit-is-a-cap",
    "upper",
    assumptions=(*AT_C0, Assumption.IDLE_POWER),
    requires=("energy.limit-sharp",),
    holds=False,
    answers=("T4", "fact 4"),
)
class LimitIsACap:
    """No policy saves more than P_idle/D.

    1 - E1/E0 < P_idle/D for every pair of runs (52.6 % for 100/400 W and gamma 0.7).
    """

    def formula(self) -> "sp.Basic":
        return sp.Lt(es.saving, limit_paper(es.POWER))

    def proof(self) -> tuple[Step, ...]:
        eta = sp.Symbol("eta", positive=True)
        limit, saving = sp.Rational(10, 19), sp.Rational(31, 35)
        return (
            Lemma(
                "all load on one worker",
                "G = 32: every utilisation is 0 or 1 in the baseline, so its energy is at its "
                "lower side with eta = 31; the improved run is perfectly balanced.",
            ),
            Identity(
                "With 100/400 W the saving is exactly the sharp floor",
                sp.Subs(1 - 400 / (400 + 100 * eta), eta, 31),
                saving,
            ),
            Inequality("which is above 10/19", limit, saving, saving - limit),
        )

    @evidence(
        measures=SAVED,
        plants=(
            Variant("limit x1.25", Fraction(5, 4)),
            Variant("limit x1.5", Fraction(3, 2)),
        ),
        workers=32,
    )
    def check(self, trial: Trial) -> Finding:
        """Load histories with a baseline idle share above 81.6 %; a saving certainly above the
        limit refutes it.
        """
        device, power = DEVICES[0]
        history = zero_one(int(trial["workers"]), 1, int(trial["workers"]))
        # Exact: utilisations are 0 and 1 in the baseline, all 1 in the improved run.
        saving = saving_sharp(power, bare_usage(history), BALANCED)
        claimed = limit_paper(power) * trial.scale
        crossing = eta_past_limit(power)
        assert crossing is not None  # 100/400 W, gamma 0.7
        return weighed(
            saving > claimed,
            False,
            saving,
            "<=",
            claimed,
            f"{device}: the sharp floor is above P_idle/D from "
            f"{float(share_of(crossing)):.1%} baseline idle on; exact",
            {
                "device": device,
                "baseline": shown(history.loads),
                "improved": [[1] * history.workers],
            },
        )

    @headline("Is the paper's limit a cap on savings?", 3, "energy.limit-sharp")
    def answer(self, is_cap: Record, sharp: Record) -> str:
        details = sharp["details"]
        limit = percent(details["limit of the paper's form"])
        return (
            f"{says(is_cap)}: {limit} is the limit of one bound, with a waiting worker at 100 W of "
            "400 W and gamma 0.7.  The sharper floor passes it from "
            f"{percent(details['passed at idle share'])} idle on and tends to "
            f"{percent(sharp['claimed'])}."
        )
