"""``evenkeel sweep``, ``experiment`` and ``policies``: the three studies of many runs."""

from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click

from evenkeel.cli.device import device_options
from evenkeel.cli.system_option import system_of, system_option
from evenkeel.cli.trace_options import trace_options, without_trace
from evenkeel.exits import HELD, INCONCLUSIVE, OutOfTime
from evenkeel.output import (
    allow_option,
    json_option,
    progress,
    table,
    terminal_width,
    time_limit_option,
    to_json,
)
from evenkeel.runs.executors import cluster_option, jobs_option

if TYPE_CHECKING:
    from adversary.workloads.reading import Reading
    from theory.power import PowerModel


@click.command()
@click.argument("sweep", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of the data set.  [default: out/sweeps/NAME]",
)
@allow_option
@jobs_option
@cluster_option
@time_limit_option
@json_option
def sweep(
    sweep: Path,
    out: Path | None,
    allowed: tuple[str, ...],
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Run the cells of SWEEP.toml that are not on disk yet, and print their means over the seeds.

    Each cell is one Parquet file; a run that was interrupted goes on where it stopped, and the
    numbers are the same whatever runs them.  Read all cells with polars or DuckDB as one data
    set.
    """
    from evenkeel.runs.executors import executor
    from evenkeel.runs.lock import only_writer
    from evenkeel.studies.grid import means, read_sweep, run_sweep

    with progress(f"reading {sweep}", None) as tick:
        wanted = read_sweep(sweep, tick, allowed)
    folder = out or Path("out") / "sweeps" / wanted.name
    click.get_current_context().with_resource(only_writer(folder))
    with (
        executor(jobs, cluster) as pool,
        progress(wanted.name, len(wanted.cells), by_item=True) as tick,
    ):
        rows = run_sweep(wanted, folder, pool, tick)
    if as_json:
        told = {"out": str(folder), "cells": rows.to_dicts(), "notes": wanted.notes}
        click.echo(to_json(told))
        return
    click.echo(means(rows))
    click.echo("\n* before the first step that left a slot empty, where there is such a part")
    for note in wanted.notes:
        click.echo(f"note: {note}")
    click.echo(f"{len(rows)} cells in {folder}")


@click.command()
@click.argument("names", nargs=-1, metavar="[E2|E3|bsp ...]")
@click.option("--seeds", type=int, default=6, show_default=True, help="Runs of each policy.")
@click.option("--requests", type=int, help="Requests of a run.  [default: the paper's]")
@click.option(
    "--policy", "policies", multiple=True, help="Beside fcfs, repeatable.  [default: the paper's]"
)
@click.option("--trace", type=click.Path(), help="Draw the lengths from the rows of this file.")
@trace_options
@device_options("a100-paper")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/experiments"),
    show_default=True,
    help="Folder of the runs.",
)
@jobs_option
@cluster_option
@time_limit_option
@json_option
def experiment(
    names: tuple[str, ...],
    seeds: int,
    requests: int | None,
    policies: tuple[str, ...],
    trace: str | None,
    reading: "Reading",
    device: "PowerModel",
    out: Path,
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Run the paper's experiments E2 and E3, or bsp: the like on systems that are no LLM.

    Changes are against FCFS on the same requests, with 95 % intervals over the seeds.  Runs that
    are on disk are not done again, unless the code of the policy or of evenkeel has changed since.
    """
    from evenkeel.runs.executors import executor
    from evenkeel.runs.lock import only_writer
    from evenkeel.studies import paper_experiments as paper
    from evenkeel.studies.study import run_cells
    from evenkeel.studies.trace_draws import Source

    experiments = paper.chosen(names or ("E2", "E3"))
    source = None
    if trace is None:
        without_trace(reading, "--trace")
    else:
        source = Source(trace, reading)
        with progress(f"reading {trace}", None) as tick:
            source.trace(tick)
    runs = {
        one.name: paper.runs_of(
            one, seeds, policies=policies, requests=requests, trace=source, power=device
        )
        for one in experiments
    }
    cells = [run for some in runs.values() for run in some]
    click.get_current_context().with_resource(only_writer(out))
    with executor(jobs, cluster) as pool, progress("experiments", len(cells), by_item=True) as tick:
        rows = run_cells(cells, paper.perform, out, pool, tick)
    parts = {one.name: rows.filter(rows["experiment"] == one.name) for one in experiments}
    found = {name: paper.outcomes(part) for name, part in parts.items()}
    rooms = {name: paper.room(part, device) for name, part in parts.items()}
    notes = [paper.note(name, each, runs[name][0].setting) for name, each in found.items()]
    if device.unknown:
        notes.append(device.uncertain)
    if source is not None:
        notes += source.trace().notes
    elif {"E2", "E3"} <= rooms.keys() and not any(
        paper.too_short(some[0].setting) for some in runs.values()
    ):
        notes.append(paper.both_right(rooms["E2"], rooms["E3"]))
    if as_json:
        told = [
            {
                "name": name,
                **asdict(runs[name][0].setting),
                "seeds": seeds,
                "hardware": device.name,
                "reported": paper.reported(name),
                "room": asdict(rooms[name]),
                "outcomes": [asdict(outcome) for outcome in each],
            }
            for name, each in found.items()
        ]
        click.echo(to_json({"experiments": told, "notes": notes, "out": str(out)}))
        return
    for one in experiments:
        setting = runs[one.name][0].setting
        click.echo(
            f"{one.name}: {setting.workload if trace else one.what}, G = {setting.workers}, "
            f"B = {setting.slots}, pool {setting.pool}, {setting.requests} requests, {seeds} seeds"
        )
        for end, title in (
            ("window", "Up to the last admission, where the paper's metrics stop"),
            ("completed", "The same requests, all of them completed"),
        ):
            part = [outcome for outcome in found[one.name] if outcome.end == end]
            changes, levels = paper.changes(one.name, part), paper.levels(part)
            click.echo(f"\n{title}\n\n{changes}\n\n{levels}")
        click.echo()
    click.echo("Changes are against fcfs on the same requests, ± the half-width of the 95 %")
    click.echo("interval; / is how many times less imbalance.  Waits are in steps.  Energy is that")
    click.echo(f"of {device.name}, with {device.waiting}.")
    if any(one.name.startswith("bsp") for one in experiments):
        click.echo("Where there are no tokens, one superstep of one domain counts as one.")
    click.echo()
    click.echo("\n\n".join(fill(note, 100) for note in notes))
    click.echo(f"\n{len(cells)} runs in {out}")


@click.command()
@click.option(
    "--policy", "names", multiple=True, help="Only these, with parameters.  [default: all]"
)
@click.option("--family", default="burst-like", show_default=True, help="Workload family.")
@click.option("-G", "--workers", type=int, default=8, show_default=True, help="Workers.")
@click.option("-B", "--slots", type=int, default=8, show_default=True, help="Slots of each worker.")
@system_option
@click.option("--rounds", type=click.IntRange(min=1), default=24, show_default=True,
              help="The workload has ROUNDS * G * B requests.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Runs.")
@device_options()
@click.option(
    "--list",
    "only_list",
    is_flag=True,
    help="Say what each does and whose rule it is, and run nothing.",
)
@time_limit_option
@json_option
def policies(
    names: tuple[str, ...],
    family: str,
    workers: int,
    slots: int,
    departures: tuple[str, ...],
    rounds: int,
    seeds: int,
    device: "PowerModel",
    only_list: bool,
    as_json: bool,
) -> None:
    """What the steps of each policy lose against the best ones, and what the runs cost.

    All serve the same backlogs.  The regret of a step is its imbalance less the least possible
    for the same loads, free slots and pool; where that is not proved, an interval is given.
    """
    from evenkeel.studies.policy_comparison import (
        SMALL,
        SYSTEM_RULES,
        rosetta,
        rule_of,
        side_by_side,
        what,
    )
    from solvers.policies.registry import POLICIES
    from theory.budget import about, afford
    from theory.serving import model_note

    if only_list:
        rules = {name: (what(name), rule_of(name)) for name in names or POLICIES}
        if not names:
            rules |= SYSTEM_RULES
        if as_json:
            told = {
                name: {"text": text, **({} if rule is None else asdict(rule))}
                for name, (text, rule) in rules.items()
            }
            click.echo(to_json(told))
            return
        lines = [
            (
                name,
                text,
                *(("", "", "") if rule is None else (rule.engine, rule.formula, rule.source)),
            )
            for name, (text, rule) in rules.items()
        ]
        head = ("policy", "what it does", "engine and version", "formula", "source")
        click.echo(table(head, lines, terminal_width()))
        return
    chosen = names or tuple(POLICIES)
    afford(
        f"{about(seeds)} backlogs for {len(chosen)} policies",
        "use fewer seeds",
        entries=seeds * len(chosen),
    )
    system = system_of(workers, slots, departures)
    entries = []
    code = HELD
    try:
        with progress("policies", len(chosen), by_item=True) as tick:
            for entry in rosetta(chosen, family, system, device, rounds=rounds, seeds=range(seeds)):
                entries.append(entry)
                tick(len(entries), entry.policy)
    except OutOfTime as stop:
        if not entries or as_json:
            raise
        code = INCONCLUSIVE
        click.echo(f"partial: out of time{stop.where}\n")
    if as_json:
        click.echo(to_json([asdict(entry) for entry in entries]))
        click.get_current_context().exit(code)
    uncertain = f"; {device.uncertain}" if device.unknown else ""
    click.echo(
        f"{family}: {seeds} backlog{'s' * (seeds != 1)} of {rounds * system.capacity} requests, "
        f"G = {workers}, B = {slots}, {device.name}\n\n{side_by_side(entries)}\n\n"
        "* before the first step that left a slot empty; energy is of the whole runs, with\n"
        f"  {device.waiting}{uncertain}\n"
        f"† largest average imbalance of all {SMALL.size} backlogs of {SMALL.requests} requests "
        f"with sizes 1..{SMALL.size_max} and lengths of 1 on G = {SMALL.workers}, "
        f"B = {SMALL.slots}; --json has the backlog"
    )
    for note in model_note(system):
        click.echo(f"note: {note}; a regret is of the loads in tokens that a decision is shown")
    click.get_current_context().exit(code)
