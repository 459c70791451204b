"""``evenkeel policies``: the built-in policies side by side."""

from dataclasses import asdict

import click

from evenkeel.output import json_option, progress, table, to_json


@click.command()
@click.option(
    "--policy", "names", multiple=True, help="Only these, with parameters.  [default: all]"
)
@click.option("--family", default="burst-like", show_default=True, help="Workload family.")
@click.option("-G", "--workers", type=int, default=8, show_default=True, help="Workers.")
@click.option("-B", "--slots", type=int, default=8, show_default=True, help="Slots of each worker.")
@click.option("--rounds", type=click.IntRange(min=1), default=24, show_default=True,
              help="The workload has ROUNDS * G * B requests.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Runs.")
@click.option("--hardware", default="a100-paper", show_default=True, help="Device of the worker.")
@click.option("--list", "only_list", is_flag=True, help="Say what each does, and run nothing.")
@json_option
def command(
    names: tuple[str, ...],
    family: str,
    workers: int,
    slots: int,
    rounds: int,
    seeds: int,
    hardware: str,
    only_list: bool,
    as_json: bool,
) -> None:
    """What the steps of each policy lose against the best ones, and what the runs cost.

    All serve the same backlogs.  The regret of a step is its imbalance less the least possible
    for the same loads, free slots and pool; where that is not proved, an interval is given.
    """
    from evenkeel.report.markdown import number
    from evenkeel.studies.policy_comparison import SMALL, rosetta, what
    from evenkeel.studies.run_summary import percent
    from solvers.policies.registry import POLICIES
    from theory.model import System
    from theory.power import hardware as device

    if only_list:
        texts = {name: what(name) for name in POLICIES}
        click.echo(
            to_json(texts) if as_json else table(("policy", "what it does"), [*texts.items()])
        )
        return
    chosen = names or tuple(POLICIES)
    system, power = System.paper(workers, slots), device(hardware)
    entries = []
    with progress("policies", len(chosen)) as tick:
        for entry in rosetta(
            chosen, family, system, power, rounds=rounds, seeds=tuple(range(seeds))
        ):
            entries.append(entry)
            tick(len(entries), entry.policy)
    if as_json:
        click.echo(to_json([asdict(entry) for entry in entries]))
        return
    base = entries[0].energy_j
    click.echo(
        f"{family}: {seeds} backlogs of {rounds * system.capacity} requests, G = {workers}, "
        f"B = {slots}, {hardware}\n"
    )
    cells: list[tuple[str, ...]] = [
        (
            e.policy,
            _between(*(float(x) for x in e.regret)),
            f"{float(e.imbalance):.0f}",
            _between(*(100 * float(x) for x in e.optimal)),
            percent(e.idle_share),
            f"{e.energy_j * 1e-3:.1f}",
            f"{100 * (1 - e.energy_j / base):+.1f} %",
            f"{e.longest_wait}",
            number(str(e.worst)),
        )
        for e in entries
    ]
    head = ("policy", "regret a step", "imbalance", "optimal %", "idle*", "energy kJ")
    click.echo(table((*head, f"saved over {entries[0].policy}", "longest wait", "worst†"), cells))
    click.echo(
        "\n* before the first step that left a slot empty; energy is of the whole runs\n"
        f"† largest average imbalance of all {SMALL.size} backlogs of {SMALL.requests} requests "
        f"with sizes 1..{SMALL.size_max} and lengths of 1 on G = {SMALL.workers}, "
        f"B = {SMALL.slots}; --json has the backlog"
    )


def _between(low: float, high: float) -> str:
    """An enclosure, or one number where both ends read alike."""
    ends = f"{low:.1f}", f"{high:.1f}"
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
