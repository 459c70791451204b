"""The option that says in what a system departs from the model."""

from typing import Any

import click

from theory.model import InputError, System
from theory.serving import FIELDS, ServingSystem

system_option = click.option(
    "--system",
    "departures",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is not as in the model: slots_of=8,4 slowness=2,3 request_cost=512 "
    "kv_budget=100000 (for all, or one each) reserve=2048 tokens_per_step=2 queues=yes "
    "admit_every=2 hold=8; repeatable.",
)


def system_of(workers: int, slots: int, departures: tuple[str, ...]) -> System:
    """The paper's system, with what ``--system`` says beside.

    Raises
    ------
    InputError
        If a text is not ``KEY=VALUE`` with a key of :data:`theory.serving.FIELDS`, or its value is
        none.

    Examples
    --------
    >>> system_of(2, 8, ("slots_of=8,4", "queues=yes")).capacity
    12
    """
    found: dict[str, Any] = {}
    for text in departures:
        key, _, value = text.partition("=")
        if key not in FIELDS or key in found:
            raise InputError(
                f"--system needs KEY=VALUE with one of {', '.join(FIELDS)}, each once, got {text!r}"
            )
        wanted = "an integer"
        try:
            if isinstance(FIELDS[key], bool):
                wanted = "yes or no"
                found[key] = {"yes": True, "no": False}[value]
            elif FIELDS[key] == ():
                wanted = "integers with commas between them"
                found[key] = [int(part) for part in value.split(",")]
            else:
                found[key] = int(value)
        except (KeyError, ValueError):
            raise InputError(f"--system {key} must be {wanted}, got {value!r}") from None
    return ServingSystem.with_fields(System.paper(workers, slots), found)
