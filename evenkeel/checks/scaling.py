"""Checks of the claims in :mod:`theory.scaling`: exponents in ``B`` and growth in ``G``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from math import comb, inf, log, log2, sqrt
from typing import Any

from adversary.small import exact_step
from evenkeel.checks.cases import Cases, Witness
from evenkeel.checks.geometric import FCFS, JSQ, balanced_runs
from evenkeel.checks.sampling import fresh
from evenkeel.checks.small_steps import EXACT
from evenkeel.checks.verdicts import BUSIEST, LARGER, held
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from solvers.step import StepProblem
from theory.expectation import expected_imbalance, square_root
from theory.extremes import expected_max_of_normals
from theory.geometric import frontier_slots
from theory.laws import Law
from theory.model import System
from theory.scaling import iir_shape, two_size_refill
from theory.slots import geometric_slot

SIZES = Law.uniform(1, 100)


@check(
    "scaling.fcfs-slots",
    plants=(
        Variant("exponent 0.55", exponent=Fraction(1, 20)),
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
                exponent = log(four.value / one.value, 4)
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
            "sqrt(ln G)": start * sqrt(log2(workers)),
            "ln G": start * log2(workers),
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


# --- Full refills of two sizes: both sides exact -------------------------------------------------


@check(
    "scaling.two-size-refill",
    plants=(
        LARGER,
        Variant("-N modulo G - 1", fault="modulus"),
        Variant("cosine sum left out of the mean", fault="no-sum"),
    ),
    systems=((2, 1), (2, 3), (3, 2), (3, 3), (4, 2), (5, 1)),
    standard={"systems": ((2, 1), (2, 5), (3, 2), (3, 4), (4, 3), (5, 2), (6, 2), (8, 1))},
    a=1,
    b=3,
)
def two_sizes(trial: Trial) -> Finding:
    """Lexicographic optima for every number of large requests, and their mean in fractions."""
    cases, a, b = Cases("=="), trial["a"], trial["b"]
    for workers, slots in trial["systems"]:
        n, mean = workers * slots, Fraction(0)
        for large in range(n + 1):
            problem = StepProblem([0] * workers, [slots] * workers, [b] * large + [a] * (n - large))
            optimum = problem.objective(exact_step(problem))
            modulus = workers - 1 if trial.fault("modulus") and workers > 2 else workers
            witness: Witness = partial(dict, G=workers, B=slots, large=large, sizes=[a, b])
            if cases.add(optimum, (b - a) * (-large % modulus) * trial.scale, witness):
                break
            mean += Fraction(comb(n, large), 2**n) * optimum
        closed = two_size_refill(workers, slots)
        inside = mean / (b - a) in closed and closed.upper - closed.lower < Fraction(1, 2**40)
        if trial.fault("no-sum"):
            inside = mean / (b - a) == Fraction(workers - 1, 2)
        witness = partial(dict, G=workers, B=slots, mean=str(mean), closed=closed.value)
        if cases.violated or cases.add(int(inside), 1, witness):
            break
    return cases.finding(
        trial,
        "scaling.two-size-refill",
        f"every number of b's for (G, B) in {trial['systems']}, sizes {a} and {b}; means against "
        "the closed form, enclosed to 2^-40",
    )


@check(
    "scaling.iir-refill",
    plants=(
        LARGER,
        Variant("exponent 0.55 of B", exponent=Fraction(1, 20)),
        Variant("exponent 0.45 of B", exponent=Fraction(-1, 20)),
        Variant("sqrt(ln G) in place of E_max(G)", fault="sqrt-log"),
        Variant("without G/(G-1)", fault="no-factor"),
    ),
    standard={"largest": 2**12},
    largest=2**10,
    B=1024,
)
def iir_refill(trial: Trial) -> Finding:
    """The exact ratio of expectations against its shape, along G and along B."""
    law = Law.uniform(1, 2)  # the ratio does not depend on a and b

    def ratio(workers: int, slots: int) -> float:
        """IIR; enclosures narrower than 1e-9, so the float is right to that."""
        fcfs = expected_imbalance(law, workers, slots).imbalance.value
        return fcfs / two_size_refill(workers, slots).value

    def shape(workers: int) -> float:
        value = iir_shape(workers, trial["B"]) * float(trial.scale)
        if trial.fault("no-factor"):
            value *= (workers - 1) / workers
        if trial.fault("sqrt-log"):
            most = float(expected_max_of_normals(workers))
            value *= sqrt(log2(workers)) * float(expected_max_of_normals(2)) / most
        return value

    farthest, workers = (1.0, 1.0, 1.0), 2
    while workers <= trial["largest"]:
        measured, claimed = ratio(workers, trial["B"]), shape(workers)
        if abs(measured / claimed - 1) > abs(farthest[0] - 1):
            farthest = measured / claimed, measured, claimed
        if abs(measured / claimed - 1) > 0.02:
            return Finding(
                Verdict.REFUTED,
                measured,
                claimed,
                "==",
                "IIR of full refills of two sizes, exact enclosures",
                witness={"G": workers, "B": trial["B"], "sizes": [1, 2]},
            )
        workers *= 2
    exponents = {}
    for workers, slots in product((2, 32), (256, 512)):
        measured = log2(ratio(workers, 2 * slots) / ratio(workers, slots))
        exponents[f"G = {workers}, B = {slots} to {2 * slots}"] = measured
        if abs(measured - 0.5 - float(trial.exponent)) > 0.01:
            return Finding(
                Verdict.REFUTED,
                measured,
                0.5 + float(trial.exponent),
                "==",
                "local exponent of IIR in B, exact enclosures",
                witness={"G": workers, "B": slots, "sizes": [1, 2]},
            )
    return Finding(
        held("scaling.iir-refill", Verdict.CERTIFIED),
        farthest[1],
        farthest[2],
        "~",
        f"exact enclosures of both sides, powers of two up to G = {workers}, B = {trial['B']}; "
        "farthest from the shape shown",
        details={"exponents in B": exponents},
    )


# --- Geometric lengths: exact FCFS over simulated BF-IO -----------------------------------------


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
            "uncertified share": found.gap,
        }
        fcfs.append(exact)
        runs.append(found.mean)
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
        "smallest), G = {trial['G']}, {trial['runs']} runs at each, lexicographic steps; "
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
