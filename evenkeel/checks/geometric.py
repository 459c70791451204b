"""Checks of the claims in :mod:`theory.geometric`: Theorem 2, geometric output lengths."""

import math
from fractions import Fraction
from itertools import product

import numpy as np

from adversary.families import workload, workload_names
from evenkeel.checks import constants  # noqa: F401  (declares its checks)
from evenkeel.checks.intervals import Intervals
from evenkeel.checks.replications import balanced_runs
from evenkeel.checks.sampling import Ratio
from evenkeel.checks.verdicts import BFIO, BUSIEST, FCFS, JSQ, LARGER, held, planted_policy
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from theory.authority import unavoidable_imbalance
from theory.constants import FCFS_ROUNDED, FCFS_TEXT
from theory.expectation import expected_imbalance
from theory.extremes import berry_esseen_bound, pairing_bound
from theory.geometric import (
    bfio_bound,
    distance_to_geometric,
    first_paper_slots,
    frontier_slots,
    paper_ratio,
    slot_variance,
)
from theory.laws import Enclosure, Law
from theory.model import System
from theory.slots import geometric_slot
from theory.warmup import first_slots

BELOW = Variant("far below the frontier", fault="below-frontier")


@check(
    "geometric.fcfs-lower",
    plants=(
        LARGER,
        Variant("variance 1/p^2 in place of (1-p)/p^2", fault="wrong-moment"),
        BFIO,
    ),
    standard={"runs": 400},
    G=6,
    B=8,
    p=0.2,
    b=30,
    runs=100,
)
def fcfs_lower(trial: Trial) -> Finding:
    """The variance exactly; simulated FCFS long after the start; the explicit bounds."""
    p, sizes = Fraction(str(trial["p"])), Law.uniform(1, trial["b"])
    law = geometric_slot(sizes, p)
    claimed_variance = slot_variance(sizes, p) * trial.scale
    if trial.fault("wrong-moment"):
        claimed_variance = sizes.variance + Enclosure(1 / p**2, 1 / p**2)
    # The law rounds 2^-80 away; the claimed variance must lie within its enclosure.
    if claimed_variance.lower not in law.variance:
        return Finding(
            Verdict.REFUTED,
            law.variance.value,
            claimed_variance.value,
            "==",
            "variance of a slot's load, exact enclosure",
            witness={"p": str(p), "sizes": f"uniform on 1..{trial['b']}"},
        )
    system = System(trial["G"], trial["B"])
    exact = expected_imbalance(law, system.workers, system.slots).imbalance
    mean = balanced_runs(
        system,
        planted_policy(trial, "fcfs"),
        trial["p"],
        trial["b"],
        runs=trial["runs"],
        seed=trial.seed,
    ).mean
    bounds = [
        bound(law, system.workers, system.slots) for bound in (berry_esseen_bound, pairing_bound)
    ]
    domain = (
        f"second half of {trial['runs']} runs of 12 mean lengths at G = {system.workers}, "
        f"B = {system.slots}, p = {p}; the variance exactly"
    )
    if exact.value not in mean or max(bounds) > exact.lower:
        return Finding(
            Verdict.REFUTED,
            mean.value,
            exact.value,
            "==",
            domain,
            mean.interval,
            {"params": dict(trial.params), "seed": trial.seed},
        )
    return Finding(
        held("geometric.fcfs-lower"),
        mean.value,
        exact.value,
        "~",
        domain,
        mean.interval,
        details={"Berry-Esseen bound": float(bounds[0]), "moment bound": float(bounds[1])},
    )


def _grid(trial: Trial) -> list[tuple[int, int, float, int]]:
    """The systems ``(G, B, p, b)`` of a trial; a single one far below the frontier as a fault."""
    return [(16, 64, 0.05, 4)] if trial.fault("below-frontier") else list(trial["grid"])


def _gate(trial: Trial, workers: int, slots: int, p: float, b: int) -> Finding | None:
    if trial.fault("below-frontier") or slots >= frontier_slots(workers, p, b - 1):
        return None
    return Finding(
        Verdict.NOT_APPLICABLE,
        slots,
        frontier_slots(workers, p, b - 1),
        ">=",
        f"below the frontier at G = {workers}, p = {p}, sizes 1..{b}",
    )


@check(
    "geometric.bfio-upper",
    plants=(FCFS, JSQ, BUSIEST, BELOW),
    standard={
        "grid": ((2, 256, 0.2, 20), (16, 256, 0.2, 20), (4, 256, 0.1, 50), (32, 256, 0.2, 20)),
        "runs": 24,
    },
    grid=((16, 256, 0.2, 20), (4, 256, 0.1, 50)),
    runs=20,
)
def bfio_upper(trial: Trial) -> Finding:
    """Replicated runs above the frontier against ``(G-1) s_max / p``."""
    policy = trial.policy_or("bfio")
    cases = Intervals("<=")
    for workers, slots, p, b in _grid(trial):
        gate = _gate(trial, workers, slots, p, b)
        if gate:
            return gate
        where = f"G = {workers}, B = {slots}, p = {p}, sizes 1..{b}"
        runs = balanced_runs(
            System(workers, slots),
            policy,
            p,
            b,
            runs=trial["runs"],
            seed=trial.seed,
        )
        claimed = float(bfio_bound(workers, b, Fraction(str(p))) * trial.scale)
        if policy == "bfio" and (unfit := runs.unfit(where, claimed)):
            return unfit
        cases.details[where] = {"imbalance": runs.mean.value, "uncertified, at most": runs.gap}
        witness = {"policy": policy, "system": where, "runs": trial["runs"], "seed": trial.seed}
        if failed := cases.add(runs.mean, claimed, where, witness):
            return failed
    return cases.finding(
        f"{trial['runs']} runs each at {cases.count} systems above the frontier, constant 1"
    )


@check(
    "geometric.iir",
    plants=(FCFS, JSQ, BUSIEST, BELOW),
    standard={"grid": ((16, 256, 0.2, 20), (32, 256, 0.2, 20)), "runs": 24},
    grid=((16, 256, 0.2, 20),),
    runs=20,
)
def iir(trial: Trial) -> Finding:
    """Paired runs of FCFS and BF-IO, above the frontier and where the bound exceeds 1."""
    policy = trial.policy_or("bfio")
    cases = Intervals(">=")
    for workers, slots, p, b in _grid(trial):
        gate = _gate(trial, workers, slots, p, b)
        if gate:
            return gate
        sizes, exact_p = Law.uniform(1, b), Fraction(str(p))
        claimed = float(paper_ratio(sizes, exact_p, workers, slots, FCFS_ROUNDED).upper)
        where = f"G = {workers}, B = {slots}, p = {p}, sizes 1..{b}"
        if claimed <= 1:
            return Finding(
                Verdict.NOT_APPLICABLE, claimed, 1, ">=", f"the bound says nothing at {where}"
            )
        system = System(workers, slots)
        base, runs = (
            balanced_runs(system, rule, p, b, runs=trial["runs"], seed=trial.seed)
            for rule in ("fcfs", policy)
        )
        if policy == "bfio" and (unfit := runs.unfit(where, base.mean.value / claimed)):
            return unfit
        ratio = Ratio.of(base.samples, runs.samples)
        exact = expected_imbalance(geometric_slot(sizes, exact_p), workers, slots).imbalance
        cases.details[where] = {
            "IIR": ratio.value,
            "imbalance of BF-IO": runs.mean.value,
            "uncertified, at most": runs.gap,
            "FCFS, exact and simulated": [exact.value, *base.mean.interval],
        }
        witness = {"policy": policy, "system": where, "runs": trial["runs"], "seed": trial.seed}
        if failed := cases.add(ratio, claimed, where, witness):
            return failed
    return cases.finding(
        f"{trial['runs']} paired runs each at {cases.count} systems above the frontier, "
        f"c = {FCFS_TEXT}, certified steps"
    )


@check(
    "geometric.iir-static",
    plants=(
        Variant("one third of the constant", Fraction(1, 3)),
        Variant("one tenth of the constant, B larger", Fraction(1, 10), fault="larger"),
    ),
    G=16,
    B=256,
    p=Fraction(1, 100),
)
def iir_static(trial: Trial) -> Finding:
    """An upper bound of IIR for every online policy, in exact enclosures."""
    workers, p = trial["G"], trial["p"]
    slots = trial["B"] * (4 if trial.fault("larger") else 1)
    sizes = Law.uniform(1, 2)
    fcfs = expected_imbalance(geometric_slot(sizes, p), workers, slots).imbalance
    floor = unavoidable_imbalance(workers, slots, p, 1)
    claimed = paper_ratio(sizes, p, workers, slots, FCFS_ROUNDED * trial.scale)
    if floor == 0 or fcfs.upper / floor >= claimed.lower:
        return Finding(
            Verdict.INCONCLUSIVE,
            float(fcfs.upper / floor) if floor else None,
            claimed.value,
            ">=",
            f"no contradiction at G = {workers}, B = {slots}, p = {p}",
        )
    return Finding(
        Verdict.REFUTED,
        float(fcfs.upper / floor),
        claimed.value,
        ">=",
        "largest possible IIR of any online policy, exact enclosures",
        witness={
            "G": workers,
            "B": slots,
            "p": str(p),
            "sizes": [1, 2],
            "E[Imb(FCFS)]": float(fcfs.upper),
            "every policy's E[Imb] is at least": float(floor),
        },
    )


@check(
    "geometric.vacuity",
    plants=(LARGER, Variant("s_max / p without the square", exponent=Fraction(-1, 2))),
    standard={"workers": (2, 3, 8, 32, 256, 4096)},
    workers=(2, 32, 256),
)
def vacuity(trial: Trial) -> Finding:
    """The closed form against a search; the stated numbers; a trace's law beside them."""
    points = 0
    for workers, p, b in product(
        trial["workers"], (Fraction(1, 100), Fraction(1, 20), Fraction(1, 5)), (20, 100)
    ):
        sizes = Law.uniform(1, b)
        closed = first_paper_slots(sizes, p, workers, FCFS_ROUNDED)
        claimed = round(closed * float(trial.scale) * float(closed) ** float(trial.exponent))

        def says_more(slots: int, law: Law = sizes, q: Fraction = p, g: int = workers) -> bool:
            return paper_ratio(law, q, g, slots, FCFS_ROUNDED).lower > 1

        found = first_slots(says_more)
        points += 1
        if found != claimed:
            return Finding(
                Verdict.REFUTED,
                found,
                claimed,
                "==",
                "search over B",
                witness={"G": workers, "p": str(p), "b": b},
            )
    stated = {
        p: first_paper_slots(Law.uniform(1, 100), p, 32, FCFS_ROUNDED)
        for p in (Fraction(1, 100), Fraction(1, 20))
    }
    talk = workload("azure2023-conv", 20_000, trial.seed)
    trace_p = Fraction(len(talk), int(talk.decode.sum()))
    on_trace = first_paper_slots(Law.empirical(talk.prefill), trace_p, 32, FCFS_ROUNDED)
    if tuple(stated.values()) != (5495, 1945) or on_trace < 10**6:
        return Finding(
            Verdict.REFUTED,
            stated[Fraction(1, 100)],
            5495,
            "==",
            "the stated numbers at G = 32",
            witness={"p = 1/20": stated[Fraction(1, 20)], "trace": on_trace},
        )
    return Finding(
        held("geometric.vacuity"),
        stated[Fraction(1, 100)],
        5495,
        "==",
        f"{points} points of (G, p, b); sizes 1..100 at G = 32",
        details={"first B on lengths fitted to a conversation trace, G = 32": on_trace},
    )


@check(
    "geometric.outputs-fit",
    plants=(
        Variant("claimed range doubled", Fraction(2)),
        Variant("geometric lengths in place of the families'", fault="geometric"),
    ),
    standard={"n": 200_000},
    n=20_000,
)
def outputs_fit(trial: Trial) -> Finding:
    """Distances of each family's output lengths to the geometric law."""
    n = trial["n"]
    # Dvoretzky-Kiefer-Wolfowitz: the empirical distance errs by more with chance 1e-6.
    error = math.sqrt(math.log(2e6) / (2 * n))
    low, high, best_low = (float(x) * float(trial.scale) for x in (0.06, 0.45, 0.04))
    own = ("uniform", "two-point", "lognormal", "fcfs-worst", "refill-tight")
    families = [name for name in workload_names() if name not in own]
    distances: dict[str, tuple[float, float]] = {}
    for name in families:
        params = {"p": 0.01} if trial.fault("geometric") else {}
        lengths = workload(name, n, trial.seed, **params).decode
        center = 1 / float(lengths.mean())
        tried = np.minimum(center * np.exp(np.linspace(-2, 2, 81)), 1.0)
        best = min(distance_to_geometric(lengths, float(q)) for q in tried)
        distances[name] = distance_to_geometric(lengths), best
        same, _ = distances[name]
        if same + error < low or same - error > high or best + error < best_low:
            return Finding(
                Verdict.REFUTED,
                same,
                low if same + error < low or best + error < best_low else high,
                ">=" if same - error <= high else "<=",
                f"{n} lengths of {name}, sampling error {error:.3f}",
                (same - error, same + error),
                {"family": name, "best p": best, "seed": trial.seed},
            )
    closest = min(distances, key=lambda name: distances[name][0])
    value = distances[closest][0]
    return Finding(
        Verdict.SUPPORTED,
        value,
        low,
        ">=",
        f"{n} lengths of each of {len(families)} families; closest: {closest}",
        (value - error, value + error),
        details={name: {"same mean": a, "best p": b} for name, (a, b) in distances.items()},
    )
