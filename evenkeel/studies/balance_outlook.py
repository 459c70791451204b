"""What better balance would give a fleet whose loads were measured: in time, and in energy.

The same work in the same number of steps.  In units of load a step takes ``c + M``, ``c = C/t_l``
from the fit of step times, or 0 where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adversary.measurements.loads import MeasuredLoads
from evenkeel.studies.measured_balance import Balance
from evenkeel.studies.step_time import StepTime
from evenkeel.studies.time_batches import Interval
from theory.formulas import energy as savings
from theory.formulas.guaranteed import guaranteed_imbalance
from theory.formulas.step import full_refill_bound
from theory.formulas.unavoidable import least_imbalance
from theory.model import InputError
from theory.power import PowerModel

# Mean output lengths up to which the limits are computed, in time that grows with their square.
LONGEST_MEAN = 20_000


@dataclass(frozen=True, slots=True)
class Energy:
    """What perfect balance saves on a device, shares of the energy.

    Parameters
    ----------
    fixed_busy : bool
        Whether the fixed part of a step is work on every rank; else a device draws ``P(L/M)``
        through it as well, as the theorems have it [energy.overhead].  Without overhead both are
        one.
    used_j : float or None
        Energy of all ranks by its power law; None without step times.
    saving : float
        By its power law and the utilisations measured.
    floor, cap : float
        What the theorems say from work, imbalance and steps alone.
    possible : pair of float
        The least and the largest saving over what is uncertain of the device.
    possible_j : pair of float or None
        The same of the energy used.
    """

    fixed_busy: bool
    used_j: float | None
    saving: float
    floor: float
    cap: float
    possible: tuple[float, float]
    possible_j: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What perfect balance gives.

    Parameters
    ----------
    overhead : float
        ``c``, in units of load; 0 where step times are not known.
    time_s : float or None
        Duration of the steps by the fit; None without one.
    worker_time : Interval
        Share of all worker-time that ranks wait: what perfect balance saves of the time, and at
        most of the energy, whatever the power law between ``u P_max`` and ``P_max``.
    any_policy : float
        ``f``: what any policy saves at most of the energy of the time that grows with the load,
        whatever the power law, and in any number of steps [energy.any-power].
    device : str
        Name of a device, empty without one.
    uncertain : str
        What is uncertain of it.
    energy : tuple of Energy
        On that device: what the theorems have, and with overhead the other.
    """

    overhead: float
    time_s: float | None
    worker_time: Interval
    any_policy: float
    device: str
    uncertain: str
    energy: tuple[Energy, ...]


def outlook(
    measured: MeasuredLoads, found: Balance, fit: StepTime | None, device: PowerModel | None
) -> Outlook:
    """What perfect balance gives, with the overhead of a fit."""
    known = fit is not None and fit.grows
    overhead = max(0.0, fit.overhead_s.value) / fit.per_load_s.value if fit and known else 0.0
    largest = measured.loads.max(axis=1)
    steps, ranks = measured.loads.shape
    lost = ranks * largest - measured.loads.sum(axis=1)
    whole = ranks * (largest + overhead)
    parts = found.batches.sums(np.column_stack([lost, whole]))
    share = found.imbalance / (found.imbalance + found.work + overhead * ranks * steps)
    time = None
    if fit and known:
        time = float(fit.per_load_s.value * (largest + overhead).sum())
    return Outlook(
        overhead,
        time,
        found.batches.interval(
            parts,
            lambda sums: float(sums[0] / sums[1]),
            share,
            (lost - share * whole) / whole.mean(),
        ),
        found.idle_share.value,
        "" if device is None else device.name,
        "" if device is None else device.uncertain,
        ()
        if device is None
        else tuple(
            _energy(measured, found, overhead, fit if known else None, device, busy)
            for busy in ((False, True) if overhead else (False,))
        ),
    )


def _energy(
    measured: MeasuredLoads,
    found: Balance,
    overhead: float,
    fit: StepTime | None,
    device: PowerModel,
    fixed_busy: bool,
) -> Energy:
    loads = measured.loads
    steps, ranks = loads.shape
    largest = loads.max(axis=1, keepdims=True)
    after = savings.Usage(found.work + overhead * steps * ranks, 0.0)
    if fixed_busy:
        utilisation = (overhead + loads) / (overhead + largest)
        before = savings.Usage(after.busy, found.imbalance)
    else:
        utilisation = loads / largest
        before = savings.usage(
            found.work, found.imbalance, overhead, float(steps * ranks), float(utilisation.sum())
        )

    def used(of: PowerModel) -> float:
        return float(((largest + overhead) * of.powers(utilisation)).sum())

    def saving(of: PowerModel) -> float:
        return float(1 - of.max_w * after.busy / used(of))

    per_load = None if fit is None else fit.per_load_s.value
    least, most = device.over(used)
    return Energy(
        fixed_busy,
        None if per_load is None else used(device) * per_load,
        saving(device),
        savings.saving_floor(device, before, after),
        savings.saving_cap(device, before, after),
        device.over(saving),
        None if per_load is None else (least * per_load, most * per_load),
    )


@dataclass(frozen=True, slots=True)
class Side:
    """A bound of the mean imbalance, and what it means for time and energy in the same steps.

    Parameters
    ----------
    imbalance : float
        Tokens a step.
    idle_share : float
        Of the time that grows with the load.
    time : float
        Share of the time that going there saves; negative where more is left than was measured.
    energy : pair of float or None
        The same of the energy, at least and at most over what is uncertain of a device, whose fixed
        part of a step is work on every rank: the best cap for what is unavoidable, the best floor
        for what is guaranteed.
    """

    imbalance: float
    idle_share: float
    time: float
    energy: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What an online policy reaches, by the theorems, in the system that was measured.

    With geometric output lengths and every slot occupied, in expectation.

    Parameters
    ----------
    slots : int
        ``B``.
    unavoidable : Side
        What every online policy leaves at least [threshold.window] [threshold.any-policy].
    guaranteed : Side
        What BF-IO from a rich pool leaves at most [geometric.theorem-2].
    refill : int
        Tokens that a full refill leaves at most, as with equal lengths [step.full-refill-gap].
    """

    slots: int
    unavoidable: Side
    guaranteed: Side
    refill: int


def reach(
    measured: MeasuredLoads,
    found: Balance,
    balanced: Outlook,
    device: PowerModel | None,
    sizes: tuple[int, int],
    mean_output: float,
    slots: int | None,
) -> Reach:
    """What the theorems say of online policies, for prompts of ``sizes`` and a mean output length.

    Raises
    ------
    InputError
        If loads are no tokens, a number is out of its range, or the slots are not known.
    """
    if measured.unit != "tokens" and measured.format not in ("matrix", "npy"):
        raise InputError(
            f"--sizes: prompts are tokens, and the loads are measured in {measured.unit}; "
            "--kv-tokens gives tokens"
        )
    if not 1 <= sizes[0] < sizes[1]:
        raise InputError(f"--sizes: need 1 <= MIN < MAX, got {sizes[0]} and {sizes[1]}")
    if not 1 < mean_output <= LONGEST_MEAN:
        raise InputError(
            f"--mean-output must be above 1 and at most {LONGEST_MEAN:,}, got {mean_output}"
        )
    if slots is None:
        if measured.requests is None:
            raise InputError("--slots: the log has no numbers of requests; say how many slots")
        slots = int(np.nanmax(measured.requests))
    if slots < 1:
        raise InputError(f"--slots must be at least 1, got {slots}")
    steps, ranks = measured.loads.shape
    p = 1 / Fraction(mean_output).limit_denominator(10**6)
    # The fixed part is work on every rank, whatever the policy: only what is idle changes.
    busy = found.work + balanced.overhead * ranks * steps
    before = savings.Usage(busy, found.imbalance)

    def side(
        imbalance: float,
        bound: Callable[[PowerModel, savings.Usage[float], savings.Usage[float]], float],
    ) -> Side:
        after = savings.Usage(busy, imbalance * steps)
        return Side(
            imbalance,
            float(imbalance * steps / (imbalance * steps + found.work)),
            float(1 - after.total / before.total),
            None if device is None else device.over(lambda of: float(bound(of, before, after))),
        )

    return Reach(
        slots,
        side(float(least_imbalance(ranks, slots, p, sizes[1] - sizes[0])), savings.saving_cap),
        side(float(guaranteed_imbalance(ranks, slots, p, sizes)), savings.saving_floor),
        full_refill_bound(ranks, *sizes),
    )
