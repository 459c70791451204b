"""evenkeel: proof companion for barrier load balancing (arXiv 2601.17855).

The public interface.  Names are imported from their floors when they are first used, so that the
command line answers at once; ``from evenkeel import *`` uses all of them, compiler included::

    from evenkeel import System, simulate, workload

    result = simulate(System.paper(32, 72), workload("uniform", 50_000, seed=0), "bfio")
    print(result.total.idle_share)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adversary.workloads.families import workload
    from adversary.workloads.trace_statistics import lengths_of, trace_lengths
    from adversary.workloads.traces import Trace, read_trace
    from evenkeel.evidence.check import Budget, Finding, Trial, Variant, Verdict
    from evenkeel.theorems.registry import Claim, check_of, claim_of, claims
    from solvers.lookahead.problem import WindowProblem, solve_window
    from solvers.policies.bfio import BFIO
    from solvers.policies.predictors import Survival
    from solvers.policies.protocol import Policy, StepView
    from solvers.policies.registry import policy
    from solvers.simulation.engine import simulate
    from solvers.simulation.result import RunResult
    from solvers.step.exact.milp import solve_exact
    from solvers.step.fast.solve import solve_step
    from solvers.step.problem import AssignmentError, StepProblem, StepSolution
    from theory.formulas.vacuity import Lengths, first_slots_of
    from theory.laws.fcfs_expectation import Expectation, expected_imbalance, over_steps
    from theory.laws.fcfs_moments import spread
    from theory.laws.law import Law
    from theory.laws.order_statistics import effective_constant, largest_constant
    from theory.laws.slot_load import geometric_slot, joint_slot
    from theory.model import InputError, Requests, System, idle_share, imbalance
    from theory.power import PowerModel, hardware

_HOME = {
    "AssignmentError": "solvers.step.problem",
    "BFIO": "solvers.policies.bfio",
    "Budget": "evenkeel.evidence.check",
    "Claim": "evenkeel.theorems.registry",
    "Expectation": "theory.laws.fcfs_expectation",
    "Finding": "evenkeel.evidence.check",
    "InputError": "theory.model",
    "Law": "theory.laws.law",
    "Lengths": "theory.formulas.vacuity",
    "Policy": "solvers.policies.protocol",
    "PowerModel": "theory.power",
    "Requests": "theory.model",
    "RunResult": "solvers.simulation.result",
    "StepProblem": "solvers.step.problem",
    "StepSolution": "solvers.step.problem",
    "StepView": "solvers.policies.protocol",
    "Survival": "solvers.policies.predictors",
    "System": "theory.model",
    "Trace": "adversary.workloads.traces",
    "Trial": "evenkeel.evidence.check",
    "Variant": "evenkeel.evidence.check",
    "Verdict": "evenkeel.evidence.check",
    "WindowProblem": "solvers.lookahead.problem",
    "check_of": "evenkeel.theorems.registry",
    "claim_of": "evenkeel.theorems.registry",
    "claims": "evenkeel.theorems.registry",
    "effective_constant": "theory.laws.order_statistics",
    "expected_imbalance": "theory.laws.fcfs_expectation",
    "first_slots_of": "theory.formulas.vacuity",
    "geometric_slot": "theory.laws.slot_load",
    "hardware": "theory.power",
    "idle_share": "theory.model",
    "imbalance": "theory.model",
    "joint_slot": "theory.laws.slot_load",
    "largest_constant": "theory.laws.order_statistics",
    "lengths_of": "adversary.workloads.trace_statistics",
    "over_steps": "theory.laws.fcfs_expectation",
    "policy": "solvers.policies.registry",
    "read_trace": "adversary.workloads.traces",
    "simulate": "solvers.simulation.engine",
    "solve_exact": "solvers.step.exact.milp",
    "solve_step": "solvers.step.fast.solve",
    "solve_window": "solvers.lookahead.problem",
    "spread": "theory.laws.fcfs_moments",
    "trace_lengths": "adversary.workloads.trace_statistics",
    "workload": "adversary.workloads.families",
}

__all__ = [
    "BFIO",
    "AssignmentError",
    "Budget",
    "Claim",
    "Expectation",
    "Finding",
    "InputError",
    "Law",
    "Lengths",
    "Policy",
    "PowerModel",
    "Requests",
    "RunResult",
    "StepProblem",
    "StepSolution",
    "StepView",
    "Survival",
    "System",
    "Trace",
    "Trial",
    "Variant",
    "Verdict",
    "WindowProblem",
    "check_of",
    "claim_of",
    "claims",
    "effective_constant",
    "expected_imbalance",
    "first_slots_of",
    "geometric_slot",
    "hardware",
    "idle_share",
    "imbalance",
    "joint_slot",
    "largest_constant",
    "lengths_of",
    "over_steps",
    "policy",
    "read_trace",
    "simulate",
    "solve_exact",
    "solve_step",
    "solve_window",
    "spread",
    "trace_lengths",
    "workload",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evenkeel' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
