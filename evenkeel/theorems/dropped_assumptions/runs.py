"""Checks of the claims about whole runs and about games."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, product

import numpy as np

from adversary.instances.small_runs import ExactBFIO, simulate_small
from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import dispatch_value, least_migrated
from adversary.witnesses.lookahead_runs import average_imbalance
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.theorems.dropped_assumptions.statements import (
    IIR_WITNESS,
    LOOK_AHEAD_WITNESS,
    PREDICTION_WITNESS,
)
from solvers.simulation.reference import simulate_reference
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.formulas.step import full_refill_bound
from theory.model import Requests, System, imbalance

# Weaker, and false too.
FOUR_FIFTHS = Variant("at least 4/5 of the bound", Fraction(4, 5))


def _witness(instance: Instance) -> dict[str, object]:
    system, requests = instance.system, instance.requests
    return {
        "workers": system.workers,
        "slots": system.slots,
        "pool": instance.pool,
        "prefill": requests.prefill.tolist(),
        "decode": requests.decode.tolist(),
    }


# --- iir.per-instance, limits.equal-lengths -----------------------------------------------------


@check(
    "iir.per-instance",
    measures="average imbalance of BF-IO, against that of FCFS (load)",
    requests=3,
    size=3,
    length=3,
    standard={"requests": 4, "size": 4},
    plants=(
        Variant("at most 1.25 times", Fraction(5, 4)),
        Variant("at most ten times", Fraction(10)),
        Variant("where FCFS has some imbalance", Fraction(5, 2), fault="positive"),
    ),
)
def per_instance(trial: Trial) -> Finding:
    """The stored instances; how often BF-IO averages more on a whole class is in the details.

    The planted versions are weaker statements that are false too.
    """
    cases, worse, better = Cases("<="), 0, 0
    for lists in (((4, 4, 5, 6), (3, 2, 3, 2)), IIR_WITNESS):
        instance = Instance(System(2, 1), Requests(*lists), len(lists[0]))
        bfio, fcfs = _averages(instance)
        if (fcfs or not trial.fault("positive")) and not cases.violated:
            cases.add(bfio, fcfs * trial.scale, partial(_witness, instance))
    n = trial["requests"]
    kinds = list(product(range(1, trial["size"] + 1), range(1, trial["length"] + 1)))
    for backlog in product(kinds, repeat=n) if trial.variant is None else ():
        sizes, lengths = zip(*backlog, strict=True)
        bfio, fcfs = _averages(Instance(System(2, 1), Requests(sizes, lengths), n))
        worse += bfio > fcfs
        better += bfio < fcfs
    return cases.finding(
        trial,
        "iir.per-instance",
        "the two stored backlogs, up to the first that decides; for the details all backlogs of "
        f"{n} requests on G = 2, B = 1, sizes <= {trial['size']}, lengths <= {trial['length']}",
        details={"BF-IO averages more": worse, "BF-IO averages less": better},
        held=Verdict.INCONCLUSIVE,
    )


def _averages(instance: Instance) -> tuple[Fraction, Fraction]:
    """``AvgImb`` of BF-IO with exact steps and of FCFS."""
    bfio, fcfs = (simulate_small(instance, name) for name in ("bfio_exact", "fcfs"))
    return bfio.avg_imbalance, fcfs.avg_imbalance


@check(
    "limits.equal-lengths",
    measures="imbalance of BF-IO at a full step (load)",
    requests=4,
    size=2,
    length=3,
    standard={"requests": 5},
    plants=(
        Variant("within the bound plus 1", fault="plus-one"),
        Variant("where sizes differ, within 1.25 of it", Fraction(5, 4), fault="sizes-differ"),
    ),
)
def equal_lengths(trial: Trial) -> Finding:
    """Full steps of exact BF-IO runs, in order of size; equal lengths are the control."""
    cases, control = Cases("<="), Cases("<=")
    n, every = trial["requests"], []
    for count in range(2, n + 1):
        sizes = product(range(1, trial["size"] + 1), repeat=count)
        every += list(product(sizes, product(range(1, trial["length"] + 1), repeat=count)))
    for prefill, decode in sorted(every, key=lambda lists: sum(map(sum, lists))):
        equal = len(set(decode)) == 1
        if (cases.violated and not equal) or (
            trial.fault("sizes-differ") and not equal and len(set(prefill)) == 1
        ):
            continue
        instance = Instance(System(2, 1), Requests(prefill, decode), 2)
        run = simulate_reference(
            instance.system, instance.requests, ExactBFIO(), pool=2, history=True
        )
        assert run.loads is not None
        bound = full_refill_bound(2, min(prefill), max(prefill))
        for loads in run.loads[: run.overloaded.steps].tolist():
            if equal:
                control.add(imbalance(loads), bound, partial(_witness, instance))
                continue
            claimed = bound * trial.scale + trial.fault("plus-one")
            if cases.add(imbalance(loads), claimed, partial(_witness, instance)):
                break
    return cases.finding(
        trial,
        "limits.equal-lengths",
        f"full steps of all backlogs of up to {n} requests on G = 2, B = 1, sizes <= "
        f"{trial['size']}, lengths <= {trial['length']}, smallest first",
        details={
            "control: steps with equal lengths": control.count,
            "control: violations": int(control.violated),
        },
        held=Verdict.INCONCLUSIVE,
    )


# --- limits.immediate-dispatch ------------------------------------------------------------------


@check(
    "limits.immediate-dispatch",
    measures="imbalance that the adversary forces (load)",
    shapes=((2, 1, 4), (3, 1, 3), (2, 2, 3), (2, 2, 4), (2, 3, 4), (2, 6, 5)),
    standard={"shapes": ((2, 1, 4), (2, 2, 3), (2, 2, 4), (3, 2, 4), (4, 2, 4), (2, 6, 10))},
    plants=(
        Variant("within 1.1 times the bound", Fraction(11, 10)),
        Variant("within 1.4 times the bound", Fraction(7, 5)),
    ),
)
def immediate_dispatch(trial: Trial) -> Finding:
    """The exact value of the game against ``(G-1)(b-a)``; one slot a worker is the control."""
    cases, control, values = Cases("<="), Cases("<="), {}
    for G, B, width in trial["shapes"]:
        value = dispatch_value(((0, B),) * G, width)
        bound = full_refill_bound(G, 0, width)
        values[f"G = {G}, B = {B}, b - a = {width}"] = f"{value} against {bound}"
        witness: Witness = partial(dict, G=G, B=B, a=1, b=1 + width, value=value)
        if B == 1:
            control.add(value, bound, witness)
        elif not cases.violated:
            cases.add(value, bound * trial.scale, witness)
    return cases.finding(
        trial,
        "limits.immediate-dispatch",
        "values of the game with B > 1 held against the bound, by backward induction over all "
        "sizes, smallest first",
        details={**values, "control: violations": int(control.violated)},
        held=Verdict.INCONCLUSIVE,
    )


# --- limits.stickiness, limits.hidden-lengths ---------------------------------------------------


@check(
    "limits.stickiness",
    measures="least imbalance after migration (load)",
    age=2,
    width=1,
    standard={"age": 4, "width": 2},
    plants=(FOUR_FIFTHS, Variant("where sizes differ", fault="sizes-differ")),
)
def stickiness(trial: Trial) -> Finding:
    """Best migrations of two workers with two slots against the bound; staying is the control."""
    cases, control = Cases(">="), Cases(">=")
    kinds = list(product(range(1, 2 + trial["width"]), range(trial["age"] + 1)))
    states = combinations_with_replacement(list(combinations_with_replacement(kinds, 2)), 2)
    for state in sorted(states, key=lambda workers: sum(sum(r) for row in workers for r in row)):
        sizes = [[size for size, _ in row] for row in state]
        ages = [sum(age for _, age in row) for row in state]
        flat = [size for row in sizes for size in row]
        if trial.fault("sizes-differ") and len(set(flat)) == 1:
            continue
        bound = abs(ages[0] - ages[1]) - 2 * (max(flat) - min(flat))
        if bound <= 0:
            continue
        loads = [sum(row) + age for row, age in zip(sizes, ages, strict=True)]
        witness: Witness = partial(dict, slots=2, workers=[[list(r) for r in row] for row in state])
        control.add(imbalance(loads), bound, witness)
        best = least_migrated([size + age for row in state for size, age in row], 2)
        if not cases.violated:
            cases.add(best, bound * trial.scale, witness)
    return cases.finding(
        trial,
        "limits.stickiness",
        f"all states of G = 2, B = 2 with ages <= {trial['age']}, sizes within {trial['width']}, "
        "and a positive bound, smallest first",
        details={
            "control: states left as they are": control.count,
            "control: violations": int(control.violated),
        },
        held=Verdict.INCONCLUSIVE,
    )


@check(
    "limits.hidden-lengths",
    measures="average imbalance of equal lengths side by side (load)",
    requests=400,
    p=Fraction(1, 4),
    standard={"requests": 10_000},
    plants=(FOUR_FIFTHS, Variant("a tenth of the bound", Fraction(1, 10))),
)
def hidden_lengths(trial: Trial) -> Finding:
    """The run that pairs equal lengths on two workers with one slot, over its paired part."""
    p, n = Fraction(trial["p"]).limit_denominator(10**6), trial["requests"]
    lengths = np.random.default_rng(trial.seed).geometric(float(p), n)
    values, counts = np.unique(lengths, return_counts=True)
    paired = np.repeat(values, counts // 2 * 2)
    requests = Requests(np.ones(paired.size, dtype=np.int64), paired)
    # In this order first come, first served sends each pair to the two workers at once.
    run = simulate_reference(System(2, 1), requests, "fcfs")
    shuffled = Requests(np.ones(n, dtype=np.int64), lengths)
    blind = simulate_reference(System(2, 1), shuffled, "fcfs").overloaded.avg_imbalance
    bound = unavoidable_imbalance(2, 1, p, 0)
    cases = Cases(">=")
    witness: Witness = partial(dict, workers=2, slots=1, decode=paired[:20].tolist())
    cases.add(run.total.avg_imbalance, bound * trial.scale, witness)
    return cases.finding(
        trial,
        "limits.hidden-lengths",
        f"{paired.size} of {n} geometric({p}) lengths served in equal pairs, all sizes 1",
        details={"FCFS in arrival order, for comparison": float(blind)},
        held=Verdict.INCONCLUSIVE,
    )


# --- limits.look-ahead, limits.prediction-error -------------------------------------------------


def _backlogs(trial: Trial) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Random backlogs of four requests."""
    rng = np.random.default_rng(trial.seed)
    for _ in range(trial["random"]):
        yield tuple(rng.integers(1, 6, 4).tolist()), tuple(rng.integers(1, 5, 4).tolist())


@check(
    "limits.look-ahead",
    measures="average imbalance of BF-IO(2), against that of BF-IO(0) (load)",
    random=30,
    standard={"random": 1500},
    plants=(
        Variant("within 1.25 times", Fraction(5, 4)),
        Variant("within 2.5 times", Fraction(5, 2)),
    ),
)
def look_ahead(trial: Trial) -> Finding:
    """BF-IO(H) against BF-IO(0) on the stored backlog; random ones say how often it happens."""
    sizes, lengths, window = LOOK_AHEAD_WITNESS
    cases = Cases("<=")
    myopic = average_imbalance(sizes, lengths, 2, 1, 0)
    ahead = average_imbalance(sizes, lengths, 2, 1, window)
    witness: Witness = partial(
        dict, workers=2, slots=1, prefill=list(sizes), decode=list(lengths), window=window
    )
    cases.add(ahead, myopic * trial.scale, witness)
    worse = better = 0
    for s, o in _backlogs(trial) if trial.variant is None else ():
        near, far = (average_imbalance(s, o, 2, 1, H) for H in (0, window))
        worse += far > near
        better += far < near
    return cases.finding(
        trial,
        "limits.look-ahead",
        f"the stored backlog; {trial['random']} random ones of 4 requests for the details",
        details={"look-ahead averages more": worse, "look-ahead averages less": better},
        held=Verdict.INCONCLUSIVE,
    )


@check(
    "limits.prediction-error",
    measures="average imbalance with a wrong prediction, against perfect ones (load)",
    random=30,
    standard={"random": 1500},
    plants=(
        Variant("within 1.1 times", Fraction(11, 10)),
        Variant("within 1.4 times", Fraction(7, 5)),
    ),
)
def prediction_error(trial: Trial) -> Finding:
    """BF-IO(1) with a wrong and with perfect predictions on the stored backlog."""
    sizes, lengths, wrong = PREDICTION_WITNESS
    cases = Cases("<=")
    perfect = average_imbalance(sizes, lengths, 2, 1, 1)
    misled = average_imbalance(sizes, lengths, 2, 1, 1, wrong)
    witness: Witness = partial(
        dict, workers=2, slots=1, prefill=list(sizes), decode=list(lengths), predicted=list(wrong)
    )
    cases.add(misled, perfect * trial.scale, witness)
    worse = better = 0
    for s, o in _backlogs(trial) if trial.variant is None else ():
        right = average_imbalance(s, o, 2, 1, 1)
        off = average_imbalance(s, o, 2, 1, 1, (o[0] % 4 + 1, *o[1:]))
        worse += off > right
        better += off < right
    return cases.finding(
        trial,
        "limits.prediction-error",
        f"the stored backlog; {trial['random']} random ones of 4 requests for the details",
        details={"wrong predictions average more": worse, "less": better},
        held=Verdict.INCONCLUSIVE,
    )
