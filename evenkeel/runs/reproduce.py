"""Runs of many checks, in parallel and resumable.

All randomness of a check derives from its parameters and seed, so that the records depend neither
on the executor nor on the order in which checks end.
"""

import platform
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from evenkeel.findings.check import Budget, Check, Finding, Verdict
from evenkeel.findings.headline import Record
from evenkeel.output import to_json, write_text
from evenkeel.runs.executors import completed, simulator
from evenkeel.runs.records import RecordFile, record
from evenkeel.runs.sources import code_digest
from evenkeel.theorems.registry import Claim, claim_of, claims
from solvers.simulation.engine import simulate
from theory.model import InputError, Requests, System
from theory.own import OwnError
from theory.proof import Status, vouched

# So many checks may all do without what most need, which takes longer to load than they take.
FEW = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One check to run: its claim's label, budget and seed, and a policy in place of its own.

    ``named`` says where a process that has not met the claim finds it, if not by its label.
    """

    label: str
    budget: Budget
    seed: int
    policy: str | None = None
    named: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run yields: its records in the order of the claims, and seconds by claim."""

    records: list[Record]
    seconds: dict[str, float]


@cache
def versions() -> dict[str, str]:
    """Versions of everything that a verdict can depend on."""
    packages = ("evenkeel", "numpy", "numba", "scipy", "sympy", "python-flint", "highspy", "pulp")
    numbers = {name: version(name) for name in packages}
    return {"python": platform.python_version(), **numbers, "code": code_digest()[:16]}


def unchecked(claim: Claim) -> Finding:
    """The finding of a claim without a check; it never counts for or against anything."""
    why = "no check" if claim.recovered else "not recovered from the paper"
    return Finding(verdict=Verdict.NOT_CHECKED, domain=f"{why}: {claim.evidence}")


def perform(job: Job) -> tuple[Record, float]:
    """Run one check and its planted false variants; returns its record and the seconds spent.

    A check that raises :class:`InputError` is inconclusive, with the message as its domain; one of
    one's own that fails ends the run.
    """
    started = time.perf_counter()
    claim = _claim(job)
    check = claim.check
    if check is None:
        empty = Check(job.label, lambda trial: unchecked(claim), {}, {}, ())
        trial = empty.trial(job.budget, job.seed)
        return record(empty, trial, empty.run(trial), None, versions()), 0.0
    trial = check.trial(job.budget, job.seed, policy=job.policy)
    try:
        finding = check.hold(trial)
    except OwnError:
        raise
    except InputError as error:
        finding = Finding(verdict=Verdict.INCONCLUSIVE, domain=f"could not run: {error}")
    # Power is a property of the check, measured at the smallest budget whatever this one is.
    power = check.power(Budget.SMOKE, job.seed)
    entry = record(check, trial, finding, power, versions())
    return entry, time.perf_counter() - started


def ready(checks: int) -> None:
    """Load what so many checks need, once for all of them; of a few each loads what it needs."""
    claims()
    if checks > FEW:
        for name in ("scipy.optimize", "scipy.special", "sympy"):
            import_module(name)
        simulator()


def together(jobs: tuple[Job, ...]) -> list[tuple[Record, float, list[Status]]]:
    """Run several checks in one process, where a simulation that they share is done once.

    With each record and time come the statuses of the proof's steps, which a report shows.
    """
    return [(*perform(job), [step.status for step in _claim(job).steps]) for job in jobs]


def _claim(job: Job) -> Claim:
    return claim_of(job.named or job.label)


def _shares(job: Job) -> str:
    check = _claim(job).check
    return check.shares if check else ""


def _grouped(jobs: Iterable[Job]) -> list[tuple[Job, ...]]:
    """The jobs by what their checks share, as they say or as claims of one module do.

    The largest groups come first, they take longest; costly runs that are shared by name come after
    some of them, when what they run is compiled.
    """
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        claim, shares = _claim(job), _shares(job)
        groups.setdefault((shares, "" if shares else claim.module), []).append(job)
    order = sorted(groups, key=lambda key: -len(groups[key]))
    others = [key for key in order if not key[0]]
    shared = [key for key in order if key[0]]
    for number, key in enumerate(shared):
        others.insert((2 * number + 1) * len(others) // (4 * len(shared)), key)
    return [tuple(groups[key]) for key in others]


# Policies whose runs need most of what the costly shared runs have to have compiled.
COMPILED_FIRST = ("bfio", "bfio:horizon=2")


def compile_for(policy: str) -> None:
    """Have what a run of a policy needs compiled, by a run of three requests."""
    simulate(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), policy, pool=2)


def run(
    labels: Iterable[str],
    out: Path,
    pool: Executor,
    *,
    budget: Budget = Budget.SMOKE,
    seed: int = 0,
    resume: bool = False,
    done: Callable[[int, str], None] | None = None,
) -> Run:
    """Check the claims of these labels and keep the records in ``out``.

    Parameters
    ----------
    labels : iterable of str
        Claims to check.
    out : Path
        Folder of the run; ``records.jsonl`` and ``timings.jsonl`` are written there.
    pool : Executor
        Where the checks run; only this process writes.
    budget, seed : Budget, int
        As for one check.
    resume : bool
        Keep the records that an interrupted run left, and check only what is missing, or was
        found by other code or other versions.
    done : callable, optional
        Called with the number of finished checks and the label of the last one.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    file = RecordFile(out / "records.jsonl", resume=resume)
    wanted = [Job(label, budget, seed, named=claim_of(label).named) for label in labels]
    known = {
        (e["claim"], e["budget"], e["seed"])
        for e in file.entries.values()
        if e["versions"] == versions()
    }
    todo = [job for job in wanted if (job.label, job.budget.value, job.seed) not in known]
    seconds: dict[str, float] = {}
    finished = len(wanted) - len(todo)
    # By a process that does nothing else: compiling takes more memory than the runs themselves.
    policies = COMPILED_FIRST if any(map(_shares, todo)) else ()
    first = [pool.submit(compile_for, policy) for policy in policies]
    for jobs, results in completed(pool, together, _grouped(todo)):
        for job, (entry, spent, statuses) in zip(jobs, results, strict=True):
            vouched(_claim(job).steps, statuses)
            file.append(entry)
            seconds[job.label] = spent
            finished += 1
            if done:
                done(finished, job.label)
    for compiled in first:
        compiled.result()
    order = {label: number for number, label in enumerate(claims())}
    asked = {(job.label, job.budget.value, job.seed) for job in wanted}
    entries = [
        entry
        for entry in file.finish(order)
        if (entry["claim"], entry["budget"], entry["seed"]) in asked
    ]
    lines = [to_json({"claim": label, "seconds": round(seconds[label], 3)}) for label in seconds]
    write_text(out / "timings.jsonl", "".join(line + "\n" for line in lines))
    return Run(entries, seconds)
