"""Energy and savings with a fixed overhead in every step."""

from fractions import Fraction
from itertools import product
from typing import Any

from flint import ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import near, refuted, stands, weighed
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.theorem4.envelope import ATTAINED, LOWER, UPPER, WATTS, between
from evenkeel.theorems.theorem4.load_histories import (
    OVERHEADS,
    SINGLE,
    bare_usage,
    energy_of,
    histories,
    shown,
    zero_one_energy,
)
from evenkeel.theorems.theorem4.pairs import PAIR, SAVED, HistoryOnDevice, Pair, hold_pairs
from evenkeel.theorems.theorem4.power_constants import (
    BALANCED,
    DEVICES,
    PRECISION,
    Closest,
    ball_constants,
    ball_usage,
)
from theory.formal.record import Theorem
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_floor,
    saving_sharp,
    usage,
)
from theory.laws.fcfs_expectation import to_ball
from theory.model import imbalance
from theory.proof import Conclusion, Identity, Inequality, Lemma, Step
from theory.relations import at_least
from theory.symbolic import es, sp


@claim(
    "energy.overhead",
    "upper",
    assumptions=PAIR,
    requires=("energy.sandwich", "energy.envelope"),
    coq=Theorem("energy_overhead", "Energy.v"),
    answers=("step",),
)
class Overhead:
    """A fixed step overhead, in every formula.

    With overhead c = C/t_l (in load units) the sandwich and the envelope hold with W + cS for W and
    I + c(GK - S) for I, S the sum of utilisations. At perfect balance, equal work, equal
    worker-steps and the baseline at its lower side the energy falls by sum_k Imb(k) (P_idle - dP
    c/M(k)): for P_idle > 0 and a baseline that idles that is positive where every M(k) > c
    dP/P_idle, and it is negative for some runs elsewhere.
    """

    def formula(self) -> "sp.Basic":
        c, S, slots = (sp.Symbol(name, nonnegative=True) for name in ("c", "S", "GK"))
        run = usage(es.W, es.I, c, slots, S)
        return sp.And(
            sp.Le(energy_floor(es.POWER, run), es.E),
            sp.Le(es.E, energy_tangent(es.POWER, run)),
            sp.Le(es.E, energy_envelope(es.POWER, run)),
        )

    def proof(self) -> tuple[Step, ...]:
        G, M, c, J = (sp.Symbol(name, positive=True) for name in ("G", "M", "c", "J"))
        mean = (G * M - J) / (G * M)
        busy, idle = G * (c + M) * mean, G * (c + M) * (1 - mean)
        return (
            Identity(
                "A step of length c + M with mean utilisation (G M - J)/(G M) is busy for W_k + c "
                "S_k",
                busy,
                (G * M - J) + c * (G * mean),
            ),
            Identity("and idle for J + c (G - S_k)", idle, J + c * (G - G * mean)),
            Identity(
                "Lower side of this step minus a balanced step of the same work and overhead: "
                "J (P_idle - dP c / M)",
                energy_floor(es.POWER, Usage(busy, idle)) - (es.p + es.d) * (G * c + G * M - J),
                J * (es.p - es.d * c / M),
            ),
            Identity("where S_k = G - J/M, between 1 and G", G * mean, G - J / M),
        )

    @evidence(
        measures=WATTS,
        plants=(
            LOWER,
            UPPER,
            ATTAINED,
            Variant("straight upper side x0.999", Fraction(999, 1000), side="tangent"),
            Variant("what balance saves x1.001", Fraction(1001, 1000), side="credit"),
            Variant("overhead left out of the idle time", fault="no-overhead"),
            Variant("credit without the overhead's term", fault="no-credit-term"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Energies of adversarial load histories (utilisations 0 and 1, equal, two levels, random,
        and those of real runs) in ball arithmetic, with and without overhead; one energy certainly
        outside refutes it, and so does a pair whose difference is not the stated sum.
        """
        tangent = to_ball(trial.scale_of("tangent"))

        def upper(power: Constants[Any], run: Usage[Any], _workers: int) -> Any:
            envelope, line = energy_envelope(power, run), tangent * energy_tangent(power, run)
            return line if line < envelope else envelope

        scale = trial.scale_of("credit")
        # A history of utilisations 0 and 1 against a balanced one of the same work and steps.
        extreme = [history for history in histories(trial) if history.zero_one]
        for history, (_device, power), c in product(extreme, DEVICES, OVERHEADS):
            worker_steps = history.workers * len(history.loads)
            base = zero_one_energy(history.loads, power, c)
            balanced = power.max_w * (worker_steps * c + history.work)
            charged = Fraction(0) if trial.fault("no-credit-term") else c
            credit = scale * sum(
                imbalance(step) * (power.idle_w - power.dynamic_w * charged / max(step))
                for step in history.loads
            )
            if base - balanced != credit:
                return refuted(
                    base - balanced,
                    "==",
                    credit,
                    "energy that balance saves, in watts times units of load, exact",
                    {"loads": shown(history.loads), "overhead": str(c)},
                )
        return between(trial, energy_floor, upper)


@claim(
    "energy.overhead-dilutes",
    "lower",
    assumptions=PAIR,
    requires=("energy.overhead",),
    holds=False,
    answers=("fact 6",),
)
class OverheadDilutes:
    """An overhead only dilutes the saving.

    Perfect balance in the same number of steps never costs energy, whatever the overhead.
    """

    def formula(self) -> "sp.Basic":
        return at_least("saving", "0")

    def proof(self) -> tuple[Step, ...]:
        J, M, idle, span, c = (
            sp.Symbol(name, positive=True) for name in ("J", "M", "P_idle", "dP", "c")
        )
        return (
            Lemma(
                "what a step saves",
                "By [energy.overhead] perfect balance of a step of imbalance J, the baseline at "
                "its lower side, saves J (P_idle - dP c / M).",
            ),
            Identity(
                "At c = 2 M P_idle / dP it costs J P_idle",
                sp.Subs(J * (idle - span * c / M), c, 2 * M * idle / span),
                -J * idle,
            ),
        )

    @evidence(
        measures="energy that perfect balance saves (share)",
        plants=(
            Variant("for an overhead a tenth above the threshold", Fraction(11, 20)),
            Variant("at most 1 % more energy", fault="allowance"),
        ),
        workers=4,
        load=100,
    )
    def check(self, trial: Trial) -> Finding:
        """Load histories with a large overhead; a balanced run that certainly draws more energy
        refutes it: balanced workers draw P_max through the whole overhead.
        """
        G, load = int(trial["workers"]), int(trial["load"]) * int(trial["workers"])
        name, power = DEVICES[0]
        # Twice the threshold of [energy.overhead] for the baseline's longest load.
        overhead = trial.scale * 2 * load * power.idle_w / power.dynamic_w
        least = Fraction(-1, 100) if trial.fault("allowance") else Fraction(0)
        base = zero_one_energy(((load, *(0,) * (G - 1)),), power, overhead)
        balanced = zero_one_energy(((load // G,) * G,), power, overhead)
        saving_share = 1 - balanced / base
        return weighed(
            saving_share < least,
            False,
            saving_share,
            ">=",
            least,
            f"one step, G = {G}, {name}: the saving of perfect balance is negative once the "
            f"overhead exceeds P_idle/dP = {float(power.idle_w / power.dynamic_w):.3g} of the "
            "longest load (utilisations 0 and 1)",
            {
                "device": name,
                "overhead": str(overhead),
                "baseline": [[load, *(0,) * (G - 1)]],
                "balanced": [[load // G] * G],
            },
        )


SHARES = (Fraction(1, 100), Fraction(1), Fraction(100))


@claim(
    "energy.saving-overhead",
    "lower",
    assumptions=(Assumption.POWER_LAW,),
    requires=("energy.overhead", "energy.saving-envelope"),
    coq=Theorem("energy_saving_overhead", "Overhead.v"),
    drops=(Dropped("energy.saving-sharp", "no step overhead"),),
)
class SavingOverhead:
    """The sharp floor, the best floor and the best cap, with a step overhead.

    With busy time W + cS and idle time I + c(GK - S) of each run, S its sum of utilisations and W >
    0, 1 - E1/E0 is at least the sharp floor and the best floor and at most the best cap of these
    usages (lower over upper side and upper over lower side of the energies), for every overhead c
    >= 0, whatever the two works.
    """

    def formula(self) -> "sp.Basic":
        c, S0, S1, N0, N1 = (
            sp.Symbol(name, nonnegative=True) for name in ("c", "S0", "S1", "GK0", "GK1")
        )
        W0, W1 = sp.Symbol("W0", positive=True), sp.Symbol("W1", positive=True)
        I0, I1 = sp.Symbol("I0", nonnegative=True), sp.Symbol("I1", nonnegative=True)
        base, new = usage(W0, I0, c, N0, S0), usage(W1, I1, c, N1, S1)
        return sp.And(
            sp.Ge(es.saving, saving_sharp(es.POWER, base, new)),
            sp.Ge(es.saving, saving_floor(es.POWER, base, new)),
            sp.Le(es.saving, saving_cap(es.POWER, base, new)),
        )

    def proof(self) -> tuple[Step, ...]:
        low, high = sp.Symbol("low", positive=True), sp.Symbol("high", positive=True)
        x, y = sp.Symbol("x", nonnegative=True), sp.Symbol("y", nonnegative=True)
        return (
            Lemma(
                "energies",
                "By [energy.overhead] each energy lies between the two sides of its usage: the "
                "floor, and the envelope, which is at most the tangent side.",
            ),
            Inequality(
                "Floors: E1 = high - x and E0 = low + y, with high an upper side of E1 and low the "
                "lower side of E0",
                1 - high / low,
                1 - (high - x) / (low + y),
                (high * y + low * x) / (low * (low + y)),
            ),
            Inequality(
                "Cap: E1 = low + x and E0 = high, with low the lower side of E1 and high + y an "
                "upper side of E0",
                1 - (low + x) / high,
                1 - low / (high + y),
                (low * y + x * high + x * y) / (high * (high + y)),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            near("sharp floor"),
            near("best floor"),
            Variant("cap x1.001 where it is negative", Fraction(1001, 1000), side="cap"),
            Variant("overhead left out", fault="left-out"),
            Variant("overhead charged as idle time alone", fault="all-idle"),
        ),
        random=12,
        standard={"random": 100},
        paper={"random": 400},
    )
    def check(self, trial: Trial) -> Finding:
        """Pairs of adversarial load histories of equal work, and pairs of real runs, with overheads
        from small to dominant, in ball arithmetic; a saving certainly outside refutes it.
        """

        def charged(entry: HistoryOnDevice) -> Usage[Any]:
            """The usage as the bounds see it."""
            if trial.fault("left-out"):
                return ball_usage(entry.bare)
            if trial.fault("all-idle"):
                return ball_usage(Usage(entry.bare.busy, entry.run.total - entry.bare.busy))
            return entry.balls

        def seen(pair: Pair) -> tuple[Usage[Any], Usage[Any]]:
            return charged(pair.base), charged(pair.new)

        return hold_pairs(
            trial,
            (
                ("sharp floor", ">=", lambda pair: saving_sharp(pair.power, *seen(pair))),
                ("best floor", ">=", lambda pair: saving_floor(pair.power, *seen(pair))),
                ("cap", "<=", lambda pair: saving_cap(pair.power, *seen(pair))),
            ),
            overheads=SHARES,
        )


@claim(
    "energy.overhead-lowers",
    "upper",
    assumptions=PAIR,
    requires=("energy.overhead", "energy.cap"),
    coq=Theorem("energy_overhead_lowers", "Overhead.v"),
)
class OverheadLowers:
    """In no fewer worker-steps an overhead never raises the saving of perfect balance.

    At equal work, if the improved run is perfectly balanced and takes at least as many worker-steps
    as the baseline, 1 - E1/E0 does not rise with the overhead: with any overhead it is at most the
    envelope's cap at C = 0, and at most the idle share f at C = 0.
    """

    def formula(self) -> "sp.Basic":
        c, A0, E0 = (sp.Symbol(name, positive=True) for name in ("c", "A0", "E0"))
        steps = sp.Symbol("GK1", positive=True)
        balanced = es.POWER.max_w * (es.W + c * steps)
        return sp.Le(1 - balanced / (E0 + c * A0), 1 - es.POWER.max_w * es.W / E0)

    def proof(self) -> tuple[Step, ...]:
        c, A0, A1, E0, E1, N0 = (
            sp.Symbol(name, positive=True) for name in ("c", "A0", "A1", "E0", "E1", "GK0")
        )
        N1, P = sp.Symbol("GK1", positive=True), es.p + es.d
        y, z = sp.Symbol("y", nonnegative=True), sp.Symbol("z", nonnegative=True)
        return (
            Identity(
                "With overhead c the energies are E + c A, A the sum of P(u) over worker-steps: "
                "the saving falls by",
                (1 - E1 / E0) - (1 - (E1 + c * A1) / (E0 + c * A0)),
                c * (A1 * E0 - A0 * E1) / (E0 * (E0 + c * A0)),
            ),
            Identity(
                "Between an overhead r and a larger one the same numerator decides",
                A1 * (E0 + es.r * A0) - A0 * (E1 + es.r * A1),
                A1 * E0 - A0 * E1,
            ),
            Lemma(
                "two bounds",
                "A balanced run has E1 = P_max W and A1 = P_max GK1.  The baseline has E0 = P_max "
                "W + y, y >= 0 [energy.sandwich], and A0 = P_max GK0 / (1 + t), t >= 0, as P(u) "
                "<= P_max; and GK1 = GK0 + z, z >= 0.",
            ),
            Conclusion(
                "so the numerator is not negative",
                self.formula(),
                {E0: P * es.W + y, A0: P * N0 / (1 + es.t), N1: N0 + z},
                (
                    P
                    * c
                    * (N0 * y + z * (P * es.W + y) + P * es.W * N0 * es.t / (1 + es.t))
                    / ((P * es.W + y) * (P * es.W + y + c * P * N0 / (1 + es.t))),
                ),
            ),
        )

    @evidence(
        measures="energy that perfect balance saves with more overhead (share)",
        plants=(
            Variant("saving with less overhead x0.999", Fraction(999, 1000), side="less overhead"),
            Variant("cap without overhead x0.99", Fraction(99, 100), side="cap"),
            Variant("three quarters of the steps", fault="fewer-steps"),
            Variant("nine tenths of the overhead in the improved run", fault="less-overhead"),
        ),
        **SINGLE,
    )
    def check(self, trial: Trial) -> Finding:
        """Savings over adversarial load histories along a growing overhead, in ball arithmetic; one
        that certainly rises refutes it.
        """
        compared, closest = 0, Closest("<=")
        lowered, scale = to_ball(trial.scale_of("less overhead")), to_ball(trial.scale_of("cap"))
        with ctx.workprec(PRECISION):
            for history, extra, (device, power) in product(histories(trial), (1, 2), DEVICES):
                steps = Fraction(extra * history.workers * len(history.loads))
                if trial.fault("fewer-steps"):
                    steps *= Fraction(3, 4)
                balls, before = ball_constants(power), None
                bare, balanced = ball_usage(bare_usage(history)), ball_usage(BALANCED)
                cap = scale * saving_cap(balls, bare, balanced)
                for share in (Fraction(0), Fraction(1, 10**6), *SHARES):
                    base = energy_of(history.loads, balls, share * history.work) / history.work
                    spent = share * steps
                    if trial.fault("less-overhead"):
                        spent *= Fraction(9, 10)
                    saving = 1 - balls.max_w * to_ball(1 + spent) / base
                    if before is not None:
                        compared += 1
                        most = before if cap > before else cap
                        if saving > most:
                            return refuted(
                                float(saving),
                                "<=",
                                float(most),
                                "saving of perfect balance, with more overhead and with less",
                                {
                                    "device": device,
                                    "baseline": shown(history.loads),
                                    "overhead as a share of the work": str(share),
                                    "worker-steps of the balanced run": str(steps),
                                },
                            )
                        closest.see(power, saving, "<=", before)
                    before = saving * lowered
        return stands(
            trial,
            *closest.sides,
            f"{compared} pairs of overheads on adversarial histories and "
            f"{len(DEVICES)} devices, the balanced run in as many steps or twice as many",
        )
