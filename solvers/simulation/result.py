"""What a run of the engine yields: exact totals, energies, latencies.

The totals are ints.  The energy of a run is linear in two sums of powers of the utilisations that
do not depend on the device, so one run serves every device of the same exponent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.model import FloatArray, InputError, IntArray, Requests, System, idle_share
from theory.power import DEFAULT_DEVICE, PowerLaw, PowerModel, power_law
from theory.shown import Shown, axes

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

# Loads that are replayed at once.
BLOCK = 2**22


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
class RunResult(Shown):
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

    def energy_j(self, power: PowerLaw | str = DEFAULT_DEVICE) -> float:
        """Energy of all workers in joules, drawing ``P(u_g)`` through the whole of each step.

        Workers without a request draw ``P_idle``.  What is drawn between the steps, while an idle
        system waits for arrivals, is left out.

        Parameters
        ----------
        power : PowerLaw or str
            A device or any power law, or the name of one (:func:`theory.power.power_law`).  Where
            the run did not add up its sums (``gammas`` of
            :func:`~solvers.simulation.engine.simulate`), the loads are replayed from the schedule.

        Raises
        ------
        InputError
            If there is no such device, or the loads are not known (:meth:`load_blocks`).

        Examples
        --------
        One step of 10 s: worker 0 works at 100 W, worker 1 at half load, 50 W + 50 W sqrt(1/2).

        >>> from solvers.simulation.engine import simulate
        >>> run = simulate(System(2, 1, seconds_per_token=1), Requests([10, 5], [1, 1]), "fcfs")
        >>> round(run.energy_j(PowerModel(50, 100, 0.5)), 6)
        1853.553391
        """
        if isinstance(power, str):
            power = power_law(power)
        if not isinstance(power, PowerModel) or power.gamma not in self.power_sums:
            return sum(self._energy_of(block, power) for block in self.load_blocks())
        sums = self.power_sums[power.gamma]
        overhead, per_token = self.system.step_overhead_s, self.system.seconds_per_token
        empty_s = self.empty_steps * overhead + per_token * self.empty_max
        held_s = self.system.workers * self.steps_s - empty_s
        varying = overhead * sums.per_step + per_token * sums.per_load
        return power.barrier_w * held_s + power.idle_w * empty_s + power.dynamic_w * varying

    def _energy_of(self, loads: IntArray, power: PowerLaw) -> float:
        """Energy in joules of some steps from their loads."""
        top = loads.max(axis=1)
        took = self.system.step_overhead_s + self.system.seconds_per_token * top
        watts = power.powers(loads / np.maximum(top, 1)[:, None]).sum(axis=1)
        return float((took * watts).sum())

    def load_blocks(self) -> Iterator[IntArray]:
        """The loads of all steps in order, some steps at a time, int64[k, G].

        They are the history if the run kept it, else replayed from where and when each request
        ran.

        Raises
        ------
        InputError
            If there is no history, and the run was one of a system that is not the model's, whose
            loads do not follow from the schedule.
        """
        G, steps = self.system.workers, self.total.steps
        if self.loads is not None or self.costs is not None:
            if self.loads is None:
                raise InputError("the loads of such a system are kept by history=True alone")
            yield self.loads
            return
        drift = np.resize(np.array(self.system.drift, dtype=np.int64), steps)
        grown = np.concatenate(([0], np.cumsum(drift)))
        first, last = self.start_step, self.start_step + self.requests.decode
        size = self.requests.prefill - grown[first]  # a request's load less the growth so far
        by_first, by_last = np.argsort(first, kind="stable"), np.argsort(last, kind="stable")
        rows = max(1, BLOCK // G)
        held, base = np.zeros(G, dtype=np.int64), np.zeros(G, dtype=np.int64)
        for start in range(0, steps, rows):
            count = min(rows, steps - start)
            change = np.zeros((2, count, G), dtype=np.int64)
            for order, at, sign in ((by_first, first, 1), (by_last, last, -1)):
                ends = np.searchsorted(at[order], (start, start + count))
                part = order[slice(*ends)]
                where = (at[part] - start, self.worker[part])
                np.add.at(change[0], where, sign)
                np.add.at(change[1], where, sign * size[part])
            now = np.cumsum(change, axis=1)
            counts, bases = now[0] + held, now[1] + base
            held, base = counts[-1], bases[-1]
            yield bases + counts * grown[start : start + count, None]

    def facts(self) -> dict[str, Any]:
        """What the run cost, exact where it is counted; theorems speak of ``overloaded``."""
        return {
            "policy": self.policy,
            "workers": self.system.workers,
            "slots": self.system.slots,
            "requests": len(self.requests),
            "steps": self.total.steps,
            "imbalance_per_step": self.total.avg_imbalance,
            "idle_share": self.total.idle_share,
            "overloaded_steps": self.overloaded.steps,
            "overloaded_imbalance_per_step": self.overloaded.avg_imbalance,
            "overloaded_idle_share": self.overloaded.idle_share,
            "time_s": self.time_s,
            "output_tokens_per_s": self.throughput,
            "longest_wait_steps": int(self.waiting_steps.max(initial=0)),
            "unproved_imbalance": self.bound_gap,
        }

    def to_polars(self) -> "polars.DataFrame":
        """What became of each request, a row for each, in arrival order.

        Returns
        -------
        polars.DataFrame
            Columns ``policy``, ``request`` (from 0), ``prefill``, ``decode``, ``arrival_s`` (empty
            in a backlog), ``worker``, ``reveal_step``, ``start_step``, ``start_s``, ``finish_s``
            and ``preemptions``.
        """
        import polars

        requests, count = self.requests, len(self.requests)
        return polars.DataFrame(
            {
                "policy": polars.Series([self.policy] * count, dtype=polars.String),
                "request": np.arange(count),
                "prefill": requests.prefill,
                "decode": requests.decode,
                "arrival_s": polars.Series(
                    [None] * count if requests.arrival is None else requests.arrival,
                    dtype=polars.Float64,
                ),
                "worker": self.worker,
                "reveal_step": self.reveal_step,
                "start_step": self.start_step,
                "start_s": self.start_s,
                "finish_s": self.finish_s,
                "preemptions": (
                    np.zeros(count, np.int64) if self.preemptions is None else self.preemptions
                ),
            }
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The largest and the mean load of each step; between them workers wait."""
        ax = axes(ax)
        sides = [(block.max(axis=1), block.mean(axis=1)) for block in self.load_blocks()]
        top, mean = (np.concatenate(side) for side in zip(*sides, strict=True))
        step = np.arange(top.size)
        ax.fill_between(step, mean, top, color="0.85", label="idle")
        ax.plot(step, top, label="largest load")
        ax.plot(step, mean, label="mean load")
        ax.set_xlabel("step")
        ax.set_ylabel("load (tokens)")
        ax.set_title(
            f"{self.policy}, G = {self.system.workers}, B = {self.system.slots}: "
            f"idle {float(self.total.idle_share):.1%}"
        )
        ax.legend()
        return ax

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
