"""One admission step from two sizes: what their spacing costs, exactly."""

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, Comparison, broken, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import two_size_steps, witness_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.step import (
    gap_below,
    spacing_cost,
    spacing_extremal,
    waterfill_optimum,
)
from theory.proof import Conclusion, Identity, Lemma, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp


def _waterfill() -> "sp.Expr":
    """``sum_g (T - up_g)^+``, the optimum of a rich pool on ``[x, x + delta]``."""
    G, g = sp.symbols("G g", positive=True, integer=True)
    x, delta = sp.symbols("x delta", positive=True)
    load, free = sp.IndexedBase("l"), sp.IndexedBase("c")
    return sp.Sum(gap_below(sp.Symbol("T", real=True), load[g], free[g] * (x + delta)), (g, 1, G))


@claim(
    "step.spacing",
    "upper",
    assumptions=(Assumption.EXACT_STEP,),
    requires=("step.objective", "step.waterfill"),
    coq=Theorem("step_spacing", "Spacing.v"),
)
class Spacing:
    """What the spacing of two sizes costs one step.

    Loads are integers. If the pool holds at least as many copies of two integer sizes x and x +
    delta, delta >= 1, as slots are free, the optimal imbalance is at most sum_g (T - l_g - c_g (x +
    delta))^+ + S with T = max_g (l_g + c_g x) and S = ((G-1)(delta-1) + gcd(G, delta) - 1)/2, a
    whole number. For all G and delta some step with first term 0 has S: loads floor(j delta / G)
    for j = 0..G-1, one free slot each, G copies of both sizes. S is at most (G-1) delta / 2 and at
    most G (delta-1) / 2.
    """

    def formula(self) -> "sp.Basic":
        G, delta = sp.Symbol("G", positive=True, integer=True), sp.Symbol("delta", positive=True)
        return at_most("Imb", _waterfill() + spacing_cost(G, delta))

    def proof(self) -> tuple[Step, ...]:
        G, delta = sp.Symbol("G", positive=True, integer=True), sp.Symbol("delta", positive=True)
        x, common, count = sp.symbols("x g m", positive=True, integer=True)
        j, c, i, e, n = sp.symbols("j c_g i e n", nonnegative=True, integer=True)
        rest, u = sp.symbols("rho u", nonnegative=True)
        load, low, level = sp.symbols("l_g low_g T", real=True)
        classes = G * delta * (delta - 1) / 2 - delta * (delta - common) / 2
        floors = delta * G * (G - 1) / 2 - G * (G - common) / 2
        S = ((G - 1) * (delta - 1) + common - 1) / 2
        return (
            Setting(
                "Let low_g = l_g + c_g x, up_g = low_g + c_g delta and T = max_h low_h.  For a "
                "level T + e, 0 <= e < delta, let worker g take j = min(c_g, floor((T + e - "
                "low_g)/delta)) requests of size x + delta and c_g - j of size x."
            ),
            Identity(
                "Then its load is low_g + j delta",
                sp.Subs(load, load, low - c * x) + (c - j) * x + j * (x + delta),
                low + j * delta,
            ),
            Identity(
                "If up_g <= T it takes c_g of them, and misses T + e by T - up_g and e",
                sp.Subs(level + e - (low + j * delta), j, c),
                (level - (low + c * delta)) + e,
            ),
            Identity(
                "and else, with T + e - low_g = n delta + rho, j = n and it misses the remainder",
                sp.Subs(level + e - (low + n * delta), level, low + n * delta + rest - e),
                rest,
            ),
            Lemma(
                "remainders",
                "So it misses T + e by (T - up_g)^+ and (e - e_g) mod delta, e_g = 0 in the first "
                "case and low_g - T in the second.  With R(e) the sum of these remainders the "
                "imbalance is at most sum_g (T - up_g)^+ + R(e), as no worker ends above T + e; "
                "the copies suffice.",
            ),
            Identity(
                "Over delta levels every remainder is 0 to delta - 1: the sum of R over them",
                G * sp.Sum(i, (i, 0, delta - 1)),
                G * delta * (delta - 1) / 2,
            ),
            Lemma(
                "one class",
                "From e_0, where R is least, to e_0 + k all G remainders grow by k modulo delta, "
                "so R(e_0 + k) - R(e_0) is at least k G mod delta.  With g = gcd(G, delta) and "
                "delta = m g, these are the multiples 0, g, ..., (m-1) g, each g times.",
            ),
            Identity(
                "Their sum, with delta = m g",
                common * sp.Sum(common * i, (i, 0, count - 1)),
                sp.Subs(delta * (delta - common) / 2, delta, count * common),
            ),
            Identity("So delta times the least R is at most delta S", classes, delta * S),
            Lemma(
                "and no less will do",
                "Let low_j = x + floor(j delta / G), one slot each, M the largest load and i the "
                "last j < G with floor(j delta / G) <= (M - x) mod delta.  As two floors add up "
                "to at most the floor of the sum, worker j misses M by at least floor(k delta / "
                "G), k = (i - j) mod G.  Over k = 0..G-1 these are (k delta - (k delta mod G)) / "
                "G, and k delta mod G are the multiples of g below G, each g times.",
            ),
            Identity("Their sum is S", floors / G, S),
            Conclusion(
                "So with the best level and u >= 0",
                self.formula(),
                {
                    sp.Symbol("Imb", positive=True): _waterfill() + spacing_cost(G, delta) - u,
                },
                (u,),
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=3,
        load=4,
        free=2,
        slots=3,
        x=(1, 2),
        delta=4,
        workers=4,
        standard={"load": 6, "slots": 4, "workers": 5},
        plants=(
            near("spacing", 1 / THOUSANDTH),
            near("rich pool", 1 / THOUSANDTH),
            near("extremal"),
            Variant("half of (G-1)(delta-1)", fault="no-gcd"),
            Variant("the larger size not in the pool", fault="one-size"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The enumerated optimum of every step of a finite domain from the smallest such pool, and
        of the extremal step for all G and delta up to a bound; one above the claimed side, or
        another optimum of an extremal step, refutes it.
        """
        cases, factor = Cases("<="), trial.scale_of("spacing")
        for problem, x, delta in two_size_steps(trial):
            G, loads, free = problem.workers, problem.loads.tolist(), problem.free.tolist()
            rich = waterfill_optimum(loads, free, x, x + delta)[0] * trial.scale_of("rich pool")
            cost = (G - 1) * (delta - 1) // 2 if trial.fault("no-gcd") else spacing_cost(G, delta)
            optimum = problem.objective(exact_step(problem))
            if cases.add(optimum, rich + cost * factor, witness_of(problem)):
                break
        domain = (
            f"steps with G <= {trial['G']}, loads <= {trial['load']}, free slots <= "
            f"{trial['free']} (sum <= {trial['slots']}), x in {trial['x']}, delta <= "
            f"{trial['delta']}; extremal steps with G <= {trial['workers']}, delta <= 6"
        )
        for G in range(1, 0 if cases.violated else trial["workers"] + 1):
            for delta in range(1, 7):
                problem = StepProblem(
                    spacing_extremal(G, delta), [1] * G, [1] * G + [1 + delta] * G
                )
                optimum = problem.objective(exact_step(problem))
                stated = spacing_cost(G, delta) * trial.scale_of("extremal")
                side = Comparison(optimum == stated, optimum, "==", stated, "extremal step")
                if found := broken([side], domain, witness_of(problem)()):
                    return found
        return cases.finding(trial, domain)
