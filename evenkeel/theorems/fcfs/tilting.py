"""The constant of FCFS's side as the number of workers grows."""

from fractions import Fraction
from functools import cache
from itertools import product

from flint import arb, ctx

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import TENTH, Comparison, broken, near, stands
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.registry import claim
from theory.formulas.tilting import tilted_tail, tilting_bounds, tilting_cap, tilting_form
from theory.laws.fcfs_expectation import PRECISION, expected_imbalance, from_ball, to_ball
from theory.laws.law import Enclosure, Law
from theory.proof import Identity, Lemma, Setting, Step
from theory.symbolic import sp

LAWS = {
    "fair 1 or 2": Law.uniform(1, 2),
    "uniform 1..4": Law.uniform(1, 4),
    "2 once in 10, else 1": Law.of({1: Fraction(9, 10), 2: Fraction(1, 10)}),
    "1 once in 10, else 2": Law.of({1: Fraction(1, 10), 2: Fraction(9, 10)}),
}


@cache
def _exact(name: str, workers: int, slots: int) -> Enclosure:
    return expected_imbalance(LAWS[name], workers, slots).imbalance


@cache
def _bounds(name: str, workers: int, slots: int) -> tuple[Fraction, Fraction]:
    return tilting_bounds(LAWS[name], workers, slots)


def _normal_cap(name: str, workers: int, slots: int) -> Fraction:
    """``G sigma sqrt(2 B ln G)``, what the upper side would be for normal loads."""
    with ctx.workprec(PRECISION):
        unit = (slots * to_ball(LAWS[name].variance.lower)).sqrt()
        return from_ball(workers * unit * tilting_cap(arb(workers), arb(0))).upper


@claim(
    "fcfs.tilting",
    "limit",
    source="paper, Theorems 1 to 3 (order, c unnamed); constant: evenkeel",
    assumptions=EXPECTATION,
    requires=("fcfs.exact",),
    answers=("A4", "fact 2"),
)
class Tilting:
    """The constant as the number of workers grows is sqrt(2).

    For every law of X on an interval of length d with variance sigma^2 > 0, G >= 2, B >= 1, x > 0
    and l > 0, with h = x d/(sigma sqrt(B)), tau = x (1 - e^-h)/h - l e^(h/2) >= 0 and p = l^2/(1 +
    l^2) exp(-x^2 e^h/2 - x e^(h/2)/l): E[Imb(FCFS)] >= G sigma sqrt(B) (tau (1 - (1-p)^G) -
    (1-p)^(G-1)/2). And E[Imb(FCFS)] <= G sigma sqrt(2 B ln G) (1 + e^h)/2 with h = (d/sigma) sqrt(2
    ln G/B). So E[Imb(FCFS)]/(G sigma sqrt(B ln G)) tends to sqrt(2) as G grows, uniformly over all
    laws and all B along which (d/sigma)^2 ln G/B vanishes.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", positive=True, integer=True)
        B, sigma, tau, p, h = sp.symbols("B sigma tau p h", positive=True)
        imb, unit = sp.Symbol("E[Imb]", positive=True), G * sigma * sp.sqrt(B)
        return sp.And(
            sp.Ge(imb, unit * tilting_form(G, tau, p)), sp.Le(imb, unit * tilting_cap(G, h))
        )

    def proof(self) -> tuple[Step, ...]:
        d, v, theta, t, B, x, q, L = sp.symbols("d v theta t B x q L", positive=True)
        h, reach, growth = sp.symbols("h l e^h", positive=True)
        return (
            Setting(
                "Take E X = 0; K(t) = ln E exp(t X); and X_t, tilted: its law has the density "
                "exp(t X - K(t)).  So X_t has mean K'(t) and variance K''(t)."
            ),
            Lemma(
                "the variance under the tilt",
                "X_t lies within d of its mean, so |K'''| <= d K'' and v e^(-dt) <= K''(t) <= v "
                "e^(dt), with v = sigma^2.",
            ),
            Identity(
                "so K'(theta) is at least",
                sp.Integral(v * sp.exp(-d * t), (t, 0, theta)),
                v * (1 - sp.exp(-d * theta)) / d,
            ),
            Identity(
                "and theta K' - K, the integral of t K'', at most e^h times this, with h = d theta",
                sp.Integral(t * v, (t, 0, theta)),
                v * theta**2 / 2,
            ),
            Identity(
                "With theta = x/(sigma sqrt(B)), B K' >= sigma sqrt(B) x (1 - e^-h)/h",
                sp.Subs(B * v * (1 - sp.exp(-h)) / d, d, h * sp.sqrt(v * B) / x),
                sp.sqrt(v * B) * x * (1 - sp.exp(-h)) / h,
            ),
            Lemma(
                "Cantelli, under the tilt",
                "The tilted load S has mean m = B K' and deviation s = sqrt(B K''), at most sigma "
                "sqrt(B) e^(h/2).  It is at least m - l s with a chance q >= l^2/(1 + l^2).",
            ),
            Identity(
                "Its mean excess over m there is at most s sqrt((1-q)/q) <= s/l by Cauchy-Schwarz, "
                "as (1-q)/q is 1/l^2 at the least q",
                sp.Subs((1 - q) / q, q, reach**2 / (1 + reach**2)),
                1 / reach**2,
            ),
            Lemma(
                "Jensen, back from the tilt",
                "P(L >= m - l s) = E[exp(-theta S + B K); S >= m - l s] >= q exp(-theta (m + s/l) "
                "+ B K) >= p, and m - l s >= sigma sqrt(B) tau.",
            ),
            Identity(
                "as B (theta K' - K) + theta s/l is at most, with that theta",
                sp.Subs(
                    B * v * theta**2 / 2 * sp.exp(h)
                    + theta * sp.sqrt(B * v) * sp.exp(h / 2) / reach,
                    theta,
                    x / sp.sqrt(v * B),
                ),
                x**2 * sp.exp(h) / 2 + x * sp.exp(h / 2) / reach,
            ),
            Lemma(
                "the largest of G",
                "It is at least sigma sqrt(B) tau with chance 1 - (1-p)^G, as tau >= 0.  Where it "
                "is negative all loads are, so E[max^-] <= E[L^-] (1-p)^(G-1), and E[L^-] = "
                "E|L|/2 <= sigma sqrt(B)/2.",
            ),
            Lemma(
                "the upper side",
                "E[max] <= (ln G + B K(theta))/theta for every theta > 0, and K(theta) <= v "
                "theta^2 e^(d theta)/2.",
            ),
            Identity(
                "which is sigma sqrt(2 B L) (1 + e^h)/2 at theta = sqrt(2 L/(B v)), L = ln G",
                sp.Subs(L / theta + B * v * theta * growth / 2, theta, sp.sqrt(2 * L / (B * v))),
                sp.sqrt(2 * B * v * L) * (1 + growth) / 2,
            ),
            Identity(
                "As h vanishes the upper side over sigma sqrt(B L) tends to sqrt(2)",
                sp.Limit(sp.sqrt(2) * (1 + sp.exp(h)) / 2, h, 0),
                sp.sqrt(2),
            ),
            Identity(
                "and tau to x - l",
                sp.Limit(tilted_tail(x, reach, h)[0], h, 0),
                x - reach,
            ),
            Lemma(
                "the lower side",
                "With l = 1 and x = (1-u) sqrt(2 ln G), for any u in (0, 1), G p grows without "
                "bound, as (1-u)^2 e^h < 1 - u from some h on; so the lower side over sigma "
                "sqrt(B ln G) is at least (1-u) sqrt(2) in the limit.",
            ),
        )

    @evidence(
        measures="exact expected imbalance of FCFS (load)",
        plants=(
            near("upper side", 1 / TENTH),
            near("lower side", Fraction(8, 5)),
            Variant("a normal load, h = 0", fault="normal"),
            Variant("ln G in place of its square root", exponent=Fraction(1, 2)),
        ),
        standard={
            "doublings": (1, 2, 3, 5, 10, 20, 30),
            "slots": (1, 4, 16, 64, 2**10, 2**13, 2**16),
        },
        doublings=(1, 10, 30),
        slots=(1, 64, 2**16),
    )
    def check(self, trial: Trial) -> Finding:
        """Both sides in ball arithmetic, the lower one at the best x and l of a grid, against exact
        enclosures for laws of small support, G to 2^30 and B to 2^16; an enclosure outside refutes
        it.
        """
        tightest = (Fraction(0), 0.0, 0.0)
        details: dict[str, dict[str, float]] = {}
        for name, doublings, slots in product(LAWS, trial["doublings"], trial["slots"]):
            workers = 2**doublings
            exact, (low, high) = _exact(name, workers, slots), _bounds(name, workers, slots)
            low *= trial.scale_of("lower side") * trial.stretch(doublings)
            high *= trial.scale_of("upper side")
            if trial.fault("normal"):
                high = _normal_cap(name, workers, slots)
            where = f"{name}, G = 2^{doublings}, B = {slots}"
            sides = (
                Comparison(exact.upper >= low, exact.value, ">=", float(low), "lower side"),
                Comparison(exact.lower <= high, exact.value, "<=", float(high), "upper side"),
            )
            witness = {"law": name, "G": workers, "B": slots}
            if found := broken(sides, where, witness):
                return found
            tightest = max(tightest, (exact.lower / high, exact.value, float(high)))
            if slots == max(trial["slots"]):
                shares = {"lower": float(low / exact.upper), "upper": float(high / exact.lower)}
                details[f"the sides over the exact value, {where}"] = shares
        return stands(
            trial,
            tightest[1],
            "<=",
            tightest[2],
            f"exact enclosures, {len(LAWS)} laws, G = 2^k for k in {trial['doublings']}, B in "
            f"{trial['slots']}; shown: the tightest upper side",
            details=details,
        )
