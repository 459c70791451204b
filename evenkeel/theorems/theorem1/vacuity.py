"""Where Theorem 1 says nothing."""

from fractions import Fraction
from itertools import product

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.headline import Record, headline
from evenkeel.findings.scoreboard import TENTH, near, refuted, stands
from evenkeel.theorems.registry import Assumption, claim
from theory.formulas.constants import FCFS_ROUNDED, FCFS_TEXT
from theory.formulas.ratio import first_formula_slots, first_slots, iir_enclosure
from theory.formulas.vacuity import Lengths, first_certified_slots
from theory.laws.law import Law
from theory.proof import Computation, Conclusion, Setting, Step
from theory.symbolic import sp


def searched_slots(
    workers: int,
    width: Fraction | int,
    variance: Fraction,
    c: Fraction = FCFS_ROUNDED,
    ratio: Fraction | int = 1,
) -> int:
    """The first B at which the bound of IIR is known to exceed the ratio, by a search over B.

    The second way to :func:`theory.formulas.ratio.first_formula_slots`.
    """
    found = first_slots(
        lambda slots: iir_enclosure(workers, slots, variance, width, c).lower > ratio
    )
    assert found is not None
    return found


def _thresholds() -> bool:
    """Whether the four stated values of kappa0 lie where they are said to."""
    from flint import arb, ctx

    from theory.laws.fcfs_expectation import PRECISION, to_ball

    with ctx.workprec(PRECISION):
        unit = (72 * arb(32).log()).sqrt() * 32 / 31
        return all(
            to_ball(c) * to_ball(below) * unit < 1 < to_ball(c) * to_ball(above) * unit
            for c, below, above in (
                (Fraction(1), Fraction(613, 10_000), Fraction(614, 10_000)),
                (FCFS_ROUNDED, Fraction(905, 10_000), Fraction(906, 10_000)),
            )
        )


@claim(
    "warmup.vacuity",
    "equality",
    assumptions=(Assumption.EQUAL_LENGTHS, Assumption.OVERLOADED),
    requires=("warmup.theorem-1", "fcfs.constant"),
    values={"c": FCFS_TEXT},
    answers=("T1", "fact 2"),
)
class Vacuity:
    """Where Theorem 1 says nothing.

    With G >= 2, x = ln G, g = G/(G-1) and a constant c, Theorem 1's c kappa0 sqrt(B x) g is sqrt(B
    / B_0) with B_0 = 1/((c kappa0 g)^2 x): it says more than IIR >= 1 exactly when B > B_0. At G =
    32, B = 72 and c = 1 it does so at kappa0 = 0.0614 and not at 0.0613, so it says nothing for the
    paper's BurstGPT sample (0.0356) and something for its LongBench sample (0.108); with c = $c,
    rounded down from the largest for all G [fcfs.constant], it does so at 0.0906 and not at 0.0905.
    """

    def formula(self) -> "sp.Basic":
        c, kappa, x, g, B, edge = sp.symbols("c kappa_0 x g B B_0", positive=True)
        return sp.Eq(c * kappa * sp.sqrt(B * x) * g, sp.sqrt(B / edge))

    def proof(self) -> tuple[Step, ...]:
        c, kappa, x, g, edge = sp.symbols("c kappa_0 x g B_0", positive=True)
        return (
            Setting("Let x = ln G, g = G/(G-1) and B_0 = 1/((c kappa_0 g)^2 x)."),
            Computation(
                "At G = 32, B = 72: with c = 1 the bound is below 1 at kappa_0 = 0.0613 and "
                f"above it at 0.0614; with c = {FCFS_TEXT} below at 0.0905 and above at 0.0906 "
                "(balls)",
                _thresholds,
            ),
            Conclusion(
                "Theorem 1's bound is sqrt(B / B_0), which exceeds 1 exactly when B > B_0",
                self.formula(),
                {edge: 1 / ((c * kappa * g) ** 2 * x)},
            ),
        )

    @evidence(
        measures="Theorem 1's bound of IIR at G = 32, B = 72, kappa0 = 0.0614, c = 1 (1)",
        plants=(
            near("edge", TENTH),
            near("kappa0 that are too small", Fraction(101, 100)),
            near("kappa0 that suffice", Fraction(100, 101)),
            Variant("B ln G without the square root", exponent=Fraction(1, 2)),
        ),
        standard={"workers": (2, 3, 8, 32, 256, 4096)},
        workers=(2, 32, 256),
    )
    def check(self, trial: Trial) -> Finding:
        """The closed form against a search over B for a grid of (G, kappa0, c), and the thresholds
        of kappa0; a disagreement refutes it.
        """
        constants = Fraction(1), FCFS_ROUNDED
        samples = Fraction(356, 10000), Fraction(108, 1000), Fraction(24, 100)
        points = 0
        for workers, kappa, c in product(trial["workers"], samples, constants):
            closed = first_formula_slots(workers, 1, kappa**2, c)
            claimed = round(closed * trial.scale_of("edge") * trial.stretch(closed))
            found = searched_slots(workers, 1, kappa**2, c)
            points += 1
            if found != claimed:
                where = {"G": workers, "kappa0": str(kappa), "c": str(c)}
                return refuted(found, "==", claimed, "search over B", where)
        small, enough = (
            trial.scale_of(side) for side in ("kappa0 that are too small", "kappa0 that suffice")
        )
        edges = {
            f"kappa0 = {kappa}, c = {float(c):g}": iir_enclosure(
                32, 72, (Fraction(kappa) * factor) ** 2, 1, c
            ).value
            for kappa, factor, c in (
                ("0.0613", small, constants[0]),
                ("0.0614", enough, constants[0]),
                ("0.0905", small, constants[1]),
                ("0.0906", enough, constants[1]),
            )
        }
        uniform = {
            f"first B of the certificate, G = {workers}": first_certified_slots(
                Lengths.of("uniform", Law.uniform(1, 100), Fraction(1)), workers
            )
            for workers in trial["workers"]
        }
        first, second, third, last = edges.values()
        if not (first < 1 < second and third < 1 < last):
            return refuted(
                max(first, third), "~", 1, "thresholds of kappa0 at G = 32, B = 72", edges
            )
        return stands(
            trial,
            second,
            ">=",
            1,
            f"{points} points of (G, kappa0, c), G in {trial['workers']}; thresholds at G = 32, B "
            "= 72",
            details={**edges, **uniform},
        )

    @headline("What does Theorem 1 say at B = 72?", 5)
    def answer(self, vacuity: Record) -> str:
        details = vacuity["details"]
        bounds = {
            float(key.removeprefix("kappa0 = ").removesuffix(", c = 1")): bound
            for key, bound in details.items()
            if key.endswith(", c = 1")
        }
        enough = min(kappa for kappa, bound in bounds.items() if bound > 1)
        return (
            f"Nothing below kappa0 = {enough:g} at G = 32 even with the constant 1.  With exact "
            f"FCFS on top, more than 1 from B = {details['first B of the certificate, G = 32']} "
            "on for sizes 1..100 at G = 32, from B = "
            f"{details['first B of the certificate, G = 2']} on at G = 2."
        )
