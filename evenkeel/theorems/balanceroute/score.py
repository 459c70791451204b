"""BalanceRoute's score of a worker."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Witness
from evenkeel.findings.verdicts import LARGER
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import domain, witness_of
from solvers.step.exact.brute_force import assignments, exact_step
from solvers.step.problem import WAITS, StepProblem
from theory.formal.record import Theorem
from theory.formulas.balanceroute import br0_score, brh_score
from theory.model import imbalance
from theory.proof import Identity, Inequality, Lemma, Step
from theory.symbolic import sp


def _routings(trial: Trial) -> Iterator[tuple[list[int], int, int]]:
    """Loads, worker and size: a whole small domain, then large random ones."""
    for G in range(1, trial["G"] + 1):
        for loads in product(range(trial["load"] + 1), repeat=G):
            for worker, size in product(range(G), range(2 * trial["load"] + 1)):
                yield list(loads), worker, size
    rng = np.random.default_rng(trial.seed)
    for _ in range(trial["random"]):
        G = int(rng.integers(1, 300))
        yield rng.integers(0, 10**9, G).tolist(), int(rng.integers(G)), int(rng.integers(10**9))


def _with(loads: Sequence[int], worker: int, size: int) -> list[int]:
    after = list(loads)
    after[worker] += size
    return after


@claim(
    "balanceroute.score-identity",
    "equality",
    source="BalanceRoute (Bu et al. 2026)",
    version="v1",
    coq=Theorem("balanceroute_score_identity", "Scores.v"),
    answers=("BR-0",),
)
class ScoreIdentity:
    """BR-0's score is minus the change of the imbalance.

    Adding requests of total size S >= 0 to worker g changes G max L - sum L by exactly -(S - G (S -
    m_g)^+), m_g = max L - L_g.
    """

    def formula(self) -> "sp.Basic":
        G, S, m = sp.symbols("G S m", nonnegative=True, integer=True)
        return sp.Eq(br0_score(S, m, G), -sp.Function("DeltaImb")(S, m))

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("G", positive=True, integer=True)
        M, total, m, e = sp.symbols("M Sigma m e", nonnegative=True)
        before = G * M - total
        within, beyond = m - e, m + e
        return (
            Lemma("cases", "Either S <= m_g (S = m - e) or S > m_g (S = m + e), e >= 0."),
            Identity(
                "S <= m_g: the largest load stays, the sum grows by S, and F = S",
                within,
                before - sp.UnevaluatedExpr(G * M - (total + within)),
            ),
            Identity(
                "S > m_g: the largest load becomes M + S - m_g, and F = S - G (S - m_g)",
                beyond - G * e,
                before - (G * (M + e) - (total + beyond)),
            ),
        )

    @evidence(
        measures="fall of the imbalance by a routing (load)",
        G=3,
        load=4,
        random=200,
        standard={"load": 8, "random": 5000},
        plants=(
            LARGER,
            Variant("penalty G - 1 in place of G", fault="penalty"),
            Variant("penalty of the wrong sign", fault="sign"),
            Variant("max - min in place of G max - sum", fault="max-min"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Both sides in ints for all loads and sizes of a finite domain and for random large ones;
        one difference refutes it.
        """
        cases = Cases("==")
        for loads, worker, size in _routings(trial):
            after = _with(loads, worker, size)
            change = imbalance(loads) - imbalance(after)
            if trial.fault("max-min"):
                change = (max(loads) - min(loads)) - (max(after) - min(after))
            penalty = len(loads) - trial.fault("penalty")
            if trial.fault("sign"):
                penalty = -penalty
            score = br0_score(size, max(loads) - loads[worker], penalty) * trial.scale
            if cases.add(change, score, partial(dict, loads=loads, worker=worker, size=size)):
                break
        return cases.finding(
            trial,
            f"all loads <= {trial['load']} of G <= {trial['G']} workers and sizes up to twice "
            f"that; {trial['random']} random ones with G < 300 and numbers below 10^9",
        )


@claim(
    "balanceroute.brh-reduces",
    "equality",
    source="BalanceRoute (Bu et al. 2026)",
    version="v1",
    requires=("balanceroute.score-identity",),
    coq=Theorem("balanceroute_brh_reduces", "Discounts.v"),
    answers=("BR-H",),
)
class BrhReduces:
    """BR-H with (alpha, beta) = (1, G) discounts BR-0's scores.

    With (alpha, beta) = (1, G), BR-H's score is sum_h d_h (S - G (S - m_g(h))^+) for any real
    discounts d_h (its own are gamma^h, 0 < gamma <= 1): BR-0 for H = 0 and d_0 = 1, and for H > 0
    minus the discounted change of the predicted imbalances for a load that stays S >= 0.
    """

    def formula(self) -> "sp.Basic":
        G, S = sp.symbols("G S", nonnegative=True, integer=True)
        h, H = sp.symbols("h H", nonnegative=True, integer=True)
        discount, margin = sp.IndexedBase("d"), sp.IndexedBase("m")
        term = discount[h] * br0_score(S, margin[h], G)
        return sp.Eq(sp.Symbol("F"), sp.Sum(term, (h, 0, H)))

    def proof(self) -> tuple[Step, ...]:
        G, S, overshoot = sp.symbols("G S x", nonnegative=True)
        d = sp.Symbol("d", real=True)
        return (
            Identity(
                "With (alpha, beta) = (1, G) each step h of the window contributes d_h times "
                "BR-0's score at margin m_g(h); x = (S - m_g(h))^+",
                1 * d * S - G * d * overshoot,
                d * (S - G * overshoot),
            ),
            Lemma(
                "sum over the window",
                "Both sides are sums over h = 0..H; for H = 0 and d = 1 the one term is BR-0's. "
                "By [balanceroute.score-identity] term h is minus d_h times the change of the "
                "predicted imbalance at step h, if the routed load stays S for the whole window.",
            ),
        )

    @evidence(
        measures="discounted fall of the predicted imbalances (load)",
        windows=300,
        standard={"windows": 10_000},
        plants=(
            LARGER,
            Variant("penalty G - 1 in place of G", fault="penalty"),
            Variant("discounted from the first step on", fault="discount"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The vector form against the discounted changes of imbalances recomputed from predicted
        loads, in Fractions; one difference refutes it.
        """
        cases, rng = Cases("=="), np.random.default_rng(trial.seed)
        for number in range(trial["windows"]):
            G, H = int(rng.integers(1, 6)), int(rng.integers(0, 5))
            predicted = rng.integers(0, 50, (H + 1, G)).tolist()
            worker, size = int(rng.integers(G)), int(rng.integers(1, 60))
            # Half of the windows have powers of gamma in (0, 1], half any discounts.
            if number % 2:
                given = [Fraction(int(x), 100) for x in rng.integers(-200, 201, H + 1)]
            else:
                gamma = Fraction(int(rng.integers(1, 101)), 100)
                given = [gamma**h for h in range(H + 1)]
            change = sum(
                (
                    d * (imbalance(loads) - imbalance(_with(loads, worker, size)))
                    for d, loads in zip(given, predicted, strict=True)
                ),
                Fraction(0),
            )
            margins = [max(loads) - loads[worker] for loads in predicted]
            late = [d * Fraction(9, 10) for d in given]
            discounts = late if trial.fault("discount") else given
            beta = G - trial.fault("penalty")
            score = brh_score(size, margins, discounts, 1, beta) * trial.scale
            witness: Witness = partial(
                dict, predicted=predicted, worker=worker, size=size, discounts=list(map(str, given))
            )
            if cases.add(change, score, witness):
                break
        return cases.finding(
            trial,
            f"{trial['windows']} random windows with G <= 5, H <= 4, loads and sizes below 60; "
            "discounts gamma^h with 0 < gamma <= 1, and any between -2 and 2, in turn",
        )


def _total_score(problem: StepProblem, chosen: Sequence[int], *, stale: bool) -> int:
    """Sum of the scores of a step's admissions, one by one; ``stale`` never updates the loads."""
    loads, total = problem.loads.tolist(), 0
    for size, g in zip(problem.pool.tolist(), chosen, strict=True):
        if g != WAITS:
            total += br0_score(size, max(loads) - loads[g], problem.workers)
            if not stale:
                loads[g] += size
    return total


@claim(
    "balanceroute.telescopes",
    "equality",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.MYOPIC),
    requires=("balanceroute.score-identity", "step.objective"),
    coq=Theorem(
        "balanceroute_telescopes", "Scores.v", "that the admissions of a step are such moves"
    ),
    answers=("BR-0",),
)
class Telescopes:
    """The scores of a step's admissions add up to BF-IO's objective.

    Admitting the requests of a step one by one, in any order, BR-0's scores sum to the imbalance
    before the step minus the imbalance after it; so the largest total score of a work-conserving
    step is attained exactly by the admissions of least imbalance, BF-IO's (H = 0) among them.
    """

    def proof(self) -> tuple[Step, ...]:
        k, m = sp.symbols("k m", nonnegative=True, integer=True)
        imbalance = sp.Function("I")
        return (
            Identity(
                "The k-th admission scores I(k) - I(k+1), the fall of the imbalance; over m+1 "
                "admissions the scores add up to the first imbalance minus the last",
                sp.Sum(imbalance(k) - imbalance(k + 1), (k, 0, m)),
                imbalance(0) - imbalance(m + 1),
            ),
            Lemma(
                "order does not matter",
                "The sum depends on the loads after the step alone, and I_0 is given: the largest "
                "sum is the smallest imbalance.",
            ),
        )

    @evidence(
        measures="largest total score of a step's admissions (load)",
        G=3,
        requests=3,
        size=3,
        free=2,
        load=1,
        standard={"requests": 4, "load": 3},
        plants=(
            LARGER,
            Variant("scores at the loads before the step", fault="stale"),
            Variant("half the penalty in the objective", fault="half"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The largest total score over all admissions of a finite domain of steps against the
        enumerated optimum; one difference refutes it.
        """
        cases = Cases("==")
        problems, text = domain(trial)
        for problem in problems:
            stale = trial.fault("stale")
            best = max(_total_score(problem, x, stale=stale) for x in assignments(problem))
            optimum = problem.objective(exact_step(problem))
            removed = (imbalance(problem.loads) - optimum) * trial.scale
            if trial.fault("half"):
                removed = Fraction(imbalance(problem.loads), 2) - optimum
            if cases.add(best, removed, witness_of(problem)):
                break
        return cases.finding(trial, text)


@claim(
    "balanceroute.gap-and-imbalance",
    "upper",
    coq=Theorem("balanceroute_gap_and_imbalance", "Loads.v"),
    answers=("BR imbalance",),
)
class GapAndImbalance:
    """How the two papers' imbalances compare.

    BalanceRoute reports max L - min L, the first paper G max L - sum L. For G >= 2, max - min <= G
    max - sum <= (G-1)(max - min), both sides attained.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", positive=True, integer=True)
        gap, imb = sp.symbols("gap Imb", nonnegative=True)
        return sp.And(sp.Le(gap, imb), sp.Le(imb, (G - 1) * gap))

    def proof(self) -> tuple[Step, ...]:
        n = sp.Symbol("n", nonnegative=True, integer=True)
        D, r, u = sp.symbols("D r u", nonnegative=True)
        G, g = sp.symbols("G g", positive=True, integer=True)
        M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
        return (
            Identity(
                "The imbalance is the sum of the G gaps below the largest load",
                G * M - sp.Sum(L[g], (g, 1, G)),
                sp.Sum(M - L[g], (g, 1, G)),
            ),
            Lemma(
                "terms",
                "G = n + 2 of them, each in [0, D], D = max - min: one is "
                "0, one is D, the n others sum to r >= 0 and to n D - u, u >= 0.",
            ),
            Inequality("Lower side", D, D + r, r),
            Inequality("Upper side", D + n * D - u, (n + 1) * D, u),
        )

    @evidence(
        measures="the smaller side of either inequality (load)",
        G=4,
        load=5,
        standard={"G": 5, "load": 8},
        plants=(
            Variant("max - min at most 0.99 (G max - sum)", Fraction(99, 100), side="lower"),
            Variant("G max - sum at most 0.99 (G-1)(max - min)", Fraction(99, 100), side="upper"),
            Variant("G - 2 in place of G - 1", fault="workers"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """All loads of a finite domain: no violation, and both sides attained."""
        cases, low, high = Cases("<="), 0, 0
        for G in range(2, trial["G"] + 1):
            for loads in product(range(trial["load"] + 1), repeat=G):
                gap, total = max(loads) - min(loads), imbalance(loads)
                most = (G - 1 - trial.fault("workers")) * gap
                low += gap == total > 0
                high += most == total > 0
                witness: Witness = partial(dict, loads=list(loads))
                if cases.add(gap, total * trial.scale_of("lower"), witness) or cases.add(
                    total, most * trial.scale_of("upper"), witness
                ):
                    break
            if cases.violated:
                break
        return cases.finding(
            trial,
            f"both sides for all loads <= {trial['load']} of 2 <= G <= {trial['G']} workers",
            details={"lower side attained": low, "upper side attained": high},
        )
