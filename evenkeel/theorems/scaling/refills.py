"""Checks of the claims whose two sides are exact.

Exponents in ``B`` and growth in ``G`` of FCFS, and of the improvement in full refills of two
sizes.  The improvement with geometric lengths is in :mod:`evenkeel.theorems.scaling.growth`.
"""

from fractions import Fraction
from functools import cache, partial
from itertools import pairwise, product
from math import comb, log, log2, sqrt

from adversary.instances.small_runs import exact_step
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import TENTH, Cases, Comparison, Witness, broken, near
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.scaling.growth import IN_WORKERS
from solvers.step.problem import StepProblem
from theory.formulas.growth import iir_shape, misfit, two_size_refill
from theory.laws.fcfs_expectation import expected_imbalance, square_root
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import expected_max_of_normals
from theory.laws.slot_load import geometric_slot

SIZES = Law.uniform(1, 100)
# E[Imb] / (G sigma sqrt(B ln G)) at G = 1024 over that at G = 2, to two decimals.
RISE = 1.82


@cache
def _fcfs(b: int, workers: int, slots: int) -> Enclosure:
    """Exact expected imbalance of FCFS, sizes uniform on 1..b, kept for the planted versions."""
    return expected_imbalance(Law.uniform(1, b), workers, slots).imbalance


_balanced = cache(two_size_refill)


@check(
    "scaling.fcfs-slots",
    measures="local exponent of FCFS's imbalance in B (1)",
    plants=(
        Variant("exponent 0.52", exponent=Fraction(1, 50)),
        Variant("exponent 0.48", exponent=Fraction(-1, 50)),
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
    measures="E[Imb] / (G sigma sqrt(B)) of FCFS (1)",
    plants=(
        near("E_max(G)", Fraction(501, 500)),
        near("rise over sqrt(ln G)", Fraction(101, 100)),
        Variant("sqrt(ln G) in place of E_max(G)", fault="sqrt-log"),
        Variant("ln G in place of E_max(G)", fault="log"),
    ),
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
        imbalance = _fcfs(SIZES.bound, workers, trial["B"])
        measured = imbalance.value / workers / float(deviation)
        models = {
            "E_max(G)": float(expected_max_of_normals(workers)),
            "sqrt(ln G)": start * sqrt(log2(workers)),
            "ln G": start * log2(workers),
        }
        for name, model in models.items():
            rivals[name].append(measured / model)
        claimed = models[rule] * float(trial.scale_of("E_max(G)"))
        if abs(measured / claimed - 1) > 0.001:
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
    rise = RISE * float(trial.scale_of("rise over sqrt(ln G)"))
    if abs(spread - rise) > 0.005:
        return Finding(
            Verdict.REFUTED,
            spread,
            rise,
            "==",
            f"growth of E[Imb]/(G sigma sqrt(B ln G)) from G = 2 to {workers // 2}, exact",
            witness={"B": trial["B"], "G": [2, workers // 2]},
        )
    return Finding(
        held("scaling.fcfs-workers", Verdict.CERTIFIED),
        farthest[1],
        farthest[2],
        "~",
        f"exact enclosures at the powers of two G = 2 to {workers // 2}, B = {trial['B']}; "
        "farthest from E_max(G) shown",
        details={
            f"measured over {name}, largest over smallest G": v[-1] / v[0]
            for name, v in rivals.items()
        },
    )


@check(
    "scaling.two-size-refill",
    measures="imbalance of BF-IO after a full refill (load)",
    plants=(
        near("optimum"),
        near("mean"),
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
            if cases.add(
                optimum, (b - a) * (-large % modulus) * trial.scale_of("optimum"), witness
            ):
                break
            mean += Fraction(comb(n, large), 2**n) * optimum
        average = two_size_refill(workers, slots) * trial.scale_of("mean")
        inside = mean / (b - a) in average and average.upper - average.lower < Fraction(1, 2**40)
        if trial.fault("no-sum"):
            inside = mean / (b - a) == Fraction(workers - 1, 2)
        witness = partial(dict, G=workers, B=slots, mean=str(mean), closed=average.value)
        if cases.violated or cases.add(
            int(inside), 1, witness, "whether the mean is in the closed form's enclosure"
        ):
            break
    return cases.finding(
        trial,
        "scaling.two-size-refill",
        f"every number of b's for (G, B) in {trial['systems']}, sizes {a} and {b}; means against "
        "the closed form, enclosed to 2^-40",
    )


@check(
    "scaling.iir-refill",
    measures="IIR of full refills of two sizes (1)",
    plants=(
        near("shape", Fraction(501, 500)),
        near("fit of the shape", Fraction(10, 13)),
        near("misfit of the others", TENTH),
        Variant("exponent 0.502 of B", exponent=Fraction(1, 500)),
        Variant("exponent 0.498 of B", exponent=Fraction(-1, 500)),
        Variant("sqrt(ln G) in place of E_max(G)", fault="sqrt-log"),
        Variant("without G/(G-1)", fault="no-factor"),
        Variant("exponent of G 1/2 less", fault="flatter"),
        Variant("exponent of G 1/2 more", fault="steeper"),
    ),
    largest=2**10,
    B=1024,
)
def iir_refill(trial: Trial) -> Finding:
    """The exact ratio of expectations against its shape, along G and along B."""

    def ratio(workers: int, slots: int) -> float:
        """IIR, whatever a and b; enclosures narrower than 1e-9, so the float is right to that."""
        return _fcfs(2, workers, slots).value / _balanced(workers, slots).value

    def shape(workers: int) -> float:
        value = iir_shape(workers, trial["B"]) * float(trial.scale_of("shape"))
        if trial.fault("no-factor"):
            value *= (workers - 1) / workers
        if trial.fault("sqrt-log"):
            most = float(expected_max_of_normals(workers))
            value *= sqrt(log2(workers)) * float(expected_max_of_normals(2)) / most
        return value

    farthest, workers, along = (1.0, 1.0, 1.0), 2, {}
    while workers <= trial["largest"]:
        measured, claimed = ratio(workers, trial["B"]), shape(workers)
        along[workers] = measured
        if abs(measured / claimed - 1) > abs(farthest[0] - 1):
            farthest = measured / claimed, measured, claimed
        if abs(measured / claimed - 1) > 0.001:
            return Finding(
                Verdict.REFUTED,
                measured,
                claimed,
                "==",
                "IIR of full refills of two sizes, exact enclosures",
                witness={"G": workers, "B": trial["B"], "sizes": [1, 2]},
            )
        workers *= 2

    tilt = 0.5 * trial.fault("steeper") - 0.5 * trial.fault("flatter")
    rivals = {
        name: misfit([model(g) * g**tilt for g in along], list(along.values()))
        for name, model in IN_WORKERS.items()
    }
    best, *others = sorted(rivals, key=lambda name: rivals[name])
    fits = 0.0003 * float(trial.scale_of("fit of the shape"))
    misses = 0.05 * float(trial.scale_of("misfit of the others"))
    own = rivals["E_max(G) G/(G-1)"]
    least = rivals[best]
    if found := broken(
        (
            Comparison(own <= least, own, "<=", least, "E_max(G) G/(G-1), the best"),
            Comparison(own <= fits, own, "<=", fits, "E_max(G) G/(G-1)"),
            Comparison(rivals[others[0]] >= misses, rivals[others[0]], ">=", misses, others[0]),
        ),
        "misfit, root mean square of the logarithms, exact enclosures",
        {"workers": list(along), "B": trial["B"], "misfits": rivals},
    ):
        return found
    exponents = {}
    for workers, slots in product((2, 32), (256, 512)):
        measured = log2(ratio(workers, 2 * slots) / ratio(workers, slots))
        exponents[f"G = {workers}, B = {slots} to {2 * slots}"] = measured
        if abs(measured - 0.5 - float(trial.exponent)) > 0.001:
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
        f"exact enclosures of both sides at the powers of two G = 2 to {max(along)}, "
        f"B = {trial['B']}; "
        f"farthest from the shape shown; excluded in G: {', '.join(others)}",
        details={
            "exponents in B": exponents,
            "misfits of shapes in G": rivals,
        },
    )
