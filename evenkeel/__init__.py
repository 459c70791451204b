"""evenkeel: proof companion for barrier load balancing (arXiv 2601.17855).

The public interface.  Each name is imported from its own module when it is first used, so that the
command line starts without the compiler; ``from evenkeel import *`` imports all of them.

>>> from evenkeel import System, simulate, workload
>>> result = simulate(System.paper(4, 8), workload("uniform", 500, seed=0), "bfio")
>>> bool(0 < result.total.idle_share < 1)
True
"""

import ast
from functools import cache
from importlib import import_module
from pkgutil import get_data
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adversary.workloads.families import family, workload
    from adversary.workloads.family import Family, Parameter, workload_family
    from adversary.workloads.reading import Reading
    from adversary.workloads.trace_statistics import lengths_of, trace_lengths
    from adversary.workloads.traces import Trace, read_trace
    from evenkeel.findings.check import Budget, Finding, Trial, Variant, Verdict, evidence
    from evenkeel.findings.headline import headline
    from evenkeel.findings.scoreboard import (
        Cases,
        Comparison,
        Intervals,
        broken,
        near,
        refuted,
        sampled_mean,
        stands,
        weighed,
    )
    from evenkeel.findings.statistics import Mean, Ratio
    from evenkeel.theorems.parts import Numbers
    from evenkeel.theorems.registry import (
        Assumption,
        Claim,
        check_of,
        claim,
        claim_of,
        claims,
        claims_in,
    )
    from paper_figures.figure import PaperFigure, figure, table
    from paper_figures.files import column, distinct, where
    from solvers.lookahead.problem import WindowProblem, solve_window
    from solvers.policies.bfio import BFIO
    from solvers.policies.predictors import AgePredictor, LengthPredictor, Survival
    from solvers.policies.protocol import InFlight, Policy, PolicyError, StepView
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
    from theory.power import PowerLaw, PowerModel, hardware
    from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Setting
    from theory.relations import at_least, at_most, both, equal
    from theory.serving import ServingSystem

__version__: str  # of the installed package

__all__ = [
    "BFIO",
    "AgePredictor",
    "AssignmentError",
    "Assumption",
    "Budget",
    "Cases",
    "Claim",
    "Comparison",
    "Computation",
    "Conclusion",
    "Expectation",
    "Family",
    "Finding",
    "Identity",
    "InFlight",
    "Inequality",
    "InputError",
    "Intervals",
    "Law",
    "Lemma",
    "LengthPredictor",
    "Lengths",
    "Mean",
    "Numbers",
    "PaperFigure",
    "Parameter",
    "Policy",
    "PolicyError",
    "PowerLaw",
    "PowerModel",
    "Ratio",
    "Reading",
    "Requests",
    "RunResult",
    "ServingSystem",
    "Setting",
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
    "at_least",
    "at_most",
    "both",
    "broken",
    "check_of",
    "claim",
    "claim_of",
    "claims",
    "claims_in",
    "column",
    "distinct",
    "effective_constant",
    "equal",
    "evidence",
    "expected_imbalance",
    "family",
    "figure",
    "first_slots_of",
    "geometric_slot",
    "hardware",
    "headline",
    "idle_share",
    "imbalance",
    "joint_slot",
    "largest_constant",
    "lengths_of",
    "near",
    "over_steps",
    "policy",
    "read_trace",
    "refuted",
    "sampled_mean",
    "simulate",
    "solve_exact",
    "solve_step",
    "solve_window",
    "spread",
    "stands",
    "table",
    "trace_lengths",
    "weighed",
    "where",
    "workload",
    "workload_family",
]


@cache
def _homes() -> dict[str, str | None]:
    """The module of each public name: what the imports above say to a type checker."""
    source = ast.parse(get_data(__name__, "__init__.py") or b"")
    imports = (node for node in ast.walk(source) if isinstance(node, ast.ImportFrom))
    return {alias.name: node.module for node in imports for alias in node.names}


if not TYPE_CHECKING:  # a type checker that saw this would take any name for a public one

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version(__name__)
        if name not in __all__:
            raise AttributeError(f"module 'evenkeel' has no attribute {name!r}")
        import_module("evenkeel.shadows").import_floors()
        found = getattr(import_module(_homes()[name]), name)
        return import_module("evenkeel.signatures").with_short_types(found)


def __dir__() -> list[str]:
    return __all__
