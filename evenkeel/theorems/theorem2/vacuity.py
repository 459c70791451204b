"""Where Theorem 2 in the paper's form says more than nothing."""

import math
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from adversary.workloads.families import family, workload, workload_names
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Comparison, broken, refuted, stands, weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem1.vacuity import searched_slots
from theory.formulas.constants import FCFS_TEXT
from theory.formulas.geometric import distances_to_geometric, slot_variance
from theory.formulas.ratio import first_formula_slots, iir_bound, slots_edge
from theory.laws.law import Law
from theory.proof import Conclusion, Step
from theory.symbolic import sp


@claim(
    "geometric.vacuity",
    "equality",
    assumptions=(Assumption.GEOMETRIC_LENGTHS, Assumption.OVERLOADED),
    values={"c": FCFS_TEXT},
    answers=("T2",),
)
class Vacuity:
    """Where Theorem 2 says nothing.

    For G >= 2, sigma_X > 0 and c > 0 the square of Theorem 2's bound, in the form of the paper
    [geometric.bfio-upper-range], is B over B_1 = ((G-1) s_max / (c p G))^2 / (sigma_X^2 ln G): it
    says more than IIR >= 1 exactly when B > B_1. With c = $c, G = 32 and sizes uniform on 1..100
    that is B >= 5,495 at p = 0.01 and B >= 1,945 at p = 0.05; for public traces see
    [vacuity.theorem-2].
    """

    def formula(self) -> "sp.Basic":
        bound, B, edge = sp.symbols("T_2 B B_1", positive=True)
        return sp.Eq(bound**2, B / edge)

    def proof(self) -> tuple[Step, ...]:
        c, G, sigma, B, p, s = sp.symbols("c G sigma_X B p s_max", positive=True)
        bound, edge = sp.symbols("T_2 B_1", positive=True)
        return (
            Conclusion(
                "With T_2 = c (p/s_max) sigma_X sqrt(B ln G) G/(G-1) and B_1 as stated",
                self.formula(),
                {
                    bound: iir_bound(G, B, sigma, s / p, c),
                    edge: slots_edge(G, sigma, s / p, c),
                },
            ),
        )

    @evidence(
        measures="first B at which the bound exceeds 1 (slots)",
        plants=(
            Variant("one slot more", fault="one-more"),
            Variant("one slot fewer", fault="one-fewer"),
            Variant("stated numbers x1.001", Fraction(1001, 1000), side="stated"),
            Variant("s_max / p without the square", exponent=Fraction(-1, 2)),
        ),
        standard={"workers": (2, 3, 8, 32, 256, 4096)},
        workers=(2, 32, 256),
    )
    def check(self, trial: Trial) -> Finding:
        """The closed form against a search over B for a grid of (G, p, sizes), and the stated
        numbers; a disagreement refutes it.
        """
        shift, points = trial.fault("one-more") - trial.fault("one-fewer"), 0
        chances = Fraction(1, 100), Fraction(1, 20), Fraction(1, 5)
        for workers, p, b in product(trial["workers"], chances, (20, 100)):
            sizes = Law.uniform(1, b)
            variance = slot_variance(sizes, p).upper
            closed = first_formula_slots(workers, b / p, variance)
            claimed = round(closed * trial.stretch(closed)) + shift
            found = searched_slots(workers, b / p, variance)
            points += 1
            if found != claimed:
                where = {"G": workers, "p": str(p), "b": b}
                return refuted(found, "==", claimed, "search over B", where)
        stated = {
            p: first_formula_slots(32, 100 / p, slot_variance(Law.uniform(1, 100), p).upper)
            for p in chances[:2]
        }
        numbers = tuple(round(n * trial.scale_of("stated")) for n in (5495, 1945))
        if tuple(stated.values()) != numbers:
            return refuted(
                stated[Fraction(1, 100)],
                "==",
                numbers[0],
                "the stated numbers at G = 32",
                {"p = 1/20": stated[Fraction(1, 20)]},
            )
        return stands(
            trial,
            stated[Fraction(1, 100)],
            "==",
            numbers[0],
            f"{points} points of (G, p, b); shown: sizes 1..100 at G = 32, p = 0.01",
        )


@cache
def _distances(
    name: str, n: int, seed: int, params: tuple[tuple[str, float], ...]
) -> tuple[float, float]:
    """Distance of a family's output lengths to the geometric law of the same mean and of best p."""
    lengths = workload(name, n, seed, **dict(params)).decode
    centre = 1 / float(lengths.mean())
    tried = np.minimum(centre * np.exp(np.linspace(-2, 2, 81)), 1.0)
    same, *others = distances_to_geometric(lengths, [centre, *tried.tolist()])
    return same, min(others)


# The families that decide.
EXTREME = ("servegen-m-mid", "peer-burst")


@claim(
    "geometric.outputs-fit",
    "empirical",
    assumptions=(Assumption.GEOMETRIC_LENGTHS,),
    answers=("fact 9",),
)
class OutputsFit:
    """Real output lengths are not geometric.

    The output lengths of every family fitted to public traces and of the paper's three samples lie
    at a Kolmogorov-Smirnov distance between 0.058 and 0.45 from the geometric law of the same mean,
    and at more than 0.057 from the geometric law of the best p; the closest are those of
    servegen-m-mid, the farthest those of peer-burst.
    """

    @evidence(
        measures="Kolmogorov-Smirnov distance to a geometric law (probability)",
        plants=(
            Variant("lower end x1.25", Fraction(5, 4), side="lower"),
            Variant("upper end x0.8", Fraction(4, 5), side="upper"),
            Variant("distance to the best p x1.25", Fraction(5, 4), side="best"),
            Variant("geometric lengths in place of the families'", fault="geometric"),
        ),
        standard={"n": 100_000, "closer": 2_000_000},
        n=20_000,
        closer=800_000,
    )
    def check(self, trial: Trial) -> Finding:
        """Large seeded samples of each family, the largest of the two that decide; a distance
        outside the range by more than the sampling error (Dvoretzky-Kiefer-Wolfowitz, one in a
        million) refutes it.
        """
        ends = Fraction("0.058"), Fraction("0.45"), Fraction("0.057")
        low, high, best_low = (
            float(end * trial.scale_of(side))
            for end, side in zip(ends, ("lower", "upper", "best"), strict=True)
        )
        families = [name for name in workload_names() if family(name).measured]
        params = {"p": 0.01} if trial.fault("geometric") else {}
        distances: dict[str, tuple[float, float, float]] = {}
        for name in families:
            n = trial["closer" if name in EXTREME else "n"]
            same, best = _distances(name, n, trial.seed, tuple(params.items()))
            # Dvoretzky-Kiefer-Wolfowitz: the empirical distance errs by more with chance 1e-6.
            error = math.sqrt(math.log(2e6) / (2 * n))
            distances[name] = same, best, error
            of_same, of_best = ((x - error, x + error) for x in (same, best))
            if found := broken(
                (
                    Comparison(same + error >= low, same, ">=", low, "the same mean", of_same),
                    Comparison(same - error <= high, same, "<=", high, "the same mean", of_same),
                    Comparison(
                        best + error >= best_low, best, ">=", best_low, "the best p", of_best
                    ),
                ),
                f"{n} lengths of {name}, sampling error {error:.4f}",
                {"family": name, "same mean": same, "best p": best, "seed": trial.seed},
            ):
                return found
        certain = all(
            same - error >= low and same + error <= high and best - error >= best_low
            for same, best, error in distances.values()
        )
        closest = min(distances, key=lambda name: distances[name][0])
        value, _, error = distances[closest]
        return weighed(
            False,
            certain,
            value,
            ">=",
            low,
            f"{trial['n']} lengths of each of {len(families)} families, {trial['closer']} of "
            f"{' and '.join(EXTREME)}; closest: {closest}",
            {},
            interval=(value - error, value + error),
            details={name: {"same mean": a, "best p": b} for name, (a, b, _) in distances.items()},
        )
