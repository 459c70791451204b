"""Checks of the claims in :mod:`theory.scaling` about IIR with geometric lengths.

How the improvement grows with slots and with workers: exact FCFS over simulated BF-IO.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, log, sqrt
from typing import Any

from evenkeel.checks.replications import balanced_runs
from evenkeel.checks.sampling import fresh
from evenkeel.checks.small_steps import EXACT
from evenkeel.checks.verdicts import BUSIEST, FCFS, JSQ
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from theory.expectation import expected_imbalance
from theory.geometric import frontier_slots
from theory.laws import Law
from theory.model import System
from theory.scaling import iir_shape
from theory.slots import geometric_slot


@dataclass(frozen=True, slots=True)
class _Growth:
    """Growth of IIR from one system to another, with its interval."""

    value: float
    low: float
    high: float
    details: Mapping[str, Any]

    def exponent(self, ratio: float) -> "_Growth":
        """As a power of the ratio by which a parameter grew."""

        def power(growth: float) -> float:
            return log(growth) / log(ratio) if 0 < growth < inf else -inf if not growth else inf

        return _Growth(power(self.value), power(self.low), power(self.high), self.details)


def _growth(
    trial: Trial,
    systems: Sequence[System],
    policy: str,
    pool: int | None = None,
) -> _Growth | Finding:
    """Exact FCFS over replicated runs at two systems; or the finding that ends the check."""
    sizes, p = Law.uniform(1, trial["b"]), Fraction(str(trial["p"]))
    fcfs, runs = [], []
    details: dict[str, Any] = {}
    for system in systems:
        phases = range(len(system.drift))
        laws = [geometric_slot(sizes, p, drift=system.drift, phase=phase) for phase in phases]
        exact = sum(
            expected_imbalance(law, system.workers, system.slots).imbalance.value for law in laws
        ) / len(laws)
        found = balanced_runs(
            system,
            policy,
            trial["p"],
            trial["b"],
            runs=trial["runs"],
            seed=fresh(trial),
            pool=pool,
            lengths=trial["lengths"],
        )
        where = f"G = {system.workers}, B = {system.slots}, drift {system.drift}"
        if unfit := found.unfit(where):
            return unfit
        details[where] = {
            "IIR": exact / found.mean.value if found.mean.value else inf,
            "interval of BF-IO's imbalance": found.mean.interval,
            "uncertified, at most": found.gap,
        }
        fcfs.append(exact)
        # An optimal step can have less imbalance, by the gap that is not certified.
        runs.append(replace(found.mean, low=found.mean.low - found.gap))
    first, second = runs
    grown = fcfs[1] / fcfs[0]
    value = grown * first.value / second.value if second.value else inf
    low = grown * max(0.0, first.low) / second.high if second.high else inf
    high = grown * first.high / second.low if second.low > 0 else inf
    return _Growth(value, low, high, details)


RIVALS = {"constant": 0.0, "sqrt(B)": 0.5, "B": 1.0, "B^(3/2)": 1.5}


def _at_least(
    trial: Trial, found: _Growth, claimed: float, domain: str, rivals: Mapping[str, float]
) -> Finding:
    """Three ways for a lower bound of an exponent or a growth, with its rivals beside it."""
    refuted = found.high < claimed
    inside = [name for name, value in rivals.items() if found.low <= value <= found.high]
    return Finding(
        Verdict.REFUTED
        if refuted
        else Verdict.SUPPORTED
        if found.low >= claimed
        else Verdict.INCONCLUSIVE,
        found.value,
        claimed,
        ">=",
        domain,
        (found.low, found.high),
        {"params": dict(trial.params), "seed": trial.seed, **found.details} if refuted else None,
        {**found.details, "rivals": dict(rivals), "rivals inside the interval": inside},
    )


def _exact_or(trial: Trial) -> str:
    """BF-IO with lexicographic steps, unless another policy is planted or given."""
    policy = trial.policy_or("bfio")
    return EXACT if policy == "bfio" else policy


def _slots_exponents(trial: Trial) -> list[tuple[str, _Growth]] | Finding:
    """Exponents of IIR in B for each drift."""
    first, last = trial["slots"]
    exponents = []
    for drift in trial["drifts"]:
        systems = [System(trial["G"], slots, drift) for slots in (first, last)]
        found = _growth(trial, systems, _exact_or(trial), trial["pool"])
        if isinstance(found, Finding):
            return found
        exponents.append((f"drift {drift}", found.exponent(last / first)))
    return exponents


SMALL: dict[str, Any] = {"p": 0.25, "b": 100, "lengths": 60, "runs": 32}
SLOTS: dict[str, Any] = {"G": 2, "slots": (1, 4), "pool": 14, "drifts": ((0,), (1,)), **SMALL}
MORE: dict[str, Any] = {"runs": 240, "drifts": ((0,), (1,), (3, 0, 1), (0, 0, 5))}


@check(
    "scaling.iir-slots",
    plants=(
        FCFS,
        JSQ,
    ),
    standard=MORE,
    **SLOTS,
)
def iir_slots(trial: Trial) -> Finding:
    """The smaller of the two exponents against 1/2."""
    found = _slots_exponents(trial)
    if isinstance(found, Finding):
        return found
    where, least = min(found, key=lambda pair: pair[1].value)
    return _at_least(
        trial,
        least,
        0.5,
        f"exponent of IIR from B = {trial['slots'][0]} to {trial['slots'][1]}, {where} (the "
        f"smallest), G = {trial['G']}, {trial['runs']} runs at each, lexicographic steps; "
        + ", ".join(f"{name}: {e.value:.2f}" for name, e in found),
        RIVALS,
    )


@check(
    "scaling.iir-slots-half",
    plants=(
        Variant("exponent 0.45", exponent=Fraction(-1, 20)),
        Variant("exponent 0.4", exponent=Fraction(-1, 10)),
    ),
    standard=MORE,
    **SLOTS,
)
def iir_slots_half(trial: Trial) -> Finding:
    """Whether both intervals contain 1/2."""
    found = _slots_exponents(trial)
    if isinstance(found, Finding):
        return found
    claimed = float(Fraction(1, 2) + trial.exponent)
    where, far = max(found, key=lambda pair: abs(pair[1].value - claimed))
    inside = all(e.low <= claimed <= e.high for _, e in found)
    return Finding(
        Verdict.INCONCLUSIVE if inside else Verdict.REFUTED,
        far.value,
        claimed,
        "==",
        f"exponent of IIR from B = {trial['slots'][0]} to {trial['slots'][1]}, {where} (the "
        f"farthest), G = {trial['G']}, {trial['runs']} runs at each, lexicographic steps",
        (far.low, far.high),
        None if inside else {"params": dict(trial.params), "seed": trial.seed, **far.details},
    )


@check(
    "scaling.iir-frontier",
    plants=(
        FCFS,
        JSQ,
        BUSIEST,
    ),
    standard={"runs": 120},
    G=8,
    p=0.1,
    b=50,
    runs=24,
    lengths=12,
)
def iir_frontier(trial: Trial) -> Finding:
    """The exponent up to the frontier, by certified steps."""
    # frontier_slots is 8 m ln G / (p (b-a)^2): an eighth of it, and a quarter of that.
    last = frontier_slots(trial["G"], trial["p"], trial["b"] - 1) // 8
    first = last // 4
    systems = [System(trial["G"], slots) for slots in (first, last)]
    found = _growth(trial, systems, trial.policy_or("bfio"))
    if isinstance(found, Finding):
        return found
    return _at_least(
        trial,
        found.exponent(last / first),
        0.5,
        f"exponent of IIR from B = {first} to {last}, G = {trial['G']}, {trial['runs']} runs at "
        "each, certified steps",
        RIVALS,
    )


def _workers(trial: Trial, policy: str, how: str, pool: int | None = None) -> Finding:
    """The growth of IIR from few to more workers against that of E_max(G) G/(G-1)."""
    few, more = trial["workers"]
    systems = [System(workers, trial["B"]) for workers in (few, more)]
    found = _growth(trial, systems, policy, pool)
    if isinstance(found, Finding):
        return found
    rivals = {
        "constant": 1.0,
        "E_max(G) G/(G-1)": iir_shape(more, 1) / iir_shape(few, 1),
        "sqrt(ln G)": sqrt(log(more) / log(few)),
        "ln G": log(more) / log(few),
    }
    claimed = rivals["sqrt(ln G)" if trial.fault("sqrt-log") else "E_max(G) G/(G-1)"]
    return _at_least(
        trial,
        found,
        claimed * float(trial.scale),
        f"IIR at G = {more} over G = {few}, B = {trial['B']}, {trial['runs']} runs at each, {how}",
        rivals,
    )


GROWTH = (
    Variant("growth by sqrt(ln G)", fault="sqrt-log"),
    Variant("growth x1.1", Fraction(11, 10)),
)


@check(
    "scaling.iir-workers",
    plants=GROWTH,
    standard={"runs": 240},
    workers=(2, 3),
    B=2,
    pool=13,
    **SMALL,
)
def iir_workers(trial: Trial) -> Finding:
    """From two workers to three, by lexicographic steps."""
    return _workers(trial, _exact_or(trial), "lexicographic steps", trial["pool"])


@check(
    "scaling.iir-workers-frontier",
    plants=GROWTH,
    standard={"runs": 120},
    workers=(4, 16),
    B=26,
    p=0.1,
    b=50,
    runs=24,
    lengths=12,
)
def iir_workers_frontier(trial: Trial) -> Finding:
    """From half to twice the workers whose frontier these slots are, by certified steps."""
    return _workers(trial, trial.policy_or("bfio"), "certified steps")
