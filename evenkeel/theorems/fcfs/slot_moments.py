"""The stationary load of a slot by the renewal-reward theorem: a second way to its moments."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from adversary.workloads.sample_trace import SAMPLE_TRACE
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Witness, near
from evenkeel.findings.verdicts import AGED
from evenkeel.theorems.fcfs.law import EXPECTATION, TINY_LAWS
from evenkeel.theorems.fcfs.stationary import COUNTS, LENGTHS, SIZES
from evenkeel.theorems.parts import Numbers
from evenkeel.theorems.registry import Assumption, claim
from solvers.simulation.engine import simulate
from theory.formulas.geometric import slot_variance
from theory.formulas.slot_moments import Expectation, expectation, stationary_moments
from theory.laws.fcfs_expectation import square_root
from theory.laws.law import Law
from theory.laws.slot_load import joint_slot, period
from theory.model import Requests, System
from theory.proof import Conclusion, Identity, Setting, Step
from theory.symbolic import sp

Joint = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
Moments = tuple[Fraction, Fraction]


def _laws(seed: int, random: int) -> Iterator[tuple[str, Joint]]:
    """Joint laws of (s, o) with their counts: dependent, with a common divisor, at random."""
    yield "sizes and lengths dependent, lengths all even", (SIZES, LENGTHS, COUNTS)
    for pairs, counts in TINY_LAWS:
        s, o = zip(*pairs, strict=True)
        yield f"pairs {pairs}", (s, o, counts)
    rng = np.random.default_rng(seed)
    for i in range(random):
        n = int(rng.integers(1, 6))
        s, o, c = (tuple(rng.integers(1, top, n).tolist()) for top in (50, 30, 5))
        yield f"random law {i}", (s, o, c)


@cache
def _of_phases(joint: Joint) -> Moments:
    """Mean and second moment of the law of a slot's load, averaged over its phases."""
    s, o, c = joint
    d = period(o)
    laws = [joint_slot(s, o, counts=c, phase=r) for r in range(d)]
    first, second = (sum((law.moment(k).lower for law in laws), Fraction(0)) / d for k in (1, 2))
    return first, second


@cache
def _of_one_slot(joint: Joint) -> Moments:
    """Mean of the load, and of its square, over the steps of a slot that serves all pairs once."""
    s, o = (np.repeat(np.array(values), joint[2]) for values in joint[:2])
    loads = simulate(System(1, 1), Requests(s, o), "fcfs", history=True).loads
    assert loads is not None
    values = loads[:, 0].tolist()
    return Fraction(sum(values), len(values)), Fraction(sum(x * x for x in values), len(values))


@cache
def _trace(file: Path) -> Joint:
    """The pairs of a trace."""
    from adversary.workloads.traces import read_trace  # loads what reads files

    requests = read_trace(file).requests
    return tuple(requests.prefill.tolist()), tuple(requests.decode.tolist()), (1,) * len(requests)


def _geometric(sizes: Law, p: Fraction) -> Expectation:
    """The expectation of a polynomial of a size and an independent geometric(p) length."""
    raw = (1, 1 / p, (2 - p) / p**2, (6 - 6 * p + p**2) / p**3)

    def expected(function: Any) -> Fraction:
        s, o = sp.symbols("s o")
        terms = sp.Poly(function(s, o), s, o).terms()
        return sum((int(c) * sizes.moment(i).lower * raw[j] for (i, j), c in terms), Fraction(0))

    return expected


def _claimed(trial: Trial, joint: Joint) -> Moments:
    """Both moments from those of the joint law, or from a planted mistake."""
    s, o, c = joint
    if trial.fault("independent"):
        n = len(s)
        s = tuple(x for x in s for _ in range(n))
        o, c = o * n, tuple(w * v for w in c for v in c)
    expected = expectation(s, o, c)
    theta, square = stationary_moments(expected)
    if trial.fault("age-off-by-one"):
        theta, square = theta + 1, square + 2 * theta + 1
    if trial.fault("unweighted"):
        theta = expected(lambda s, o: 2 * s + o - 1) / 2
    return theta, square


@claim(
    "fcfs.slot-moments",
    "equality",
    source="evenkeel, beside (Song et al. 2026)",
    assumptions=(*EXPECTATION, Assumption.CONSTANT_DRIFT),
    requires=("fcfs.stationary",),
)
class SlotMoments:
    """Moments of a slot's stationary load, from those of the joint law.

    Finitely many pairs (s, o), drift 1, A the age of a slot's request in stationarity, P(s, A=t) =
    P(s, o>t)/E[o] [fcfs.stationary]: theta = E[s+A] = (E[s o] + E[o(o-1)]/2)/E[o] and theta_2 =
    E[(s+A)^2] = (E[s^2 o] + E[s o(o-1)] + E[(o-1)o(2o-1)]/6)/E[o]. These are the mean load, and the
    mean squared load, over the steps of one slot that serves the pairs once each, in proportion to
    their weights; where the lengths share a divisor they are the means over the phases. With the
    moments of geometric(p) lengths independent of the sizes they give the mean E[s] + (1-p)/p and
    the variance sigma_s^2 + (1-p)/p^2 of [geometric.fcfs-lower]. (Song et al. 2026) find theta by
    the same renewal-reward argument; the formulas here are derived anew.
    """

    def formula(self) -> "sp.Basic":
        s, o = sp.symbols("s o", positive=True)
        E = sp.Function("E")
        theta, square = stationary_moments(lambda function: E(function(s, o)))
        return sp.And(
            sp.Eq(sp.Symbol("theta", positive=True), theta),
            sp.Eq(sp.Symbol("theta_2", positive=True), square),
        )

    def proof(self) -> tuple[Step, ...]:
        i, m, n = sp.symbols("i m n", positive=True, integer=True)
        t = sp.Symbol("t", nonnegative=True, integer=True)
        s, o, p, z, mu, sigma = sp.symbols("s o p z mu sigma_s", positive=True)
        w, sizes, lengths = (sp.IndexedBase(name) for name in ("w", "s", "o"))
        E = sp.Function("E")

        def over(function: Any) -> "sp.Expr":
            return sp.Sum(w[i] * function(sizes[i], lengths[i]), (i, 1, m))

        def ages(k: int) -> Any:
            return lambda s, o: sp.Sum((s + t) ** k, (t, 0, o - 1))

        defined: dict[Any, Any] = {}

        def named(function: Any) -> "sp.Expr":
            defined[E(function(s, o))] = over(function)
            return E(function(s, o))

        stationary_moments(named)
        length = defined[E(o)]
        defined[sp.Symbol("theta", positive=True)] = over(ages(1)) / length
        defined[sp.Symbol("theta_2", positive=True)] = over(ages(2)) / length
        # Factorial moments of geometric lengths, from sum_j p (1-p)^(j-1) z^j.
        generating = p * z / (1 - (1 - p) * z)
        moments = 1 / p, 2 * (1 - p) / p**2, 6 * (1 - p) ** 2 / p**3
        f1, f2, f3 = moments
        theta = (mu * f1 + f2 / 2) / f1
        square = ((mu**2 + sigma**2) * f1 + mu * f2 + (2 * f3 + 3 * f2) / 6) / f1
        return (
            Identity(
                "A request of size s and length o adds the loads s, s+1, ..., s+o-1: their sum",
                sp.Sum(s + t, (t, 0, n - 1)),
                s * n + n * (n - 1) / 2,
            ),
            Identity(
                "and the sum of their squares",
                sp.Sum((s + t) ** 2, (t, 0, n - 1)),
                s**2 * n + s * n * (n - 1) + (n - 1) * n * (2 * n - 1) / 6,
            ),
            Setting(
                "Give the pair (s_i, o_i) the weight w_i, i = 1..m, and write E(f) for the sum of "
                "w_i f(s_i, o_i).  The stationary law gives (s_i, t) the weight w_i/E(o) for each "
                "t = 0..o_i-1, and so do the steps of one slot that serves every pair, so that "
                "theta and theta_2 are sums over the ages of all pairs",
                defined,
            ),
            *(
                Identity(
                    f"{name} for geometric lengths, P(o = j) = p (1-p)^(j-1), from their "
                    "generating function",
                    sp.Subs(sp.Derivative(generating, z, order), z, 1),
                    moments[order - 1],
                )
                for order, name in enumerate(("E[o]", "E[o(o-1)]", "E[o(o-1)(o-2)]"), 1)
            ),
            Identity(
                "With them, and sizes of mean mu that are independent of the lengths: theta",
                theta,
                mu + (1 - p) / p,
            ),
            Identity(
                "and theta_2 - theta^2, as (o-1)o(2o-1) = 2 o(o-1)(o-2) + 3 o(o-1)",
                square - theta**2,
                sigma**2 + (1 - p) / p**2,
            ),
            Conclusion(
                "The inner sums are those of the first two steps",
                self.formula(),
                defined,
            ),
        )

    def numbers(self) -> Numbers:
        s, o, c = _trace(SAMPLE_TRACE)
        p = Fraction(1, 100)
        laws = {
            "1; 1 or 2": expectation((1, 1), (1, 2)),
            "1..100; geometric(1/100)": _geometric(Law.uniform(1, 100), p),
            SAMPLE_TRACE.name: expectation(s, o, c),
        }
        rows = []
        for name, expected in laws.items():
            theta, square = stationary_moments(expected)
            spread = square_root(square - theta**2).value
            rows.append((name, *(f"{float(x):.10g}" for x in (theta, square, spread))))
        return Numbers(
            "Of three joint laws (sizes; lengths), in tokens, rounded to ten digits; the trace is "
            "the sample that ships with evenkeel.",
            ("joint law", "theta", "theta_2", "deviation"),
            tuple(rows),
        )

    @evidence(
        measures="mean load of a slot in stationarity, of a trace (tokens)",
        plants=(
            near("theta"),
            near("second moment"),
            near("mean over the steps"),
            near("mean square over the steps"),
            near("geometric mean"),
            near("geometric variance"),
            AGED,
            Variant("E[s] E[o] in place of E[s o]", fault="independent"),
            Variant("a request's mean, not weighed by its length", fault="unweighted"),
        ),
        standard={"random": 200},
        random=20,
        trace="",
    )
    def check(self, trial: Trial) -> Finding:
        """Against the exact law of a slot's load, averaged over its phases, and against the loads
        of a simulated slot that serves every pair once, for laws of few pairs, random ones among
        them, and for all pairs of a trace (a file, or the sample trace); with geometric lengths
        against the moments of [geometric.fcfs-lower]. All in exact rationals: one difference
        refutes it.
        """
        cases = Cases("==")
        file = Path(trial["trace"] or SAMPLE_TRACE)
        laws = {**dict(_laws(trial.seed, trial["random"])), file.name: _trace(file)}
        for name, law in laws.items():
            theta, square = _claimed(trial, law)
            phases, steps = _of_phases(law), _of_one_slot(law)
            witness: Witness = partial(dict[str, Any], law=name)
            compared = (
                ("theta", phases[0], theta),
                ("second moment", phases[1], square),
                ("mean over the steps", steps[0], theta),
                ("mean square over the steps", steps[1], square),
            )
            for what, found, claimed in compared:
                reported = what == "theta" and name == file.name
                side = "" if reported else what
                if cases.add(found, claimed * trial.scale_of(what), witness, side):
                    return cases.finding(trial, f"sizes and lengths, {name}")
        for b, p in ((3, Fraction(1, 2)), (30, Fraction(1, 5)), (100, Fraction(1))):
            sizes = Law.uniform(1, b)
            theta, square = stationary_moments(_geometric(sizes, p))
            mean = sizes.mean.lower + (1 - p) / p
            witness = partial(dict[str, Any], b=b, p=str(p))
            for what, found, claimed in (
                ("geometric mean", theta, mean),
                ("geometric variance", square - theta**2, slot_variance(sizes, p).lower),
            ):
                if cases.add(found, claimed * trial.scale_of(what), witness, what):
                    return cases.finding(trial, f"sizes uniform on 1..{b}, geometric({p}) lengths")
        theta, square = _of_phases(laws[file.name])
        return cases.finding(
            trial,
            f"{len(laws) - 1} laws of few pairs, the {len(_trace(file)[0]):,} pairs of "
            f"{file.name}, and geometric lengths",
            details={
                "theta (tokens)": float(theta),
                "second moment (tokens^2)": float(square),
                "standard deviation (tokens)": float(square - theta**2) ** 0.5,
            },
        )
