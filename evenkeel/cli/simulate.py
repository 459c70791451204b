"""``evenkeel simulate``: run policies on a workload or a trace."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.device import device_options
from evenkeel.cli.system_option import system_of, system_option
from evenkeel.cli.trace_options import served, trace_options, without_trace
from evenkeel.exits import HELD, INCONCLUSIVE, OutOfTime
from evenkeel.output import (
    OutputFile,
    json_option,
    progress,
    seed_option,
    slots_option,
    table,
    time_limit_option,
    to_json,
    workers_option,
    write_parquet,
)
from theory.model import InputError
from theory.serving import model_note

if TYPE_CHECKING:
    from adversary.workloads.reading import Reading
    from theory.power import OwnLaw, PowerModel


def _number(text: str) -> int | float:
    """The value of ``--param``: an integer where it is written as one."""
    for kind in (int, float):
        try:
            value: int | float = kind(text)
        except ValueError:
            continue
        return value
    raise InputError(f"--param needs key=number, and {text!r} is not a number")


def _parameters(texts: tuple[str, ...]) -> dict[str, int | float]:
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise InputError(f"--param needs key=number, got {text!r}")
        found[key] = _number(value)
    return found


class _Command(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from solvers.policies.registry import policy_help  # takes a second, so for the help alone

        self.epilog = f"\b\n{policy_help()}"
        super().format_epilog(ctx, formatter)


@click.command(cls=_Command)
@click.option(
    "--trace", type=click.Path(), help="CSV, JSON or Parquet, plain or gzip, or - for stdin."
)
@trace_options
@click.option("--family", help="Workload family to draw from.  [default: uniform]")
@click.option(
    "-n", "--requests", "n", type=int, help="Requests to draw.  [default: 10 rounds of G*B]"
)
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="Parameter of the family.")
@workers_option
@slots_option
@system_option
@click.option(
    "--policy", "policies", multiple=True, help="See below; repeatable.  [default: fcfs, bfio]"
)
@click.option("--pool", type=int, help="Waiting requests a policy sees.  [default: G*B]")
@device_options(laws=True)
@click.option("--timed", is_flag=True, help="Replay the trace's arrival times.")
@click.option(
    "--requests-out",
    type=OutputFile(),
    metavar="FILE",
    help="Write a row for each request and policy to this Parquet file.",
)
@seed_option
@time_limit_option
@json_option
def simulate(
    trace: str | None,
    reading: "Reading",
    family: str | None,
    n: int | None,
    param: tuple[str, ...],
    workers: int,
    slots: int,
    departures: tuple[str, ...],
    policies: tuple[str, ...],
    pool: int | None,
    device: "PowerModel | OwnLaw",
    timed: bool,
    requests_out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Run policies on a workload or a trace, and print what they cost.

    Requests are a backlog unless --timed replays their arrivals.  "Overloaded" is the part before
    the first step that left a slot empty, the part that the theorems speak of.  If time runs out,
    the policies whose runs have ended are told, as a part.
    """
    from adversary.workloads.families import workload
    from evenkeel.runs.workers import cores
    from evenkeel.studies.run_summary import (
        by_worker,
        exponents,
        request_rows,
        rows,
        summary,
        worker_table,
    )
    from solvers.compile_ahead import start
    from solvers.kernel_cache import tell_of_compiling
    from solvers.simulation.engine import simulate

    parameters = _parameters(param)
    system = system_of(workers, slots, departures)
    if trace is not None:
        if family is not None or n is not None or parameters:
            raise InputError("--trace goes without --family, -n and --param")
        read, requests = served(trace, reading, timed=timed, pool=pool)
        source, notes = read.name, [*read.notes]
    else:
        without_trace(reading, "--trace")
        if timed:
            raise InputError("--timed needs a --trace with arrival times")
        source, notes = family or "uniform", []
        count = 10 * system.capacity if n is None else n
        if n is None and count > 10_000_000:
            raise InputError(f"10 rounds of G*B are {count} requests: give a number with -n")
        requests = workload(source, count, seed, **parameters)
    names = policies or ("fcfs", "bfio")
    found: list[dict[str, Any]] = []
    workers_of, runs = [], []
    late = ""
    if click.get_current_context().obj is not None:  # a process of its own
        tell_of_compiling(start if "bfio" in names and cores() > 1 else None)
    for name in names:
        try:
            with progress(name, len(requests)) as tick:
                run = simulate(
                    system,
                    requests,
                    name,
                    pool=pool,
                    seed=seed,
                    gammas=exponents(device),
                    # A law of one's own is asked afterwards; the loads of such a system are not
                    # replayed.
                    history=bool(departures and not exponents(device)),
                    progress=tick,
                )
        except OutOfTime as stop:
            if not found:
                raise
            late = f"partial: out of time{stop.where}; only {len(found)} of the policies are told"
            break
        found.append(summary(run, device))
        workers_of.append(by_worker(run))
        if run.preemptions is not None:
            found[-1]["preemptions"] = int(run.preemptions.sum())
        if requests_out is not None:
            runs.append(run)
    code = INCONCLUSIVE if late else HELD
    if late:
        notes.append(late + (f", and {requests_out} is not written" if requests_out else ""))
    elif requests_out is not None:
        write_parquet(requests_out, request_rows(runs))
    notes += model_note(system)
    if any(run["overloaded"]["steps"] == 0 for run in found):
        notes.append(
            "no overloaded part: some slots were empty from the first step on"
            + (", as the pool is smaller than G*B" if (pool or system.capacity) < system.capacity
               and not timed else "")
        )  # fmt: skip
    if device.unknown:
        notes.append(device.uncertain)
    if timed:
        notes.append(
            "energy is that of the steps: nothing is counted between them, where an idle system "
            "waits for the next arrival"
        )
    if as_json:
        click.echo(
            to_json(
                {
                    "source": source,
                    "requests": len(requests),
                    "workers": workers,
                    "slots": slots,
                    "system": list(departures),
                    "pool": pool,
                    "timed": timed,
                    "hardware": device.name,
                    "unknown": [asdict(number) for number in device.unknown],
                    "seed": seed,
                    "runs": [
                        run | {"by_worker": each}
                        for run, each in zip(found, workers_of, strict=True)
                    ],
                    "notes": notes,
                }
            )
        )
        click.get_current_context().exit(code)
    mode = "at their arrival times" if timed else "as a backlog"
    click.echo(
        f"{source}: {len(requests)} requests {mode}, G = {workers}, B = {slots}, {device.name}\n"
    )
    click.echo(table(("", *(str(run["policy"]) for run in found)), rows(found)))
    click.echo(f"\n{worker_table([str(run['policy']) for run in found], workers_of)}")
    for told in found:
        if "preemptions" in told:
            click.echo(f"\n{told['policy']}: {told['preemptions']} preemptions")
    for note in notes:
        click.echo(f"\nnote: {note}")
    click.get_current_context().exit(code)
