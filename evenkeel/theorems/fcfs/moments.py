"""The expected imbalance of FCFS from the moments of a slot alone."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import isqrt
from typing import Any

import numpy as np

from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import TENTH, Comparison, broken, near, sampled_mean, stands
from evenkeel.findings.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.findings.verdicts import BUSIEST, planted_policy
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.fcfs.pairing import out_of_range
from evenkeel.theorems.registry import claim
from theory.formulas.constants import FCFS_TEXT
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.fcfs_moments import StepMoments, spread
from theory.laws.law import Law
from theory.laws.order_statistics import constant_shrink, effective_constant, largest_constant
from theory.laws.slot_load import geometric_slot
from theory.model import System
from theory.proof import Identity, Inequality, Lemma, Step
from theory.symbolic import sp


@cache
def _squares_and_shares(
    system: System, policy: str, p: Fraction, at: tuple[int, ...], runs: int, seed: int
) -> tuple[Mean, Mean]:
    """Squared imbalance and idle share of replicated runs, each the mean over the given steps."""
    squares, shares, last = [], [], at[-1] + 1
    n = requests_to_overload(system, last, p=float(p))
    for run in range(runs):
        requests = workload("uniform", n, seed * 10**6 + run, b=30, p=float(p))
        loads = first_steps(overloaded_run(system, requests, policy, last), last)[list(at)]
        found = imbalances(loads).astype(float)
        squares.append(float((found**2).mean()))
        shares.append(float((found / (system.workers * loads.max(axis=1))).mean()))
    return Mean.of(squares), Mean.of(shares)


def _listed(law: Law, workers: int, slots: int) -> tuple[Fraction, Fraction]:
    """``E[Imb^2]`` and ``E[Imb/(G M)]`` over every outcome of every slot."""
    atoms = [(x, w) for x, w in enumerate(law.weights, law.offset) if w]
    square, share = 0, Fraction(0)
    for outcome in product(atoms, repeat=workers * slots):
        loads = [sum(x for x, _ in outcome[g * slots : (g + 1) * slots]) for g in range(workers)]
        weight = int(np.prod([w for _, w in outcome], dtype=object))
        imbalance = workers * max(loads) - sum(loads)
        square += weight * imbalance**2
        share += Fraction(weight * imbalance, workers * max(loads))
    scale = law.scale ** (workers * slots)
    return Fraction(square, scale), share / scale


@cache
def _spread(p: Fraction, step: int, workers: int, slots: int) -> StepMoments:
    """Exact second moment and idle share at a step after a cold start, sizes uniform on 1..30."""
    return spread(geometric_slot(Law.uniform(1, 30), p, step=step), workers, slots)


def _claimed_square(trial: Trial, law: Law, workers: int, slots: int) -> Fraction:
    if trial.fault("independent"):
        # E[S^2] of G*B independent slots, and E[M S] = E[M] E[S].
        expected = expected_imbalance(law, workers, slots)
        top, total = expected.maximum.lower, expected.mean.lower * workers
        second = law.variance.lower * workers * slots + total**2
        return workers**2 * top**2 - 2 * workers * top * total + second
    return spread(law, workers, slots).second_moment.lower * trial.scale_of("squares")


def _claimed_share(trial: Trial, law: Law, workers: int, slots: int) -> Fraction:
    if trial.fault("long-run"):
        return expected_imbalance(law, workers, slots).idle_share.lower
    return spread(law, workers, slots).idle_share.lower * trial.scale_of("shares")


@claim("fcfs.moments", "equality", assumptions=EXPECTATION, requires=("fcfs.exact",))
class Moments:
    """Moments of the imbalance and idle share of a step.

    With M = max L, S = sum L, m_j(y) = E[L^j; L <= y] and F = m_0: P(M<=y) = F^G, E[S; M<=y] = G
    m_1 F^(G-1) and E[S^2; M<=y] = G m_2 F^(G-1) + G (G-1) m_1^2 F^(G-2); so E[Imb^2] and the
    expected idle share E[Imb/(G M)] of a step are sums over y. The long-run idle share E[Imb]/(G
    E[M]) weighs steps by their duration (without overhead, C = 0) and is another number.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", positive=True, integer=True)
        m1, m2, F = sp.symbols("m_1 m_2 F", nonnegative=True)
        return sp.Eq(
            sp.Symbol("E[S^2; M<=y]"), G * m2 * F ** (G - 1) + G * (G - 1) * m1**2 * F ** (G - 2)
        )

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("G", positive=True, integer=True)
        m1, m2, F = sp.symbols("m_1 m_2 F", positive=True)
        t = sp.Symbol("t", real=True)
        generating = (F + m1 * t + m2 * t**2 / 2) ** G
        return (
            Lemma(
                "independence survives the cut",
                "M <= y says L_g <= y for each worker, so E[exp(t S); M <= y] = (E[exp(t L); L <= "
                "y])^G, and E[exp(t L); L <= y] = F + m_1 t + m_2 t^2/2 + .. with m_j = E[L^j; L "
                "<= y].",
            ),
            Identity(
                "First derivative at 0: E[S; M <= y] = G m_1 F^(G-1)",
                sp.Subs(sp.Derivative(generating, t), t, 0),
                G * m1 * F ** (G - 1),
            ),
            Identity(
                "Second derivative at 0: E[S^2; M <= y] = G m_2 F^(G-1) + G (G-1) m_1^2 F^(G-2)",
                sp.Subs(sp.Derivative(generating, (t, 2)), t, 0),
                G * m2 * F ** (G - 1) + G * (G - 1) * m1**2 * F ** (G - 2),
            ),
            Lemma(
                "increments",
                "E[h(M) S^j] = sum_y h(y) (E[S^j; M <= y] - E[S^j; M <= y-1]) for any h, and "
                "Imb^2 = G^2 M^2 - 2 G M S + S^2, Imb/(G M) = 1 - S/(G M).",
            ),
        )

    @evidence(
        measures="mean idle share of a step under FCFS (share)",
        plants=(
            near("squares"),
            near("shares"),
            near("squares of runs", Fraction(6, 5)),
            near("shares of runs", TENTH),
            Variant("largest load and sum taken as independent", fault="independent"),
            Variant("long-run idle share in place of the step's", fault="long-run"),
            BUSIEST,
        ),
        standard={"runs": 2000, "shapes": ((2, 1), (2, 2), (3, 1), (3, 2), (4, 2))},
        shapes=((2, 1), (2, 2), (3, 1), (3, 2)),
        G=16,
        B=4,
        p=0.3,
        steps=(4, 10, 16, 22, 28),
        runs=200,
    )
    def check(self, trial: Trial) -> Finding:
        """Every outcome of tiny systems in exact rationals, then seeded runs of the engine, whose
        mean squared imbalance and mean idle share must have the exact ones within their intervals;
        any difference in the first, or a value outside, refutes it.
        """
        laws = (
            Law.of({1: Fraction(1, 3), 4: Fraction(2, 3)}),
            geometric_slot(Law.of({2: 1}), Fraction(1, 2), step=2),
        )
        outcomes = 0
        for law, (workers, slots) in product(laws, trial["shapes"]):
            square, share = _listed(law, workers, slots)
            outcomes += (sum(w > 0 for w in law.weights)) ** (workers * slots)
            sides = (
                (square, _claimed_square(trial, law, workers, slots), "E[Imb^2]"),
                (share, _claimed_share(trial, law, workers, slots), "E[Imb/(G M)]"),
            )
            if found := broken(
                (Comparison(x == y, x, "==", y, name) for x, y, name in sides),
                f"all outcomes of G = {workers}, B = {slots}",
                {"law": law.weights, "G": workers, "B": slots},
            ):
                return found
        workers, slots, at = trial["G"], trial["B"], list(trial["steps"])
        system, p = System(workers, slots), Fraction(str(trial["p"]))
        exact = [_spread(p, step, workers, slots) for step in at]
        policy = planted_policy(trial, "fcfs")
        squares, shares = _squares_and_shares(
            system, policy, p, tuple(at), trial["runs"], trial.seed
        )
        square_of = sum(e.second_moment.value for e in exact) / len(exact)
        share_of = sum(e.idle_share.value for e in exact) / len(exact)
        square_of *= float(trial.scale_of("squares of runs"))
        share_of *= float(trial.scale_of("shares of runs"))
        domain = (
            f"all {outcomes} outcomes of tiny systems, exact rationals; steps {at} of "
            f"{trial['runs']} runs at G = {workers}, B = {slots}"
        )
        witness = {"params": dict(trial.params), "seed": trial.seed}
        holds = square_of in squares
        side = Comparison(
            holds, squares.value, "==", square_of, "E[Imb^2]", interval=squares.interval
        )
        if found := broken((side,), domain, witness):
            return found
        details = {"E[Imb^2]": squares.interval, "E[Imb/(G M)]": shares.interval}
        return sampled_mean(trial, shares, share_of, domain, witness, details=details)


def _least_slots(workers: int, *, regime: bool) -> int:
    """``ceil(sqrt(G))`` in the paper's regime, else 1."""
    return isqrt(workers - 1) + 1 if regime else 1


@claim(
    "fcfs.constant-of-law",
    "lower",
    assumptions=EXPECTATION,
    requires=("fcfs.exact", "fcfs.constant"),
    values={"c": FCFS_TEXT},
)
class ConstantOfLaw:
    """The largest constant of one law in a region.

    For a given law, the largest c with E[Imb(FCFS)] >= c G sigma sqrt(B ln G) for all 2 <= G <= 256
    and 1 <= B <= 256 lies in [0.420, 0.431] for fair sizes 1 or 2, in [0.569, 0.578] for sizes
    uniform on 1..4 and in [0.119, 0.120] for size 2 with probability 0.01, else 1; with B >=
    sqrt(G), the paper's regime, in [0.624, 0.638], [0.663, 0.677] and [0.167, 0.168]: all below the
    $c of [fcfs.constant], which holds only where B is large for the law.
    """

    def formula(self) -> "sp.Basic":
        B, G, B1, G1 = sp.symbols("B G B_1 G_1", positive=True)
        c = sp.Function("c")
        return sp.Ge(c(G, B), c(G1, B1) * constant_shrink(G1, B1, G, B))

    def proof(self) -> tuple[Step, ...]:
        sigma, slots, logs = sp.symbols("sigma B_1 l_1", positive=True)
        more, longer, gain, rise = sp.symbols("b l m r", nonnegative=True)
        return (
            Lemma(
                "more slots",
                "Give every worker one slot more, with loads X_g of mean m.  By Jensen's "
                "inequality E[max_g (L_g + X_g) | L] >= max_g L_g + m, so E[max] - B E[X] cannot "
                "fall as B grows.",
            ),
            Lemma("more workers", "nor as G grows, because the maximum is taken over more loads."),
            Inequality(
                "With E[max] - mean = m + r at (G, B) and m at (G_1, B_1), ln G = l_1 + l and "
                "B = B_1 + b: c(G, B) >= c(G_1, B_1) sqrt(B_1 ln G_1 / (B ln G))",
                gain / sigma / sp.sqrt((slots + more) * (logs + longer)),
                (gain + rise) / sigma / sp.sqrt((slots + more) * (logs + longer)),
                rise / sigma / sp.sqrt((slots + more) * (logs + longer)),
            ),
            Lemma(
                "branch and bound",
                "The region is cut into boxes until the bound at the lower corner of each is "
                "within the tolerance of the smallest exact value found.",
            ),
        )

    @evidence(
        measures="largest constant of a law in a region (1)",
        plants=(
            near("lower ends", Fraction(21, 20)),
            near("upper ends", Fraction(20, 21)),
            near("sampled points", Fraction(21, 20)),
            Variant("one constant for all regions", fault="one-region"),
            Variant("B to the power 0.4", exponent=Fraction(-1, 10)),
        ),
        standard={"samples": 400},
        most=256,
        samples=8,
    )
    def check(self, trial: Trial) -> Finding:
        """Branch and bound over the region with exact enclosures and the monotonicity of E[max] -
        mean in G and B; an enclosure outside a stated range, or a sampled point (or the minimiser
        found) below the constant, refutes it.
        """
        fair, rare = Law.uniform(1, 2), Law.of({1: Fraction(99, 100), 2: Fraction(1, 100)})
        stated = (
            ("fair 1 or 2", fair, False, ("0.420", "0.431")),
            ("uniform 1..4", Law.uniform(1, 4), False, ("0.569", "0.578")),
            ("rare 2", rare, False, ("0.119", "0.120")),
            ("fair 1 or 2", fair, True, ("0.624", "0.638")),
            ("uniform 1..4", Law.uniform(1, 4), True, ("0.663", "0.677")),
            ("rare 2", rare, True, ("0.167", "0.168")),
        )
        rng = np.random.default_rng(trial.seed)
        details: dict[str, Any] = {}
        most = trial["most"]
        for name, law, regime, ends in stated:
            least = partial(_least_slots, regime=regime and not trial.fault("one-region"))
            found = largest_constant(law, most, most, least, Fraction(1, 50))
            value = found.value
            where = f"{name}, {'B >= sqrt(G)' if regime else 'all B'}"
            details[where] = {"c": float(value.upper), "G": found.workers, "B": found.slots}
            if outside := out_of_range(
                trial,
                value * trial.stretch(found.slots),
                ends,
                f"largest constant over G, B <= {most}, {where}",
                {"law": name, "G": found.workers, "B": found.slots},
            ):
                return outside
            points = [(found.workers, found.slots)]
            for _ in range(trial["samples"]):
                workers = int(2 * (most / 2) ** rng.random())
                points.append((workers, max(least(workers), int(most ** rng.random()))))
            for workers, slots in points:
                c = effective_constant(law, workers, slots) * (1 / trial.stretch(slots))
                floor = value.lower * trial.scale_of("sampled points")
                side = Comparison(c.upper >= floor, c.value, ">=", float(floor))
                witness = {"law": name, "G": workers, "B": slots}
                if below := broken((side,), f"a sampled point, {where}", witness):
                    return below
        where = "fair 1 or 2, B >= sqrt(G)"
        return stands(
            trial,
            details[where]["c"],
            "<=",
            0.638,
            f"branch and bound over 2 <= G <= {most}, B <= {most} for {len(stated)} regions, and "
            f"{trial['samples']} sampled points in each; shown: {where}",
            strongest=Verdict.CERTIFIED,
            details=details,
        )
