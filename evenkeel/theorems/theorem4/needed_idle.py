"""What idle share a saving needs, and what is left of the floors at scale."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb, ctx

from adversary.instances.load_histories import LoadHistory, equal_others, zero_one
from evenkeel.findings.check import Finding, Relation, Trial, Variant, evidence
from evenkeel.findings.scoreboard import near, refuted, stands
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import bare_usage, energy_of
from evenkeel.theorems.theorem4.pairs import AT_C0
from evenkeel.theorems.theorem4.power_constants import (
    BALANCED,
    PAPER,
    PRECISION,
    ball_constants,
    per_work,
)
from evenkeel.theorems.theorem4.reach import paper_at, reached_at, rising
from theory.elementary import log, sqrt
from theory.formal.record import Theorem
from theory.formulas.energy import saving_cap_tangent, saving_paper, saving_sharp
from theory.formulas.energy_inversions import (
    eta_of,
)
from theory.laws.fcfs_expectation import expected_imbalance, to_ball
from theory.laws.law import Law
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Step
from theory.symbolic import es, sp


@claim(
    "energy.saving-28",
    "equality",
    assumptions=AT_C0,
    requires=("energy.reach", "energy.saving-envelope"),
    coq=Theorem(
        "energy_saving_28",
        "Saving28.v",
        "that the runs between the two shares are of two policies on the same requests, for "
        "large G",
    ),
    answers=("fact 4",),
)
class Saving28:
    """Where 28 % is impossible, possible, guaranteed, on 100/400 W, gamma 0.7, C = 0.

    For 100/400 W, gamma 0.7 and C = 0, a waiting worker at 100 W: up to 47.69 % baseline idle no
    policy saves 28 %; from 47.70 % to below 14/23 = 60.87 % some perfectly balanced runs do and
    some do not, for all large G; from 14/23 on every perfectly balanced run does (sharp floor), and
    the paper-shaped floor says so from 280/397 = 70.53 % on.
    """

    def formula(self) -> "sp.Basic":
        share = sp.Rational(28, 100)
        return sp.And(
            sp.Eq(
                saving_sharp(es.A100, es.BASE, es.BALANCED) - share,
                72 * (es.eta - sp.Rational(14, 9)) / (400 + 100 * es.eta),
                evaluate=False,
            ),
            sp.Eq(
                saving_paper(es.A100, es.BASE, es.BALANCED) - share,
                sp.Rational(234, 5) * (es.eta - sp.Rational(280, 117)) / (400 + 190 * es.eta),
                evaluate=False,
            ),
        )

    def proof(self) -> tuple[Step, ...]:
        return (
            rising(),
            Computation(
                "The envelope's cap is below 28 % at 47.69 % idle and above it at 47.70 % (balls)",
                lambda: reached_at("cap", Fraction("0.28"), Fraction("0.47695")),
            ),
            Lemma(
                "caps and floors",
                "No saving is above the cap, perfect balance saves at least the sharp floor, and "
                "some perfectly balanced runs come as close as one likes to either "
                "[energy.saving-envelope].",
            ),
            Conclusion(
                "The sharp floor reaches 28 % at eta = 14/9, the idle share 14/23, the "
                "paper-shaped one at 280/117, the idle share 280/397",
                self.formula(),
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Inversions in fractions and balls, with load histories on both sides of 28 % in the
        middle region; a history that saves 28 % below it, or fails to above it, refutes it.
        """
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
            """The baseline of utilisations 0 and 1, idle share at least ``share``: least energy."""
            return zero_one(G, int((1 - share) * G), load)

        def saving(history: LoadHistory) -> Any:
            power = ball_constants(PAPER)
            base = energy_of(history.loads, power, Fraction(0))
            return 1 - power.max_w * history.work / base

        with ctx.workprec(PRECISION):
            ball = to_ball(target)
            outcomes: tuple[tuple[Relation, LoadHistory, str], ...] = (
                ("<=", equal(impossible), "at the share up to which it is impossible"),
                (">=", equal(possible), "at the share from which on it is possible"),
                (">=", extreme(guaranteed), "at the share that guarantees it"),
                ("<=", extreme(still_open), "just below that share"),
            )
            values = [saving(history) for _relation, history, _where in outcomes]
            for value, (relation, history, where) in zip(values, outcomes, strict=True):
                if value > ball if relation == "<=" else value < ball:
                    return refuted(
                        float(value),
                        relation,
                        0.28,
                        f"saving of perfect balance {where}, ball arithmetic",
                        {
                            "pattern": history.name,
                            "workers": G,
                            "idle share": float(bare_usage(history).idle_share),
                            "loads": sorted(set(history.loads[0])),
                        },
                    )
        at = paper_at(eta_of(paper))
        if at != target:
            return refuted(
                at,
                "==",
                target,
                "the paper-shaped floor at the claimed share, exact",
                {"idle share": str(paper)},
            )
        return stands(
            trial,
            float(values[2]),
            ">=",
            0.28,
            "100/400 W, gamma 0.7, C = 0: no run saves it up to 47.69 % idle, all perfectly "
            "balanced ones do from 60.87 % (sharp floor) on, and the paper-shaped floor says "
            "so from 70.53 %; both outcomes shown, at 47.70 % and just below 60.87 %, G = "
            f"{G:,}",
            details={
                "idle share needed": str(impossible),
                "idle share that guarantees it": str(guaranteed),
                "saving just below the first": float(values[0]),
                "saving at the second": float(values[2]),
            },
        )


def _most_eta(spread: Any, G: Any, B: Any) -> Any:
    """``(b-a)/E[X] sqrt(ln G / (2B))`` from ``(b-a)/E[X]``, of balls or symbols."""
    return spread * sqrt(log(G) / (2 * B))


@claim(
    "energy.vanishing",
    "limit",
    assumptions=(
        *AT_C0,
        Assumption.OVERLOADED,
        Assumption.EQUAL_LENGTHS,
        Assumption.BOUNDED_SIZES,
        Assumption.IID,
    ),
    requires=("energy.cap", "fcfs.exact"),
    answers=("fact 4",),
)
class Vanishing:
    """In the theorems' own regime the guaranteed saving vanishes.

    Equal output lengths, sizes independent in [a, b], full refill: the saving in expected energy of
    any policy over FCFS is at most (D/P_max) (b-a)/E[X] sqrt(ln G / (2B)), which tends to 0
    whenever ln G = o(B), so under the paper's sqrt(G) = o(B) (up to logarithms): the saving
    vanishes where the improvement ratio grows.
    """

    def formula(self) -> "sp.Basic":
        G, B, a, b, mean = (sp.Symbol(name, positive=True) for name in ("G", "B", "a", "b", "EX"))
        return sp.And(
            sp.Le(es.saving, es.POWER.waste_w * es.eta / es.POWER.max_w),
            sp.Le(es.eta, _most_eta((b - a) / mean, G, B)),
        )

    def proof(self) -> tuple[Step, ...]:
        P, x = sp.Symbol("P_max", positive=True), sp.Symbol("eta", positive=True)
        width, lam = sp.Symbol("w", positive=True), sp.Symbol("lambda", positive=True)
        B, logG = sp.Symbol("B", positive=True), sp.Symbol("y", positive=True)
        best = sp.sqrt(8 * logG / (B * width**2))
        return (
            Inequality(
                "The tangent cap is at most D eta / P_max, and so is every saving",
                es.D * x / (P + es.D * x),
                es.D * x / P,
                es.D**2 * x**2 / (P * (P + es.D * x)),
            ),
            Lemma(
                "Hoeffding",
                "A load is a sum of B independent sizes in [a, b]: E exp(lambda (L - E L)) <= "
                "exp(lambda^2 B (b-a)^2 / 8) (Hoeffding 1963), hence by Jensen E max_g (L_g - E "
                "L) <= ln G / lambda + lambda B (b-a)^2 / 8 for every lambda > 0.",
            ),
            Identity(
                "With w = b - a and y = ln G this is (b - a) sqrt(B ln G / 2) at the best lambda",
                sp.Subs(logG / lam + lam * B * width**2 / 8, lam, best),
                width * sp.sqrt(B * logG / 2),
            ),
            Lemma(
                "division",
                "Divide by E L = B E X: eta <= (b-a)/E X * sqrt(ln G / (2B)), which tends to 0 "
                "whenever ln G = o(B); sqrt(G) = o(B) up to logarithms implies it.",
            ),
        )

    @evidence(
        measures="D/P_max times the exact eta of FCFS at G = B = 64 (share)",
        plants=(
            near("bound", Fraction(4, 5)),
            Variant("falling to four fifths in each step", Fraction(4, 5), side="falling"),
            Variant("bound falls like 1/B", exponent=Fraction(-1, 2)),
        ),
        largest=64,
        standard={"largest": 256},
    )
    def check(self, trial: Trial) -> Finding:
        """The cap from the exact expected imbalance of FCFS for sizes 1 and 100 along G = B = 4,
        16, 64; a value above the bound refutes it, and so does a fall by less than a tenth.
        """
        power, a, b = PAPER, 1, 100
        law = Law.of({a: Fraction(1, 2), b: Fraction(1, 2)})
        rows: dict[str, dict[str, float]] = {}
        caps: list[Fraction] = []
        size, computed, claimed = 4, Fraction(0), Fraction(0)
        while size <= int(trial["largest"]):
            expected = expected_imbalance(law, size, size)
            eta = expected.relative_imbalance
            with ctx.workprec(PRECISION):
                spread = arb(b - a) / to_ball(law.mean.lower)
                bound = _most_eta(spread, arb(size), size) * to_ball(trial.scale_of("bound"))
                bound *= arb(size) ** to_ball(trial.exponent)
                violated = to_ball(eta.lower) > bound
            computed = power.waste_w * eta.upper / power.max_w
            claimed = Fraction(float(bound)) * power.waste_w / power.max_w
            if violated:
                return refuted(
                    float(computed),
                    "<=",
                    float(claimed),
                    f"D/P_max times the exact eta of FCFS at G = B = {size}",
                    {"G": size, "B": size, "sizes": {str(a): "1/2", str(b): "1/2"}},
                )
            # A certified lower bound of the improvement ratio: exact FCFS over (G-1)(b-a).
            ratio = expected.imbalance.lower / ((size - 1) * (b - a))
            rows[f"G = B = {size}"] = {
                "eta": float(eta.upper),
                "saving at most": float(saving_cap_tangent(power, per_work(eta.upper), BALANCED)),
                "improvement ratio at least": float(ratio),
            }
            caps.append(eta.upper)
            size *= 4
        most = Fraction(9, 10) * trial.scale_of("falling")
        for number, (before, after) in enumerate(pairwise(caps), 1):
            if after > most * before:
                return refuted(
                    float(after / before),
                    "<=",
                    float(most),
                    f"eta of FCFS at G = B = {4 ** (number + 1)} as a share of that at {4**number}",
                    {"sizes": {str(a): "1/2", str(b): "1/2"}, "etas": rows},
                )
        return stands(
            trial,
            float(computed),
            "<=",
            float(claimed),
            f"sizes 1 or 100, G = B = 4 to {size // 4}, exact: the largest possible saving "
            "falls by at least a tenth from each to the next while the certified improvement "
            "ratio rises",
            details=rows,
        )
