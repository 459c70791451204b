"""The energy of a run between a floor and an envelope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from flint import ctx

from adversary.instances.load_histories import LoadHistory, Loads, equal_others
from evenkeel.findings.check import Finding, Relation, Trial, Variant, evidence
from evenkeel.findings.scoreboard import refuted, stands
from evenkeel.findings.verdicts import DEPARTED
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import (
    OVERHEADS,
    SINGLE,
    energy_of,
    histories,
    paired_policies,
    runs,
    shown,
    usage_of,
    zero_one_energy,
)
from evenkeel.theorems.theorem4.power_constants import (
    DEVICES,
    PRECISION,
    WASTE,
    Closest,
    ball_constants,
    ball_usage,
    seen,
    written,
)
from theory.formal.record import Theorem
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_envelope_of,
    energy_floor,
    energy_tangent,
)
from theory.laws.fcfs_expectation import to_ball
from theory.proof import Conclusion, Identity, Inequality, Lemma, Step
from theory.symbolic import es, sp


def _power_against_line() -> tuple[Step, ...]:
    """``u <= u^gamma <= 1 - gamma (1 - u)``, the right side for every ``u >= 0``."""
    gap = (1 - es.e) * es.v + es.e - es.v ** (1 - es.e)
    return (
        Inequality(
            "With u = 1/(1+r), 0 < u <= 1: log u <= gamma log u",
            -sp.log(1 + es.r),
            -(1 - es.e) * sp.log(1 + es.r),
            es.e * sp.log(1 + es.r),
        ),
        Lemma(
            "exp increases",
            "Hence u <= u^gamma for 0 < u <= 1; at u = 0 both sides are 0.",
        ),
        Identity(
            "The gap h(v) = gamma v + 1 - gamma - v^gamma has h'(v) = gamma (1 - v^-(1-gamma))",
            sp.Derivative(gap, es.v),
            (1 - es.e) * (1 - es.v ** (-es.e)),
        ),
        Identity("h(1) = 0", sp.Subs(gap, es.v, 1), sp.Integer(0)),
        Lemma(
            "sign of h'",
            "v^-(1-gamma) >= 1 for v <= 1 and <= 1 for v >= 1, as 1 - gamma >= 0: h falls up to "
            "v = 1 and rises after it, so h >= h(1) = 0 for v > 0, and h(0) = 1 - gamma >= 0.",
        ),
    )


# A bound of the energy from the constants and the usage; the upper one may use the workers.
LowerEnergy = Callable[[Constants[Any], Usage[Any]], Any]
UpperEnergy = Callable[[Constants[Any], Usage[Any], int], Any]
WATTS = "mean power per device (W)"

# The bounds are met by utilisations of 0 and 1, so a thousandth is seen.
LOWER = Variant("lower side x1.001", Fraction(1001, 1000), side="lower")

UPPER = Variant("upper side x0.999", Fraction(999, 1000), side="upper")
ATTAINED = Variant("attained side x1.001", Fraction(1001, 1000), side="attained")


@dataclass(frozen=True, slots=True)
class _Case:
    """One energy, and the loads that the claimed sides are computed from."""

    history: LoadHistory
    drawn: Loads  # the loads that set the energy; the history's unless a fault is planted
    device: str
    power: Constants[Fraction]
    overhead: Fraction

    def witness(self, **more: Any) -> dict[str, Any]:
        return {
            **written(self.device, self.power),
            "overhead": str(self.overhead),
            "pattern": self.history.name,
            "loads": shown(self.history.loads),
            **more,
        }


Devices = Sequence[tuple[str, Constants[Fraction]]]


def _cases(trial: Trial, devices: Devices) -> list[_Case]:
    made = [run for group in runs(trial.seed, paired_policies(trial)) for run in group]
    if trial.fault("departed-loads"):
        sources = [(run.history, run.departed) for run in made]
    else:
        patterns = [*histories(trial), *(run.history for run in made)]
        sources = [(history, history.loads) for history in patterns]
    return [
        _Case(history, drawn, device, power, overhead)
        for (history, drawn), (device, power), overhead in product(sources, devices, OVERHEADS)
    ]


def between(
    trial: Trial,
    lower: LowerEnergy | None,
    upper: UpperEnergy,
    devices: Devices = DEVICES,
) -> Finding:
    """Hold every energy between the two sides; exact where every utilisation is 0 or 1."""
    lowered = to_ball(trial.scale_of("upper"))
    raised = to_ball(trial.scale_of("lower") if lower else Fraction(1))
    exactly = trial.scale_of("attained") if lower else Fraction(1)
    cases = _cases(trial, devices)
    closest, attained = Closest("<="), 0
    with ctx.workprec(PRECISION):
        for case in cases:
            run, power = usage_of(case.history.loads, case.overhead), ball_constants(case.power)
            if trial.fault("no-overhead"):
                run = Usage(run.busy, usage_of(case.history.loads, Fraction(0)).idle)
            energy = energy_of(case.drawn, power, case.overhead)
            balls, total = ball_usage(run), float(run.total)
            high = upper(power, balls, case.history.workers) * lowered
            sides: list[tuple[Any, Relation, bool]] = [(high, "<=", energy > high)]
            if lower:
                low = lower(power, balls) * raised
                sides.append((low, ">=", energy < low))
            for claimed, relation, broken in sides:
                computed_w, claimed_w = float(energy) / total, float(claimed) / total
                if broken:
                    return refuted(
                        computed_w,
                        relation,
                        claimed_w,
                        "mean power per device in watts, ball arithmetic",
                        case.witness(energy=str(energy), bound=str(claimed)),
                    )
                closest.see(case.power, computed_w, relation, claimed_w)
            if lower and case.history.zero_one:
                # The lower side must be attained, in fractions.
                exact_energy = zero_one_energy(case.drawn, case.power, case.overhead)
                floor = energy_floor(case.power, run) * exactly
                attained += 1
                if exact_energy != floor:
                    return refuted(
                        exact_energy,
                        "==",
                        floor,
                        "the lower side is not attained by utilisations 0 and 1, exact",
                        case.witness(),
                    )
    return stands(
        trial,
        *closest.sides,
        f"{len(cases)} energies of adversarial and run "
        f"histories inside (mean watts per device, the closest with the paper's constants shown)"
        + (f"; lower side attained {attained} times" if lower else ""),
        details={"energies": len(cases), "attained": attained},
    )


@claim(
    "energy.sandwich",
    "upper",
    source="paper, Theorem 4, energy bounds",
    version="v2",
    assumptions=(Assumption.POWER_LAW,),
    coq=Theorem("energy_sandwich", "Energy.v"),
    answers=("T4",),
)
class Sandwich:
    """Energy lies between two straight lines in the imbalance.

    P_max W + P_idle I <= E <= P_max W + D I for the steps of every run, W and I its busy and idle
    worker-time (total work and imbalance where C = 0). The left side is attained where every
    utilisation is 0 or 1 (and for gamma = 1), the right side only where nothing idles (or gamma =
    1, or P_idle = P_max).
    """

    def formula(self) -> "sp.Basic":
        return sp.And(
            sp.Le(energy_floor(es.POWER, es.RUN), es.E),
            sp.Le(es.E, energy_tangent(es.POWER, es.RUN)),
        )

    def proof(self) -> tuple[Step, ...]:
        line = 1 - (1 - es.e) * (1 - es.u)
        return (
            *_power_against_line(),
            Identity(
                "A worker draws at least m (P_idle + dP u) in a step of length m (its length in "
                "load units, overhead included), of which m u is busy",
                es.m * (es.p + es.d * es.u),
                energy_floor(es.POWER, Usage(es.m * es.u, es.m * (1 - es.u))),
            ),
            Identity(
                "and at most m (P_idle + dP (1 - gamma (1 - u)))",
                es.m * (es.p + es.d * line),
                energy_tangent(es.POWER, Usage(es.m * es.u, es.m * (1 - es.u))),
            ),
            Lemma(
                "summation",
                "Both sides are linear in busy and idle time; summed over workers and steps, sum "
                "m u = W and sum m (1 - u) = I: E lies a share sin(x)^2 of the way from the lower "
                "line to the upper one, which is (1 - gamma) dP I away.",
            ),
            Conclusion(
                "Both lines",
                self.formula(),
                {es.E: energy_floor(es.POWER, es.RUN) + es.e * es.d * es.I * es.share},
                (es.e * es.d * es.I * es.share, es.e * es.d * es.I * es.rest),
            ),
        )

    @evidence(
        measures=WATTS,
        plants=(
            LOWER,
            UPPER,
            ATTAINED,
            DEPARTED,
            WASTE,
            Variant("idle power charged to work, too", fault="idle-sign"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Energies of adversarial load histories (utilisations 0 and 1, equal, two levels, random,
        and those of real runs) in ball arithmetic, with and without overhead; one energy certainly
        outside refutes it.
        """

        def lower(power: Constants[Any], run: Usage[Any]) -> Any:
            wrong = trial.fault("idle-sign")
            return energy_floor(power, Usage(run.busy, run.total) if wrong else run)

        return between(
            trial, lower, lambda power, run, _workers: energy_tangent(seen(trial, power), run)
        )


@claim(
    "energy.envelope",
    "upper",
    assumptions=(Assumption.POWER_LAW,),
    requires=("energy.sandwich",),
    coq=Theorem("energy_envelope", "Energy.v"),
)
class Envelope:
    """The sharper upper side, from Jensen's inequality.

    T (P_idle + dP (1 - f)) <= E <= T (P_idle + dP (1 - f)^gamma), T > 0 the worker-time and f its
    idle share. The left side is that of the sandwich; the right side is at most the sandwich's and
    is approached by equal utilisations as G grows.
    """

    def formula(self) -> "sp.Basic":
        return sp.And(
            sp.Le(energy_floor(es.POWER, es.RUN), es.E),
            sp.Le(es.E, energy_envelope(es.POWER, es.RUN)),
        )

    def proof(self) -> tuple[Step, ...]:
        f = es.I / (es.W + es.I)
        mean = sp.Symbol("mean", positive=True)
        return (
            Identity(
                "Lower side: T (P_idle + dP (1 - f)) is the lower side of the sandwich",
                (es.W + es.I) * (es.p + es.d * (1 - f)),
                energy_floor(es.POWER, es.RUN),
            ),
            *_power_against_line(),
            Identity(
                "Scaled by mean^gamma at v = u/mean: the tangent of u^gamma at the mean",
                mean ** (1 - es.e) * ((1 - es.e) * (es.v / mean) + es.e),
                mean ** (1 - es.e) + (1 - es.e) * mean ** (-es.e) * (es.v - mean),
            ),
            Lemma(
                "Jensen",
                "Weigh each worker-step by its share m/T of worker-time: the weights sum to 1 and "
                "the weighted mean of u is W/T = 1 - f, so the linear terms cancel and the "
                "weighted mean of u^gamma is at most (1 - f)^gamma.  (If 1 - f = 0 every u is 0.)",
            ),
            Identity(
                "It is at most the sandwich's: T (P_idle + dP (gamma v + 1 - gamma)) with v = 1 - "
                "f is the tangent side, and h(v) >= 0",
                (es.W + es.I) * (es.p + es.d * ((1 - es.e) * es.W / (es.W + es.I) + es.e)),
                energy_tangent(es.POWER, es.RUN),
            ),
            Conclusion(
                "With (1 - f)^gamma = 1 - f + r, r >= 0, energies lie between the lower line and T "
                "(P_idle + dP (1 - f)^gamma), a share sin(x)^2 of the way",
                self.formula(),
                {
                    (es.W / (es.W + es.I)) ** (1 - es.e): es.W / (es.W + es.I) + es.r,
                    es.E: energy_floor(es.POWER, es.RUN) + es.d * (es.W + es.I) * es.r * es.share,
                },
                (es.d * (es.W + es.I) * es.r * es.share, es.d * (es.W + es.I) * es.r * es.rest),
            ),
        )

    @evidence(
        measures=WATTS,
        plants=(
            LOWER,
            UPPER,
            ATTAINED,
            DEPARTED,
            Variant("exponent gamma + 0.1", exponent=Fraction(1, 10)),
            Variant("mean of squares in place of the mean utilisation", fault="wrong-mean"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Energies of adversarial load histories (utilisations 0 and 1, equal, two levels, random,
        and those of real runs) in ball arithmetic, with and without overhead; one energy certainly
        outside refutes it.
        """

        def upper(power: Constants[Any], run: Usage[Any], _workers: int) -> Any:
            if trial.exponent:
                gamma = power.gamma + to_ball(trial.exponent)
                power = Constants(power.idle_w, power.max_w, gamma)
            if trial.fault("wrong-mean"):
                busy = run.busy * run.busy / run.total
                run = Usage(busy, run.total - busy)
            return energy_envelope(power, run)

        return between(trial, energy_floor, upper)


@claim(
    "energy.envelope-workers",
    "upper",
    assumptions=(Assumption.POWER_LAW,),
    requires=("energy.envelope",),
    coq=Theorem("energy_envelope_workers", "EnvelopeWorkers.v"),
)
class EnvelopeWorkers:
    """The largest energy of G devices with a given idle share.

    For G >= 2, T > 0 and a load in every step, E <= T (P_idle + dP (1/G + (1 - 1/G) v^gamma)), v =
    1 - f G/(G-1): the fullest worker of a step has u = 1. Attained, for every G >= 2 and every v
    from 0 to 1, by one full worker and all the others at u = v.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", integer=True, positive=True)
        return sp.Le(es.E, energy_envelope_of(es.POWER, es.RUN, G))

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("G", integer=True, positive=True)
        T = sp.Symbol("T", positive=True)
        f = sp.Symbol("f", nonnegative=True)
        others = T * (G - 1) / G
        return (
            Lemma(
                "the fullest worker",
                "In every step some worker has u = 1; these worker-steps are a share 1/G of all "
                "worker-time T, because all workers spend the same time in a step.",
            ),
            Identity(
                "The other worker-time T (G-1)/G holds all the idle time f T, so its mean "
                "utilisation is 1 - f G/(G-1)",
                (others - f * T) / others,
                1 - f * G / (G - 1),
            ),
            Lemma(
                "Jensen",
                "As in [energy.envelope], on the other worker-time alone: the mean of u^gamma is "
                "at most v^gamma, with equality where all of it has u = v.",
            ),
        )

    @evidence(
        measures=WATTS,
        plants=(
            UPPER,
            Variant("met side x1.001", Fraction(1001, 1000), side="met"),
            Variant("one worker more than there is", fault="extra-worker"),
            Variant("one worker fewer than there is", fault="missing-worker"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Energies of adversarial load histories (utilisations 0 and 1, equal, two levels, random,
        and those of real runs) in ball arithmetic, with and without overhead; an energy certainly
        above refutes it, and so does a history with all others at u = v whose energy differs from
        it.
        """
        shift = trial.fault("extra-worker") - trial.fault("missing-worker")
        met = to_ball(trial.scale_of("met"))

        def upper(power: Constants[Any], run: Usage[Any], workers: int) -> Any:
            return energy_envelope_of(power, run, max(1, workers + shift))

        # Equality: all the others at the same utilisation.
        overhead = Fraction(5)
        with ctx.workprec(PRECISION):
            for workers, others, (device, power) in product((2, 3, 8, 32), (1, 250, 999), DEVICES):
                history, balls = equal_others(workers, 1000, others, steps=2), ball_constants(power)
                energy = energy_of(history.loads, balls, overhead)
                bound = upper(balls, ball_usage(usage_of(history.loads, overhead)), workers) * met
                if not energy.overlaps(bound):
                    case = _Case(history, history.loads, device, power, overhead)
                    return refuted(
                        float(energy),
                        "==",
                        float(bound),
                        "all but the fullest worker at one utilisation: the bound must be met",
                        case.witness(energy=str(energy), bound=str(bound)),
                    )
        return between(trial, None, upper)
