"""The policies side by side: the regret of their steps, and what their runs cost.

The regret of a step is its imbalance less the least one possible for the same loads, free slots
and pool.  It is enclosed: the least one lies between a certified lower bound and the best
admission found.
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adversary.instances.space import Space
from adversary.workloads.families import workload
from adversary.worst_case.exhaustive import enumerated_slowly
from adversary.worst_case.objectives import average_imbalance
from evenkeel.report.summary import number
from evenkeel.studies.run_summary import exponents, flat_summary, percent
from evenkeel.studies.study import Column, Row, tabulated
from solvers.policies.protocol import DECLARED, Policy, Rule, StepView
from solvers.policies.registry import POLICIES, policy
from solvers.simulation.engine import simulate
from solvers.step.fast.solve import solve_step
from solvers.step.problem import Assignment
from theory.model import System, imbalance
from theory.power import PowerModel

# The class in which every policy's worst backlog is looked for, exactly.
SMALL = Space(workers=2, slots=2, requests=5, size_max=4, pool=5)


# What engines do with admissions, whatever chooses the worker: a property of the system here.
SYSTEM_RULES = {
    "--system admit_every=N": (
        "Admits at every N-th step alone, the same on all workers.",
        Rule(
            "vLLM since June 2026, --prefill-schedule-interval",
            "vllm-project/vllm, pull request 44558; from a description",
            "step modulo N = 0; vLLM suspends it while a step leaves requests waiting, which is"
            " not modelled",
        ),
    ),
    "--system hold=N": (
        "Holds admissions back until every worker with a free slot can have one.",
        Rule(
            "SGLang 2026, PrefillDelayer; likewise TensorRT-LLM's wait for all ranks",
            "sgl-project/sglang, pull requests 23588 and 31835; from a description",
            "some worker with a free slot would get none, and fewer than N steps in a row were"
            " held; their other triggers are not modelled",
        ),
    ),
    "--system kv_budget=N": (
        "Preempts the request that a worker admitted last when it outgrows its budget.",
        Rule(
            "vLLM, preemption by recomputation",
            "from a description",
            "tokens of the worker > N after a step; the request waits again with its tokens, and"
            " computing them again costs nothing here",
        ),
    ),
    "--system reserve=N": (
        "Sets growth aside at admission, so that nothing is preempted.",
        Rule(
            "TensorRT-LLM, GUARANTEED_NO_EVICT",
            "from a description",
            "admitted where the sizes and N tokens for each request fit the budget",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One policy on one workload.

    Parameters
    ----------
    policy : str
        Its name.
    text : str
        What it does, in a sentence.
    steps : int
        Steps at which it decided, all seeds together.
    regret : pair of Fraction
        Mean regret of these steps in tokens: at least, and at most.
    imbalance : Fraction
        Mean imbalance of these steps in tokens.
    optimal : pair of Fraction
        Share of the steps that are optimal: at least, and at most.
    idle_share : float or None
        Of the steps before the first that left a slot empty; None without such steps.
    energy_j : float
        Of the whole runs, all workers.
    energies_j : tuple of float
        The same for each device that is possible.
    longest_wait : int
        In steps.
    worst : Fraction
        The largest average imbalance in the class :data:`SMALL`, all of which is looked at.
    worst_backlog : tuple of tuple of int
        Sizes and output lengths of the first backlog that reaches it.
    """

    policy: str
    text: str
    steps: int
    regret: tuple[Fraction, Fraction]
    imbalance: Fraction
    optimal: tuple[Fraction, Fraction]
    idle_share: float | None
    energy_j: float
    energies_j: tuple[float, ...]
    longest_wait: int
    worst: Fraction
    worst_backlog: tuple[tuple[int, ...], tuple[int, ...]]


class Regretful:
    """A policy whose every admission is compared with a best one of the same step.

    Beside its ``steps`` and their ``imbalance`` it sums what they lose, which lies between
    ``least`` and ``most``, and counts the optimal ones: ``surely`` at least, ``perhaps`` at most.
    """

    def __init__(self, inner: Policy) -> None:
        self.inner = inner
        self.name = inner.name
        self.steps = self.imbalance = self.least = self.most = 0
        self.surely = self.perhaps = 0
        for attribute in ("horizon", "predictor", "sees_in_flight", "work_conserving"):
            if hasattr(inner, attribute):
                setattr(self, attribute, getattr(inner, attribute))

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        problem, assignment = view.problem, self.inner.admit(view)
        best = solve_step(problem)
        now = imbalance(problem.loads_after(assignment))
        # One that leaves a slot empty may be better than the best of those that fill all.
        found, bound = min(now, best.imbalance), min(now, best.lower_bound)
        self.steps += 1
        self.imbalance += now
        self.least += now - found
        self.most += now - bound
        self.surely += now == bound
        self.perhaps += now == found
        return assignment


def what(name: str) -> str:
    """What a policy does: the first paragraph of its docstring, on one line.

    >>> what("bfio:horizon=20") == what("bfio")
    True
    """
    known = POLICIES.get(name.partition(":")[0])
    text = inspect.getdoc(known or policy(name)) or ""
    return " ".join(text.partition("\n\n")[0].split())


def rule_of(name: str) -> Rule | None:
    """The rule of a serving engine that a policy is, with its version and source.

    >>> rule_of("vllm_dp").formula
    '4 waiting + running; lowest index on ties'
    >>> rule_of("fcfs")
    """
    known = POLICIES.get(name.partition(":")[0])
    return None if known is None else DECLARED[known].rule


def worst(name: str) -> tuple[Fraction, tuple[tuple[int, ...], tuple[int, ...]]]:
    """The largest average imbalance of a policy in the class :data:`SMALL`, and where it is."""
    objective = average_imbalance(lambda: policy(name))
    *_, tally = enumerated_slowly(SMALL, objective)
    half = SMALL.requests
    return Fraction(tally.value or 0), (tally.vector[:half], tally.vector[half:])


def perform(
    name: str, family: str, system: System, power: PowerModel, rounds: int, seed: int
) -> Row:
    """The row of one policy and one seed: sums over its steps, and the numbers of its run."""
    requests = workload(family, rounds * system.capacity, seed)
    regret = Regretful(policy(name, seed))
    run = simulate(system, requests, regret, seed=seed, gammas=exponents(power))
    sums = ("steps", "imbalance", "least", "most", "surely", "perhaps")
    energies = [run.energy_j(device) for device in power.possible]
    return (
        flat_summary(run, power)
        | {"energies_j": energies}
        | {key: getattr(regret, key) for key in sums}
    )


def rosetta(
    names: Sequence[str],
    family: str,
    system: System,
    power: PowerModel,
    *,
    rounds: int = 24,
    seeds: Sequence[int] = (0, 1, 2),
) -> Iterator[Entry]:
    """Every policy on the same requests, one after the other.

    Parameters
    ----------
    names : sequence of str
        As :func:`solvers.policies.registry.policy` takes them.
    family : str
        Workload family, with its own output lengths.
    system : System
        What to run on.
    power : PowerModel
        Device of every worker.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    seeds : sequence of int
        Of the workloads.

    Raises
    ------
    InputError
        If a name is not known; nothing has run then.
    """
    for name in names:
        policy(name)
    for name in names:
        yield _entry(name, [perform(name, family, system, power, rounds, seed) for seed in seeds])


def _entry(name: str, runs: Sequence[Row]) -> Entry:
    def total(key: str) -> Any:
        return sum(run[key] for run in runs)

    def mean(key: str) -> Fraction:
        return Fraction(total(key), total("steps"))

    idle, busy = total("overloaded_imbalance"), total("overloaded_work")
    return Entry(
        name,
        what(name),
        total("steps"),
        (mean("least"), mean("most")),
        mean("imbalance"),
        (mean("surely"), mean("perhaps")),
        idle / (idle + busy) if busy else None,
        total("energy_j"),
        tuple(map(sum, zip(*(run["energies_j"] for run in runs), strict=True))),
        max(run["waiting_max_steps"] for run in runs),
        *worst(name),
    )


def side_by_side(entries: Sequence[Entry]) -> str:
    """A line for each policy; energy is compared with that of the first."""
    first = entries[0]

    def span(entry: Entry) -> str:
        if entry is first:
            return ""
        pairs = zip(entry.energies_j, first.energies_j, strict=True)
        saved = [round(100 * (1 - new / base), 1) + 0 for new, base in pairs]
        return f"{min(saved):+.1f} to {max(saved):+.1f} %"

    uncertain = [("over what is uncertain", span)] if len(first.energies_j) > 1 else []
    columns: list[Column[Entry]] = [
        ("policy", lambda e: e.policy),
        ("regret a step", lambda e: _between(*map(float, e.regret))),
        ("imbalance", lambda e: f"{float(e.imbalance):.0f}"),
        ("optimal %", lambda e: _between(*(100 * float(x) for x in e.optimal))),
        ("idle*", lambda e: percent(e.idle_share)),
        ("energy kJ", lambda e: f"{e.energy_j * 1e-3:.1f}"),
        (
            f"saved over {first.policy}",
            lambda e: f"{100 * (1 - e.energy_j / first.energy_j):+.1f} %",
        ),
        *uncertain,
        ("longest wait", lambda e: f"{e.longest_wait}"),
        ("worst†", lambda e: number(str(e.worst))),
    ]
    return tabulated(columns, entries)


def _between(low: float, high: float) -> str:
    """An enclosure, or one number where both ends read alike."""
    ends = f"{low:.1f}", f"{high:.1f}"
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
