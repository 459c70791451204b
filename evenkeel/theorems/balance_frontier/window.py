"""What no online policy avoids over a window of steps."""

from fractions import Fraction
from functools import partial
from typing import Any

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Witness
from evenkeel.theorems.registry import Assumption, claim
from solvers.schedule.online_optimum import least_expected_imbalance
from theory.formulas.unavoidable import reach, window_deviations
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import at_least
from theory.symbolic import sp

ONLINE = (
    Assumption.OVERLOADED,
    Assumption.WORK_CONSERVING,
    Assumption.STICKY,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.CONSTANT_DRIFT,
    Assumption.BOUNDED_SIZES,
)

# Systems (G, B), widths d, and steps after a cold start.
SYSTEMS = ((2, 1, 0, 2), (2, 1, 1, 3), (3, 1, 1, 2), (3, 1, 2, 3), (2, 2, 1, 2), (2, 2, 1, 3))


@claim(
    "threshold.window",
    "lower",
    assumptions=ONLINE,
    requires=("threshold.any-policy",),
)
class Window:
    """What no online policy avoids, over a window of steps.

    Overloaded from a cold start, geometric(p) lengths, 0 < p < 1, drift 1, sizes in [a, b], d = b -
    a, q = (1-p)^j the chance to stay for j >= 1 steps. At the end of j steps every sticky, work-
    conserving online policy has E[Imb] >= G (Y - B (1-q) d), and E[Imb] >= X + Y - B p d if j = 1.
    Y is the mean of the largest of G independent copies of sum_i ((1-xi_i-q) (c_i+j) + xi_i A_i -
    E[xi_i A_i]): xi_i = 1 with chance 1-q, A_i = t < j with chance p (1-p)^t where xi_i = 1, and
    c_1 >= .. >= c_B the means of the sorted ages of one worker at the start of the window. X is
    that of sum_i (xi_i - p) e_i, with e_i the means of the sorted (age + 1 - d)^+. So do stationary
    ages in the long run; the window without end is [threshold.any-policy]. Equal sizes attain the
    first bound over the window that begins at the start.
    """

    def formula(self) -> "sp.Basic":
        return at_least("E_Imb", "G * (Y - B * (1 - q) * d)")

    def proof(self) -> tuple[Step, ...]:
        G, B, d, q, c, e = sp.symbols("G B d q c e", positive=True)
        a, age = sp.symbols("a A", nonnegative=True)
        xi, mean, low = sp.symbols("xi m l", real=True)
        u = sp.Symbol("u", nonnegative=True)
        departed = sp.Symbol("n", nonnegative=True)
        chance = sp.Symbol("U", positive=True)
        return (
            Setting(
                "At the start of the window slot i of worker h holds the load a + v + age, v >= 0 "
                "its size less a.  Over the window the coins of the slot decide, whatever the "
                "policy does: with chance q its request stays and has the load a + k + j at the "
                "end, k = v + age; else (xi = 1) the slot ends with a request of age A < j.  Let "
                "low_h be the load of worker h at the end if all that enters has size a, and up_h "
                "if it has size b."
            ),
            Identity(
                "A slot ends in low_h with, less a,",
                (1 - xi) * (a + c) + xi * (a + age) - a,
                (1 - xi) * c + xi * age,
            ),
            Identity(
                "so up_h exceeds low_h by d for each departure, in the mean over all workers G B "
                "(1-q) d",
                sp.Subs(departed * (a + d) - departed * a, departed, G * B * (1 - q)),
                G * B * (1 - q) * d,
            ),
            Inequality(
                "Every load at the end lies between its low_h and up_h, so Imb >= G max low - sum "
                "up: with M = max low, all workers at up_h - u",
                G * low - (B * d * departed + mean),
                G * (low + e) - (B * d * departed + mean - u),
                G * e + u,
            ),
            Lemma(
                "a choice that looks at no load",
                "Given the past, low_h = E[low_h] + Y_h with independent Y_h of mean 0.  Let U_h "
                "be independent and uniform with Y_h a non-decreasing function of U_h, and choose "
                "the worker H with the largest U_h.  Every worker is chosen with chance 1/G, "
                "whatever the E[low_h].",
            ),
            Identity(
                "A worker with the largest U = u has this with density u^(G-1); the largest of G "
                "copies of Y_h has G u^(G-1): so E[low_H] is the mean of the E[low_h] and of the "
                "E[max of G copies of Y_h]",
                sp.Integral(chance ** (G - 1), (chance, 0, 1)),
                1 / G,
            ),
            Lemma(
                "the smallest loads",
                "A slot deviates by D(k) = (1-xi-q) (k+j) + xi A - E[xi A].  As k + j >= A, D(k + "
                "y) spreads D(k): the upper value rises, the others fall, the mean stays.  So D(k "
                "+ y) is larger in convex order, the mean of a maximum is no smaller, and it "
                "counts least at v = 0, where k is the age.",
            ),
            Inequality(
                "for with k + j = A + u the upper value is above the others",
                age - q * (age + u),
                (1 - q) * (age + u),
                u,
            ),
            Lemma(
                "the ages",
                "The mean of the largest of G copies with the same ages is convex and symmetric in "
                "them: by Jensen's inequality it is at least its value at the means of the sorted "
                "ages.  The ages are independent of the policy [threshold.any-policy].",
            ),
            Conclusion(
                "Together, with E[max low - mean low] = Y + u",
                self.formula(),
                {
                    sp.Symbol("E_Imb", positive=True): G
                    * (sp.Symbol("Y", positive=True) + u - B * (1 - q) * d)
                },
                (G * u,),
            ),
            Lemma(
                "the spread",
                "Over one step, Imb >= max low - min up.  A second choice, of the worker whose up "
                "deviates most to below, has in the mean up = the mean of low + B p d - X: there D "
                "is at the loads age + 1 - (b - s) >= age + 1 - d, and a slot where this is "
                "negative counts 0 at least, by Jensen's inequality.",
            ),
        )

    @evidence(
        measures="least mean imbalance of any online policy (load)",
        plants=(
            Variant("deviations x1.02", Fraction(51, 50), side="below"),
            Variant("reach of the sizes x0.95", Fraction(19, 20), side="reach"),
            Variant("X x1.05", Fraction(21, 20), side="above"),
            Variant("reach against X x0.95", Fraction(19, 20), side="reach of X"),
            Variant("ages at the end of the window", fault="older"),
        ),
        systems=SYSTEMS,
        p=(Fraction(3, 5), Fraction(1, 4), Fraction(1, 256)),
        standard={
            "systems": (*SYSTEMS, (4, 1, 2, 3), (2, 2, 2, 3), (2, 1, 2, 5)),
            "p": (Fraction(4, 5), Fraction(3, 5), Fraction(1, 4), Fraction(1, 256)),
        },
    )
    def check(self, trial: Trial) -> Finding:
        """Both bounds, rounded down, against the best of all online policies in small systems, by
        dynamic programming over all states and coins in exact rationals; one policy below a bound
        refutes it.
        """
        cases, nearest = Cases(">="), 0.0
        for G, B, d, steps in trial["systems"]:
            for p in trial["p"]:
                least = least_expected_imbalance(G, B, p, (1, 1 + d), steps)
                for j in range(1, steps + 1):
                    counted = steps + j if trial.fault("older") else steps
                    below, above = window_deviations(G, B, p, d, j, counted)
                    below *= trial.scale_of("below")
                    witness: Witness = partial(
                        dict[str, Any], G=G, B=B, d=d, p=str(p), window=j, step=steps
                    )
                    each = G * (below - reach(B, p, d, j) * trial.scale_of("reach"))
                    spread = (
                        above * trial.scale_of("above")
                        + below
                        - reach(B, p, d, j) * trial.scale_of("reach of X")
                    )
                    if d == 0 and j == steps:
                        nearest = max(nearest, float(each / least))
                    if cases.add(least, each, witness) or (
                        j == 1 and cases.add(least, spread, witness, "X + Y - B p d")
                    ):
                        return cases.finding(trial, "all online policies, exactly")
        return cases.finding(
            trial,
            f"all online policies of the last step, exactly, (G, B, d, step) in {trial['systems']} "
            f"and p in {', '.join(map(str, trial['p']))}, every window from a cold start; with "
            f"d = 0 the longest window has {nearest:.4f} of the least",
        )
