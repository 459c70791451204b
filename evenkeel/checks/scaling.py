"""Checks of the claims in :mod:`theory.scaling`: exponents in ``B`` and growth in ``G``."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from evenkeel.checks.geometric import FCFS, Balanced, balanced_runs, outside_the_class
from evenkeel.checks.verdicts import BUSIEST, LARGER, held
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from theory.expectation import expected_imbalance, square_root
from theory.extremes import expected_max_of_normals
from theory.laws import Enclosure, Law
from theory.model import System
from theory.slots import geometric_slot

SIZES = Law.uniform(1, 100)


@check(
    "scaling.fcfs-slots",
    plants=(
        Variant("exponent 0.6", exponent=Fraction(1, 10)),
        Variant("exponent 0.4", exponent=Fraction(-1, 10)),
        Variant("exponent 0.45", exponent=Fraction(-1, 20)),
    ),
    standard={"workers": (2, 8, 32, 256), "slots": (256, 1024, 4096)},
    workers=(2, 32),
    slots=(256, 1024),
)
def fcfs_slots(trial: Trial) -> Finding:
    """Local exponents from exact enclosures."""
    claimed = Fraction(1, 2) + trial.exponent
    farthest, points = 0.5, 0
    for name, law in (
        ("equal lengths", SIZES),
        ("p = 0.05", geometric_slot(SIZES, Fraction(1, 20))),
    ):
        for workers in trial["workers"]:
            values = [expected_imbalance(law, workers, b).imbalance for b in trial["slots"]]
            for slots, (one, four) in zip(trial["slots"], pairwise(values), strict=False):
                # The enclosures are narrower than 1e-9; the float logarithm adds 1e-15.
                exponent = math.log(four.value / one.value, 4)
                points += 1
                if abs(exponent - float(claimed)) > 0.01:
                    return Finding(
                        Verdict.REFUTED,
                        exponent,
                        float(claimed),
                        "==",
                        f"from exact enclosures at B and 4B, {name}",
                        witness={"law": name, "G": workers, "B": slots, "exponent": exponent},
                    )
                if abs(exponent - 0.5) > abs(farthest - 0.5):
                    farthest = exponent
    return Finding(
        held("scaling.fcfs-slots", Verdict.CERTIFIED),
        farthest,
        float(claimed),
        "~",
        f"{points} local exponents from exact enclosures, G in {trial['workers']}, B in "
        f"{trial['slots']}; farthest from 1/2 shown",
    )


@check(
    "scaling.fcfs-workers",
    plants=(
        LARGER,
        Variant("sqrt(ln G) in place of E_max(G)", fault="sqrt-log"),
        Variant("ln G in place of E_max(G)", fault="log"),
    ),
    standard={"largest": 2**14},
    largest=2**10,
    B=1024,
)
def fcfs_workers(trial: Trial) -> Finding:
    """Exact enclosures against E_max(G) and two rivals, all matched at G = 2."""
    deviation = square_root(SIZES.variance.lower * trial["B"])
    rivals: dict[str, list[float]] = {"E_max(G)": [], "sqrt(ln G)": [], "ln G": []}
    rule = "sqrt(ln G)" if trial.fault("sqrt-log") else "ln G" if trial.fault("log") else "E_max(G)"
    start, workers, farthest = float(expected_max_of_normals(2)), 2, (0.0, 0.0, 0.0)
    while workers <= trial["largest"]:
        imbalance = expected_imbalance(SIZES, workers, trial["B"]).imbalance
        measured = imbalance.value / workers / float(deviation)
        models = {
            "E_max(G)": float(expected_max_of_normals(workers)),
            "sqrt(ln G)": start * math.sqrt(math.log2(workers)),
            "ln G": start * math.log2(workers),
        }
        for name, model in models.items():
            rivals[name].append(measured / model)
        claimed = models[rule] * float(trial.scale)
        if abs(measured / claimed - 1) > 0.02:
            return Finding(
                Verdict.REFUTED,
                measured,
                claimed,
                "==",
                f"E[Imb]/(G sigma sqrt(B)) against {rule}, exact enclosure",
                witness={"G": workers, "B": trial["B"], "model": rule},
            )
        if abs(measured / claimed - 1) >= abs(farthest[0] - 1) or not farthest[0]:
            farthest = measured / claimed, measured, claimed
        workers *= 2
    spread = rivals["sqrt(ln G)"][-1] / rivals["sqrt(ln G)"][0]
    return Finding(
        held("scaling.fcfs-workers", Verdict.CERTIFIED) if spread > 1.5 else Verdict.INCONCLUSIVE,
        farthest[1],
        farthest[2],
        "~",
        f"exact enclosures, powers of two up to G = {workers // 2}, B = {trial['B']}; farthest "
        "from E_max shown",
        details={
            f"measured over {name}, largest over smallest G": v[-1] / v[0]
            for name, v in rivals.items()
        },
    )


def _iir_ends(
    trial: Trial, systems: Sequence[tuple[int, int]]
) -> tuple[list[Enclosure], list[Balanced]]:
    """Exact FCFS and replicated runs of BF-IO at two systems ``(G, B)``."""
    law = geometric_slot(Law.uniform(1, trial["b"]), Fraction(str(trial["p"])))
    policy = trial.policy_or("bfio")
    exact = [expected_imbalance(law, g, b).imbalance for g, b in systems]
    runs = [
        balanced_runs(
            System(g, b), policy, trial["p"], trial["b"], runs=trial["runs"], seed=trial.seed
        )
        for g, b in systems
    ]
    return exact, runs


def _growth(exact: list[Enclosure], runs: list[Balanced]) -> tuple[float, float, float]:
    """IIR at the second system over IIR at the first, and its interval."""
    fcfs = exact[1].value / exact[0].value
    first, second = runs[0].mean, runs[1].mean
    low = fcfs * max(0.0, first.low) / second.high
    high = fcfs * first.high / second.low if second.low > 0 else math.inf
    return fcfs * first.value / second.value, low, high


def _slots_exponent(trial: Trial) -> tuple[float, float, float] | Finding:
    """Exponent of IIR in B between the two ends, and its interval."""
    ends = trial["slots"]
    exact, runs = _iir_ends(trial, [(trial["G"], b) for b in ends])
    for run, slots in zip(runs, ends, strict=True):
        if run.violated is not None:
            return outside_the_class(run.violated, f"B = {slots}")
    step = math.log(ends[1] / ends[0])
    value, low, high = (math.log(g) / step if g > 0 else -math.inf for g in _growth(exact, runs))
    return value, low, high


SLOTS: dict[str, Any] = {"G": 8, "slots": (12, 32), "p": 0.1, "b": 50, "runs": 24}


@check(
    "scaling.iir-slots",
    plants=(Variant("exponent 9/2", exponent=Fraction(4)), FCFS, BUSIEST),
    standard={"runs": 120},
    **SLOTS,
)
def iir_slots(trial: Trial) -> Finding:
    """The exponent's interval against 1/2."""
    found = _slots_exponent(trial)
    if isinstance(found, Finding):
        return found
    value, low, high = found
    claimed = float(Fraction(1, 2) + trial.exponent)
    refuted = high < claimed
    return Finding(
        Verdict.REFUTED
        if refuted
        else Verdict.SUPPORTED
        if low >= claimed
        else Verdict.INCONCLUSIVE,
        value,
        claimed,
        ">=",
        f"exponent of IIR from B = {trial['slots'][0]} to {trial['slots'][1]}, G = {trial['G']}, "
        f"{trial['runs']} runs at each",
        (low, high),
        {"params": dict(trial.params), "seed": trial.seed} if refuted else None,
        {"rivals": {"sqrt(B)": 0.5, "B": 1.0, "B^(3/2)": 1.5}},
    )


@check(
    "scaling.iir-slots-half",
    plants=(
        Variant("exponent 1", exponent=Fraction(1, 2)),
        Variant("exponent 0", exponent=Fraction(-1, 2)),
    ),
    standard={"runs": 120},
    **SLOTS,
)
def iir_slots_half(trial: Trial) -> Finding:
    """Whether the exponent's interval contains 1/2."""
    found = _slots_exponent(trial)
    if isinstance(found, Finding):
        return found
    value, low, high = found
    claimed = float(Fraction(1, 2) + trial.exponent)
    inside = low <= claimed <= high
    return Finding(
        Verdict.INCONCLUSIVE if inside else Verdict.REFUTED,
        value,
        claimed,
        "==",
        f"exponent of IIR from B = {trial['slots'][0]} to {trial['slots'][1]}, G = {trial['G']}, "
        f"{trial['runs']} runs at each",
        (low, high),
        {"params": dict(trial.params), "seed": trial.seed, "interval": [low, high]},
    )


@check(
    "scaling.iir-workers",
    plants=(
        Variant("growth by sqrt(ln G)", fault="sqrt-log"),
        Variant("growth by ln G", fault="log"),
    ),
    standard={"runs": 120},
    workers=(4, 16),
    B=24,
    p=0.1,
    b=50,
    runs=24,
)
def iir_workers(trial: Trial) -> Finding:
    """The growth of IIR from few to many workers against that of E_max(G) G/(G-1)."""
    ends = trial["workers"]
    exact, runs = _iir_ends(trial, [(g, trial["B"]) for g in ends])
    for run, workers in zip(runs, ends, strict=True):
        if run.violated is not None:
            return outside_the_class(run.violated, f"G = {workers}")
    value, low, high = _growth(exact, runs)

    def model(workers: int) -> float:
        if trial.fault("sqrt-log"):
            return math.sqrt(math.log(workers))
        if trial.fault("log"):
            return math.log(workers)
        return float(expected_max_of_normals(workers)) * workers / (workers - 1)

    claimed = model(ends[1]) / model(ends[0]) * float(trial.scale)
    details = {f"uncertified share, G = {g}": run.gap for g, run in zip(ends, runs, strict=True)}
    domain = (
        f"IIR at G = {ends[1]} over G = {ends[0]}, B = {trial['B']}, {trial['runs']} runs at each"
    )
    if high < claimed:
        return Finding(
            Verdict.REFUTED,
            value,
            claimed,
            ">=",
            domain,
            (low, high),
            {"params": dict(trial.params), "seed": trial.seed, "interval": [low, high]},
            details,
        )
    verdict = Verdict.SUPPORTED if low >= claimed else Verdict.INCONCLUSIVE
    return Finding(verdict, value, claimed, ">=", domain, (low, high), details=details)
