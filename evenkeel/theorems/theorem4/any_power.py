"""What balance saves whatever the power law."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from adversary.instances.load_histories import LoadHistory
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, near, refuted, stands, weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import bare_usage, by_workers, histories, shown
from evenkeel.theorems.theorem4.pairs import AT_C0, SAVED
from evenkeel.theorems.theorem4.power_constants import per_work
from theory.formal.record import Theorem
from theory.formulas.energy import Constants, Usage, saving_sharp
from theory.proof import Conclusion, Identity, Lemma, Setting, Step
from theory.symbolic import es, sp


def any_power() -> "sp.Basic":
    """[energy.any-power]."""
    return sp.Le(es.saving, es.RUN.idle_share)


# Power in units of P_max at a utilisation in [0, 1], between u and 1: rational, so that energies
# are exact.  Some are neither concave nor continuous.
LAWS: dict[str, Callable[[Fraction], Fraction]] = {
    "proportional": lambda u: u,
    "half idle power": lambda u: (1 + u) / 2,
    "constant": lambda _u: Fraction(1),
    "waiting at full power": lambda u: Fraction(u > 0),
    "full from a tenth on": lambda u: min(Fraction(1), 10 * u),
    "concave parabola": lambda u: u * (2 - u),
    "a jump at one half": lambda u: u if 2 * u < 1 else Fraction(1),
}


def _energy_per_work(history: LoadHistory, law: Callable[[Fraction], Fraction]) -> Fraction:
    """Energy without overhead over work, in units of ``P_max``."""
    loads = history.loads
    energy = sum((max(s) * law(Fraction(load, max(s))) for s in loads for load in s), Fraction(0))
    return energy / history.work


@claim(
    "energy.any-power",
    "upper",
    assumptions=(
        Assumption.ANY_SCHEDULE,
        *(entry for entry in AT_C0 if entry is not Assumption.POWER_LAW),
    ),
    requires=("energy.work-invariance",),
    coq=Theorem("energy_any_power", "AnyPower.v"),
)
class AnyPower:
    """The idle share caps the saving for every power law between proportional and full.

    If all devices draw the same P(u) with u P_max <= P(u) <= P_max for 0 <= u <= 1, P_max > 0
    (P_idle and the power of waiting play no part), 1 - E1/E0 <= f = I0/(W + I0). Perfect balance
    saves exactly f where waiting costs as much as working (P = P_max throughout).
    """

    def formula(self) -> "sp.Basic":
        return any_power()

    def proof(self) -> tuple[Step, ...]:
        P = es.p + es.d
        return (
            Lemma(
                "two bounds",
                "Summed over worker-steps u P_max <= P(u) gives E1 = P_max W + r, r >= 0, and "
                "P(u) <= P_max gives E0 = P_max (W + I0) / (1 + t), t >= 0.",
            ),
            Conclusion(
                "The saving 1 - E1/E0 is at most the idle share",
                any_power(),
                {es.saving: 1 - (P * es.W + es.r) * (1 + es.t) / (P * (es.W + es.I))},
                ((es.r + es.t * (P * es.W + es.r)) / (P * (es.W + es.I)),),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            near("idle share", Fraction(999, 1000)),
            Variant("attained at constant power x1.001", Fraction(1001, 1000), side="attained"),
            Variant("a convex law among the others", fault="convex"),
        ),
        random=6,
        standard={"random": 100},
        paper={"random": 400},
    )
    def check(self, trial: Trial) -> Finding:
        """Pairs of adversarial load histories of equal work under seven power laws, some of them
        neither concave nor continuous, in fractions; a saving above f refutes it, and so does
        perfect balance at constant power that saves anything else.
        """
        cap, exactly = trial.scale_of("idle share"), trial.scale_of("attained")
        laws = dict(LAWS)
        if trial.fault("convex"):
            laws["convex"] = lambda u: u * u
        compared, closest = 0, (Fraction(2), Fraction(0), Fraction(0))
        for (name, law), group in product(laws.items(), by_workers(trial)):
            # Per unit of work: what a policy does to the works plays no part.
            drawn = [(history, _energy_per_work(history, law)) for history in group]
            for (base, before), (new, after) in product(drawn, repeat=2):
                compared += 1
                share = bare_usage(base).idle_share
                saving, most = 1 - after / before, share * cap
                right = saving <= most
                if name == "constant" and new.imbalance == 0:
                    most = share * exactly if right else most
                    right = right and saving == most
                if not right:
                    return refuted(
                        saving,
                        "<=" if saving > most else "==",
                        most,
                        f"saving of a pair of equal work, power law: {name}, exact",
                        {
                            "power law": name,
                            "baseline": shown(base.loads),
                            "improved": shown(new.loads),
                        },
                    )
                if 0 < most - saving < closest[0]:
                    closest = most - saving, saving, most
        return stands(
            trial,
            float(closest[1]),
            "<=",
            float(closest[2]),
            f"{compared:,} pairs of load histories of equal work under {len(laws)} power laws, "
            "exact; the closest that is not met is shown",
            details={"pairs": compared, "power laws": list(laws)},
        )


# Concave power laws with their P(0+), in units of P_max, between 0 and 1; at 0, where no work is
# resident, some draw less.
CONCAVE: dict[str, tuple[Fraction, Callable[[Fraction], Fraction]]] = {
    "straight from 1/4": (Fraction(1, 4), lambda u: (1 + 3 * u) / 4),
    "straight from 1/4, less without work": (
        Fraction(1, 4),
        lambda u: (1 + 3 * u) / 4 if u else Fraction(1, 10),
    ),
    "full from a quarter on": (Fraction(1, 4), lambda u: min(Fraction(1), (1 + 12 * u) / 4)),
    "parabola from 1/2": (Fraction(1, 2), lambda u: Fraction(1, 2) + u * (2 - u) / 2),
    "parabola from 0": (Fraction(0), lambda u: u * (2 - u)),
    "constant with work": (Fraction(1), lambda u: Fraction(u > 0)),
}


def _against_balance(law: str, history: LoadHistory) -> dict[str, Any]:
    """A baseline of perfect balance under a power law, JSON-ready."""
    return {"power law": law, "baseline": shown(history.loads)}


@claim(
    "energy.any-power-floor",
    "lower",
    assumptions=(
        *(entry for entry in AT_C0 if entry is not Assumption.POWER_LAW),
        Assumption.WORK_ON_EVERY_WORKER,
    ),
    requires=("energy.work-invariance",),
    coq=Theorem("energy_any_power_floor", "ConcavePower.v"),
)
class AnyPowerFloor:
    """What a waiting worker's power guarantees, for every concave power law.

    If P is concave on (0, 1] with P(0+) = P_w >= 0 and P(1) = P_max > 0, and every worker of the
    baseline has work in every step (or P(0) >= P_w), perfect balance saves at least f P_w / (P_max
    (1-f) + P_w f) of the energy, and exactly that for P(u) = P_w + (P_max - P_w) u.
    """

    def formula(self) -> "sp.Basic":
        wait, top = sp.Symbol("P_w", nonnegative=True), sp.Symbol("P_max", positive=True)
        f = es.RUN.idle_share
        return sp.Ge(es.saving, f * wait / (top * (1 - f) + wait * f))

    def proof(self) -> tuple[Step, ...]:
        wait, top = sp.Symbol("P_w", nonnegative=True), sp.Symbol("P_max", positive=True)
        u, near_0 = sp.symbols("u v", positive=True)
        low = sp.Symbol("P(v)", nonnegative=True)
        share = (1 - u) / (1 - near_0)
        base = es.RUN
        return (
            Identity(
                "u lies between v and 1: it is a share (1-u)/(1-v) of v, the rest of 1",
                share * near_0 + (1 - share),
                u,
            ),
            Lemma("concave", "So P(u) >= (1-u)/(1-v) P(v) + (1 - (1-u)/(1-v)) P_max, 0 < v < u."),
            Identity(
                "As v falls to 0, P(v) to P_w, the right side tends to P_w + (P_max - P_w) u",
                sp.Limit((share * low + (1 - share) * top).subs(low, wait), near_0, 0),
                wait + (top - wait) * u,
            ),
            Lemma(
                "summation",
                "Over worker-steps: E0 = P_max W + P_w I0 + r, r >= 0.  A perfectly balanced run "
                "has u = 1 throughout and E1 = P_max W.",
            ),
            Identity(
                "This is the sharp floor at perfect balance, with P_w for P_idle",
                saving_sharp(Constants(wait, top, sp.Integer(1)), base, Usage(es.W, sp.Integer(0))),
                base.idle_share * wait / (top * (1 - base.idle_share) + wait * base.idle_share),
            ),
            Conclusion(
                "The saving is at least the stated one",
                self.formula(),
                {es.saving: 1 - top * es.W / (top * es.W + wait * es.I + es.r)},
                (
                    top
                    * es.W
                    * es.r
                    / ((top * es.W + wait * es.I) * (top * es.W + wait * es.I + es.r)),
                ),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            near("floor"),
            Variant("attained by the straight law x1.001", Fraction(1001, 1000), side="attained"),
            Variant("a convex law among the others", fault="convex"),
            Variant("workers without work counted as waiting", fault="empty"),
            Variant("P_w f, without the baseline's own saving", fault="undivided"),
        ),
        random=40,
        standard={"random": 400},
        paper={"random": 4000},
    )
    def check(self, trial: Trial) -> Finding:
        """Adversarial load histories against perfect balance under six concave laws, in fractions;
        a saving below the floor refutes it, and so does the straight law if it saves anything
        else. Histories with a worker without work count where P(0) is at least P(0+).
        """
        laws = dict(CONCAVE)
        if trial.fault("convex"):
            laws["convex"] = (Fraction(1, 4), lambda u: (1 + 3 * u * u) / 4)
        cases = Cases(">=")
        for (name, (wait, law)), history in product(laws.items(), histories(trial)):
            empty = min(map(min, history.loads)) == 0
            if empty and law(Fraction(0)) < wait and not trial.fault("empty"):
                continue
            run = bare_usage(history)
            power = Constants(wait, Fraction(1), Fraction(1))
            saving = 1 - 1 / _energy_per_work(history, law)
            least = saving_sharp(power, run, per_work(Fraction(0)))
            if trial.fault("undivided"):
                least = wait * run.idle
            if cases.add(
                saving,
                least * trial.scale_of("floor"),
                partial(_against_balance, name, history),
            ):
                break
            exactly = least * trial.scale_of("attained")
            if name == "straight from 1/4" and saving != exactly:
                return refuted(
                    saving,
                    "==",
                    exactly,
                    "saving of perfect balance under the straight law, exact",
                    _against_balance(name, history),
                )
        return cases.finding(
            trial,
            f"load histories against perfect balance under {len(laws)} concave power laws, exact",
        )


@claim(
    "energy.any-power-convex",
    "upper",
    assumptions=(
        Assumption.SAME_REQUESTS,
        Assumption.CONSTANT_DRIFT,
        Assumption.STICKY,
        Assumption.NO_OVERHEAD,
    ),
    requires=("energy.any-power",),
    holds=False,
)
class AnyPowerConvex:
    """The idle share caps the saving for every power law.

    1 - E1/E0 <= f for every P(u) that rises from 0 to P_max.
    """

    def formula(self) -> "sp.Basic":
        return any_power()

    def proof(self) -> tuple[Step, ...]:
        full, work, u = sp.symbols("P_max W u", positive=True)
        return (
            Setting(
                "Two workers and P(u) = P_max u^2.  The baseline is perfectly balanced: f = 0 and "
                "E0 = P_max W.  The improved run has utilisations 1 and u, W = (1 + u) M."
            ),
            Identity(
                "It draws M (P_max + P_max u^2): at u = 1/2 five sixths of E0",
                sp.Subs(work / (1 + u) * (full + full * u**2), u, sp.Rational(1, 2)),
                sp.Rational(5, 6) * full * work,
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            Variant("three quarters of the load in place of half", Fraction(3, 2)),
            Variant("P = P_max u^3", fault="cube"),
            Variant("at most a tenth above the idle share", fault="allowance"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """A convex law, P = P_max u^2, and a perfectly balanced baseline: idling then saves energy,
        which refutes it.
        """
        power = 3 if trial.fault("cube") else 2
        base = LoadHistory("balanced", ((4, 4),))
        new = LoadHistory("partly idle", ((4, int(2 * trial.scale)),))
        before, after = (_energy_per_work(history, lambda u: u**power) for history in (base, new))
        saving = 1 - after / before
        claimed = bare_usage(base).idle_share + Fraction(trial.fault("allowance"), 10)
        return weighed(
            saving > claimed,
            False,
            saving,
            "<=",
            claimed,
            f"P = P_max u^{power}: a worker at half its load draws less than half its power, exact",
            {"baseline": shown(base.loads), "improved": shown(new.loads)},
        )
