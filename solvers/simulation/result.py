"""What a run of the engine yields: exact totals, energies, latencies.

The totals are ints.  The energy of a run is linear in two sums of powers of the utilisations that
do not depend on the device, so one run serves every device of the same exponent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory.model import FloatArray, InputError, IntArray, Requests, System, idle_share
from theory.power import PowerModel


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some steps of a run, exact.

    Parameters
    ----------
    workers : int
        ``G``.
    steps : int
        Number of steps ``K``.
    sum_max : int
        ``sum_k M(k)``, the sum of the largest loads.
    work : int
        ``W = sum_k sum_g L_g(k)``.

    Examples
    --------
    >>> total = Totals(workers=2, steps=3, sum_max=8, work=11)
    >>> total.imbalance, total.idle_share
    (5, Fraction(5, 16))
    """

    workers: int
    steps: int
    sum_max: int
    work: int

    @property
    def imbalance(self) -> int:
        """Total imbalance ``I = G * sum_k M(k) - W``."""
        return self.workers * self.sum_max - self.work

    @property
    def avg_imbalance(self) -> Fraction:
        """``AvgImb``, the mean of ``Imb(k)`` over the steps; 0 where there are none."""
        return Fraction(self.imbalance, self.steps) if self.steps else Fraction(0)

    @property
    def idle_share(self) -> Fraction:
        """Share of worker-time idle at the barrier, ``I / (W + I)``."""
        return idle_share(self.imbalance, self.work)


@dataclass(frozen=True, slots=True)
class PowerSums:
    """Sums of ``u^gamma`` with ``u = L_g(k) / M(k)``, over all steps with ``M(k) > 0``.

    Parameters
    ----------
    per_step : float
        ``sum_k sum_g u^gamma``: weighs the fixed part of a step.
    per_load : float
        ``sum_k M(k) sum_g u^gamma``: weighs the part that grows with the largest load.
    """

    per_step: float
    per_load: float


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """One run of one policy, every request served to completion.

    Parameters
    ----------
    policy : str
        Name of the policy.
    system : System
        What it ran on.
    requests : Requests
        What it served.
    pool_limit : int
        Largest number of waiting requests that the policy could see (``R``).
    total : Totals
        Over the whole run.
    overloaded : Totals
        Over the steps before the first one that left a slot empty: the part that the theorems
        speak of.  The rest is start-up or drain.
    empty_steps, empty_max : int
        Worker-steps in which no request is resident, and the sum of the largest loads of their
        steps, over the whole run; both are 0 over the overloaded part.
    power_sums : mapping of float to PowerSums
        By exponent ``gamma``.
    time_s : float
        Duration, idle gaps between timed arrivals included.
    worker, reveal_step, start_step : int64[N]
        Where each request ran, when it entered the pool, and its first active step.
    start_s, finish_s : float64[N]
        When its first step began and its last step ended, in seconds from the start of the run.
    loads : int64[K, G] or None
        The history of loads, on request only.
    bound_gap : int or None
        For policies that certify their steps: total excess of the imbalances over their lower
        bounds; 0 means that every step is proved optimal.
    """

    policy: str
    system: System
    requests: Requests
    pool_limit: int
    total: Totals
    overloaded: Totals
    empty_steps: int
    empty_max: int
    power_sums: Mapping[float, PowerSums]
    time_s: float
    worker: IntArray
    reveal_step: IntArray
    start_step: IntArray
    start_s: FloatArray
    finish_s: FloatArray
    loads: IntArray | None = None
    bound_gap: int | None = None
    preemptions: IntArray | None = None
    costs: IntArray | None = None

    def energy_j(self, power: PowerModel) -> float:
        """Energy of all workers in joules, drawing ``P(u_g)`` through the whole of each step.

        Workers without a request draw ``P_idle``.  What is drawn between the steps, while an idle
        system waits for arrivals, is left out.

        Raises
        ------
        InputError
            If the run did not accumulate the sums for ``power.gamma``.
        """
        if power.gamma not in self.power_sums:
            known = ", ".join(map(str, self.power_sums)) or "none"
            raise InputError(f"this run has no sums for gamma = {power.gamma}; it has: {known}")
        sums = self.power_sums[power.gamma]
        overhead, per_token = self.system.step_overhead_s, self.system.seconds_per_token
        empty_s = self.empty_steps * overhead + per_token * self.empty_max
        held_s = self.system.workers * self.steps_s - empty_s
        varying = overhead * sums.per_step + per_token * sums.per_load
        return power.barrier_w * held_s + power.idle_w * empty_s + power.dynamic_w * varying

    @property
    def steps_s(self) -> float:
        """Duration of the steps alone, ``K C + t_l sum_k M(k)`` seconds."""
        system, total = self.system, self.total
        return total.steps * system.step_overhead_s + system.seconds_per_token * total.sum_max

    @property
    def share_empty(self) -> Fraction:
        """Share of the worker-steps in which no request is resident."""
        return Fraction(self.empty_steps, max(1, self.system.workers * self.total.steps))

    @property
    def requests_by_worker(self) -> IntArray:
        """How many requests each worker served, int64[G]."""
        return np.bincount(self.worker, minlength=self.system.workers)

    @property
    def work_by_worker(self) -> IntArray:
        """Load of each worker added up over the steps, int64[G]; together they are the work.

        Examples
        --------
        A request of size 5 that grows to 6 on worker 0, and one of size 3 on worker 1:

        >>> from solvers.simulation.engine import simulate
        >>> simulate(System(2, 1), Requests([5, 3], [2, 1]), "fcfs").work_by_worker.tolist()
        [11, 3]
        """
        if self.costs is not None:
            return self.costs
        drift = np.array(self.system.drift, dtype=np.int64)
        grown = np.concatenate(([0], np.cumsum(np.resize(drift, self.total.steps))))
        # Differences of sums are right where they fit, even if the sums have wrapped.
        sums = np.concatenate(([0], np.cumsum(grown)))
        first, length = self.start_step, self.requests.decode
        growth = sums[first + length] - sums[first] - length * grown[first]
        work = np.zeros(self.system.workers, dtype=np.int64)
        np.add.at(work, self.worker, length * self.requests.prefill + growth)
        return work

    @property
    def idle_by_worker(self) -> IntArray:
        """What each worker waited at the barrier, in tokens, int64[G].

        Times the seconds per token it is a time; together they are the imbalance.
        """
        return self.total.sum_max - self.work_by_worker

    @property
    def throughput(self) -> float:
        """Output tokens per second, over the whole run."""
        tokens = sum(self.requests.decode.tolist())
        return tokens / self.time_s if self.time_s else 0.0

    @property
    def time_per_output_token_s(self) -> FloatArray:
        """For each request, seconds from its first step to its last over its length, float64[N]."""
        return (self.finish_s - self.start_s) / self.requests.decode

    @property
    def waiting_steps(self) -> IntArray:
        """Steps that each request spent in the pool, int64[N]."""
        return np.asarray(self.start_step - self.reveal_step, dtype=np.int64)
