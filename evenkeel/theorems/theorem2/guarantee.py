"""BF-IO's side of Theorem 2 with constants, for every size of the system."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from math import exp

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Case, Cases, Witness
from evenkeel.theorems.registry import Assumption, claim
from theory.formulas.guaranteed import departure_moment, excess_moment, slot_moment
from theory.formulas.step import spacing_cost
from theory.laws.fcfs_expectation import from_ball
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp


def _moments(trial: Trial) -> Iterator[Case]:
    """Moments of every load between the ends, summed over the ages, against the closed bound."""
    for p, (above, below), theta in product(trial["p"], trial["ends"], trial["theta"]):
        bound = slot_moment(float(theta), p, above, below)
        if bound is None:
            continue
        claimed = from_ball(bound).upper * trial.scale_of("moment")
        # Ages of a share 2^-40 of the requests at most are left out.
        share, tilt = float(p), float(theta)
        ages = range(1, 1 + int(28 / share))
        total = sum(
            float(p * (1 - p) ** (age - 1))
            * max(departure_moment(share, tilt * c) for c in (age - 1 - below, age + above))
            for age in ages
        )
        witness: Witness = partial(
            dict, p=str(p), above=above, below=below, theta=str(theta), quantity="a slot's moment"
        )
        # Floats err by less than a part in 10^9.
        yield Fraction(total) * (1 - Fraction(1, 10**9)), claimed, witness


def _excesses(trial: Trial) -> Iterator[Case]:
    """The moment of the other worker, over all coins and ages of single slots."""
    for p, theta in product(trial["p"], trial["theta"]):
        z = excess_moment(float(theta), 2, 1, p, (1, 2), (1, 2))
        if theta < 0 or z is None:
            continue
        share, tilt = float(p), float(theta)
        ages = range(1, 1 + int(28 / share))

        def coin(rate: float, share: float = share) -> float:
            return share * exp(rate * (1 - share)) + (1 - share) * exp(-rate * share)

        # Worker g with a load of the age or less by 1, worker h with the age or more by 1.
        chances = [(age, share * (1 - share) ** (age - 1)) for age in ages]
        above = sum(q * max(coin(tilt * age), coin(tilt * (age - 1))) for age, q in chances)
        below = sum(q * max(coin(-tilt * age), coin(-tilt * (age + 1))) for age, q in chances)
        total = above * below * exp(-tilt * share)
        witness: Witness = partial(dict, p=str(p), theta=str(theta), quantity="Z at G = 2, B = 1")
        claimed = from_ball(z).upper * trial.scale_of("Z")
        yield Fraction(total) * (1 - Fraction(1, 10**9)), claimed, witness


@claim(
    "geometric.theorem-2",
    "upper",
    source="paper, Theorem 2 (order); hypotheses and constants: evenkeel",
    assumptions=(
        Assumption.OVERLOADED,
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.BOUNDED_SIZES,
        Assumption.CONSTANT_DRIFT,
        Assumption.STICKY,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("geometric.expected", "step.spacing", "threshold.any-policy"),
    recovered=False,
    answers=("T2",),
)
class Theorem2:
    """BF-IO's side of Theorem 2 with constants, for every G >= 2 and B >= 1.

    Overloaded from a cold start, geometric(p) lengths, 0 < p < 1, drift 1, sizes in [a, b], exact
    steps. Pools and optimal admissions may depend on all that is past and on chance, whichever they
    are; no output length is seen before its end. Over any number of steps E[AvgImb(BF-IO)] <= F/p
    from a rich pool, with x = a and y = b below, and <= (S + F)/p, S = ((G-1)(y-x-1) + gcd(G, y-x)
    - 1)/2, if the pool always holds as many copies of two sizes x < y as slots are free. Here, for
    every theta > 0, F = (G/theta) min(ln(1+Z), Z/e) and Z = (G-1) (m_X m_Y)^B e^(-theta B p (y-x)),
    m(t) = (1-p) e^(-p t) + p e^((1-p) t), m_X the mean of the larger of m(theta (b-y+A)) and
    m(-theta max(0, y-a-1)), m_Y that of the larger of m(-theta (b-x+A)) and m(theta max(0, x-a-1)),
    P(A = t) = p (1-p)^(t-1) for t >= 1. In the long run Theorem 2's ratio is at least FCFS's
    stationary E[Imb] [fcfs.exact] over this.
    """

    def formula(self) -> "sp.Basic":
        G, p, F, x, y = sp.symbols("G p F x y", positive=True)
        return at_most("AvgImb_BFIO", (spacing_cost(G, y - x) + F) / p)

    def proof(self) -> tuple[Step, ...]:
        p, G, K, F, t, x, y, z = sp.symbols("p G K F t x y z", positive=True)
        last, u = sp.symbols("Imb_K u", nonnegative=True)
        r = sp.Symbol("r", positive=True)
        share, stay = r / (1 + r), 1 / (1 + r)  # any p in (0, 1)
        v = sp.Symbol("v", real=True)
        moment = stay * sp.exp(-share * v) + share * sp.exp(stay * v)
        return (
            Setting(
                "Let u_h = X_g + Y_h - B p (y-x) for a worker g and all h, as in "
                "[geometric.bfio-upper]; a load is w = s + A with A the age after growth."
            ),
            Identity(
                "A coin xi - p has the moment m(v) = E exp(v (xi-p)), whose derivative is 0 at 0",
                sp.Subs(sp.Derivative(moment, v), v, 0),
                sp.Integer(0),
            ),
            Inequality(
                "and it is convex: its second derivative is not negative",
                sp.Integer(0),
                share**2 * stay * sp.exp(-share * v) + stay**2 * share * sp.exp(stay * v),
                share**2 * stay * sp.exp(-share * v) + stay**2 * share * sp.exp(stay * v),
            ),
            Lemma(
                "every load",
                "So m falls to 0 and rises from there.  Of a request of age A the load less y lies "
                "between -(y-a-1) and b-y+A, the load less x between -(x-a-1) and b-x+A: its "
                "moment is at most the larger one of the ends, which rises with A.",
            ),
            Lemma(
                "every policy",
                "Given the loads the coins are independent, so those of X_g and of Y_h, h other "
                "than g, are; the moment is a product over 2 B slots.  The ages of slots are "
                "independent and stationary or younger, whatever the policy "
                "[threshold.any-policy]: the mean is at most (m_X m_Y)^B e^(-theta B p (y-x)).",
            ),
            Identity(
                "At h = g a coin has (xi-p)(w-y) + (p-xi)(w-x), with its share of B p (y-x) -xi "
                "(y-x): u_g is never positive",
                (z - p) * (t - y) + (p - z) * (t - x) - p * (y - x),
                -z * (y - x),
            ),
            Lemma(
                "the largest",
                "Over h other than g, (max u_h)^+ <= ln(1 + sum e^(theta u_h)) / theta, whose "
                "mean is at most ln(1+Z) / theta by Jensen's inequality; and (max u_h)^+ <= sum "
                "u_h^+.",
            ),
            Identity(
                "u^+ <= e^(theta u - 1) / theta: e^(z-1) - z is convex, 0 at z = 1",
                sp.Subs(sp.exp(z - 1) - z, z, 1),
                sp.Integer(0),
            ),
            Identity(
                "with the derivative 0 there",
                sp.Subs(sp.Derivative(sp.exp(z - 1) - z, z), z, 1),
                sp.Integer(0),
            ),
            Lemma(
                "the start",
                "At a cold start all slots are free and every worker can be given the same: the "
                "first imbalance is 0.  G workers make F of the mean deviations of a step.",
            ),
            Conclusion(
                "By [geometric.expected] p K AvgImb = -Imb_K + K (S + F) - u with u >= 0; a rich "
                "pool needs no S",
                self.formula(),
                {
                    sp.Symbol("AvgImb_BFIO", positive=True): (
                        K * (spacing_cost(G, y - x) + F) - last - u
                    )
                    / (p * K)
                },
                ((last + u) / (p * K),),
            ),
        )

    @evidence(
        measures="mean of exp(theta times what departures deviate)",
        plants=(
            Variant("moment of a slot x0.999", Fraction(999, 1000), side="moment"),
            Variant("Z x0.99", Fraction(99, 100), side="Z"),
        ),
        p=(Fraction(1, 2), Fraction(1, 5), Fraction(1, 20)),
        ends=((0, 0), (0, 3), (4, 0), (2, 5)),
        theta=tuple(Fraction(k, 100) for k in (-90, -30, -5, 2, 4, 10, 40)),
    )
    def check(self, trial: Trial) -> Finding:
        """The closed bounds m_X, m_Y and Z against sums over ages, coins and the worse of the two
        ends of the sizes, to a relative error of 1e-9, over a grid of p, theta and ends; one sum
        above refutes it.
        """
        cases = Cases("<=")
        cases.extend(_moments(trial))
        if not cases.violated:
            cases.extend(_excesses(trial))
        return cases.finding(
            trial,
            f"moments of a slot and Z of two workers, p in {', '.join(map(str, trial['p']))}, "
            f"theta from {float(min(trial['theta']))} to {float(max(trial['theta']))}",
        )
