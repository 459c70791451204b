"""The two sides of Theorem 2: FCFS from below, BF-IO from above."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from adversary.workloads.families import workload_names
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.replications import balanced_runs
from evenkeel.findings.scoreboard import (
    THOUSANDTH,
    Cases,
    Comparison,
    Witness,
    broken,
    near,
    sampled_mean,
)
from evenkeel.findings.verdicts import BFIO, planted_policy
from evenkeel.theorems.balance_frontier.criterion import refill_optimum
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.along_runs import LATE, TWO_SIZES_ABOVE, Along, Shared
from evenkeel.theorems.theorem2.departures import departures, departures_domain
from evenkeel.theorems.theorem2.runs import family_run, rare_size_run, sample_trace_run
from theory.formal.record import Theorem
from theory.formulas.departures import Departures
from theory.formulas.geometric import (
    age_moments,
    slot_fourth_moment,
    slot_moments,
    slot_variance,
)
from theory.formulas.ratio import bfio_bound
from theory.formulas.step import spacing_cost
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import System
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp

HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.CONSTANT_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)


def _factorial_moments(p: "sp.Symbol") -> "list[sp.Expr]":
    """``E[A (A-1) ... (A-j+1)]`` for j = 1..4, from the generating function of the age."""
    z = sp.Symbol("z", positive=True)
    generating = p / (1 - (1 - p) * z)  # sum_t p (1-p)^t z^t
    return [sp.Subs(sp.Derivative(generating, z, j), z, 1) for j in range(1, 5)]


@claim(
    "geometric.fcfs-lower",
    "equality",
    source="paper, Theorem 2",
    version="v1, v2",
    assumptions=HYPOTHESES,
    requires=("fcfs.exact", "fcfs.lower", "fcfs.pairing"),
    answers=("T2",),
)
class FcfsLower:
    """FCFS side of Theorem 2: the law of a slot.

    Geometric(p) lengths, drift 1, stationarity: a slot's load X = s + A has variance sigma_s^2 +
    (1-p)/p^2 and fourth central moment mu_4(s) + 6 sigma_s^2 (1-p)/p^2 + (1-p)(p^2 - 9p + 9)/p^4,
    and E[Imb(FCFS)] is the exact value of [fcfs.exact] for it. With these moments [fcfs.pairing]
    and [fcfs.lower] are explicit lower bounds; the paper's c G sigma_X sqrt(B log G), with c
    unnamed there, has its constant in [geometric.fcfs-log-growth].
    """

    def formula(self) -> "sp.Basic":
        sigma, p, fourth = sp.symbols("sigma_s p mu_4(s)", positive=True)
        variance_x, fourth_x = slot_moments(sigma**2, fourth, p)
        return sp.And(
            sp.Eq(sp.Symbol("sigma_X", positive=True) ** 2, variance_x),
            sp.Eq(sp.Symbol("mu_4", positive=True), fourth_x),
        )

    def proof(self) -> tuple[Step, ...]:
        sigma, p, fourth, u, v = sp.symbols("sigma_s p mu_4(s) u v", positive=True)
        f1, f2, f3, f4 = _factorial_moments(p)
        mean = (1 - p) / p
        variance, age4 = age_moments(p)
        return (
            Lemma(
                "size and age are independent",
                "Lengths are independent of sizes and memoryless: in stationarity A is geometric, "
                "P(A = t) = p (1-p)^t, whatever s [fcfs.exact].",
            ),
            Identity("Mean of the age, from its generating function", f1, mean),
            Identity("Variance of the age", f2 + f1 - mean**2, variance),
            Identity(
                "Fourth central moment of the age",
                (f4 + 6 * f3 + 7 * f2 + f1)
                - 4 * mean * (f3 + 3 * f2 + f1)
                + 6 * mean**2 * (f2 + f1)
                - 3 * mean**4,
                age4,
            ),
            Identity(
                "With u = s - E s and v = A - E A independent, the terms of odd power have mean 0",
                (u + v) ** 4,
                u**4 + 6 * u**2 * v**2 + v**4 + 4 * u * v * (u**2 + v**2),
            ),
            Conclusion(
                "so the moments of X = s + A are",
                self.formula(),
                {
                    sp.Symbol("sigma_X", positive=True): sp.sqrt(sigma**2 + f2 + f1 - mean**2),
                    sp.Symbol("mu_4", positive=True): slot_moments(sigma**2, fourth, p)[1],
                },
            ),
        )

    @evidence(
        measures="mean imbalance of FCFS (load); moments of a slot's load",
        plants=(
            Variant("variance x1.001", Fraction(1001, 1000), side="variance"),
            Variant("fourth moment x1.001", Fraction(1001, 1000), side="fourth"),
            Variant("exact mean x1.2", Fraction(6, 5), side="mean"),
            Variant("exact mean x0.85", Fraction(17, 20), side="mean"),
            Variant("variance 1/p^2 in place of (1-p)/p^2", fault="wrong-moment"),
            BFIO,
        ),
        standard={"runs": 400},
        G=6,
        B=8,
        p=0.2,
        b=30,
        runs=100,
    )
    def check(self, trial: Trial) -> Finding:
        """Both moments against their exact enclosures; mean imbalance of simulated FCFS long after
        the cold start against the exact stationary value, within its interval. A moment or a mean
        outside refutes it.
        """
        p, sizes = Fraction(str(trial["p"])), Law.uniform(1, trial["b"])
        law = geometric_slot(sizes, p)
        spread, fourth = slot_variance(sizes, p).lower, slot_fourth_moment(sizes, p)
        if trial.fault("wrong-moment"):
            spread = sizes.variance.lower + 1 / p**2
        centre = sizes.mean.lower + (1 - p) / p
        spread *= trial.scale_of("variance")
        fourth *= trial.scale_of("fourth")
        sides = (
            (law.variance, spread, "variance of a slot's load"),
            (law.moment(4, centre), fourth, "fourth central moment of a slot's load"),
        )
        if outside := broken(
            (Comparison(x in found, found.value, "==", float(x), what) for found, x, what in sides),
            "exact enclosure",
            {"p": str(p), "sizes": f"uniform on 1..{trial['b']}"},
        ):
            return outside
        system = System(trial["G"], trial["B"])
        exact = expected_imbalance(law, system.workers, system.slots).imbalance.value
        policy, runs = planted_policy(trial, "fcfs"), trial["runs"]
        return sampled_mean(
            trial,
            balanced_runs(system, policy, trial["p"], trial["b"], runs=runs, seed=trial.seed).mean,
            exact * float(trial.scale_of("mean")),
            f"second half of {runs} runs of 12 mean lengths at G = {system.workers}, B = "
            f"{system.slots}, p = {p}, sizes 1..{trial['b']}; both moments exactly",
            {"params": dict(trial.params), "seed": trial.seed},
        )


def two_sizes_formula() -> "sp.Basic":
    """Formula of [geometric.bfio-upper] and [drift.bfio-upper]."""
    G, d, F, p, K, first = sp.symbols("G delta F p K Imb_0", positive=True)
    return at_most("AvgImb_BFIO", (spacing_cost(G, d) + F) / p + first / (p * K))


def _two_sizes_steps() -> tuple[Step, ...]:
    """One step from a pool that offers x and x + delta; growth is common and drops out."""
    d, B, x, z = sp.symbols("delta B x z", positive=True)
    u, v, y = sp.symbols("u v y", nonnegative=True)
    L, M, D, X, Y = sp.symbols("L_g M D X_g Y", real=True)
    p, q = 1 / (1 + z), z / (1 + z)  # any p in (0, 1)
    return (
        Setting(
            "After the departures worker g has load l_g and c_g free slots.  Let low_g = l_g + "
            "c_g x, up_g = low_g + c_g delta, T = max_h low_h and S = ((G-1)(delta-1) + gcd(G, "
            "delta) - 1)/2."
        ),
        Lemma("the optimum", "It is at most sum_g (T - up_g)^+ + S [step.spacing]."),
        Identity(
            "With L_g the load before the departures, D = sum (w-x) over them and Y = p (L_g - "
            "B x) - D: low_g",
            L - D,
            (1 - p) * L + p * B * x + (p * (L - B * x) - D),
        ),
        Identity(
            "and, with D = sum (w-x-delta) over them and X_g = D - p (L_g - B (x+delta)): up_g",
            L - D,
            (1 - p) * L + p * B * (x + d) - (D - p * (L - B * (x + d))),
        ),
        Inequality(
            "T is low_h for some h, with L_h = M - u and Y_h = Y - v below the largest ones: T - "
            "up_g is at most (1-p)(M - L_g) + X_g + Y - B p delta",
            (q * (M - u) + p * B * x + Y - v) - (q * L + p * B * (x + d) - X),
            q * (M - L) + X + Y - B * p * d,
            q * u + v,
        ),
        Inequality("(u - y)^+ <= u = u + (-y)^+, u, y >= 0", sp.Max(0, u - y), u, sp.Min(u, y)),
        Lemma(
            "sum",
            "With u = (1-p)(M - L_g), whatever the sign of the rest, the sum over the workers is "
            "the inequality of the step, as sum_g (M - L_g) = Imb.",
        ),
    )


def bfio_upper_proof() -> tuple[Step, ...]:
    """Proof of [geometric.bfio-upper] and [drift.bfio-upper]: a step, then the mean over K."""
    G, d, F, p, K, first = sp.symbols("G delta F p K Imb_0", positive=True)
    last, u = sp.symbols("Imb_K u", nonnegative=True)
    total = first - last + K * (spacing_cost(G, d) + F) - u
    return (
        *_two_sizes_steps(),
        Conclusion(
            "Summed over K steps, p K AvgImb = Imb_0 - Imb_K + K (S + F) - u with u >= 0",
            two_sizes_formula(),
            {sp.Symbol("AvgImb_BFIO", positive=True): total / (p * K)},
            ((last + u) / (p * K),),
        ),
    )


def _papers_form() -> tuple[Step, ...]:
    """When the bound is at most the paper's, for G = n + 1 workers; before the conclusion."""
    n, g = sp.symbols("n g", positive=True, integer=True)
    s_max, d, F, p = sp.symbols("s_max delta F p", positive=True)
    y, r, t = sp.symbols("y r t", nonnegative=True)
    S = (n * (d - 1) + g - 1) / 2
    return (
        Inequality(
            "As gcd(G, delta) = G - y and delta = s_max - 1 - r, with n = G - 1 S is at most half "
            "of n (s_max - 1)",
            sp.Subs(S, (g, d), (n + 1 - y, s_max - 1 - r)),
            n * (s_max - 1) / 2,
            (n * r + y) / 2,
        ),
        Inequality(
            "so with F = n (s_max + 1)/2 - t the bound without the start is at most the paper's",
            sp.Subs((n * (s_max - 1) / 2 + F) / p, F, n * (s_max + 1) / 2 - t),
            bfio_bound(n + 1, s_max / p),
            t / p,
        ),
    )


TWO_SIZES_PLANTS = (
    Variant("what is carried over x0.95", Fraction(19, 20), side="carried"),
    Variant("the spacing x0.99", Fraction(99, 100), side="spacing"),
    Variant("the deviations x0.95", Fraction(19, 20), side="deviations"),
    Variant("the authority x1.05", Fraction(21, 20), side="authority"),
    Variant("the larger size not in the pool", fault="one-size"),
)


RUN_PLANTS = (near("along runs", 1 / THOUSANDTH), LATE)

# Systems (G, B, largest load), sizes, spacings and shares p.
TWO_SIZES: dict[str, Any] = {
    "systems": ((2, 2, 3), (3, 1, 4)),
    "x": (1, 2),
    "delta": (1, 2, 4),
    "p": (Fraction(1, 5), Fraction(3, 4)),
    "steps": 100,
    "standard": {"systems": ((2, 2, 5), (3, 1, 7)), "steps": 300},
    "paper": {"steps": 3000},
}


def two_sizes_domain(trial: Trial) -> str:
    """The domain of :func:`two_sizes` in words."""
    return (
        f"imbalance after one optimal step, for {departures_domain(trial)}; x in {trial['x']}, "
        f"delta in {trial['delta']}, p in {', '.join(map(str, trial['p']))}"
    )


def two_sizes(
    trial: Trial,
    growths: tuple[int, ...],
) -> Cases:
    """The inequality of one step, over all departures of small systems, in exact arithmetic.

    Parameters
    ----------
    trial : Trial
        The run, with its systems, sizes, spacings and p.
    growths : tuple of int
        What every request grows by in the step.
    """
    cases = Cases("<=")
    factor = {
        side: trial.scale_of(side) for side in ("carried", "spacing", "deviations", "authority")
    }
    for (state, gone), growth in product(departures(trial), growths):
        step = Departures(state, gone, growth)
        for x, delta in product(trial["x"], trial["delta"]):
            offered = (x,) if trial.fault("one-size") else (x, x + delta)
            optimum = refill_optimum(step.kept, step.free, offered)
            spacing = spacing_cost(len(state), delta) * factor["spacing"]
            for p in trial["p"]:
                claimed = (
                    (1 - p) * step.imbalance * factor["carried"]
                    + spacing
                    + step.deviations(x, x + delta, p, factor["authority"]) * factor["deviations"]
                )
                witness: Witness = partial(
                    dict, loads=state, growth=growth, departed=gone, x=x, delta=delta, p=str(p)
                )
                if cases.add(optimum, claimed, witness):
                    return cases
    return cases


def two_sizes_along(trial: Trial, cases: Cases, paths: Iterable[Shared], domain: str) -> Finding:
    """The finding of :func:`two_sizes` once the inequality is held along runs, too."""
    along = Along(trial, cases)
    along.hold("along runs", TWO_SIZES_ABOVE, paths)
    return cases.finding(trial, along.domain(domain), details=along.details)


@claim(
    "geometric.bfio-upper",
    "upper",
    source="paper, Theorem 2; hypothesis and constants: evenkeel",
    version="v1, v2",
    assumptions=(
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.FULL_SLOTS,
        Assumption.STICKY,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("step.spacing",),
    recovered=False,
    answers=("T2",),
    coq=Theorem("two_size_average", "Recursion.v"),
)
class BfioUpper:
    """BF-IO side of Theorem 2, by two sizes that the pool really offers.

    Whole loads and growths. If the pool always holds at least as many copies of two sizes x and x +
    delta, delta >= 1, as slots are free, then at each step, whatever departs, and for any p in (0,
    1], an optimal step has Imb' <= (1-p) Imb + S + sum_g (X_g + max_h Y_h - B p delta)^+ with S =
    ((G-1)(delta-1) + gcd(G, delta) - 1)/2, the least that will do [step.spacing]. X_g is the sum
    over all requests on worker g of (xi-p)(w-x-delta), Y_g that of (p-xi)(w-x), w the load with the
    growth of the step, xi = 1 for a request that departs and 0 else. So over K >= 1 steps
    AvgImb(BF-IO) <= (S + F)/p + Imb_0/(p K), with F the average of that sum; and so are the means
    over a law of finitely many runs. Without the start it is at most the paper's (G-1) s_max / p,
    s_max >= x + delta, if F <= (G-1)(s_max+1)/2. What counts is the spacing of two common sizes,
    not the range of all [geometric.bfio-upper-range].
    """

    def formula(self) -> "sp.Basic":
        return two_sizes_formula()

    def proof(self) -> tuple[Step, ...]:
        *steps, conclusion = bfio_upper_proof()
        return (*steps, *_papers_form(), conclusion)

    @evidence(
        measures="imbalance after an optimal step (load)",
        plants=(*TWO_SIZES_PLANTS, *RUN_PLANTS),
        **TWO_SIZES,
    )
    def check(self, trial: Trial) -> Finding:
        """The inequality of the step in exact arithmetic, against the enumerated optimum from the
        smallest such pool, for every departure pattern of small systems; and at every step of runs
        of BF-IO at drift 1, on every workload family, with a rare size, and on the sample trace,
        while the pool holds two sizes. One step above it refutes it.
        """
        return two_sizes_along(trial, two_sizes(trial, (1,)), _runs(trial), two_sizes_domain(trial))


def _runs(trial: Trial) -> Iterator[Shared]:
    seed, steps, drift = trial.seed, trial["steps"], (1,)
    yield family_run("two-point", 2, 1, drift, seed, steps, b=3)
    for name in workload_names():
        yield family_run(name, 4, 4, drift, seed, steps)
    yield rare_size_run(64, 107, drift, seed, min(40, steps))
    yield rare_size_run(16, 32, drift, seed, steps)
    yield sample_trace_run(8, 16, drift, steps)
