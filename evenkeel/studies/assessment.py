"""What the theorems guarantee for a trace, and which of their assumptions it does not meet."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from adversary.workloads.trace_statistics import lengths_of
from evenkeel.studies.answer import Cost, occupancy
from evenkeel.theorems.registry import Assumption
from solvers.simulation.result import RunResult
from theory.formulas import energy as savings
from theory.formulas.geometric import distance_to_geometric
from theory.formulas.guaranteed import best_offer
from theory.formulas.ratio import certified_ratio
from theory.formulas.step import full_refill_bound
from theory.formulas.unavoidable import least_imbalance
from theory.formulas.vacuity import first_slots_of
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot, period
from theory.model import InputError, Requests, System
from theory.power import PowerModel
from theory.serving import departures_of

# Lengths farther than this from geometric, in Kolmogorov-Smirnov distance, are called not
# geometric: a sample of 1,000 exceeds 0.05 by chance about once in a hundred.
NEAR_GEOMETRIC = 0.05

# Sizes of which each two are tried for Theorem 2: some ms a pair.
OFFERS = 12

# With a smaller share of busy slots than this, drain aside, a system is not overloaded.
FULL = 0.95


def saving(power: PowerModel, baseline: Cost, improved: Cost) -> dict[str, Any]:
    """The saving of energy as simulated, and what the energy bounds say from a few totals only.

    The totals are W, I, the number of steps and, where a worker that waits draws more than one
    without work, the time without work.  The runs need the sums for gamma = 1: the usage counts the
    step overhead, so that the bounds hold with C > 0 as well [energy.overhead].  The time between
    the steps of a fleet that is on is time without work.  Floors are the least, and caps the
    largest, over what is uncertain of the device; they are None where the system is not one of the
    model.
    """

    def used(cost: Cost) -> savings.Usage[float]:
        run, system = cost.run, cost.run.system
        overhead = system.step_overhead_s / system.seconds_per_token
        found = savings.usage(
            float(run.total.work),
            float(run.total.imbalance),
            overhead,
            float(system.workers * run.total.steps),
            run.power_sums[1.0].per_step,
        )
        between = system.workers * cost.gaps_s() / system.seconds_per_token
        empty = run.empty_max + overhead * run.empty_steps + between
        return replace(found, idle=found.idle + between, empty=empty)

    simulated = 1 - improved.energy_j(power) / baseline.energy_j(power)
    if departures_of(baseline.run.system):
        bounds = dict.fromkeys(("floor", "cap", "floor_sharp", "cap_tangent"))
        return {"simulated": simulated, **bounds, "wait_w": power.barrier_w}
    before, after = used(baseline), used(improved)
    return {
        "simulated": simulated,
        "floor": power.over(lambda of: savings.saving_floor(of, before, after))[0],
        "cap": power.over(lambda of: savings.saving_cap(of, before, after))[1],
        "floor_sharp": power.over(lambda of: savings.saving_sharp(of, before, after))[0],
        "cap_tangent": power.over(lambda of: savings.saving_cap_tangent(of, before, after))[1],
        "wait_w": power.barrier_w,
    }


def guarantees(
    requests: Requests, workers: int, slots: int, power: PowerModel, pool: int | None = None
) -> dict[str, Any]:
    """The theorems' numbers for requests that are independent draws from this trace.

    Entries are None, with the reason in ``reasons``, where a number does not exist.
    ``theorem_2_sizes`` are the two sizes whose spacing promises most, of those with a copy for
    every slot in the mean pool; the promise holds while the pool has these copies.
    ``unavoidable`` is what every online policy leaves at least if lengths are geometric, and
    ``largest_ratio`` the largest ratio that this allows.  ``first_slots`` is the smallest ``B`` at
    which a theorem says more than nothing, with the largest constant of the FCFS side that holds
    for every ``G``.
    """
    found: dict[str, Any] = dict.fromkeys(
        (
            *("fcfs", "theorem_1_ratio", "theorem_1_bfio_bound"),
            *("theorem_2_ratio", "theorem_2_bfio", "theorem_2_sizes"),
            *("unavoidable", "largest_ratio", "first_slots"),
        )
    )
    if workers < 2:
        return found | {"reasons": ["one worker is always balanced: nothing to guarantee"]}
    visible = workers * slots if pool is None else pool
    reasons: list[str] = []
    for part in (
        partial(_fcfs, requests, workers, slots),
        partial(_equal_lengths, requests, workers, slots),
        partial(_geometric_lengths, requests, workers, slots, visible),
        partial(_first_slots, requests, workers, power),
    ):
        try:
            for key, value in part():
                found[key] = value
        except (InputError, ZeroDivisionError) as error:
            reasons.append(str(error) or "a law has no spread")
    return found | {"reasons": list(dict.fromkeys(reasons))}


def _fcfs(requests: Requests, workers: int, slots: int) -> Iterator[tuple[str, Any]]:
    """FCFS in the long run."""
    # Halfway through the period stands for all of it: 0 unless the lengths share a divisor.
    phase = period(requests.decode) // 2
    slot = joint_slot(requests.prefill, requests.decode, phase=phase)
    long_run = expected_imbalance(slot, workers, slots)
    yield (
        "fcfs",
        {
            "imbalance": long_run.imbalance.value,
            "idle_share": long_run.idle_share.value,
            "method": long_run.method,
        },
    )


def _equal_lengths(requests: Requests, workers: int, slots: int) -> Iterator[tuple[str, Any]]:
    """Theorem 1."""
    sizes = Law.empirical(requests.prefill)
    yield "theorem_1_ratio", float(certified_ratio(sizes, workers, slots).lower)
    yield "theorem_1_bfio_bound", full_refill_bound(workers, sizes.offset, sizes.bound)


def _geometric_lengths(
    requests: Requests, workers: int, slots: int, pool: int
) -> Iterator[tuple[str, Any]]:
    """What no online policy avoids [threshold.window], and Theorem 2 [geometric.theorem-2]."""
    p = Fraction(len(requests), int(requests.decode.sum()))
    if p == 1:
        raise InputError("no request stays for a second step: Theorem 2 needs longer lengths")
    sizes = Law.empirical(requests.prefill)
    a, b = sizes.offset, sizes.bound
    fcfs = expected_imbalance(geometric_slot(sizes, p), workers, slots).imbalance.value
    least = float(least_imbalance(workers, slots, p, b - a))
    yield "unavoidable", least
    if least > 0:
        yield "largest_ratio", fcfs / least
    capacity = workers * slots
    values, counts = np.unique(requests.prefill, return_counts=True)
    often = values[counts * pool >= capacity * len(requests)].tolist()
    if len(often) < 2:
        raise InputError(
            f"no two sizes have G B = {capacity} copies in a pool of {pool}: Theorem 2 guarantees "
            "nothing here"
        )
    # Evenly spaced places of them, the ends included.
    places = np.linspace(0, len(often) - 1, min(OFFERS, len(often))).round().astype(int)
    most, offer = best_offer(workers, slots, p, (a, b), [often[i] for i in places])
    yield "theorem_2_sizes", offer
    yield "theorem_2_bfio", float(most)
    yield "theorem_2_ratio", fcfs / float(most)


def _first_slots(requests: Requests, workers: int, power: PowerModel) -> Iterator[tuple[str, Any]]:
    lengths = lengths_of("the trace", requests)
    yield (
        "first_slots",
        {
            theorem: first_slots_of(theorem, lengths, workers, power)
            for theorem in ("T1", "T4 by T1")
        },
    )


def assumptions(
    requests: Requests,
    system: System,
    pool: int | None,
    run: RunResult,
    own_pace: RunResult | None,
) -> dict[str, str]:
    """Which assumptions of the theorems fail here, and why; by the assumption's wording.

    Parameters
    ----------
    requests : Requests
        What is served, at its arrival times or as a backlog.
    system : System
        What it runs on.
    pool : int or None
        Waiting requests that a policy sees; the number of slots by default.
    run : RunResult
        The baseline on these requests.
    own_pace : RunResult or None
        The baseline at the trace's arrival times, if it has any.
    """
    failed: dict[str, str] = {}
    if departs := departures_of(system):
        failed[Assumption.MODEL.value] = ", ".join(departs)
    if reasons := list(_not_overloaded(requests, system, pool, run, own_pace)):
        failed[Assumption.OVERLOADED.value] = "; ".join(reasons)
    if requests.arrival is not None and requests.arrival[-1] > requests.arrival[0]:
        failed[Assumption.BACKLOG.value] = (
            f"they arrive over {requests.arrival[-1] - requests.arrival[0]:.6g} s"
        )
    copies = int(np.unique(requests.prefill, return_counts=True)[1].max())
    visible = system.capacity if pool is None else pool
    if visible < system.capacity + copies * min(1.0, visible / len(requests)):
        failed[Assumption.POOL_CONDITION.value] = (
            f"a pool of {visible} for {system.capacity} slots has no room for the removal of the "
            "commonest size when all slots are free"
        )
    if int(requests.decode.min()) != int(requests.decode.max()):
        failed[Assumption.EQUAL_LENGTHS.value] = (
            f"output lengths run from {requests.decode.min()} to {requests.decode.max()} "
            "(Theorem 1 does not apply)"
        )
    distance = distance_to_geometric(requests.decode)
    if distance > NEAR_GEOMETRIC:
        failed[Assumption.GEOMETRIC_LENGTHS.value] = (
            f"their distance to geometric lengths of the same mean is {distance:.2f} "
            "(Kolmogorov-Smirnov; Theorem 2 does not apply)"
        )
    if system.step_overhead_s > 0:
        failed[Assumption.NO_OVERHEAD.value] = (
            f"C = {1e3 * system.step_overhead_s:.2f} ms a step; the energy interval accounts for it"
        )
    return failed


def _not_overloaded(
    requests: Requests,
    system: System,
    pool: int | None,
    run: RunResult,
    own_pace: RunResult | None,
) -> Iterator[str]:
    """Why slots stay empty, if they do."""
    n, slots = len(requests), system.capacity
    if own_pace is not None and (busy := occupancy(own_pace)) < FULL:
        yield (
            f"at the trace's own arrival times {100 * busy:.1f} % of the slots are busy in the "
            f"average step of {own_pace.policy}"
        )
    if n < slots:
        yield f"{n} requests cannot fill {slots} slots"
    elif requests.arrival is None and pool is not None and pool < slots:
        yield "a pool below G*B cannot fill the empty system"
    elif requests.arrival is None and 2 * run.overloaded.steps < run.total.steps:
        yield (
            f"all slots are full in the first {run.overloaded.steps} of {run.total.steps} steps "
            "alone: the rest is the drain"
        )
