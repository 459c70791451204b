"""Theorem 1 itself: the ratio of its two sides."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import comb, floor
from typing import Any

from adversary.workloads.families import workload
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import (
    QUARTER,
    TENTH,
    Cases,
    Comparison,
    Witness,
    broken,
    near,
    stands,
)
from evenkeel.findings.statistics import Mean, Ratio, overloaded_run
from evenkeel.findings.verdicts import BUSIEST
from evenkeel.theorems.parts import Numbers
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem1.sides import HYPOTHESES, STEEPER, round_imbalances
from theory.formal.record import Theorem
from theory.formulas.fcfs import log_growth_form
from theory.formulas.ratio import (
    certified_ratio,
    explicit_ratio,
    explicit_ratio_square,
    paper_ratio,
)
from theory.formulas.step import full_refill_bound
from theory.laws.fcfs_expectation import expected_imbalance, square_root
from theory.laws.law import Law
from theory.model import System
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import sp

SMALL_LAWS = {
    "1 or 2, fair": Law.uniform(1, 2),
    "1..3": Law.uniform(1, 3),
    "1..100": Law.uniform(1, 100),
    "100 (1/100) or 1": Law.of({1: Fraction(99, 100), 100: Fraction(1, 100)}),
    "1 (1/100) or 100": Law.of({1: Fraction(1, 100), 100: Fraction(99, 100)}),
}


def _two_sizes(a: int, b: int, q: Fraction) -> Law:
    """Size b with probability q, else a."""
    return Law.of({a: 1 - q, b: q})


@cache
def _optimum_of_two_sizes(workers: int, slots: int, width: int, q: Fraction) -> Fraction:
    """Expected optimal imbalance of a full refill from exactly ``G B`` requests of two sizes.

    All of them are admitted, ``j`` large ones among them; any worker can have any number of these
    up to ``B``, so the largest load has ``ceil(j/G)`` of them.
    """
    n, chance, other = workers * slots, q.numerator, q.denominator - q.numerator
    total = sum(
        comb(n, j) * chance**j * other ** (n - j) * (-(-j // workers) * workers - j)
        for j in range(n + 1)
    )
    return Fraction(width * total, q.denominator**n)


@cache
def _squares(name: str, workers: int, slots: int) -> tuple[Fraction, Fraction, Fraction]:
    """Squares of the exact bound from below, the explicit one, the paper's form from above."""
    law = SMALL_LAWS[name]
    return (
        certified_ratio(law, workers, slots).lower ** 2,
        explicit_ratio_square(law, workers, slots),
        paper_ratio(law, workers, slots).upper ** 2,
    )


def _outside(workers: int, slots: int, sizes: Law) -> str:
    """The hypothesis of Theorem 1 that does not hold, by name; empty if all do."""
    k = workers.bit_length() - 1
    if workers < 2:
        return f"G = {workers}: with fewer than 2 workers there is no imbalance, IIR is 0/0"
    if slots < k:
        return f"B = {slots} is below k = floor(log2 G) = {k}"
    if sizes.variance.upper == 0:
        return "sigma_s = 0: all sizes are equal, both imbalances are 0 and IIR is 0/0"
    return ""


def _below(number: Fraction, digits: int = 12) -> Fraction:
    """The number, rounded down to so many decimals."""
    return Fraction(floor(number * 10**digits), 10**digits)


def _rounded_down(number: Fraction) -> str:
    return f"{float(_below(number, 3)):.3f}"


@claim(
    "warmup.theorem-1",
    "lower",
    source="paper, Theorem 1 (order); constants: evenkeel",
    version="v1, v2",
    assumptions=(Assumption.BACKLOG, *HYPOTHESES, Assumption.EXACT_STEP),
    requires=("warmup.fcfs-lower", "warmup.bfio-upper", "fcfs.exact", "fcfs.log-growth"),
    answers=("T1",),
    coq=Theorem("warmup_theorem_1", "Theorem1.v"),
)
class Theorem1:
    """Theorem 1, whole: equal output lengths.

    For every G >= 2, every B >= k = floor(log2 G), with n = floor(B/k), and every law of the sizes
    on [a, b] with standard deviation sigma_s > 0 and kurtosis kappa: with independent sizes, all
    requests waiting from the start, equal output lengths, full refills and exact steps, over any
    number of whole rounds and whichever optima BF-IO takes, IIR >= E[Imb(FCFS)]/((G-1)(b-a)), the
    exact bound, with the expectation of [fcfs.exact], and IIR >= [k/(b-a)] sigma_s sqrt(n / (6 +
    (kappa-3)/n)) G/(G-1), the explicit bound. IIR is infinite where BF-IO leaves nothing. The
    explicit bound is at least c kappa0 sqrt(B ln G) G/(G-1), the paper's form, with kappa0 =
    sigma_s/b and c = 2/(3 sqrt(ln 2 (3 + max(3, kappa)))).
    """

    def formula(self) -> "sp.Basic":
        G, k, a, b, sigma, kappa = sp.symbols("G k a b sigma_s kappa", positive=True)
        n = sp.Symbol("n", real=True)  # known to be positive, its root would be taken apart
        iir, exact = sp.Symbol("IIR", positive=True), sp.Symbol("E[Imb(FCFS)]", positive=True)
        return sp.And(
            sp.Ge(iir, exact / full_refill_bound(G, a, b)),
            sp.Ge(iir, explicit_ratio(G, k, n, sigma**2, kappa, a, b)),
        )

    def proof(self) -> tuple[Step, ...]:
        G, B, k, a, b, sigma, kappa = sp.symbols("G B k a b sigma_s kappa", positive=True)
        d, t, i, D = sp.symbols("d t i D", positive=True)
        u, x, y, z = sp.symbols("u x y z", nonnegative=True)
        largest, total = sp.symbols("M S", positive=True)
        n = sp.Symbol("n", real=True)
        iir, exact = sp.Symbol("IIR", positive=True), sp.Symbol("E[Imb(FCFS)]", positive=True)
        spread = 3 + (1 + z) * (D - 6)
        growth = sp.sqrt(log_growth_form(G, k, 1 + z, sigma**2, spread))
        written = {
            b: a + (i + u) / (G - 1),
            n: 1 + z,
            kappa: spread,
            exact: growth + x,
            iir: (growth + x) / i,
        }
        return (
            Lemma(
                "rounds",
                "All output lengths are equal to some o.  The GB requests admitted at a step "
                "depart together after o steps, and at least GB requests wait, so every admission "
                "is a full refill; a round is the o steps from one to the next.",
            ),
            Identity(
                "Within a round all requests grow alike: after growth by t in each of its B slots "
                "every load is larger by B t, which leaves the imbalance G M - S unchanged.  So "
                "AvgImb is the mean of the imbalances at the refills",
                G * (largest + B * t) - (total + G * B * t),
                G * largest - total,
            ),
            Lemma(
                "BF-IO, in every round",
                "Whatever earlier rounds left in the pool and whichever optimum is taken, an exact "
                "step of a full refill leaves at most (G-1)(b-a) [warmup.bfio-upper].  So i = "
                "E[AvgImb(BF-IO)] is at most that.  It is positive: sigma_s > 0 gives a < b.",
            ),
            Lemma(
                "FCFS, in every round",
                "FCFS admits the oldest GB requests, whose sizes are independent of each other "
                "and of all earlier rounds.  So in every round the loads are independent sums of B "
                "independent sizes, and E[AvgImb(FCFS)] is E[Imb(FCFS)] of [fcfs.exact] with X = "
                "s.",
            ),
            Inequality(
                "The ratio of the means is at least the ratio to the bound: with e = E[Imb(FCFS)] "
                "= x + y and (G-1)(b-a) = i + u",
                (x + y) / (i + u),
                (x + y) / i,
                (x + y) * u / (i * (i + u)),
            ),
            Lemma(
                "growth with G and B",
                "E[Imb(FCFS)] >= G k sigma_s sqrt(n / (6 + (kappa-3)/n)) [fcfs.log-growth], as "
                "G >= 2, B >= k and sigma_s > 0.",
            ),
            Inequality(
                "The root is that of a positive number: kappa >= 1 and n >= 1, so with kappa = 1 + "
                "y and n = 1 + z",
                sp.Integer(4),
                6 + (1 + y - 3) / (1 + z),
                (2 * z + y) / (1 + z),
            ),
            Inequality(
                "Over (G-1)(b-a) it is the explicit bound; what it is at least, c G sigma_s sqrt(B "
                "ln G) [fcfs.log-growth], over (G-1) b is the paper's form: with d = b - a",
                1 / (a + d),
                1 / d,
                a / (d * (a + d)),
            ),
            Setting(
                "Write n = 1 + z, D = 6 + (kappa-3)/n, which is positive, (G-1)(b-a) = i + u, and "
                "x for what E[Imb(FCFS)] exceeds its lower bound by",
                written,
            ),
            Conclusion(
                "Both bounds of IIR = E[Imb(FCFS)]/i",
                self.formula(),
                written,
                (
                    (growth + x) * u / (i * (i + u)),
                    (growth * u + x * (i + u)) / (i * (i + u)),
                ),
            ),
        )

    def numbers(self) -> Numbers:
        rare = ((64, 6, Fraction(1, 48)), (256, 8, Fraction(3, 1024)))
        systems: list[tuple[int, int, str, Law, str]] = [
            (2, 1, "1 or 2, fair", SMALL_LAWS["1 or 2, fair"], "1"),
            *(
                (workers, slots, "1..100", SMALL_LAWS["1..100"], "")
                for workers, slots in ((2, 72), (8, 16), (32, 72), (256, 72))
            ),
        ]
        for workers, slots, q in rare:
            law = _two_sizes(1, 100, q)
            found = expected_imbalance(law, workers, slots).imbalance.lower
            found /= _optimum_of_two_sizes(workers, slots, 99, q)
            systems.append((workers, slots, f"100 ({q}) or 1", law, _rounded_down(found)))
        return Numbers(
            "The exact bound, the explicit bound and the paper's form with its proved c, rounded "
            "down, for uniform sizes and for two sizes, the first with its probability; and IIR "
            "itself with pools of exactly G B, where the optimum of every round is known in closed "
            "form.",
            ("G", "B", "sizes", "exact", "explicit", "paper", "IIR"),
            tuple(
                (
                    str(workers),
                    str(slots),
                    name,
                    _rounded_down(certified_ratio(law, workers, slots).lower),
                    _rounded_down(square_root(explicit_ratio_square(law, workers, slots)).lower),
                    _rounded_down(paper_ratio(law, workers, slots).lower),
                    known,
                )
                for workers, slots, name, law, known in systems
            ),
        )

    @evidence(
        measures="IIR over paired rounds (1)",
        plants=(
            near("explicit bound"),
            near("paper's form", TENTH),
            near("exact IIR", Fraction(103, 100)),
            near("FCFS", TENTH),
            near("FCFS", 1 / TENTH),
            near("extremal round"),
            near("IIR", QUARTER),
            STEEPER,
            Variant("fcfs in place of bfio", policy="fcfs"),
            BUSIEST,
        ),
        standard={"rounds": 5000},
        G=64,
        B=6,
        b=100,
        q=Fraction(1, 48),
        length=2,
        rounds=1500,
        workers=(2, 3, 4, 7, 8, 33, 256),
        slots=(1, 2, 3, 5, 8, 72),
    )
    def check(self, trial: Trial) -> Finding:
        """Exactly, over laws and a grid of G and B: the explicit bound against the exact one, and
        the paper's form against the explicit bound; the exact bound against IIR itself for a rare
        large size at G = 256, B = 8, where optimal rounds almost attain (G-1)(b-a). In paired
        simulated rounds of a rare large size: FCFS must have the exact expectation within its
        interval, the extremal round must leave exactly (G-1)(b-a) under BF-IO, and the interval of
        IIR must not lie below the exact bound. A bound above, or a mean outside, refutes it.
        """
        workers, slots, b, q = trial["G"], trial["B"], trial["b"], trial["q"]
        sizes = _two_sizes(1, b, q) if b > 1 and 0 < q < 1 else Law.uniform(1, 1)
        if outside := _outside(workers, slots, sizes):
            return Finding(verdict=Verdict.NOT_APPLICABLE, domain=outside)
        exact = self._exactly(trial)
        if exact.violated:
            return exact.finding(trial, "exact laws")
        policy = trial.policy_or("bfio")
        system = System(workers, slots)
        bound = certified_ratio(sizes, workers, slots).lower * trial.stretch(slots)
        gap = full_refill_bound(workers, 1, b)
        expected = float(bound * gap * trial.scale_of("FCFS"))
        least = float(bound * trial.scale_of("IIR"))
        extreme = gap * trial.scale_of("extremal round")
        fcfs, balanced = (
            round_imbalances(
                "two-point",
                system,
                rule,
                trial["rounds"],
                trial.seed,
                length=trial["length"],
                b=b,
                q=float(q),
            )
            for rule in ("fcfs", policy)
        )
        mean, ratio = Mean.of(fcfs), Ratio.of(fcfs, balanced)
        extremal = workload(
            "refill-tight", system.capacity, 0, workers=workers, slots=slots, b=b, length=1
        )
        attained = overloaded_run(system, extremal, policy, 1).total.imbalance
        domain = (
            f"{exact.count:,} exact comparisons of the bounds; {trial['rounds']} paired rounds at "
            f"G = {workers}, B = {slots}, size {b} with probability {q}, else 1, and the extremal "
            f"round, under fcfs and {policy}"
        )
        if found := broken(
            (
                Comparison(
                    expected in mean, mean.value, "==", expected, "imbalance of fcfs", mean.interval
                ),
                Comparison(attained == extreme, attained, "==", extreme, "imbalance of that round"),
                Comparison(ratio.high >= least, ratio.value, ">=", least, "IIR", ratio.interval),
            ),
            domain,
            {
                "IIR": ratio.interval,
                "extremal round": attained,
                "fcfs": mean.interval,
                "params": dict(trial.params),
                "seed": trial.seed,
            },
        ):
            return found
        strongest = Verdict.MACHINE_CHECKED if policy == "bfio" else Verdict.SUPPORTED
        return stands(
            trial,
            ratio.value,
            ">=",
            least,
            domain,
            strongest=strongest if ratio.low >= least else Verdict.INCONCLUSIVE,
            interval=ratio.interval,
            details={"E[Imb(FCFS)]/((G-1)(b-a))": least},
        )

    def _exactly(self, trial: Trial) -> Cases:
        """The bounds against each other, and the exact one against IIR, up to one that fails."""
        cases = Cases(">=")
        for (name, law), workers, slots in product(
            SMALL_LAWS.items(), trial["workers"], trial["slots"]
        ):
            if _outside(workers, slots, law):
                continue
            witness: Witness = partial(dict[str, Any], sizes=name, G=workers, B=slots)
            exact, explicit, paper = _squares(name, workers, slots)
            claimed = explicit * (trial.scale_of("explicit bound") * trial.stretch(slots)) ** 2
            paper *= trial.scale_of("paper's form") ** 2
            if cases.add(
                exact, claimed, witness, "the exact bound against the explicit one, squared"
            ):
                return cases
            if cases.add(
                explicit, paper, witness, "the explicit bound against the paper's form, squared"
            ):
                return cases
        workers, slots, q = 256, 8, Fraction(3, 1024)
        law = _two_sizes(1, 2, q)
        # Both are rationals of thousands of digits: the one rounded down, the other up.
        ratio = expected_imbalance(law, workers, slots).imbalance.lower
        ratio = _below(ratio / _optimum_of_two_sizes(workers, slots, 1, q))
        bound = -_below(-certified_ratio(law, workers, slots).upper)
        witness = partial(dict[str, Any], sizes=f"2 with probability {q}, else 1", G=256, B=8)
        claimed = bound * trial.scale_of("exact IIR")
        cases.add(ratio, claimed, witness, "IIR itself against the exact bound")
        return cases
