"""Whether a policy saves energy on a trace, beside a baseline: yes, no or cannot tell, and where.

The trace and :data:`DRAWS` other traces, drawn from it in blocks of consecutive requests
(:mod:`adversary.workloads.blocks`), are each served under all policies.  A saving is that on the
trace itself; its 95 % interval is Student's, from the spread of the savings of the draws.  Runs are
kept as sums that hold for every device, so that the same runs answer for other exponents and
waiting powers.

A backlog's decisions do not depend on how long a step takes, so that its sums hold for every ``C``
too.  With arrival times they do: the trace and its draws are then served again at each ``C``, and
the energy counts the fleet at ``P_idle`` between the steps, until the slowest policy has finished.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import product

import numpy as np
from scipy.special import stdtrit

from adversary.workloads.blocks import redrawn
from solvers.simulation.engine import simulate
from solvers.simulation.result import RunResult
from theory.model import IntArray, Requests, System
from theory.power import PowerModel
from theory.serving import ServingSystem

DRAWS = 8

# Requests of a draw: all of the trace up to this many, or this many rounds of all slots.
LARGEST_DRAW, ROUNDS = 5_000, 5

# With fewer requests there are too few blocks for an interval.
FEWEST = 100

# A saving below this, half a per cent, is none: the model of steps and power is coarser.
NEGLIGIBLE = 0.005

# A backlog that keeps a smaller share of the slots busy is mostly its own drain.
HALF_FULL = 0.5

# Where the answer is tried, beside the values that it is given for.
GAMMAS = (0.02, 0.1, 0.3, 0.7, 1.0)
WAITS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the way from P_idle to P_max
OVERHEADS = (0.0, 1.0, 3.0, 10.0)  # times C


class Answer(StrEnum):
    """Whether a policy saves."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "cannot tell"


@dataclass(frozen=True, slots=True)
class Saving:
    """A relative saving, ``1 - new/base``, with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, trace: float, draws: Sequence[float], shrink: float = 1.0) -> "Saving":
        """The saving on the trace, with the spread of the draws, at least two, times ``shrink``.

        Examples
        --------
        Student's 97.5 % quantile for two draws is 12.706, and their deviation 0.01.

        >>> found = Saving.of(0.5, [0.49, 0.49 + 2**0.5 / 100])
        >>> round(found.high - found.value, 4)
        0.1271
        """
        spread = float(np.std(draws, ddof=1)) if max(draws) > min(draws) else 0.0
        half = float(stdtrit(len(draws) - 1, 0.975)) * spread * shrink
        return cls(trace, trace - half, trace + half)

    @property
    def answer(self) -> Answer:
        """Yes if all of the interval is a saving, no if none of it is one that matters.

        >>> [str(Saving(0.0, *ends).answer) for ends in ((0.01, 0.1), (-0.1, 0.004), (-0.1, 0.1))]
        ['yes', 'no', 'cannot tell']
        """
        if self.high <= NEGLIGIBLE:
            return Answer.NO
        return Answer.YES if self.low > 0 else Answer.UNCLEAR


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run costs.

    Parameters
    ----------
    run : RunResult
        The run without what it holds of each request.
    time_per_token_s : float
        Mean over the requests.
    until_s : float or None
        With arrival times: until when the fleet is on.  The same for all policies that serve the
        same requests.
    """

    run: RunResult
    time_per_token_s: float
    until_s: float | None = None

    @classmethod
    def of(cls, run: RunResult) -> "Cost":
        """The cost of a run, without an end of its own."""
        mean = float(run.time_per_output_token_s.mean())
        no_ints, no_floats = np.empty(0, np.int64), np.empty(0)
        sums = replace(
            run,
            requests=Requests([], []),
            worker=no_ints,
            reveal_step=no_ints,
            start_step=no_ints,
            start_s=no_floats,
            finish_s=no_floats,
        )
        return cls(sums, mean)

    def gaps_s(self) -> float:
        """Seconds between the steps and after them, until the fleet goes off."""
        return 0.0 if self.until_s is None else max(0.0, self.until_s - self.run.steps_s)

    def energy_j(self, power: PowerModel) -> float:
        """Energy of all workers in joules, what they draw between the steps included."""
        idle_j = power.idle_w * self.run.system.workers * self.gaps_s()
        return self.run.energy_j(power) + idle_j

    def with_overhead(self, overhead_s: float) -> "Cost":
        """The cost of the same decisions with another ``C``; for backlogs."""
        system = replace(self.run.system, step_overhead_s=overhead_s)
        return replace(self, run=replace(self.run, system=system))


Costs = Mapping[str, Cost]


@dataclass(frozen=True, slots=True)
class Point:
    """The saving for one exponent, waiting power in watts, and multiple of ``C``."""

    gamma: float
    wait_w: float
    overhead: float
    saving: Saving

    @property
    def place(self) -> tuple[float, float, float]:
        """The three."""
        return self.gamma, self.wait_w, self.overhead


@dataclass(frozen=True)
class Trial:
    """Policies on one trace and on the traces drawn from it.

    Parameters
    ----------
    system : System
        What it runs on.
    requests : Requests
        The trace, at its arrival times or as a backlog.
    baseline, judged : str
        The two that the answer is about.
    pool : int or None
        As :func:`solvers.simulation.engine.simulate` takes it.
    seed : int
        Of the draws and of policies that sample.
    """

    system: System
    requests: Requests
    baseline: str
    judged: str
    pool: int | None = None
    seed: int = 0

    @property
    def timed(self) -> bool:
        """Whether the requests arrive one after the other."""
        return self.requests.arrival is not None

    @cached_property
    def drawn(self) -> int:
        """Requests of a draw."""
        return min(len(self.requests), max(LARGEST_DRAW, ROUNDS * self.system.capacity))

    @property
    def shrink(self) -> float:
        """How much less the whole trace varies than a draw that is shorter."""
        return float((self.drawn / len(self.requests)) ** 0.5)

    def traces(self) -> Iterator[Requests]:
        """The trace, then its draws."""
        yield self.requests
        for draw in range(DRAWS):
            yield redrawn(self.requests, self.drawn, self.seed * 10**6 + draw)

    def costs(
        self,
        policies: Sequence[str],
        gammas: Sequence[float],
        *,
        overhead_s: float | None = None,
        kept: Callable[[str, RunResult], None] | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[Costs]:
        """The costs of the policies on the trace and on each draw.

        ``kept`` is shown each run on the trace itself; ``progress`` is told how many requests have
        been served, of ``len(policies) * (len(requests) + DRAWS * drawn)``.
        """
        system, done = self.system, 0
        if overhead_s is not None:
            system = replace(system, step_overhead_s=overhead_s)
        found: list[Costs] = []
        for requests in self.traces():
            costs, end = {}, 0.0
            for name in policies:
                run = simulate(
                    system,
                    requests,
                    name,
                    pool=self.pool,
                    seed=self.seed,
                    gammas=gammas,
                    progress=lambda served, before=done: progress(before + served),  # type: ignore[misc]
                )
                done += len(requests)
                if kept is not None and requests is self.requests:
                    kept(name, run)
                costs[name], end = Cost.of(run), max(end, run.time_s)
            if self.timed:
                costs = {name: replace(cost, until_s=end) for name, cost in costs.items()}
            found.append(costs)
        return found

    def saving(
        self, costs: Sequence[Costs], of: Callable[[Cost], float], base: str, new: str
    ) -> Saving:
        """The saving of one policy against another."""
        trace, *draws = (1 - of(each[new]) / of(each[base]) for each in costs)
        return Saving.of(trace, draws, self.shrink)

    def energy_saving(
        self, costs: Sequence[Costs], power: PowerModel, base: str, new: str
    ) -> Saving:
        """The saving of energy, its interval that of all devices that are possible."""

        def on(device: PowerModel) -> Saving:
            return self.saving(costs, lambda cost: cost.energy_j(device), base, new)

        every = [on(device) for device in power.possible]
        return Saving(
            on(power).value, min(each.low for each in every), max(each.high for each in every)
        )

    def points(
        self,
        costs: Sequence[Costs],
        power: PowerModel,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[Point]:
        """The saving of energy over all combinations of exponents, waiting powers and ``C``.

        The costs need the sums for :func:`exponents`.
        """
        room = power.max_w - power.idle_w
        waits = {min(power.idle_w + share * room, power.max_w) for share in WAITS}
        found = []
        for at, factor in enumerate(OVERHEADS):
            at_this = self._with_overhead(costs, power, factor)
            for gamma, wait in product(exponents(power), sorted({*waits, power.barrier_w})):
                device = replace(power, gamma=gamma, wait_w=wait)
                saving = self.saving(
                    at_this, lambda cost, on=device: cost.energy_j(on), self.baseline, self.judged  # type: ignore[misc]
                )  # fmt: skip
                found.append(Point(gamma, wait, factor, saving))
            progress(at + 1)
        return found

    def _with_overhead(
        self, costs: Sequence[Costs], power: PowerModel, factor: float
    ) -> Sequence[Costs]:
        overhead_s = factor * self.system.step_overhead_s
        if factor == 1:
            return costs
        if self.timed:
            pair = (self.baseline, self.judged)
            return self.costs(pair, exponents(power), overhead_s=overhead_s)
        return [
            {name: cost.with_overhead(overhead_s) for name, cost in each.items()} for each in costs
        ]


def exponents(power: PowerModel) -> tuple[float, ...]:
    """The exponents that are tried for a device, in order, its own among them."""
    return tuple(sorted({*GAMMAS, power.gamma, *(device.gamma for device in power.possible)}))


def too_short(trial: Trial, run: RunResult) -> str | None:
    """Why a run is too short to judge by, if it is.

    Parameters
    ----------
    trial : Trial
        What was run.
    run : RunResult
        The baseline on the trace.
    """
    n, slots = len(trial.requests), trial.system.capacity
    if n < FEWEST:
        return f"the run is too short: {n} requests, and an interval needs {FEWEST}"
    busy = occupancy(run)
    if trial.timed or busy >= HALF_FULL:
        return None
    output = _steps(run.system, run.requests)
    enough = -(-slots * int(output.max()) * n // int(output.sum()))
    return (
        f"the run is too short: {n} requests fill {slots} slots so briefly that {1 - busy:.0%} of "
        f"them are empty in the average step; {max(n, enough)} requests or fewer slots would do"
    )


def occupancy(run: RunResult) -> float:
    """Share of slots that are busy in the average step."""
    steps = int(_steps(run.system, run.requests).sum())
    return steps / (run.total.steps * run.system.capacity)


def _steps(system: System, requests: Requests) -> IntArray:
    """Steps that each request is served: one for each output token in the model."""
    found: IntArray = -(-requests.decode // ServingSystem.of(system).tokens_per_step)
    return found
