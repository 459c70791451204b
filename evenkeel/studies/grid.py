"""Sweeps: policies over a grid of systems and workloads.

A cell is one run: a workload, a system, a policy.  Its seed follows from its parameters alone and
leaves out the policy, the pool, the step overhead and the hardware, so that those are compared on
the same requests.
"""

import math
import re
import reprlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from adversary.workloads.reading import Reading
from evenkeel.output import to_json
from evenkeel.studies.run_summary import exponents, flat_summary, summary_types
from evenkeel.studies.study import (
    Column,
    Estimate,
    Row,
    digest,
    grouped,
    plus_minus,
    run_cells,
    tabulated,
)
from evenkeel.studies.trace_draws import Source
from theory.budget import about, afford, affordable_requests
from theory.content import printable
from theory.files import read
from theory.model import INT_LIMIT, InputError, System
from theory.own import refuse_own
from theory.power import DEFAULT_DEVICE, PowerModel, hardware
from theory.serving import FIELDS, ServingSystem, model_note

if TYPE_CHECKING:
    import polars

# Part of a cell's identity: a change of what a cell holds, or of how it is seeded, raises it.
SCHEMA = 3

# Axis of the grid: the type of its values, and its only value where the grid does not name it.
AXES: dict[str, tuple[type | tuple[type, ...], Any]] = {
    "family": (str, "burst-like"),
    "workers": (int, 32),
    "slots": (int, 72),
    "policy": (str, "bfio"),
    "pool": (int, None),
    "overhead_s": ((int, float), None),
    "hardware": (str, DEFAULT_DEVICE),
    "idle_w": ((int, float), None),
    "wait_w": ((int, float), None),
    "max_w": ((int, float), None),
    "gamma": ((int, float), None),
}

# Axes that take the place of numbers of the device.
_POWER = ("idle_w", "wait_w", "max_w", "gamma")

# Axes that do not change which requests are drawn.
_PAIRED = ("policy", "pool", "overhead_s", "hardware", *_POWER, "departures", "schema")


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep.

    Parameters
    ----------
    family : str
        Workload family, with its ``parameters``.
    workers, slots : int
        ``G`` and ``B``.
    policy : str
        Name, or ``module:attribute``.
    pool : int or None
        Waiting requests that the policy sees; None is ``G*B``.
    overhead_s : float or None
        Fixed part of a step, in seconds; None is the paper's for that many slots.
    hardware : str
        Device from the catalogue, or a file of one.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    repeat : int
        Number of the seed, from 0.
    idle_w, wait_w, max_w, gamma : float or None
        In place of the device's own.
    parameters : tuple of pairs
        Parameters of the family.
    trace : Source or None
        File whose rows the lengths are drawn from, instead of a family; ``family`` then names it
        and what is in it.
    departures : tuple of pairs
        In what the system departs from the model: fields of
        :class:`~theory.serving.ServingSystem`.
    """

    family: str
    workers: int
    slots: int
    policy: str
    pool: int | None
    overhead_s: float | None
    hardware: str
    rounds: int
    repeat: int
    idle_w: float | None = None
    wait_w: float | None = None
    max_w: float | None = None
    gamma: float | None = None
    parameters: tuple[tuple[str, int | float], ...] = ()
    trace: Source | None = None
    departures: tuple[tuple[str, Any], ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """All that its row depends on, by name."""
        found = {key: value for key, value in asdict(self).items() if key != "trace"}
        if not self.departures:
            del found["departures"]
        return found

    @property
    def name(self) -> str:
        """File name of the cell, from all of its parameters."""
        numbers = asdict(self.device)
        return _digest_of({"schema": SCHEMA, **self.fields, "device": numbers})[:20]

    @property
    def drawn_from(self) -> str:
        """Its family, if it is not a trace."""
        return self.family if self.trace is None else ""

    @property
    def seed(self) -> int:
        """Root of the randomness of its requests and policy."""
        drawn = {key: value for key, value in self.fields.items() if key not in _PAIRED}
        return int(_digest_of(drawn)[:15], 16)

    @property
    def device(self) -> PowerModel:
        """The device of every worker."""
        numbers = {key: getattr(self, key) for key in _POWER}
        return hardware(self.hardware, {k: float(v) for k, v in numbers.items() if v is not None})

    @property
    def system(self) -> System:
        """The system that it runs on."""
        plain = System.paper(self.workers, self.slots)
        system = ServingSystem.with_fields(plain, dict(self.departures))
        if self.overhead_s is None:
            return system
        return replace(system, step_overhead_s=self.overhead_s)


def _digest_of(fields: Mapping[str, Any]) -> str:
    return digest(dict(sorted(fields.items())))


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep: its name, its cells in the order of the grid, and what to know of its trace."""

    name: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


_Count = Annotated[int, msgspec.Meta(ge=1, le=10**6)]

# The name of a sweep is that of its folder.
NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
_Name = Annotated[str, msgspec.Meta(pattern=NAME)]


class _Trace(Reading, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trace of a sweep: its file, and the options of the command line on how to read it."""

    file: str


_Whole = Annotated[int, msgspec.Meta(ge=0, le=2**62 - 1)]


class _System(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """In what the systems of a sweep depart from the model; see theory/serving.py."""

    slots_of: tuple[_Whole, ...] = ()
    slowness: tuple[_Whole, ...] = ()
    request_cost: _Whole = 0
    kv_budget: _Whole | tuple[_Whole, ...] = ()
    reserve: _Whole | None = None
    tokens_per_step: _Whole = 1
    queues: bool = False
    admit_every: _Whole = 1
    hold: _Whole = 0


class _Sweep(msgspec.Struct, forbid_unknown_fields=True):
    """The file of a sweep."""

    name: _Name | None = None
    rounds: _Count = 4
    seeds: _Count = 3
    grid: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    trace: _Trace | None = None
    system: _System = _System()


def read_sweep(
    path: Path,
    progress: Callable[[int], None] | None = None,
    allowed: Collection[str] = (),
) -> Sweep:
    """The sweep that a TOML file describes.

    The file has ``rounds`` (requests per slot, 4 by default) and ``seeds`` (paired repeats, 3 by
    default), a table ``[grid]`` whose keys are among :data:`AXES` and whose values are lists, and
    a table ``[parameters]`` of lists for the parameters of the workload families.  The cells are
    all combinations.  A table ``[trace]`` in the place of families and parameters has a ``file``,
    whose rows the lengths are drawn from, and the keys of
    :class:`~adversary.workloads.reading.Reading`.  Names of files, those of devices too, are
    relative to the folder of the sweep.  A table ``[system]`` says in what the systems of
    all cells depart from the model, by fields of :class:`~theory.serving.ServingSystem`, such as
    ``queues = true`` or ``kv_budget = 20000``.  ``progress`` is told how many rows were read.
    Policies are built in, or among those ``allowed``: to run one is to run its code.

    Raises
    ------
    InputError
        If the file cannot be read, or a key or a value is not one that a sweep has.
    """
    given = read(path, _Sweep, "TOML")
    for key in given.grid:
        if key not in AXES:
            raise InputError(f"{path}: [grid] has no axis {key!r}; it has: {', '.join(AXES)}")
    source: Source | None = None
    notes: tuple[str, ...] = ()
    if given.trace is not None:
        if "family" in given.grid or given.parameters:
            raise InputError(f"{path}: a sweep has a [trace], or families and [parameters]")
        reading = {key: getattr(given.trace, key) for key in Reading.__struct_fields__}
        _refuse_unprintable(path, "trace.file", given.trace.file)
        source = Source(str(path.parent / given.trace.file), Reading(**reading))
        notes = source.trace(progress).notes
    axes = {
        key: _values(path, f"grid.{key}", given.grid[key], kind) if key in given.grid else [default]
        for key, (kind, default) in AXES.items()
    }
    axes["hardware"] = [_beside(path, name) for name in axes["hardware"]]
    if source is not None:
        axes["family"] = [source.label]
    parameters = {
        key: _values(path, f"parameters.{key}", values, (int, float))
        for key, values in given.parameters.items()
    }
    count = math.prod(map(len, (*axes.values(), *parameters.values()))) * given.seeds
    afford(
        f"{path}: a sweep of {about(count)} cells",
        "use fewer seeds or values, or several sweeps",
        entries=count,
    )
    departures = tuple(
        (key, value)
        for key, value in msgspec.structs.asdict(given.system).items()
        if value != FIELDS[key]
    )
    cells = tuple(
        Cell(
            **dict(zip(axes, point, strict=True)),
            rounds=given.rounds,
            repeat=repeat,
            parameters=tuple(sorted(zip(parameters, chosen, strict=True))),
            trace=source,
            departures=departures,
        )
        for point in product(*axes.values())
        for chosen in product(*parameters.values())
        for repeat in range(given.seeds)
    )
    if len(set(cells)) < len(cells):
        raise InputError(f"{path}: a list of the grid names a value twice")
    for cell in cells:
        _validate(path, cell, allowed)
    notes = (*notes, *model_note(cells[0].system))
    name = path.stem if given.name is None else given.name
    if not re.match(NAME, name):
        raise InputError(f"{path}: the file's own name is none for a folder; give it a name = ...")
    return Sweep(name, cells, notes)


def _refuse_unprintable(path: Path, key: str, text: str) -> None:
    if not text.isprintable():
        raise InputError(f"{path}: {key} has characters that cannot be shown: {printable(text)}")


def _values(path: Path, key: str, values: Any, kind: type | tuple[type, ...]) -> list[Any]:
    if not isinstance(values, list) or not values:
        shown = reprlib.repr(values)
        raise InputError(f"{path}: {key} must be a list with at least one value, got {shown}")
    for value in values:
        if not isinstance(value, kind) or isinstance(value, bool):
            shown = reprlib.repr(value)
            raise InputError(f"{path}: {key} has the value {shown} of a wrong type")
        if isinstance(value, int | float) and not -INT_LIMIT < value < INT_LIMIT:
            raise InputError(f"{path}: {key} must hold numbers within 2^62")
        if isinstance(value, str):
            _refuse_unprintable(path, key, value)
    return values


def _beside(path: Path, name: str) -> str:
    """The name of a device; a file of one is relative to the folder of the sweep."""
    return str(path.parent / name) if ".toml" in name else name


def _validate(path: Path, cell: Cell, allowed: Collection[str]) -> None:
    """Refuse before the first run what the run itself would refuse."""
    from adversary.workloads.families import OWN, workload
    from solvers.policies.registry import policy, refuse_foreign

    try:
        _ = cell.system
        refuse_own(cell.hardware, allowed)
        _ = cell.device
        refuse_foreign(cell.policy, allowed)
        policy(cell.policy)
        affordable_requests(cell.rounds * cell.workers * cell.slots)
        if cell.trace is None:
            refuse_own(cell.family, allowed, OWN)
            workload(cell.family, 1, 0, **dict(cell.parameters))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if cell.pool is not None and cell.pool < 1:
        raise InputError(f"{path}: grid.pool must be at least 1, got {cell.pool}")


def perform(cell: Cell) -> Row:
    """The row of a cell: its parameters, its seed and the numbers of its run."""
    from adversary.workloads.families import workload
    from solvers.simulation.engine import simulate

    power, count = cell.device, cell.rounds * cell.workers * cell.slots
    if cell.trace is None:
        requests = workload(cell.family, count, cell.seed, **dict(cell.parameters))
    else:
        requests = cell.trace.draw(count, cell.seed)
    run = simulate(
        cell.system,
        requests,
        cell.policy,
        pool=cell.pool,
        seed=cell.seed % 2**31,
        gammas=exponents(power),
    )
    what = cell.fields | {"parameters": to_json(dict(cell.parameters)), "seed": cell.seed}
    if cell.departures:
        what["departures"] = to_json(dict(cell.departures))
    return what | flat_summary(run, power)


def run_sweep(
    sweep: Sweep,
    folder: Path,
    pool: Executor,
    done: Callable[[int], None] | None = None,
) -> "polars.DataFrame":
    """Run the cells of a sweep that ``folder`` does not hold yet: :func:`run_cells`."""
    import polars

    types = summary_types() | {
        "pool": polars.Int64,
        **dict.fromkeys(("overhead_s", *_POWER), polars.Float64),
    }
    return run_cells(sweep.cells, perform, folder, pool, done, types)


def means(rows: "polars.DataFrame") -> str:
    """A line for each point of the grid: the means over its seeds, ± half of the 95 % intervals.

    Its columns are the axes that vary, the policy, and some numbers of a run.
    """
    axes = ["family", "parameters", "workers", "slots", "pool", "overhead_s", "hardware"]
    axes += [*_POWER, "policy"]
    varied = [axis for axis in axes if rows[axis].n_unique() > 1 or axis == "policy"]
    uncertain: list[Column[list[Row]]] = []
    if (rows["energy_least_j"] < rows["energy_most_j"]).any():
        uncertain = [
            _mean("at least kJ", "energy_least_j", 1e-3, 1),
            _mean("at most kJ", "energy_most_j", 1e-3, 1),
        ]
    columns: list[Column[list[Row]]] = [
        *((axis, partial(_common, axis)) for axis in varied),
        _mean("idle %", "whole_idle_share", 100, 1),
        _mean("idle* %", "overloaded_idle_share", 100, 1),
        _mean("imbalance", "whole_avg_imbalance", 1, 0),
        _mean("tokens/s", "throughput_tokens_per_s", 1, 0),
        _mean("TPOT ms", "tpot_mean_s", 1e3, 2),
        _mean("energy kJ", "energy_j", 1e-3, 1),
        *uncertain,
        _mean("longest wait", "waiting_max_steps", 1, 0),
    ]
    return tabulated(columns, grouped(rows, varied).values())


def _common(axis: str, group: list[Row]) -> str:
    value = group[0][axis]
    return "default" if value is None else str(value)


def _mean(heading: str, column: str, factor: float, digits: int) -> Column[list[Row]]:
    """Mean and half-width over the seeds; the value alone of one seed, nothing of none."""

    def text(group: list[Row]) -> str:
        values = [factor * row[column] for row in group if row[column] is not None]
        if len(values) < 2:
            return f"{values[0]:.{digits}f}" if values else ""
        return plus_minus(Estimate.of(values), digits=digits)

    return heading, text
