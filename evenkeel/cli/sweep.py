"""``evenkeel sweep``: policies over a grid of systems and workloads, resumable."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.output import json_option, progress, table, to_json
from evenkeel.runs.executors import cluster_option, jobs_option

if TYPE_CHECKING:
    import polars

# Column of a cell, its heading, factor and digits.
_SHOWN = (
    ("whole_idle_share", "idle %", 100, 1),
    ("overloaded_idle_share", "idle* %", 100, 1),
    ("whole_avg_imbalance", "imbalance", 1, 0),
    ("throughput_tokens_per_s", "tokens/s", 1, 0),
    ("tpot_mean_s", "TPOT ms", 1e3, 2),
    ("energy_j", "energy kJ", 1e-3, 1),
    ("waiting_max_steps", "longest wait", 1, 0),
)


@click.command()
@click.argument("sweep", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of the data set.  [default: out/sweeps/NAME]",
)
@jobs_option
@cluster_option
@json_option
def command(
    sweep: Path, out: Path | None, jobs: int | None, cluster: str | None, as_json: bool
) -> None:
    """Run the cells of SWEEP.toml that are not on disk yet, and print their means over the seeds.

    Each cell is one Parquet file; a run that was interrupted goes on where it stopped, and the
    numbers are the same whatever runs them.  Read all cells with polars or DuckDB as one data
    set.
    """
    from evenkeel.runs.executors import executor
    from evenkeel.studies.grid import read_sweep, run_sweep

    wanted = read_sweep(sweep)
    folder = out or Path("out") / "sweeps" / wanted.name
    with (
        executor(jobs, cluster) as pool,
        progress(wanted.name, len(wanted.cells)) as tick,
    ):
        rows = run_sweep(wanted, folder, pool, tick)
    if as_json:
        click.echo(to_json({"out": str(folder), "cells": rows.to_dicts()}))
        return
    click.echo(_means(rows))
    click.echo("\n* before the first step that left a slot empty, where there is such a part")
    click.echo(f"{len(rows)} cells in {folder}")


def _means(rows: "polars.DataFrame") -> str:
    """One line for each point of the grid: its mean over the seeds, and the 95 % half-width."""
    import polars

    from paper_figures.files import interval

    axes = ["family", "parameters", "workers", "slots", "pool", "overhead_s", "hardware", "policy"]
    varied = [axis for axis in axes if rows[axis].n_unique() > 1 or axis == "policy"]
    lines = []
    for key, group in rows.group_by(varied, maintain_order=True):
        cells = [_text(value) for value in key]
        for column, _, factor, digits in _SHOWN:
            values = (group[column].drop_nulls().cast(polars.Float64) * factor).to_list()
            if len(values) < 2:
                cells.append(f"{values[0]:.{digits}f}" if values else "")
                continue
            mean, low, high = interval(values)
            cells.append(f"{mean:.{digits}f} ± {(high - low) / 2:.{digits}f}")
        lines.append(tuple(cells))
    return table((*varied, *(heading for _, heading, _, _ in _SHOWN)), lines)


def _text(value: Any) -> str:
    return "default" if value is None else str(value)
