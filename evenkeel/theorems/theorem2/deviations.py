"""What random departures deviate by, in the mean: Bernstein's inequality."""

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product

from flint import ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Witness
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.departures import (
    State,
    chances,
    departures_domain,
    states,
)
from theory.formal.record import Theorem
from theory.formulas.departures import Departures
from theory.formulas.geometric import (
    deviations_bound,
    deviations_bound_at,
    deviations_exponent,
)
from theory.laws.fcfs_expectation import PRECISION, from_ball, to_ball
from theory.relations import at_most
from theory.symbolic import sp


@dataclass(frozen=True, slots=True)
class Deviations:
    """Exact means over the departures from a state, and what their bounds are made of.

    Attributes
    ----------
    total, excess : Fraction
        ``E sum_g (X_g + max_h Y_h - B p delta)^+`` and ``E (N - B p delta)^+``.
    pairs : tuple
        For every two workers the sum of their squared distances, and the law of ``X_g + Y_h``.
    squares, distance : int
        ``s`` and ``r`` of [geometric.deviations-tail], as small as they can be.
    """

    total: Fraction
    excess: Fraction
    pairs: tuple[tuple[int, dict[Fraction, Fraction]], ...]
    squares: int
    distance: int


def deviations_of(state: State, p: Fraction, x: int, delta: int) -> Deviations:
    """Means over all departures from a state, each with its probability."""
    two = [(g, h) for g, h in product(range(len(state)), repeat=2) if g != h]
    laws: dict[tuple[int, int], dict[Fraction, Fraction]] = {pair: {} for pair in two}
    total, excess, authority = Fraction(0), Fraction(0), len(state[0]) * p * delta
    for gone, chance in chances(state, p):
        step = Departures(state, gone)
        X, Y = step.X(x + delta, p), step.Y(x, p)
        total += chance * step.deviations(x, x + delta, p)
        excess += chance * max(Fraction(0), step.excess(x, x + delta, p) - authority)
        for (g, h), law in laws.items():
            law[X[g] + Y[h]] = law.get(X[g] + Y[h], Fraction(0)) + chance
    far, near = ([sum((w - size) ** 2 for w in row) for row in state] for size in (x + delta, x))
    squares = {(g, h): far[g] + near[h] for g, h in two}
    return Deviations(
        total,
        excess,
        tuple((squares[pair], laws[pair]) for pair in two),
        max(squares.values(), default=0),
        max(abs(w - size) for row in state for w in row for size in (x, x + delta)),
    )


@claim(
    "geometric.deviations-tail",
    "upper",
    assumptions=(Assumption.GEOMETRIC_LENGTHS, Assumption.FULL_SLOTS),
    requires=("geometric.bfio-upper",),
    coq=Theorem("deviations_tail", "Tail.v"),
)
class DeviationsTail:
    """What random departures deviate by, in the mean.

    For given loads w, B >= 1 on each of G workers, let every request depart with probability p in
    [0, 1], independently of the others; X, Y and N as in [geometric.bfio-upper] and
    [geometric.recursion], for the sizes x and x + delta, delta >= 1. Let r > 0 be at least every
    |w-x| and |w-x-delta|, and s >= 0 at least the sum of (w-x-delta)^2 on any worker plus that of
    (w-x)^2 on any other. For theta > 0 and g other than h, E exp(theta (X_g + Y_h)) <= e^A with A =
    p (1-p) s (e^(theta r) - 1 - theta r)/r^2. So E D, D = sum_g (X_g + max_h Y_h - B p delta)^+, is
    at most G (G-1)/theta e^(A - theta B p delta - 1), and at most G (G-1) v/(B delta) e^(-p (B
    delta)^2 / (2 v) - 1) with v = (1-p) s + r B delta / 3; and E (N - B p delta)^+ <= E D.
    """

    def formula(self) -> "sp.Basic":
        G, B, p, delta, s, r = sp.symbols("G B p delta s r", positive=True)
        return at_most("E_D", deviations_bound(G, B, p, delta, s, r))

    @evidence(
        measures="mean of sum_g (X_g + max_h Y_h - B p delta)^+ (load)",
        plants=(
            Variant("the exponent A x0.99", Fraction(99, 100), side="exponent"),
            Variant("the sum over the workers x0.999", Fraction(999, 1000), side="sum"),
            Variant("the bound at a theta x0.5", Fraction(1, 2), side="theta"),
            Variant("Bernstein's bound x0.3", Fraction(3, 10), side="Bernstein"),
            Variant("squares of one worker alone", fault="one-worker"),
            Variant("p^2 in place of p (1-p)", fault="not-centred"),
        ),
        systems=((2, 1, 8), (2, 2, 3), (3, 1, 3)),
        sizes=((1, 1), (1, 2), (2, 1)),
        p=(Fraction(1, 10), Fraction(1, 2), Fraction(3, 4), Fraction(1)),
        theta=(Fraction(1, 100), Fraction(1), Fraction(3, 2)),
        standard={"systems": ((2, 1, 12), (2, 2, 4), (2, 3, 2), (3, 1, 4))},
    )
    def check(self, trial: Trial) -> Finding:
        """All departures from small systems with their probabilities: exact means against the lower
        ends of their bounds in balls of 192 bits, and exponential moments in such balls; a mean
        above its bound refutes it.
        """
        cases = Cases("<=")
        for state, (x, delta), p in product(states(trial), trial["sizes"], trial["p"]):
            witness: Witness = partial(dict, loads=state, x=x, delta=delta, p=str(p))
            if self._bounds(trial, cases, state, x, delta, p, witness):
                break
        return cases.finding(
            trial,
            f"{departures_domain(trial)}; (x, delta) in {trial['sizes']}, p in "
            f"{', '.join(map(str, trial['p']))}, theta r in {', '.join(map(str, trial['theta']))}",
        )

    def _bounds(
        self,
        trial: Trial,
        cases: Cases,
        state: State,
        x: int,
        delta: int,
        p: Fraction,
        witness: Witness,
    ) -> bool:
        """Add the comparisons of one state; whether one is violated."""
        mean = deviations_of(state, p, x, delta)
        if cases.add(mean.excess, mean.total * trial.scale_of("sum"), witness, "E (N - ...)^+"):
            return True
        with ctx.workprec(PRECISION):
            G, B, d, s, r = map(
                to_ball, (len(state), len(state[0]), delta, mean.squares, mean.distance)
            )
            q = to_ball(p)
            thetas = [to_ball(y) / r for y in trial["theta"]]
            bounds = [("theta", deviations_bound_at(G, B, q, d, s, r, y)) for y in thetas]
            bounds.append(("Bernstein", deviations_bound(G, B, q, d, s, r)))
            for side, bound in bounds:
                claimed = from_ball(bound).lower * trial.scale_of(side)
                what = "" if side == "theta" else side
                if cases.add(mean.total, claimed, witness, what):
                    return True
            for (squares, law), theta in product(mean.pairs, thetas):
                if squares and p < 1:  # else nothing deviates, and both sides are 1
                    own = to_ball(squares) / (2 if trial.fault("one-worker") else 1)
                    if trial.fault("not-centred"):
                        own *= q / (1 - q)
                    moment = sum(to_ball(c) * (to_ball(v) * theta).exp() for v, c in law.items())
                    exponent = deviations_exponent(q, own, r, theta)
                    bound = (exponent * to_ball(trial.scale_of("exponent"))).exp()
                    sides = from_ball(moment).upper, from_ball(bound).lower
                    if cases.add(*sides, witness, "exponential moment"):
                        return True
        return False
