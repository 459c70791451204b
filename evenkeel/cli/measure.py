"""``evenkeel measure``: what a fleet's own logs say."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.device import device_options
from evenkeel.output import (
    OutputFile,
    json_option,
    progress,
    terminal_width,
    time_limit_option,
    to_json,
    write_text,
)
from theory.model import InputError

if TYPE_CHECKING:
    from evenkeel.studies.balance_outlook import Reach
    from evenkeel.studies.measurement import Measurement
    from theory.power import PowerModel

# Version of the JSON; a name that changes its meaning gets a new one.
SCHEMA = "evenkeel.measure/1"


def _pairs(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, name = text.partition("=")
        if not (key and equals and name):
            raise InputError(f"--column needs KEY=NAME, as in load=kv, got {text!r}")
        pairs[key] = name
    return pairs


def _list_formats(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from adversary.measurements.formats import FORMATS

    width = terminal_width() or 100
    for name, about in FORMATS.items():
        click.echo(f"{name} ({about.kind}): {about.writer}")
        lines = {"reads": about.reads, "time": about.time, "source": about.source}
        for heading, text in lines.items():
            if text:
                click.echo(click.wrap_text(f"{heading}: {text}", width, "  ", "    "))
        click.echo()
    click.echo("All of them plain or gzip-compressed, from files or from standard input (-).")
    context.exit()


@click.command()
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE...")
@click.option("--format", "form", help="Insist on a format for every file.  [default: by content]")
@click.option(
    "--formats", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats,
    help="List the formats: who writes them, what is read, in which units.",
)  # fmt: skip
@click.option(
    "--column", "columns", multiple=True, metavar="KEY=NAME", callback=_pairs,
    help="Name of a table's column for step, rank, load, duration, start, requests or prefill.",
)  # fmt: skip
@click.option(
    "--kv-tokens", type=click.FloatRange(min=1),
    help="Tokens that the KV cache of a rank holds, where a log has shares of it.",
)  # fmt: skip
@click.option(
    "--drop-bad", is_flag=True,
    help="Leave out lines that cannot be read and steps that lack a rank, and say how many; "
    "without it they refuse the file.",
)  # fmt: skip
@click.option(
    "--max-bytes", type=click.IntRange(min=1),
    help="Refuse a file that is larger when decompressed.  [default: 2 GiB]",
)  # fmt: skip
@device_options(None)
@click.option(
    "--sizes", type=int, nargs=2, metavar="MIN MAX",
    help="Prompt lengths: what BF-IO guarantees, and what no online policy avoids.",
)  # fmt: skip
@click.option("--mean-output", type=float, help="Mean output length, which goes with --sizes.")
@click.option("-B", "--slots", type=int, help="Slots of a rank.  [default: most requests logged]")
@click.option(
    "--power-offset", type=float, metavar="SECONDS",
    help="What to add to times of steps to get those of power samples.  [default: is found]",
)  # fmt: skip
@click.option(
    "--draw", type=OutputFile(),
    help="Picture of loads and fit: .png, .svg or .pdf.",
)  # fmt: skip
@click.option(
    "--write-device", type=OutputFile(), metavar="PATH.toml",
    help="Write the powers that were measured, for --hardware PATH.toml of any command.",
)  # fmt: skip
@time_limit_option
@json_option
def measure(
    files: tuple[str, ...],
    form: str | None,
    columns: dict[str, str],
    kv_tokens: float | None,
    drop_bad: bool,
    max_bytes: int | None,
    device: "PowerModel | None",
    sizes: tuple[int, int] | None,
    mean_output: float | None,
    slots: int | None,
    power_offset: float | None,
    draw: Path | None,
    write_device: Path | None,
    as_json: bool,
) -> None:
    """Say what a fleet's own logs show: who waits for whom, how long, and what it costs.

    FILE... are loads of ranks step by step, times of steps, and power samples of devices, in any
    order; what each is follows from its content (--formats lists what is known).  With --hardware
    it says what balance saves of the energy of that device.
    """
    from adversary.measurements.read import MAX_BYTES, Asked
    from evenkeel.studies.balance_outlook import reach
    from evenkeel.studies.measurement import measurement
    from evenkeel.studies.step_time import StepTime

    if not files:
        raise InputError("give a log; evenkeel measure --formats lists what is read")
    if (sizes is None) != (mean_output is None):
        raise InputError("--sizes and --mean-output go together")
    asked = Asked(form, columns, kv_tokens, drop_bad, max_bytes or MAX_BYTES)
    with progress("reading logs", None) as tick:
        found = measurement(files, asked, device, power_offset, tick)
    reached = None
    if sizes is not None and mean_output is not None:
        if found.loads is None or found.balance is None or found.outlook is None:
            raise InputError("--sizes is for loads, and no file has any")
        reached = reach(
            found.loads, found.balance, found.outlook, device, sizes, mean_output, slots
        )
    if draw is not None:
        from evenkeel.report.measured_picture import draw as draw_loads

        if found.loads is None:
            raise InputError("--draw is for loads, and no file has any")
        line = found.step_time if isinstance(found.step_time, StepTime) else None
        draw_loads(found.loads, line, draw)
    if write_device is not None:
        from evenkeel.studies.device_file import device_file

        write_text(write_device, device_file(files, found, write_device))
    written = {"picture": draw, "device": write_device}
    if as_json:
        click.echo(to_json(_as_json(files, found, reached) | {"written": written}))
        return
    from evenkeel.report.measurement_text import tell

    tell(files, found, reached)
    for what, path in written.items():
        if path is not None:
            click.echo(f"\n{what}: {path}")


def _as_json(
    files: tuple[str, ...], found: "Measurement", reached: "Reach | None"
) -> dict[str, Any]:
    from dataclasses import asdict

    from evenkeel.report.measurement_text import answer
    from evenkeel.studies.step_time import StepTime

    told: dict[str, Any] = {"schema": SCHEMA, "files": files, "notes": found.notes}
    if found.power is not None:
        told["devices"] = [
            {
                "name": d.name,
                "samples": len(d.power_w),
                "mean_w": d.power_w.mean(),
                "min_w": d.power_w.min(),
                "max_w": d.power_w.max(),
                "reported_use": d.utilisation,
            }
            for d in found.power.devices
        ]
    if found.loads is None or found.balance is None or found.outlook is None:
        return told
    loads, said = found.loads, found.balance
    fit = found.step_time
    told |= {
        "format": loads.format,
        "unit": loads.unit,
        "steps": len(loads.steps),
        "ranks": len(loads.ranks),
        "answer": answer(said),
        "idle_share": asdict(said.idle_share),
        "idle_share_rounding": said.rounding,
        "work": said.work,
        "imbalance": said.imbalance,
        "mean_imbalance": asdict(said.mean_imbalance),
        "balance_ratio": asdict(said.balance_ratio),
        "batches": said.batches.count,
        "batches_hang_together": said.batches.hang_together,
        "over_time": [asdict(window) for window in said.windows],
        "by_rank": [asdict(rank) for rank in said.ranks],
        "stragglers": asdict(said.stragglers),
        "step_time": asdict(fit) | {"grows": fit.grows, "is_linear": fit.is_linear}
        if isinstance(fit, StepTime)
        else None,
        "no_step_time": None if fit is None or isinstance(fit, StepTime) else fit.why,
        "outlook": asdict(found.outlook),
        "theorems": None if reached is None else asdict(reached),
        "power": None if found.fit is None else asdict(found.fit),
    }
    return told
