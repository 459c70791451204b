"""evenkeel: proof companion for barrier load balancing (arXiv 2601.17855).

The public interface.  Names are imported from their floors when they are first used, so that the
command line answers at once::

    from evenkeel import System, simulate, workload

    result = simulate(System.paper(32, 72), workload("uniform", 50_000, seed=0), "bfio")
    print(result.total.idle_share)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adversary.families import workload
    from adversary.traces import Trace, read_trace
    from evenkeel.evidence import Budget, Finding, Trial, Variant, Verdict, checks
    from solvers.balance import solve_step
    from solvers.engine import simulate
    from solvers.exact import solve_exact
    from solvers.policies import Policy, StepView, policy
    from solvers.result import RunResult
    from solvers.step import AssignmentError, StepProblem, StepSolution
    from theory.claims import Claim, claim, claims
    from theory.model import InputError, Requests, System, idle_share, imbalance
    from theory.power import PowerModel, hardware

_HOME = {
    "AssignmentError": "solvers.step",
    "Budget": "evenkeel.evidence",
    "Claim": "theory.claims",
    "Finding": "evenkeel.evidence",
    "InputError": "theory.model",
    "Policy": "solvers.policies",
    "PowerModel": "theory.power",
    "Requests": "theory.model",
    "RunResult": "solvers.result",
    "StepProblem": "solvers.step",
    "StepSolution": "solvers.step",
    "StepView": "solvers.policies",
    "System": "theory.model",
    "Trace": "adversary.traces",
    "Trial": "evenkeel.evidence",
    "Variant": "evenkeel.evidence",
    "Verdict": "evenkeel.evidence",
    "checks": "evenkeel.evidence",
    "claim": "theory.claims",
    "claims": "theory.claims",
    "hardware": "theory.power",
    "idle_share": "theory.model",
    "imbalance": "theory.model",
    "policy": "solvers.policies",
    "read_trace": "adversary.traces",
    "simulate": "solvers.engine",
    "solve_exact": "solvers.exact",
    "solve_step": "solvers.balance",
    "workload": "adversary.families",
}

__all__ = [
    "AssignmentError",
    "Budget",
    "Claim",
    "Finding",
    "InputError",
    "Policy",
    "PowerModel",
    "Requests",
    "RunResult",
    "StepProblem",
    "StepSolution",
    "StepView",
    "System",
    "Trace",
    "Trial",
    "Variant",
    "Verdict",
    "checks",
    "claim",
    "claims",
    "hardware",
    "idle_share",
    "imbalance",
    "policy",
    "read_trace",
    "simulate",
    "solve_exact",
    "solve_step",
    "workload",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evenkeel' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
