"""The paper's experiments under several policies, beside the numbers that the paper reports.

Every cell is one run: a policy on the requests of one seed, the same for all policies.  Gains are
against FCFS, seed by seed, so that their intervals are those of paired differences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from adversary.paired_runs import (
    DEVICE,
    E2,
    E3,
    HORIZONS,
    INFLOW,
    MESH,
    PARTICLES,
    Ends,
    Setting,
    Spread,
    Stretch,
    at_departure,
    log10_imbalance_ratio,
    play,
    saving,
    throughput_gain,
    time_per_token_drop,
)
from evenkeel.output import to_json
from evenkeel.studies.study import Column, Estimate, Row, digest, grouped, plus_minus, tabulated
from evenkeel.studies.trace_draws import Source
from solvers.policies.registry import policy as policy_of
from theory.budget import about, afford, affordable_requests
from theory.model import InputError
from theory.power import PowerModel
from theory.reported import REPORTED

if TYPE_CHECKING:
    import polars

# Part of a run's identity: a change of what a row holds, or of how it is drawn, raises it.
SCHEMA = 2

BASELINE = "fcfs"

# In fewer rounds of all slots the last admission comes before the second generation of requests is
# done.  The paper's E3 has 4.3 of them.
ROUNDS = 3

# The three measurements of adversary.paired_runs.
ENDS = ("window", "at_departure", "completed")


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment: its setting, and the horizon in steps of the policies that look ahead."""

    name: str
    what: str
    setting: Setting
    horizon: int

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that are compared unless others are asked for, the baseline first."""
        ahead = f":horizon={self.horizon}"
        return BASELINE, "jsq", "round_robin", "br0", f"brh{ahead}", "bfio", f"bfio{ahead}"


EXPERIMENTS: Mapping[str, tuple[Experiment, ...]] = {
    "E2": (Experiment("E2", "BurstGPT-like lengths (v1)", E2, HORIZONS["E2"]),),
    "E3": (Experiment("E3", "LongBench-like lengths (v2)", E3, HORIZONS["E3"]),),
    "bsp": (
        Experiment("bsp-mesh", "mesh patches of constant size", MESH, 20),
        Experiment("bsp-particles", "particle domains of constant size", PARTICLES, 20),
        Experiment("bsp-inflow", "particle domains that grow by 0 to 60", INFLOW, 20),
    ),
}


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, or of groups of them, in the order given.

    Raises
    ------
    InputError
        If there is none of a name.

    >>> [one.name for one in chosen(["bsp-mesh", "E2"])]
    ['bsp-mesh', 'E2']
    """
    single = {one.name: (one,) for group in EXPERIMENTS.values() for one in group}
    known = {**EXPERIMENTS, **single}
    for name in names:
        if name not in known:
            raise InputError(f"unknown experiment {name!r}; known: {', '.join(known)}")
    return list(dict.fromkeys(one for name in names for one in known[name]))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an experiment.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    setting : Setting
        Where the lengths come from a file, ``workload`` is its name and the digest of its lengths.
    policy : str
        As :func:`solvers.policies.registry.policy` takes it.
    seed : int
        Of the requests and of the policy.
    trace : Source or None
        File of lengths to draw from, instead of a workload family.
    power : PowerModel
        Device of every worker, the paper's by default.
    """

    experiment: str
    setting: Setting
    policy: str
    seed: int
    trace: Source | None = None
    power: PowerModel = DEVICE

    @property
    def name(self) -> str:
        """File name of the run, from all that its row depends on."""
        what = {"schema": SCHEMA, **asdict(self.setting), "experiment": self.experiment}
        what["device"] = asdict(self.power)
        return digest([what, self.policy, self.seed])[:20]

    @property
    def drawn_from(self) -> str:
        """No family of one's own."""
        return ""


def runs_of(
    experiment: Experiment,
    seeds: int,
    *,
    policies: Sequence[str] = (),
    requests: int | None = None,
    trace: Source | None = None,
    power: PowerModel = DEVICE,
) -> list[Run]:
    """The runs of an experiment, checked before the first of them starts.

    Parameters
    ----------
    experiment : Experiment
        Which.
    seeds : int
        How many, at least 2: one has no interval.
    policies : sequence of str
        The experiment's own by default; the baseline is always among them.
    requests : int, optional
        Another number of requests, more than there are slots.
    trace : Source, optional
        File whose rows the lengths are drawn from, with replacement; arrival times play no role.
    power : PowerModel
        Device of every worker, the paper's by default.

    Raises
    ------
    InputError
        If a policy or the file is no good, or a number is too small.
    """
    if seeds < 2:
        raise InputError(f"an interval needs at least two seeds, got {seeds}")
    setting = experiment.setting
    if requests is not None:
        if requests <= setting.system.capacity:
            raise InputError(
                f"{experiment.name} needs more requests than its {setting.system.capacity} slots, "
                f"got {requests}"
            )
        setting = replace(setting, requests=requests)
    if trace is not None:
        setting = replace(setting, workload=trace.label, parameters=())
    names = list(dict.fromkeys((BASELINE, *(policies or experiment.policies))))
    afford(
        f"{experiment.name} with {about(seeds)} seeds of {len(names)} policies",
        "use fewer seeds",
        entries=seeds * len(names),
    )
    affordable_requests(setting.requests)
    for name in names:
        policy_of(name)
    return [
        Run(experiment.name, setting, name, seed, trace, power)
        for seed in range(seeds)
        for name in names
    ]


def perform(run: Run) -> Row:
    """The row of a run: what it was, and the three measurements of it."""
    setting = run.setting
    if run.trace is None:
        requests = setting.draw(run.seed)
    else:
        requests = run.trace.draw(setting.requests, run.seed)
    result = play(setting, requests, run.policy, run.seed)
    ends = Ends.of(result, run.power)
    measured = (ends.window, at_departure(result, ends.window, run.power), ends.completed)
    row = {"experiment": run.experiment, "policy": run.policy, "seed": run.seed, **asdict(setting)}
    row |= {key: to_json(row[key]) for key in ("parameters", "drift")}
    row["overhead_s"] = setting.system.step_overhead_s
    for end, part in zip(ENDS, measured, strict=True):
        for key, value in asdict(part).items():
            spread = value if isinstance(value, dict) else {"": value}
            row |= {f"{end}_{key}_{which}".rstrip("_"): number for which, number in spread.items()}
        row |= {f"{end}_idle_share": part.idle_share, f"{end}_throughput": part.throughput}
    return row


def _stretch(row: Mapping[str, Any], end: str) -> Stretch:
    """The measurement that a row holds."""

    def spread(key: str) -> Spread:
        return Spread(
            *(row[f"{end}_{key}_{which}"] for which in ("mean", "median", "p99", "largest"))
        )

    sums = {
        key: row[f"{end}_{key}"]
        for key in ("steps", "work", "imbalance", "time_s", "energy_j", "tokens")
    }
    sums["energies_j"] = tuple(row[f"{end}_energies_j"])
    return Stretch(**sums, time_per_token_s=spread("time_per_token_s"), wait=spread("wait"))


# Against the baseline: the imbalance is divided by, the others are relative changes.
CHANGES: Mapping[str, Callable[[Stretch, Stretch], float]] = {
    "imbalance": log10_imbalance_ratio,
    "throughput": throughput_gain,
    "time per token": lambda base, new: -time_per_token_drop(base, new),
    "energy": lambda base, new: -saving(base, new),
}

# By themselves; waits are in steps.
LEVELS: Mapping[str, Callable[[Stretch], float]] = {
    "idle share": lambda part: part.idle_share,
    "throughput, tokens/s": lambda part: part.throughput,
    "energy, kJ": lambda part: part.energy_j * 1e-3,
    "time per token, mean, ms": lambda part: part.time_per_token_s.mean * 1e3,
    "time per token, p99, ms": lambda part: part.time_per_token_s.p99 * 1e3,
    "wait, mean": lambda part: part.wait.mean,
    "wait, p99": lambda part: part.wait.p99,
    "wait, longest": lambda part: part.wait.largest,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One policy in one experiment, measured in one way.

    Parameters
    ----------
    policy, end : str
        Which, and one of :data:`ENDS`.
    change : mapping of str to Estimate
        By the keys of :data:`CHANGES`, against the baseline; geometric means for the imbalance.
    level : mapping of str to Estimate
        By the keys of :data:`LEVELS`.
    energy : tuple of Estimate
        The change of the energy for each device that is possible, where something of it is
        uncertain.
    """

    policy: str
    end: str
    change: Mapping[str, Estimate]
    level: Mapping[str, Estimate]
    energy: tuple[Estimate, ...] = ()


def outcomes(rows: "polars.DataFrame") -> list[Outcome]:
    """The outcomes of one experiment, policy by policy, from the rows of its runs."""
    runs = {policy: _by_seed(part) for (policy,), part in grouped(rows, ["policy"]).items()}
    found = []
    for policy, end in product(runs, ENDS):
        base, new = ([_stretch(row, end) for row in runs[name]] for name in (BASELINE, policy))
        change = {
            key: Estimate.of(of(a, b) for a, b in zip(base, new, strict=True))
            for key, of in CHANGES.items()
        }
        ratio = change["imbalance"]
        change["imbalance"] = Estimate(*(10**x for x in (ratio.value, ratio.low, ratio.high)))
        level = {key: Estimate.of(map(of, new)) for key, of in LEVELS.items()}
        pairs = [
            [n / b - 1 for b, n in zip(x.energies_j, y.energies_j, strict=True)]
            for x, y in zip(base, new, strict=True)
        ]
        energy = tuple(map(Estimate.of, zip(*pairs, strict=True)))
        found.append(Outcome(policy, end, change, level, energy))
    return found


def _by_seed(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["seed"])


@dataclass(frozen=True, slots=True)
class Room:
    """How much balancing can gain at most: means over the seeds of runs of the baseline.

    All are taken up to the last admission.

    Parameters
    ----------
    idle_share : float
        Of the baseline.
    overhead_share : float
        Fixed part of the steps, as a share of their time.
    most_saved : float
        Energy saved if these steps did the same work with equal loads on all workers.
    """

    idle_share: float
    overhead_share: float
    most_saved: float


def room(rows: "polars.DataFrame", power: PowerModel = DEVICE) -> Room:
    """The :class:`Room` of one experiment, from the rows of its runs on this device."""
    full = power.max_w
    found = []
    for row in _by_seed(grouped(rows, ["policy"])[BASELINE,]):
        part, workers = _stretch(row, "window"), row["workers"]
        overhead = part.steps * row["overhead_s"]
        # G t_l sum M = t_l (W + I): what is not overhead, and its share that is work.
        balanced = overhead + (part.time_s - overhead) * (1 - part.idle_share)
        found.append(
            (
                part.idle_share,
                overhead / part.time_s,
                1 - full * workers * balanced / part.energy_j,
            )
        )
    return Room(*(float(x) for x in np.mean(found, axis=0)))


def reported(experiment: str) -> dict[str, float]:
    """What the paper reports of an experiment, by the keys of :data:`CHANGES`.

    Changes are relative and signed: less energy is negative.  Empty where it reports nothing.

    >>> reported("E3")["energy"]
    -0.282
    """
    down = ("time per token", "energy")
    return {
        key: -float(value) if key in down else float(value)
        for key, value in REPORTED.get(experiment, {}).items()
    }


def changes(name: str, found: Sequence[Outcome]) -> str:
    """A line for each policy: its changes in per cent, below what the paper reports."""
    numbers = reported(name)

    def change(key: str, factor: int, outcome: Outcome | None) -> str:
        if outcome is not None:
            return plus_minus(outcome.change[key], factor, sign=factor > 1)
        form = "+.1f" if factor > 1 else "g"
        return f"{factor * numbers[key]:{form}}" if key in numbers else ""

    columns: list[Column[Outcome | None]] = [
        ("", lambda outcome: outcome.policy if outcome else "the paper"),
        ("imbalance /", partial(change, "imbalance", 1)),
        ("throughput %", partial(change, "throughput", 100)),
        ("TPOT %", partial(change, "time per token", 100)),
        ("energy %", partial(change, "energy", 100)),
    ]
    if any(outcome.energy for outcome in found):
        columns.append(("energy %, all that is possible", _span))
    others = [outcome for outcome in found if outcome.policy != BASELINE]
    return tabulated(columns, [*([None] if numbers else []), *others])


def _span(outcome: Outcome | None) -> str:
    """The ends of the intervals of the energy over all devices that are possible."""
    if outcome is None:
        return ""
    low = min(each.low for each in outcome.energy)
    return f"{100 * low:+.1f} to {100 * max(each.high for each in outcome.energy):+.1f}"


def levels(found: Sequence[Outcome]) -> str:
    """A line for each policy by itself: idle share in per cent, energy, times and waits."""

    def level(heading: str, key: str, factor: float = 1) -> Column[Outcome]:
        return heading, lambda outcome: plus_minus(outcome.level[key], factor)

    columns = [
        ("", lambda outcome: outcome.policy),
        level("idle %", "idle share", 100),
        level("energy kJ", "energy, kJ"),
        level("TPOT ms", "time per token, mean, ms"),
        level("its p99", "time per token, p99, ms"),
        level("wait", "wait, mean"),
        level("its p99", "wait, p99"),
        level("longest", "wait, longest"),
    ]
    return tabulated(columns, found)


def both_right(small: Room, large: Room) -> str:
    """Why the savings of the paper's two versions differ."""
    return (
        "Why 3.3 % (v1) and 28 % (v2) can both be right: up to the last admission FCFS idles "
        f"{small.idle_share:.0%} of the time that loads take in E2, {large.idle_share:.0%} in E3, "
        f"and the fixed part of the steps is {small.overhead_share:.0%} of their time in E2, "
        f"{large.overhead_share:.1%} in E3; the same work at equal loads on all workers would save "
        f"{small.most_saved:.1%} in E2, {large.most_saved:.1%} in E3 (BF-IO can show more than "
        "that only where it leaves more of the work for later).  The policies are the same; "
        "lengths and scale differ."
    )


def too_short(setting: Setting) -> bool:
    """Whether a run is start-up and drain alone: fewer than :data:`ROUNDS` of all slots."""
    return setting.requests < ROUNDS * setting.system.capacity


def note(name: str, outcomes: Sequence[Outcome], setting: Setting) -> str:
    """The policy that saves most energy up to the last admission: its changes, in words.

    They are given by the three measurements, and beside them what the paper reports.  Nothing is
    said to save whose interval holds more energy for some device that is possible, or in a run that
    is too short.
    """
    if too_short(setting):
        slots = setting.system.capacity
        return (
            f"{name}: too short to tell which policy saves: {setting.requests} requests are "
            f"{setting.requests / slots:.1f} rounds of {slots} slots, start-up and drain; "
            f"{ROUNDS * slots} would do."
        )

    def at(end: str) -> Mapping[str, Estimate]:
        return next(o.change for o in outcomes if (o.policy, o.end) == (best, end))

    def says(numbers: Mapping[str, float]) -> str:
        return ", ".join(
            f"{number:.3g} times less imbalance"
            if key == "imbalance"
            else f"{100 * number:+.1f} % {key}"
            for key, number in numbers.items()
        )

    window = {
        outcome.policy: outcome.change["energy"]
        for outcome in outcomes
        if outcome.end == "window"
        and all(e.high < 0 for e in (outcome.change["energy"], *outcome.energy))
    }
    if not window:
        return f"{name}: no policy is shown to save energy up to the last admission."
    best = min(window, key=lambda policy: window[policy].value)
    ends = {end: {key: x.value for key, x in at(end).items()} for end in ("window", "completed")}
    text = f"{name}: {best} saves most, {says(ends['window'])} up to the last admission"
    paper = reported(name)
    if paper:
        text += f"; the paper has {says(paper)}"
    text += f".  With all requests completed it is {says(ends['completed'])}"
    if paper:
        text += (
            ": after the last admission nothing is left to balance.  Between departures and "
            "admissions, where the authors' simulator looks, it would be "
            f"{at('at_departure')['imbalance'].value:.3g} times less imbalance"
        )
    return f"{text}."
