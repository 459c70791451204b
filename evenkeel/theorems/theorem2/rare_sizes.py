"""What the range of the sizes alone does not give: sizes that are hardly ever offered."""

from fractions import Fraction
from functools import cache

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import weighed
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.sides import HYPOTHESES
from theory.formulas.geometric import (
    frontier_slots,
    slot_variance,
)
from theory.formulas.ratio import bfio_bound, iir_enclosure
from theory.formulas.rebalancing import RareSizeRun
from theory.proof import Computation, Inequality, Lemma, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp

# What [geometric.bfio-upper-range] and its like are refuted by.
WITNESS = RareSizeRun()


INSTANCE = (
    f"G = {WITNESS.G:,}, B = {WITNESS.B:,}, p = {WITNESS.p}, sizes 1 and 2 at equal odds and "
    f"{WITNESS.b} with probability 1e-15"
)


@cache
def rare_size() -> tuple[Fraction, Fraction]:
    """Lower bound of every online policy and upper bound of FCFS, in the witness."""
    return WITNESS.floor, WITNESS.fcfs


def rare_size_refutes() -> bool:
    """Whether the instance breaks the bound of BF-IO by 2 and that of IIR by 5/4."""
    it = WITNESS
    floor, fcfs = rare_size()
    width = it.b / it.p
    claimed = iir_enclosure(it.G, it.B, slot_variance(it.sizes, it.p), width)
    return (
        frontier_slots(it.G, float(it.p), it.b - 1) <= it.B
        and floor > 2 * bfio_bound(it.G, width)
        and fcfs / floor < claimed.lower * Fraction(4, 5)
    )


def range_proof() -> tuple[Step, ...]:
    """Disproof of [geometric.bfio-upper-range], [geometric.iir-range], [drift.bfio-upper-range]."""
    B, a, b, r = sp.symbols("B a b R_g", positive=True)
    top, age, x, y = sp.symbols("A_h A_g x y", nonnegative=True)
    return (
        Setting(
            "Sizes a, a + 1 and, almost never, b; A_g is the sum of the ages on worker g, R_g the "
            "number of its requests of size b, h the worker with the largest A_h.  The instance "
            "is theory.formulas.rebalancing.RareSizeRun: N requests wait from the start, N/4 = G B "
            "(2k + 1), k = 40/p."
        ),
        Inequality(
            "Every worker g ends at least A_h - A_g - B - (b-a-1) R_g below the largest load: "
            "with sizes B a + x on h and B (a+1) + (b-a-1) R_g - y on g",
            top - age - B - (b - a - 1) * r,
            sp.expand((B * a + x + top) - (B * (a + 1) + (b - a - 1) * r - y + age)),
            x + y,
        ),
        Lemma(
            "expectation",
            "The ages are those of [threshold.any-policy], independent of the sizes, and of the N "
            "requests in expectation N P(b) are of size b.  So at every step every online policy "
            "has E[Imb] >= E[G max A - sum A] - (G-1) B - (b-a-1) N P(b), the ages at step k "
            "being stationary up to E (A-k)^+.",
        ),
        Lemma(
            "the pool condition",
            "If a quarter of the requests has size a and a quarter a + 1, which fails with "
            "probability below 2^-1000, each of these classes fills G B slots to step 2k, as at "
            "most G B requests enter in a step; given that, expectations grow by at most a "
            "factor 1/(1 - 2^-1000).",
        ),
        Computation(
            "The instance: exact enclosures of both expectations, against the claimed sides",
            rare_size_refutes,
        ),
    )


def rare_size_witness() -> dict[str, object]:
    """The instance of the rare size, as stored with a finding."""
    floor, fcfs = rare_size()
    return {
        "G": WITNESS.G,
        "B": WITNESS.B,
        "p": str(WITNESS.p),
        "sizes": [1, 2, WITNESS.b],
        "probability of the last": str(WITNESS.rare),
        "requests": WITNESS.requests,
        "steps": [WITNESS.start, 2 * WITNESS.start],
        "every policy's E[Imb] is at least": float(floor),
        "E[Imb(FCFS)] is at most": float(fcfs),
    }


def rare_size_finding(trial: Trial, claimed: Fraction) -> Finding:
    """The floor of every online policy against a bound of BF-IO's imbalance."""
    floor, _ = rare_size()
    edge = frontier_slots(WITNESS.G, float(WITNESS.p), WITNESS.b - 1)
    assert edge <= WITNESS.B
    return weighed(
        floor > claimed,
        False,
        float(floor),
        "<=",
        float(claimed),
        f"lower bound of every online policy, exact enclosures, {INSTANCE}; 8 m ln G / (p "
        f"(b-a)^2) = {edge:,}",
        rare_size_witness(),
    )


@claim(
    "geometric.bfio-upper-range",
    "upper",
    source="paper, Theorem 2",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("threshold.any-policy",),
    recovered=False,
    holds=False,
    values={"instance": INSTANCE},
    answers=("T2",),
)
class BfioUpperRange:
    """BF-IO side of Theorem 2, on the range of the sizes alone.

    E[AvgImb(BF-IO)] <= (G-1) s_max / p wherever the pool condition holds and B p (b-a)^2 >= 8 m ln
    G, the upper edge of [threshold.frontier]. A size that is hardly ever offered counts for the
    range and is of no use: $instance. There every online policy has more than twice as much.
    """

    def formula(self) -> "sp.Basic":
        G, s_max, p = sp.symbols("G s_max p", positive=True)
        return at_most("E_Imb_BFIO", bfio_bound(G, s_max / p))

    def proof(self) -> tuple[Step, ...]:
        return range_proof()

    @evidence(
        measures="least mean imbalance of any online policy (load)",
        plants=(
            Variant("with a constant of 1.25", Fraction(5, 4)),
            Variant("with a constant of 2.4", Fraction(12, 5)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """A lower bound of every online policy's E[Imb] at every step from 40/p on, in exact
        enclosures: [threshold.any-policy] with b - a = 1, less what the start-up and the rare size
        can add; above the claimed side it refutes it, without any simulation.
        """
        bound = bfio_bound(WITNESS.G, WITNESS.b / WITNESS.p)
        return rare_size_finding(trial, bound * trial.scale)
