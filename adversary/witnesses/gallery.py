"""The gallery: witnesses that refute a statement or attain a bound, stored to be replayed.

A witness is one JSON file: the claim it speaks about, where it comes from, the instance, and what
replaying it must give, all in integers and fraction strings.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import KINDS, Situation, situation
from solvers.policies.exact_bfio import ExactBFIO
from solvers.policies.registry import refuse_foreign
from solvers.schedule.average import best_average
from solvers.schedule.problem import OfflineProblem, Schedule
from solvers.schedule.solve import solve_offline
from solvers.simulation.reference import simulate_reference
from solvers.simulation.result import Totals
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import WAITS, StepProblem
from theory.budget import BY_PYTHON, about, afford, power
from theory.content import printable
from theory.files import read, written_whole
from theory.model import InputError, IntArray, Requests, System, imbalance

# Names of clairvoyant schedules where a policy or a baseline is named: of the backlog, sticky and
# work conserving, the one of least average imbalance, and the one that takes least time.
OPTIMUM = "optimum"
FASTEST = "fastest"

GALLERY = Path(__file__).parent / "stored"


@dataclass(frozen=True, slots=True)
class Witness:
    """An instance that decides something about a claim.

    Parameters
    ----------
    name : str
        A few words joined by hyphens; the name of its file.
    claim : str or None
        Label of the claim; None if it is the worst of a class and nothing was claimed of it.
    text : str
        What it shows, in a sentence.
    provenance : str
        Who found it: a source, or the search with its class, method and seed.
    instance : Instance, StepProblem or Situation
        A run, an admission step, or what breaks a rule of both.  Where a run has arrival times or
        an overhead, its times are in units of ``t_l``.
    assignment : tuple of int, optional
        For a step: the assignment to look at; the lexicographic optimum by default.
    expected : mapping
        What :func:`replay_witness` must return, JSON-ready.
    """

    name: str
    claim: str | None
    text: str
    provenance: str
    instance: Instance | StepProblem | Situation
    expected: Mapping[str, Any]
    assignment: tuple[int, ...] | None = None


_Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class _Run(msgspec.Struct, forbid_unknown_fields=True):
    """A run in a file; its times are in units of ``t_l``."""

    workers: _Count
    slots: _Count
    drift: tuple[int, ...]
    pool: _Count
    prefill: list[int]
    decode: list[int]
    arrival: list[float] | None = None
    overhead: int = 0


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    """An admission step in a file."""

    loads: list[int]
    free: list[int]
    pool: list[int]


class _Stored(msgspec.Struct):
    """A witness in a file; a situation stands under the name of its kind."""

    claim: str | None
    text: str
    provenance: str
    expected: dict[str, Any]
    assignment: tuple[int, ...] | None = None
    run: _Run | None = None
    step: _Step | None = None


def gallery(folder: Path = GALLERY, allowed: Collection[str] = ()) -> tuple[Witness, ...]:
    """All witnesses of a folder, by name; ``allowed`` as for :func:`read_witness`.

    Raises
    ------
    InputError
        If a file is not a witness; the message names it.
    """
    return tuple(read_witness(path, allowed) for path in sorted(folder.glob("*.json")))


def replay_witness(witness: Witness) -> dict[str, Any]:
    """Recompute what a witness shows, from its instance alone.

    Returns
    -------
    dict
        For a step: ``loads`` after admission, their ``imbalance`` and ``gap`` (largest minus
        smallest), the ``optimum`` imbalance and the ``largest_size`` of the pool.  For a run:
        by policy named in the expectation, ``avg_imbalance`` (a fraction), ``steps`` and ``work``
        of the whole run, and the largest imbalance and gap of a step of its overloaded part, from
        the reference engine; ``bfio_exact`` solves every step exactly, and ``optimum`` and
        ``fastest`` are the schedules of the backlog that know all lengths.  A run with arrival
        times or an overhead has its ``time``, too, in units of ``t_l``.  Else what the situation
        says.
    """
    if isinstance(witness.instance, Situation):
        return witness.instance.replay()
    if isinstance(witness.instance, StepProblem):
        return _replay_step(witness.instance, witness.assignment)
    return {policy: _replay_run(witness.instance, policy) for policy in witness.expected}


def read_witness(path: Path, allowed: Collection[str] = ()) -> Witness:
    """Read one witness.

    Parameters
    ----------
    path : Path
        Its file.
    allowed : collection of str
        Policies that it may name beside those that are built in: to replay it is to run them.

    Raises
    ------
    InputError
        If the file is not JSON, lacks a field, holds an impossible instance or one that would
        take too long to replay, or names a policy that it may not.
    """
    try:
        stored, fields = read(path, _Stored), read(path, dict[str, Any])
    except InputError as error:
        raise InputError(str(error).replace(f"{path}: ", f"{path}: not a witness: ", 1)) from None
    try:
        for text in (
            path.stem,
            stored.claim or "",
            stored.text,
            stored.provenance,
            *stored.expected,
        ):
            if printable(text, len(text)) != text:
                raise InputError(f"a text has characters that steer a terminal: {printable(text)}")
        instance = _instance_of(stored, fields)
        witness = Witness(
            path.stem,
            stored.claim,
            stored.text,
            stored.provenance,
            instance,
            stored.expected,
            stored.assignment,
        )
        if isinstance(instance, Instance):
            for policy in stored.expected:
                if policy not in (OPTIMUM, FASTEST, ExactBFIO.name):
                    refuse_foreign(policy, allowed)
            affordable(instance, stored.expected)
        if isinstance(instance, StepProblem) and stored.assignment is not None:
            instance.validate(np.array(stored.assignment, dtype=np.int64))
        return witness
    except InputError as error:
        raise InputError(f"{path}: not a witness: {error}") from None
    except (TypeError, AttributeError, OverflowError):
        raise InputError(f"{path}: not a witness: a field has the wrong type") from None


def affordable(run: Instance, policies: Collection[str]) -> None:
    """Refuse a run that would take too long to replay in plain Python.

    Raises
    ------
    InputError
        If it would.
    """
    count, workers = len(run.requests), run.system.workers
    tokens = sum(run.requests.decode.tolist())
    # Nobody waits beside a free slot, so that a run ends soon after its longest request.
    steps = tokens // run.system.capacity + max(run.requests.decode.tolist(), default=0)
    instead = "use shorter lengths, fewer requests or fewer workers"
    afford(
        f"a run of {about(steps)} steps with {count:,} requests on {workers:,} workers",
        instead,
        memory=8 * steps * (count + workers),
        steps=BY_PYTHON * steps * (count + workers) * max(1, len(policies)),
    )
    waiting = min(run.pool, count)
    if ExactBFIO.name in policies:
        afford(
            f"trying all assignments of {waiting:,} requests in {about(steps)} steps",
            instead,
            steps=steps * power(workers + 1, waiting),
        )


def write_witness(witness: Witness, folder: Path = GALLERY) -> Path:
    """Write a witness to ``<folder>/<name>.json``, whole or not at all; returns the path."""
    data: dict[str, Any] = {
        "claim": witness.claim,
        "text": witness.text,
        "provenance": witness.provenance,
    }
    if isinstance(witness.instance, Situation):
        data[witness.instance.kind] = witness.instance.data()
    elif isinstance(witness.instance, StepProblem):
        step = witness.instance
        data["step"] = {k: getattr(step, k).tolist() for k in ("loads", "free", "pool")}
        if witness.assignment is not None:
            data["assignment"] = list(witness.assignment)
    else:
        run = witness.instance
        data["run"] = {
            "workers": run.system.workers,
            "slots": run.system.slots,
            "drift": list(run.system.drift),
            "pool": run.pool,
            "prefill": run.requests.prefill.tolist(),
            "decode": run.requests.decode.tolist(),
        }
        if run.requests.arrival is not None:
            data["run"]["arrival"] = run.requests.arrival.tolist()
        if run.system.step_overhead_s:
            data["run"]["overhead"] = int(run.system.step_overhead_s)
    data["expected"] = dict(witness.expected)
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in data.items()]
    path = folder / f"{witness.name}.json"
    with written_whole(path) as scratch:
        scratch.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def trajectory(run: Instance, policy: str) -> tuple[Totals, IntArray, list[list[int]]]:
    """Step by step what a run does under a policy, or a clairvoyant schedule of that name.

    Returns
    -------
    totals : Totals
        Of the whole run.
    place : int64[K, N]
        Worker of each request at each step, -1 where it is not served.
    loads : list of K lists of G int
        Loads of the workers at each step.
    """
    system, requests = run.system, run.requests
    if policy in (OPTIMUM, FASTEST):
        best = _clairvoyant(run, policy)
        active = best.place >= 0
        load = requests.prefill + system.drift[0] * (active.cumsum(axis=0) - 1)
        every = [
            [int(now[here == g].sum()) for g in range(system.workers)]
            for now, here in zip(load, best.place, strict=True)
        ]
        return best.totals, best.place, every
    chosen = ExactBFIO() if policy == ExactBFIO.name else policy
    pool = None if requests.arrival is not None else run.pool
    result = simulate_reference(system, requests, chosen, pool=pool, history=True)
    assert result.loads is not None
    step = np.arange(result.total.steps)[:, np.newaxis]
    active = (result.start_step <= step) & (step < result.start_step + requests.decode)
    return result.total, np.where(active, result.worker, WAITS), result.loads.tolist()


def _instance_of(stored: _Stored, data: Mapping[str, Any]) -> Instance | StepProblem | Situation:
    if stored.run is not None:
        return _instance(stored.run)
    for kind in KINDS:
        if kind in data:
            return situation(kind, data[kind])
    if stored.step is None:
        raise InputError(f"one of the fields run, step, {', '.join(KINDS)} is missing")
    return StepProblem(stored.step.loads, stored.step.free, stored.step.pool)


def _instance(run: _Run) -> Instance:
    shape = run.workers, run.slots, run.drift
    timed = run.arrival is not None or run.overhead
    return Instance(
        System(*shape, float(run.overhead), 1.0) if timed else System(*shape),
        Requests(run.prefill, run.decode, run.arrival),
        run.pool,
    )


def _is_timed(run: Instance) -> bool:
    """Whether a run is in units of ``t_l``: it has arrival times or an overhead."""
    return run.requests.arrival is not None or bool(run.system.step_overhead_s)


def _clairvoyant(run: Instance, name: str) -> Schedule:
    """The schedule of that name of the run's requests, taken as a backlog."""
    backlog = Requests(run.requests.prefill, run.requests.decode)
    if name == OPTIMUM:
        return best_average(OfflineProblem(run.system, backlog, work_conserving=True))
    overhead = int(run.system.step_overhead_s)
    return solve_offline(
        OfflineProblem(run.system, backlog, work_conserving=True, step_cost=overhead)
    )


def _replay_step(problem: StepProblem, assignment: tuple[int, ...] | None) -> dict[str, Any]:
    optimum = exact_step(problem)
    chosen = optimum if assignment is None else np.array(assignment, dtype=np.int64)
    problem.validate(chosen)
    after = problem.loads_after(chosen)
    return {
        "loads": after.tolist(),
        "imbalance": problem.objective(chosen),
        "optimum": problem.objective(optimum),
        "gap": int(after.max() - after.min()),
        "largest_size": int(problem.pool.max()) if problem.pool.size else 0,
    }


def _replay_run(run: Instance, name: str) -> dict[str, Any]:
    policy = ExactBFIO() if name == ExactBFIO.name else name
    if name in (OPTIMUM, FASTEST):
        best = _clairvoyant(run, name)
        time = {"time": str(best.cost)} if name == FASTEST else {}
        return _totals_of(best.totals) | time
    pool = None if run.requests.arrival is not None else run.pool
    result = simulate_reference(run.system, run.requests, policy, pool=pool, history=True)
    assert result.loads is not None
    full = result.loads[: result.overloaded.steps].tolist()
    return (
        _totals_of(result.total)
        | {
            "overloaded_imbalance": max(map(imbalance, full), default=0),
            "overloaded_gap": max((max(loads) - min(loads) for loads in full), default=0),
        }
        | ({"time": str(Fraction(result.time_s))} if _is_timed(run) else {})
    )


def _totals_of(totals: Totals) -> dict[str, Any]:
    average = str(Fraction(totals.avg_imbalance))
    return {"avg_imbalance": average, "steps": totals.steps, "work": totals.work}
