"""``evenkeel assess``: whether balancing would help a trace on given hardware."""

from typing import TYPE_CHECKING

import click

from evenkeel.cli.trace_options import served, trace_options, without_trace
from evenkeel.output import json_option, progress, slots_option, table, to_json, workers_option

if TYPE_CHECKING:
    from adversary.workloads.traces import Reading

CAVEATS = (
    "The runs are simulated: a step takes C + t_l * (largest load), with the constants of the "
    "paper's simulator, not of your engine.",
    "Prefill is not timed, and power counts the accelerators alone, not hosts, network or cooling.",
    "A backlog has no idle gaps and keeps the slots full, which your own arrival rate may not do "
    "(--timed replays it; energy counts no gaps between steps).",
    "BF-IO lets large requests wait for room: compare the longest waiting times.",
)


@click.command()
@click.argument("trace", type=click.Path(), required=False)
@workers_option
@slots_option
@click.option("--pool", type=int, help="Waiting requests a policy sees.  [default: G*B]")
@click.option("--hardware", default="h100-sxm", show_default=True, help="Device of the worker.")
@click.option("--timed", is_flag=True, help="Replay the trace's arrival times.")
@trace_options
@json_option
def assess(
    trace: str | None,
    workers: int,
    slots: int,
    pool: int | None,
    hardware: str,
    timed: bool,
    reading: "Reading",
    as_json: bool,
) -> None:
    """Say whether balancing would help this trace on this hardware.

    Serves TRACE (CSV, JSON or Parquet, plain or gzip, or - for standard input; without one, the
    sample trace that ships with evenkeel) under FCFS and BF-IO, and says what the theorems
    guarantee.
    """
    from adversary.workloads.sample_trace import SAMPLE_TRACE
    from evenkeel.studies.assessment import assumptions, guarantees, saving
    from evenkeel.studies.run_summary import percent, rows, summary
    from solvers.simulation.engine import simulate
    from theory.model import System
    from theory.power import hardware as device

    system, power = System.paper(workers, slots), device(hardware)
    if trace is None:
        without_trace(reading, "a TRACE")
    found, requests = served(
        SAMPLE_TRACE if trace is None else trace, reading, timed=timed, pool=pool
    )
    gammas = tuple(dict.fromkeys((power.gamma, 1.0)))
    runs = []
    for name in ("fcfs", "bfio"):
        with progress(name, len(requests)) as tick:
            runs.append(simulate(system, requests, name, pool=pool, gammas=gammas, progress=tick))
    fcfs, bfio = runs
    paced = None
    if found.has_arrivals:
        paced = fcfs if timed else simulate(system, found.requests, "fcfs")
    numbers = [summary(run, power) for run in runs]
    saved = saving(system, power, fcfs, bfio)
    promised = guarantees(requests, workers, slots, power, pool)
    failed = assumptions(requests, system, pool, paced)
    notes = [*found.notes]
    if trace is None:
        notes.append("no TRACE given: this is the synthetic sample trace that ships with evenkeel")
    prompt, output = int(requests.prefill.sum()), int(requests.decode.sum())
    if as_json:
        click.echo(
            to_json(
                {
                    "trace": found.name,
                    "format": found.format,
                    "rows": found.rows,
                    "bad_rows": found.bad_rows,
                    "duration_s": found.duration_s,
                    "prompt_tokens": prompt,
                    "output_tokens": output,
                    "notes": notes,
                    "workers": workers,
                    "slots": slots,
                    "pool": pool,
                    "timed": timed,
                    "hardware": hardware,
                    "runs": numbers,
                    "saving": saved,
                    "guarantees": promised,
                    "assumptions_that_fail": failed,
                    "caveats": CAVEATS,
                }
            )
        )
        return
    span = "no arrival times" if found.duration_s is None else f"{found.duration_s:.6g} s"
    click.echo(
        f"{found.name}: {found.rows} rows, {found.bad_rows} bad, {found.format} layout, {span}, "
        f"{prompt} prompt and {output} output tokens"
    )
    for note in notes:
        click.echo(f"note: {note}")
    mode = "at its arrival times" if timed else "as a backlog"
    click.echo(f"served {mode} on G = {workers}, B = {slots}, {hardware}\n")
    click.echo(table(("", "fcfs", "bfio"), rows(numbers)))
    click.echo(
        f"\nenergy saved by bfio, with {power.waiting}: {percent(saved['simulated'])} simulated; "
        f"the bounds allow {percent(saved['floor'])} to {percent(saved['cap'])} for this work, "
        "idle time and steps"
    )
    click.echo("\nWhat the theorems say if requests were independent draws from this trace:")
    if (exact := promised["fcfs"]) is not None:
        click.echo(
            f"  FCFS in the long run: imbalance {exact['imbalance']:.0f} tokens, idle share "
            f"{percent(exact['idle_share'])} ({exact['method']})"
        )
    told = [("Theorem 1 (equal lengths)", "theorem_1_ratio", "theorem_1_bfio_bound")]
    if (offer := promised["theorem_2_sizes"]) is not None:
        title = (
            f"Theorem 2 (geometric lengths, {workers * slots} copies of the sizes {offer[0]} and "
            f"{offer[1]} always in the pool)"
        )
        told.append((title, "theorem_2_ratio", "theorem_2_bfio"))
    for title, key, bound in told:
        if promised[key] is not None:
            empty = "" if promised[key] > 1 else ": it guarantees nothing here"
            click.echo(
                f"  {title}: BF-IO at most {promised[bound]:.0f} tokens, "
                f"FCFS at least {promised[key]:.2f} times that{empty}"
            )
    if (least := promised["unavoidable"]) is not None:
        known = "nothing is known to be unavoidable"
        if least > 0:
            ratio = f"FCFS at most {promised['largest_ratio']:.2f} times that"
            known = f"at least {least:.0f} tokens, {ratio}"
        click.echo(f"  Any online policy (geometric lengths): {known}")
    if (edges := promised["first_slots"]) is not None:
        click.echo(
            f"  With G = {workers} Theorem 1 says more than nothing from about B = {edges['T1']}, "
            f"Theorem 4 on top of Theorem 1 from B = {edges['T4 by T1']}"
        )
    for reason in promised["reasons"]:
        click.echo(f"  not available: {reason}")
    click.echo("\nAssumptions that do not hold here:")
    for assumption, why in failed.items():
        click.echo(f"  {assumption}: {why}")
    if not failed:
        click.echo("  none was found to fail")
    click.echo("\nCaveats:")
    for caveat in CAVEATS:
        click.echo(f"  {caveat}")
