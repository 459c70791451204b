"""Energy and savings: closed bounds from total work and total imbalance.

Theorem 4 and what sharpens it.  Everything follows from ``u <= u^gamma <= 1 - gamma (1 - u)`` and
Jensen's inequality, summed over workers and steps.

Throughout, ``power`` holds the constants of the power law in watts, and a run enters only through
its :class:`Usage`, two numbers in units of load (tokens): the worker-time in which devices are
busy, and the worker-time idle at the barrier.  Energies are in watts times units of load; times
``t_l``, the seconds per unit of load, they are joules.  A saving is ``1 - E1 / E0``, a share of the
baseline's energy, for an improved run of the same requests.

A worker that waits at the barrier draws ``P_w``, one without resident work ``P_idle``; the paper
has one number for both.  Every bound is that of a device with ``P_w`` in place of ``P_idle``, less
``(P_w - P_idle)`` times the worker-time without resident work [energy.wait-power].

The functions are plain arithmetic: they take floats, fractions, balls (``flint.arb``) and sympy
symbols alike.  The ones that raise to a power that is not an integer need floats, balls or
symbols.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

Scalar = TypeVar("Scalar", float, Fraction)


@dataclass(frozen=True, slots=True)
class Constants(Generic[Scalar]):
    """The constants of ``P(u) = P_w + dP u^gamma`` for ``0 < u <= 1``, ``P(0) = P_idle``.

    Of any number type; :class:`theory.power.PowerModel` is one in floats, with its source.

    Parameters
    ----------
    idle_w, max_w : Scalar
        ``P_idle``, of a worker on which no work is resident, and ``P_max``, in watts.
    gamma : Scalar
        Exponent in (0, 1].
    wait_w : Scalar, optional
        ``P_w = P(0+)``, of a worker that has work and waits at the barrier; by default ``P_idle``,
        which is the paper's assumption.

    Examples
    --------
    The paper's A100, 100 to 400 W with ``gamma = 0.7``: ``D = 100 + 0.3 * 300``.  One whose
    workers wait at full power is charged all of it:

    >>> Constants(100, 400, Fraction(7, 10)).waste_w
    Fraction(190, 1)
    >>> Constants(100, 400, Fraction(7, 10), wait_w=400).waste_w
    Fraction(400, 1)
    """

    idle_w: Scalar
    max_w: Scalar
    gamma: Scalar
    wait_w: Scalar | None = field(default=None, kw_only=True)

    @property
    def barrier_w(self) -> Scalar:
        """``P_w``: :attr:`wait_w`, or ``P_idle`` where that is not given."""
        return self.idle_w if self.wait_w is None else self.wait_w

    @property
    def dynamic_w(self) -> Scalar:
        """The part of the power that depends on utilisation, ``dP = P_max - P_w``, in watts."""
        return self.max_w - self.barrier_w

    @property
    def waste_w(self) -> Scalar:
        """``D = P_w + (1 - gamma) dP``: watts charged to a unit of imbalance."""
        return self.barrier_w + (1 - self.gamma) * self.dynamic_w


def exact(power: Constants[float]) -> Constants[Fraction]:
    """The constants as the decimal fractions that they print as.

    Examples
    --------
    >>> exact(Constants(100.0, 400.0, 0.7)).gamma
    Fraction(7, 10)
    """
    wait = None if power.wait_w is None else _decimal(power.wait_w)
    found = (_decimal(number) for number in (power.idle_w, power.max_w, power.gamma))
    return Constants(*found, wait_w=wait)


@lru_cache(maxsize=256)
def _decimal(number: float) -> Fraction:
    return Fraction(repr(float(number)))


@dataclass(frozen=True, slots=True)
class Usage(Generic[Scalar]):
    """Worker-time of a run, in units of load.

    With a step overhead of ``c = C / t_l`` load units, worker ``g`` has utilisation
    ``u = L_g / M`` during ``c + M`` units of time in every step.

    Parameters
    ----------
    busy : Scalar
        ``sum_k sum_g (c + M) u``; the total work ``W`` where ``c = 0``.
    idle : Scalar
        ``sum_k sum_g (c + M) (1 - u)``; the total imbalance ``I`` where ``c = 0``.
    empty : Scalar
        ``Z = sum (c + M)`` over the worker-steps in which no work is resident, ``u = 0``: a part
        of ``idle``.  0 in overloaded steps; it counts only where ``P_w`` is not ``P_idle``.

    Notes
    -----
    ``Usage(1, eta)`` is a run by its ratio ``eta`` of imbalance to work, per unit of work.

    Examples
    --------
    >>> Usage(Fraction(1), Fraction(2, 3)).idle_share
    Fraction(2, 5)
    """

    busy: Scalar
    idle: Scalar
    empty: Scalar = field(default=cast("Any", 0))

    @property
    def total(self) -> Scalar:
        """Worker-time, ``G`` times the duration of the run over ``t_l``."""
        return self.busy + self.idle

    @property
    def idle_share(self) -> Scalar:
        """``f = idle / total``."""
        return self.idle / self.total


def usage(
    work: Scalar, imbalance: Scalar, overhead: Scalar, worker_steps: Scalar, utilisation: Scalar
) -> Usage[Scalar]:
    """The usage of a run whose steps have a fixed overhead.

    Parameters
    ----------
    work, imbalance : Scalar
        ``W`` and ``I``.
    overhead : Scalar
        ``c = C / t_l``, in units of load.
    worker_steps : Scalar
        ``G K``.
    utilisation : Scalar
        ``S = sum_k sum_g u``, between ``K`` and ``G K``.

    Notes
    -----
    Source: [energy.overhead].  Devices draw ``P(u_g)`` through the whole step, so the
    overhead adds busy time ``c S``: unlike ``W`` this depends on the policy, and it grows as the
    loads become equal.
    """
    return Usage(work + overhead * utilisation, imbalance + overhead * (worker_steps - utilisation))


def _unspent(power: Constants[Scalar], run: Usage[Scalar]) -> Scalar:
    """``(P_w - P_idle) Z``: what workers without work draw less than waiting ones."""
    if power.wait_w is None:
        return cast("Scalar", 0)
    return (power.wait_w - power.idle_w) * run.empty


def energy_floor(power: Constants[Scalar], run: Usage[Scalar]) -> Scalar:
    """``P_max busy + P_w idle - (P_w - P_idle) Z <= E``.

    Equality where every utilisation is 0 or 1, or gamma = 1.

    Source: [energy.sandwich], lower side; the lower side of [energy.envelope] is the
    same number; [energy.wait-power].

    Examples
    --------
    Three units busy at 400 W and two idle, one of them waiting at 150 W and one without work:

    >>> energy_floor(Constants(100, 400, Fraction(7, 10), wait_w=150), Usage(3, 2, 1))
    1450
    """
    return power.max_w * run.busy + power.barrier_w * run.idle - _unspent(power, run)


def energy_tangent(power: Constants[Scalar], run: Usage[Scalar]) -> Scalar:
    """``E <= P_max busy + D idle - (P_w - P_idle) Z``.

    Equality only where nothing idles that has work, or gamma = 1, or ``P_w = P_max``.

    Source: [energy.sandwich], upper side; [energy.wait-power].

    Examples
    --------
    Three units busy at 400 W, one idle at 100 W and at ``D = 190`` W:

    >>> a100 = Constants(100, 400, Fraction(7, 10))
    >>> energy_floor(a100, Usage(3, 1)), energy_tangent(a100, Usage(3, 1))
    (1300, Fraction(1390, 1))
    """
    return power.max_w * run.busy + power.waste_w * run.idle - _unspent(power, run)


def energy_envelope(power: Constants[float], run: Usage[float]) -> float:
    """``E <= T (P_w + dP (1 - f)^gamma) - (P_w - P_idle) Z``, ``T > 0``.

    Approached by equal utilisations as G grows.

    Source: [energy.envelope], upper side; [energy.wait-power].
    """
    varying: float = power.dynamic_w * (run.busy / run.total) ** power.gamma
    return run.total * (power.barrier_w + varying) - _unspent(power, run)


def energy_envelope_of(power: Constants[float], run: Usage[float], workers: int) -> float:
    """The largest energy of ``workers`` devices with this usage, ``workers = G >= 1``.

    One worker of each step has ``u = 1``, a share ``1/G`` of all worker-time; Jensen's inequality
    holds for the others: ``E <= T (P_w + dP (1/G + (1 - 1/G) v^gamma)) - (P_w - P_idle) Z`` with
    their mean utilisation ``v = 1 - f G / (G - 1)``.  Attained where all the others have ``u = v``.

    Source: evenkeel [energy.envelope-workers], [energy.wait-power].
    """
    total, idle = run.total, run.idle
    if workers == 1:
        return power.max_w * total
    others = total * (workers - 1) / workers
    spread: float = ((others - idle) / others) ** power.gamma
    varying = power.dynamic_w * (total / workers + others * spread)
    return power.barrier_w * total + varying - _unspent(power, run)


def saving_paper(
    power: Constants[Scalar], baseline: Usage[Scalar], improved: Usage[Scalar]
) -> Scalar:
    """The paper-shaped floor, ``(P_w - D/alpha) / (P_max/eta + D)`` where no worker is empty.

    Here ``eta = idle/busy`` of the baseline and ``alpha`` is the ratio of the two idle totals; the
    paper writes ``P_idle`` for ``P_w``.  It is a floor only where it is not negative, that is for
    ``alpha >= D / P_w``.

    Source: paper, Theorem 4 (v2), as reconstructed; [energy.saving-paper].
    """
    gained = energy_floor(power, baseline) - energy_tangent(power, improved)
    return gained / energy_tangent(power, baseline)


def saving_sharp(
    power: Constants[Scalar], baseline: Usage[Scalar], improved: Usage[Scalar]
) -> Scalar:
    """The sharp floor, ``eta (P_w - D/alpha) / (P_max + P_w eta)`` at equal work.

    In this form where no worker is empty.

    Source: [energy.saving-sharp].

    Examples
    --------
    From an idle share of 40 %, ``eta = 2/3``, to perfect balance: ``1 - 400 / (400 + 200/3)``.
    The paper's form promises less, ``(200/3) / (400 + 190 * 2/3)``:

    >>> a100 = Constants(100, 400, Fraction(7, 10))
    >>> before, after = Usage(1, Fraction(2, 3)), Usage(1, 0)
    >>> saving_sharp(a100, before, after), saving_paper(a100, before, after)
    (Fraction(1, 7), Fraction(10, 79))
    >>> saving_cap_tangent(a100, before, after)  # (190 * 2/3) / (400 + 190 * 2/3)
    Fraction(19, 79)
    """
    return 1 - energy_tangent(power, improved) / energy_floor(power, baseline)


def saving_floor(power: Constants[float], baseline: Usage[float], improved: Usage[float]) -> float:
    """The best floor: no larger one holds for all runs with these usages and any ``G``.

    Source: evenkeel [energy.saving-envelope].
    """
    return 1 - energy_envelope(power, improved) / energy_floor(power, baseline)


def saving_cap_tangent(
    power: Constants[Scalar], baseline: Usage[Scalar], improved: Usage[Scalar]
) -> Scalar:
    """Upper bound of the saving from the tangent side of the baseline.

    Source: [energy.sandwich]; at perfect balance ``D eta / (P_max + D eta)``.
    """
    return 1 - energy_floor(power, improved) / energy_tangent(power, baseline)


def saving_cap(power: Constants[float], baseline: Usage[float], improved: Usage[float]) -> float:
    """The best cap: no smaller one holds for all runs with these usages and any ``G``.

    Source: [energy.saving-envelope], [energy.saving-sharp].
    """
    return 1 - energy_floor(power, improved) / energy_envelope(power, baseline)


def energy_padded(max_w: Scalar, run: Usage[Scalar]) -> Scalar:
    """``P_max T``: the energy where every rank computes on padding up to the largest load.

    Source: [energy.padding].
    """
    return max_w * run.total


def saving_padded(baseline: Usage[Scalar], improved: Usage[Scalar]) -> Scalar:
    """What balance saves with padding: the share of worker-time that it saves, on every device.

    Source: [energy.padding].

    Examples
    --------
    From 40 % idle to none: all of the idle time.

    >>> saving_padded(Usage(1, Fraction(2, 3)), Usage(1, 0))
    Fraction(2, 5)
    """
    return 1 - improved.total / baseline.total


def speed_up(baseline: Usage[Scalar], improved: Usage[Scalar]) -> Scalar:
    """Ratio of the two durations, which is the ratio of throughputs for the same requests.

    ``(1 + eta0) / (1 + eta1)`` without overhead.

    Source: [energy.throughput].

    Examples
    --------
    >>> speed_up(Usage(1, Fraction(2, 3)), Usage(1, 0))
    Fraction(5, 3)
    """
    return baseline.total / improved.total
