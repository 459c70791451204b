"""The ratio of Theorem 3 and its constants."""

from evenkeel.findings.check import Finding, Trial, evidence
from evenkeel.findings.replications import fcfs_imbalance
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.ratio import (
    CONSTANT_PLANTS,
    constant_formula,
    ratio_constant,
    two_sided,
)
from evenkeel.theorems.theorem3.sides import HYPOTHESES
from theory.formulas.constants import DRIFT_BFIO, DRIFT_IIR, Stated, in_words
from theory.formulas.ratio import bfio_bound
from theory.model import System
from theory.symbolic import sp


def _drift_bound(stated: Stated) -> float:
    system = stated.system
    return float(bfio_bound(system.workers, stated.b + max(system.drift) / stated.p))


@claim(
    "drift.iir",
    "order",
    source="paper, Theorem 3 (order); constants: evenkeel",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("drift.fcfs-lower", "drift.bfio-constant", "fcfs.exact"),
    recovered=False,
    values={"band": in_words(DRIFT_IIR)},
    answers=("T3",),
)
class Iir:
    """Theorem 3's ratio: the order, and its constant at two drifts.

    The paper's IIR = Omega(sqrt(B log G)) for any common drift names no constant. Order only: in
    the systems of [drift.bfio-constant] IIR over E[Imb of FCFS without drift] / ((G-1) (s_max + max
    drift / p)) lies in $band.
    """

    def formula(self) -> "sp.Basic":
        return constant_formula()

    @evidence(
        measures="IIR over FCFS without drift / ((G-1)(s_max + max drift / p)) (ratio)",
        plants=CONSTANT_PLANTS,
        standard={"times": 4},
        times=1,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact FCFS, mean over the phases of the drift, over the runs of [drift.bfio-constant]; a
        ratio whose interval lies outside the stated one refutes it, from either side.
        """

        def constant(stated: Stated, imbalance: float) -> float:
            still = System(stated.system.workers, stated.system.slots, (0,))
            quotient = fcfs_imbalance(still, float(stated.p), stated.b) / _drift_bound(stated)
            return ratio_constant(stated, imbalance, quotient)

        return two_sided(trial, DRIFT_IIR, constant)


@claim(
    "drift.bfio-constant",
    "empirical",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("threshold.frontier",),
    values={"band": in_words(DRIFT_BFIO)},
    answers=("T3",),
)
class BfioConstant:
    """The constant of Theorem 3's BF-IO side at two drifts, at the edge of the frontier.

    In systems as in [geometric.bfio-constant] E[AvgImb(BF-IO)] / ((G-1) (s_max + max drift / p))
    lies in $band.
    """

    def formula(self) -> "sp.Basic":
        return constant_formula()

    @evidence(
        measures="imbalance of BF-IO over (G-1) (s_max + max drift / p) (ratio)",
        plants=CONSTANT_PLANTS,
        standard={"times": 4},
        times=1,
    )
    def check(self, trial: Trial) -> Finding:
        """Replicated runs as in [geometric.bfio-constant]; a mean whose interval lies outside the
        stated one refutes it, from either side; one that reaches beyond it decides nothing.
        """
        return two_sided(trial, DRIFT_BFIO, lambda stated, x: x / _drift_bound(stated))
