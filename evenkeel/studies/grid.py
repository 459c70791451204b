"""Sweeps: policies over a grid of systems and workloads, one Parquet file a cell.

A cell is one run: a workload, a system, a policy.  Its seed follows from its parameters alone and
leaves out the policy, the pool, the step overhead and the hardware, so that those are compared on
the same requests.  A cell that is on disk is not run again, and what it holds depends neither on
where it ran nor on the order.
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from evenkeel.output import to_json
from theory.model import InputError, System
from theory.power import hardware

if TYPE_CHECKING:
    import polars

# Part of a cell's identity: a change of what a cell holds, or of how it is seeded, raises it.
SCHEMA = 1

# Axis of the grid: the type of its values, and its only value where the grid does not name it.
AXES: dict[str, tuple[type | tuple[type, ...], Any]] = {
    "family": (str, "burst-like"),
    "workers": (int, 32),
    "slots": (int, 72),
    "policy": (str, "bfio"),
    "pool": (int, None),
    "overhead_s": ((int, float), None),
    "hardware": (str, "a100-paper"),
}

# Axes that do not change which requests are drawn.
_PAIRED = ("policy", "pool", "overhead_s", "hardware", "schema")


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
        Device from the catalogue.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    repeat : int
        Number of the seed, from 0.
    parameters : tuple of pairs
        Parameters of the family.
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
    parameters: tuple[tuple[str, int | float], ...] = ()

    @property
    def name(self) -> str:
        """File name of the cell, from all of its parameters."""
        return _digest({"schema": SCHEMA, **asdict(self)})[:20]

    @property
    def seed(self) -> int:
        """Root of the randomness of its requests and policy."""
        drawn = {key: value for key, value in asdict(self).items() if key not in _PAIRED}
        return int(_digest(drawn)[:15], 16)

    @property
    def system(self) -> System:
        """The system that it runs on."""
        system = System.paper(self.workers, self.slots)
        if self.overhead_s is None:
            return system
        return replace(system, step_overhead_s=self.overhead_s)


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(to_json(dict(sorted(value.items()))).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep: its name and its cells, in the order of the grid."""

    name: str
    cells: tuple[Cell, ...]


def read_sweep(path: Path) -> Sweep:
    """The sweep that a TOML file describes.

    The file has ``rounds`` (requests per slot, 4 by default) and ``seeds`` (paired repeats, 3 by
    default), a table ``[grid]`` whose keys are among :data:`AXES` and whose values are lists, and
    a table ``[parameters]`` of lists for the parameters of the workload families.  The cells are
    all combinations.

    Raises
    ------
    InputError
        If the file cannot be read, or a key or a value is not one that a sweep has.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the sweep {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    known = ("name", "rounds", "seeds", "grid", "parameters")
    for key in table:
        if key not in known:
            raise InputError(f"{path}: unknown key {key!r}; a sweep has: {', '.join(known)}")
    grid = table.get("grid", {})
    for key in grid:
        if key not in AXES:
            raise InputError(f"{path}: [grid] has no axis {key!r}; it has: {', '.join(AXES)}")
    axes = {
        key: _values(path, f"grid.{key}", grid.get(key, [default]), kind)
        if key in grid
        else [default]
        for key, (kind, default) in AXES.items()
    }
    parameters = {
        key: _values(path, f"parameters.{key}", values, (int, float))
        for key, values in table.get("parameters", {}).items()
    }
    rounds = _count(path, "rounds", table.get("rounds", 4))
    seeds = _count(path, "seeds", table.get("seeds", 3))
    cells = tuple(
        Cell(
            **dict(zip(axes, point, strict=True)),
            rounds=rounds,
            repeat=repeat,
            parameters=tuple(sorted(zip(parameters, chosen, strict=True))),
        )
        for point in product(*axes.values())
        for chosen in product(*parameters.values())
        for repeat in range(seeds)
    )
    if len(set(cells)) < len(cells):
        raise InputError(f"{path}: a list of the grid names a value twice")
    for cell in cells:
        _validate(path, cell)
    return Sweep(str(table.get("name", path.stem)), cells)


def _values(path: Path, key: str, values: Any, kind: type | tuple[type, ...]) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise InputError(f"{path}: {key} must be a list with at least one value, got {values!r}")
    for value in values:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError(f"{path}: {key} has the value {value!r} of a wrong type")
    return values


def _count(path: Path, key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{path}: {key} must be an integer of at least 1, got {value!r}")
    return value


def _validate(path: Path, cell: Cell) -> None:
    """Refuse before the first run what the run itself would refuse."""
    from adversary.workloads.families import workload
    from solvers.policies.registry import policy

    try:
        _ = cell.system
        hardware(cell.hardware)
        policy(cell.policy)
        workload(cell.family, 1, 0, **dict(cell.parameters))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if cell.pool is not None and cell.pool < 1:
        raise InputError(f"{path}: grid.pool must be at least 1, got {cell.pool}")


def perform(cell: Cell) -> dict[str, Any]:
    """Run a cell; returns one flat row: its parameters, its seed and the numbers of its run."""
    from adversary.workloads.families import workload
    from evenkeel.studies.run_summary import summary
    from solvers.simulation.engine import simulate

    power, count = hardware(cell.hardware), cell.rounds * cell.workers * cell.slots
    requests = workload(cell.family, count, cell.seed, **dict(cell.parameters))
    run = simulate(
        cell.system,
        requests,
        cell.policy,
        pool=cell.pool,
        seed=cell.seed % 2**31,
        gammas=(power.gamma,),
    )
    row = asdict(cell) | {"parameters": to_json(dict(cell.parameters)), "seed": cell.seed}
    for key, value in summary(run, power).items():
        if isinstance(value, Mapping):
            row |= {f"{key}_{part}": number for part, number in value.items()}
        elif key != "policy":
            row[key] = value
    return row


def run_sweep(
    sweep: Sweep,
    folder: Path,
    pool: Executor,
    done: Callable[[int], None] | None = None,
) -> "polars.DataFrame":
    """Run the cells of a sweep that ``folder`` does not hold yet: :func:`run_cells`."""
    import polars

    # Columns that may be empty have the same type in every file of the data set.
    integer, real = polars.Int64, polars.Float64
    types: dict[str, Any] = {"pool": integer, "overhead_s": real, "unproved_imbalance": integer}
    types |= dict.fromkeys(("whole_idle_share", "overloaded_idle_share"), real)
    types |= dict.fromkeys(("tpot_mean_s", "tpot_p99_s", "waiting_mean_steps"), real)
    return run_cells(sweep.cells, perform, folder, pool, done, types)


class Named(Protocol):
    """A cell: its name follows from all that its row depends on."""

    @property
    def name(self) -> str:
        """File name, without its suffix."""
        ...


AnyCell = TypeVar("AnyCell", bound=Named)


def run_cells(
    cells: Sequence[AnyCell],
    work: Callable[[AnyCell], dict[str, Any]],
    folder: Path,
    pool: Executor,
    done: Callable[[int], None] | None = None,
    types: Mapping[str, Any] | None = None,
) -> "polars.DataFrame":
    """Run the cells that ``folder`` does not hold yet, and return the rows of all, in order.

    Parameters
    ----------
    cells : sequence
        What to run.
    work : callable
        One flat row for a cell, wherever it runs.
    folder : Path
        Data set: one Parquet file a cell, each written whole or not at all.
    pool : Executor
        Where the cells run; only this process writes.
    done : callable, optional
        Called with the number of cells that are on disk.
    types : mapping, optional
        Types of columns that may be empty.

    Raises
    ------
    InputError
        If the folder cannot be written, or a file in it is not a cell.
    """
    import polars

    paths = {cell.name: folder / f"{cell.name}.parquet" for cell in cells}
    todo = [cell for cell in cells if not paths[cell.name].exists()]
    finished = len(paths) - len(todo)
    futures = {pool.submit(work, cell): cell.name for cell in todo}
    for future in as_completed(futures):
        row = polars.DataFrame([future.result()], schema_overrides=types, orient="row")
        _write(row, paths[futures[future]])
        finished += 1
        if done:
            done(finished)
    try:
        return polars.concat([polars.read_parquet(path) for path in paths.values()])
    except (OSError, polars.exceptions.PolarsError) as error:
        raise InputError(f"{folder} holds a file that is not a cell of a sweep: {error}") from error


def _write(row: "polars.DataFrame", path: Path) -> None:
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        row.write_parquet(scratch)
        scratch.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
