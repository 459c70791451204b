"""``evenkeel formats``: the layouts of request traces that are recognised."""

from typing import TYPE_CHECKING, Any

import click

from evenkeel.output import json_option, terminal_width, to_json

if TYPE_CHECKING:
    from adversary.workloads.layouts.layout import Layout, Paths

CONTAINERS = (
    "CSV with commas, semicolons or tabs, as Excel exports it too (a first line sep=;, UTF-16, "
    "decimal commas)",
    "JSON: one object a line, objects one after the other, an array, or one object with all in it",
    "Parquet; all of these plain or gzip-compressed, from a file or from standard input (-)",
)


@click.command()
@json_option
def formats(as_json: bool) -> None:
    """List the layouts of request traces: who writes them, and which fields are read.

    The first whose telling fields a file has is taken; --prefill, --decode and --arrival name
    other fields.
    """
    from adversary.workloads.layouts.known import LAYOUTS

    if as_json:
        told = [_told(name, layout) for name, layout in LAYOUTS.items()]
        click.echo(to_json({"formats": told, "containers": CONTAINERS}))
        return
    width = terminal_width() or 100
    for name, layout in LAYOUTS.items():
        about = _told(name, layout)
        lines = {
            "fields that tell it": _fields(about["known_by"]),
            "lists of requests": ", ".join(about["lists"]),
            "fields read": _fields([about[key] for key in ("prefill", "decode", "arrival")]),
            "times": about["times"],
            "marks of failed requests": ", ".join(about["failed"]),
            "source": about["source"],
        }
        click.echo(f"{name}: {about['written_by']}")
        for heading, text in lines.items():
            if text:
                click.echo(click.wrap_text(f"{heading}: {text}", width, "  ", "    "))
        click.echo()
    click.echo("\n".join(click.wrap_text(text, width, "", "  ") for text in CONTAINERS))


def _told(name: str, layout: "Layout") -> dict[str, Any]:
    """What there is to say of a layout."""
    other = f" ({layout.if_fractional} if some are fractional)" if layout.if_fractional else ""
    zero = [f"{layout.decode[0]} = 0"] if layout.zero_fails else []
    return {
        "name": name,
        "written_by": layout.writer,
        "known_by": layout.known_by,
        "lists": list(layout.within),
        **layout.lengths_and_times,
        "times": f"{layout.unit}{other}, or dates" if layout.arrival else "none",
        "failed": [*layout.failed, *zero],
        "source": layout.source,
    }


def _fields(all_paths: "list[Paths]") -> str:
    return ", ".join(" or ".join(paths) for paths in all_paths if paths)
