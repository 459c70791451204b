"""``evenkeel experiment``: the paper's experiments again, beside its reported numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import floor, log10
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click

from evenkeel.output import json_option, progress, table, to_json
from evenkeel.runs.executors import cluster_option, jobs_option

if TYPE_CHECKING:
    from evenkeel.studies.paper_experiments import Estimate, Outcome, Room

_TITLES = {
    "window": "Up to the last admission, where the paper's metrics stop",
    "completed": "The same requests, all of them completed",
}

# Column of changes: its heading, and whether it is in per cent.
_CHANGES = {
    "imbalance": ("imbalance /", False),
    "throughput": ("throughput %", True),
    "time per token": ("TPOT %", True),
    "energy": ("energy %", True),
}

# Column of levels: its heading and factor.
_LEVELS: dict[str, tuple[str, float]] = {
    "idle share": ("idle %", 100),
    "energy, kJ": ("energy kJ", 1),
    "time per token, mean, ms": ("TPOT ms", 1),
    "time per token, p99, ms": ("its p99", 1),
    "wait, mean": ("wait", 1),
    "wait, p99": ("its p99", 1),
    "wait, longest": ("longest", 1),
}


@click.command()
@click.argument("names", nargs=-1, metavar="[E2|E3|bsp ...]")
@click.option("--seeds", type=int, default=6, show_default=True, help="Runs of each policy.")
@click.option("--requests", type=int, help="Requests of a run.  [default: the paper's]")
@click.option(
    "--policy", "policies", multiple=True, help="Beside fcfs, repeatable.  [default: the paper's]"
)
@click.option("--trace", type=click.Path(), help="Draw the lengths from the rows of this file.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/experiments"),
    show_default=True,
    help="Folder of the runs.",
)
@jobs_option
@cluster_option
@json_option
def command(
    names: tuple[str, ...],
    seeds: int,
    requests: int | None,
    policies: tuple[str, ...],
    trace: str | None,
    out: Path,
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Run the paper's experiments E2 and E3, or bsp: the like on systems that are no LLM.

    Changes are against FCFS on the same requests, with 95 % intervals over the seeds.  Runs that
    are on disk are not done again, whatever policy of your own has become since: name another --out
    for it.
    """
    from evenkeel.runs.executors import executor
    from evenkeel.studies.grid import run_cells
    from evenkeel.studies.paper_experiments import (
        chosen,
        outcomes,
        perform,
        reported,
        room,
        runs_of,
    )

    experiments = chosen(names or ("E2", "E3"))
    runs = {
        one.name: runs_of(one, seeds, policies=policies, requests=requests, trace=trace)
        for one in experiments
    }
    cells = [run for some in runs.values() for run in some]
    with executor(jobs, cluster) as pool, progress("experiments", len(cells)) as tick:
        rows = run_cells(cells, perform, out, pool, tick)
    found, rooms = {}, {}
    for one in experiments:
        own = rows.filter(rows["experiment"] == one.name)
        found[one.name], rooms[one.name] = outcomes(own), room(own)
    notes = [_summary(name, each) for name, each in found.items()]
    if trace is None and {"E2", "E3"} <= rooms.keys():
        notes.append(_both_right(rooms["E2"], rooms["E3"]))
    if as_json:
        click.echo(
            to_json(
                {
                    "experiments": [
                        {
                            "name": one.name,
                            **asdict(runs[one.name][0].setting),
                            "seeds": seeds,
                            "reported": reported(one.name),
                            "room": asdict(rooms[one.name]),
                            "outcomes": [asdict(outcome) for outcome in found[one.name]],
                        }
                        for one in experiments
                    ],
                    "notes": notes,
                    "out": str(out),
                }
            )
        )
        return
    for one in experiments:
        setting = runs[one.name][0].setting
        click.echo(
            f"{one.name}: {setting.workload if trace else one.what}, G = {setting.workers}, "
            f"B = {setting.slots}, pool {setting.pool}, {setting.requests} requests, {seeds} seeds"
        )
        for end, title in _TITLES.items():
            part = [outcome for outcome in found[one.name] if outcome.end == end]
            click.echo(f"\n{title}\n\n{_changes(one.name, part)}\n\n{_levels(part)}")
        click.echo()
    click.echo("Changes are against fcfs on the same requests, ± the half-width of the 95 %")
    click.echo("interval; / is how many times less imbalance.  Waits are in steps.")
    if any(one.name.startswith("bsp") for one in experiments):
        click.echo("Where there are no tokens, one superstep of one domain counts as one.")
    click.echo()
    click.echo("\n\n".join(fill(note, 100) for note in notes))
    click.echo(f"\n{len(cells)} runs in {out}")


def _changes(name: str, found: Sequence["Outcome"]) -> str:
    """What the policies change against the baseline, below what the paper reports."""
    from evenkeel.studies.paper_experiments import BASELINE, reported

    numbers = reported(name)
    given = (
        ""
        if key not in numbers
        else f"{100 * numbers[key]:+.1f}"
        if percent
        else f"{numbers[key]:g}"
        for key, (_, percent) in _CHANGES.items()
    )
    lines = [("the paper", *given)] if numbers else []
    lines += [
        (
            outcome.policy,
            *(
                _text(outcome.change[key], 100 if percent else 1, sign=percent)
                for key, (_, percent) in _CHANGES.items()
            ),
        )
        for outcome in found
        if outcome.policy != BASELINE
    ]
    return table(("", *(heading for heading, _ in _CHANGES.values())), lines)


def _levels(found: Sequence["Outcome"]) -> str:
    """The policies by themselves."""
    lines = [
        (
            outcome.policy,
            *(_text(outcome.level[key], factor) for key, (_, factor) in _LEVELS.items()),
        )
        for outcome in found
    ]
    return table(("", *(heading for heading, _ in _LEVELS.values())), lines)


def _text(estimate: "Estimate", factor: float, *, sign: bool = False) -> str:
    """The mean and the half-width of its interval, which gets two digits, or all before the dot."""
    half = factor * (estimate.high - estimate.low) / 2
    digits = min(2, max(0, 1 - floor(log10(half)))) if half > 0 else 0
    return f"{factor * estimate.value:{'+' if sign else ''}.{digits}f} ± {half:.{digits}f}"


def _both_right(small: "Room", large: "Room") -> str:
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


def _summary(name: str, outcomes: Sequence["Outcome"]) -> str:
    """The policy that saves most, beside what the paper reports, in all accountings."""
    from evenkeel.studies.paper_experiments import reported

    def at(end: str) -> Mapping[str, "Estimate"]:
        return next(o.change for o in outcomes if (o.policy, o.end) == (best, end))

    def says(numbers: Mapping[str, float]) -> str:
        return ", ".join(
            f"{number:.3g} times less imbalance"
            if key == "imbalance"
            else f"{100 * number:+.1f} % {key}"
            for key, number in numbers.items()
        )

    window = [outcome for outcome in outcomes if outcome.end == "window"]
    best = min(window, key=lambda outcome: outcome.change["energy"].value).policy
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
