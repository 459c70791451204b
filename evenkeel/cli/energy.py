"""``evenkeel energy``: bounds on the energy saving for given hardware."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.device import device_options
from evenkeel.output import json_option, table, to_json
from theory.model import InputError

if TYPE_CHECKING:
    from theory.power import PowerModel

Spans = dict[str, tuple[float, float]]

# Savings that the paper's abstracts speak of; the idle share that each needs is inverted for.
SAVINGS = (0.28, 0.52)


def bounds(power: "PowerModel", idle_share: float, improvement: float) -> dict[str, Any]:
    """Floors and caps of the saving, for a baseline of that idle share and no step overhead.

    For steps in which every worker has work, as overloaded ones do.  Two hold on every device:
    "cap any law" for any power law between proportional and full [energy.any-power], and "padded",
    the exact saving where every rank computes on padding up to the largest load [energy.padding].

    Parameters
    ----------
    power : PowerModel
        The device.
    idle_share : float
        Of the baseline, in [0, 1).
    improvement : float
        ``alpha``, the ratio of the two total imbalances, ``>= 1``; infinite is perfect balance.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    from theory.formulas import energy as savings
    from theory.formulas.energy_inversions import eta_of

    if not 0 <= idle_share < 1:
        raise InputError(f"the idle share must lie in [0, 1), got {idle_share}")
    if not improvement >= 1:
        raise InputError(f"the improvement must be at least 1, got {improvement}")
    eta = eta_of(idle_share)
    baseline = savings.Usage(1.0, eta)
    improved = savings.Usage(1.0, eta / improvement)
    return {
        "floor paper": savings.saving_paper(power, baseline, improved),
        "floor sharp": savings.saving_sharp(power, baseline, improved),
        "floor envelope": savings.saving_floor(power, baseline, improved),
        "cap envelope": savings.saving_cap(power, baseline, improved),
        "cap tangent": savings.saving_cap_tangent(power, baseline, improved),
        "cap any law": baseline.idle_share,
        "padded": savings.saving_padded(baseline, improved),
    }


def facts(power: "PowerModel", idle_share: float, improvement: float) -> dict[str, Any]:
    """Everything that the command says about one device."""
    from theory.formulas import energy_inversions as reach

    # gamma = 1 and a waiting worker at 0 W leave D = 0: no imbalance is ever charged.
    wasteful = power.waste_w > 0
    return {
        "name": power.name,
        "idle_w": power.idle_w,
        "wait_w": power.barrier_w,
        "wait_source": power.wait_source,
        "max_w": power.max_w,
        "gamma": power.gamma,
        "limit": reach.limit_paper(power) if wasteful else 0.0,
        "limit_sensitivity": reach.limit_sensitivity(power) if wasteful else None,
        "unknown": [asdict(number) for number in power.unknown],
        "bounds": bounds(power, idle_share, improvement),
        "bounds_over_unknown": _spans(power, idle_share, improvement),
        "idle_share_needed": {
            f"{saving:.0%}": dict(reach.idle_shares_for(power, saving, 1 / improvement))
            for saving in SAVINGS
        },
        "source": power.source,
        "note": power.note,
        "uncertain": power.uncertain,
    }


def _spans(power: "PowerModel", idle_share: float, improvement: float) -> Spans | None:
    """The least and the largest of each bound over what is uncertain of the device."""
    if not power.unknown:
        return None
    found = [bounds(device, idle_share, improvement) for device in power.possible]
    return {name: (min(of), max(of)) for name in found[0] if (of := [each[name] for each in found])}


def _span(ends: tuple[float, float]) -> str:
    low, high = map(_share, ends)
    return low if low == high else f"{low} to {high}"


def _share(value: float | None) -> str:
    return "never" if value is None else f"{100 * value:.1f} %"


def _smaller(improvement: float) -> str:
    if math.isinf(improvement):
        return "perfect balance in its place"
    return f"an imbalance {improvement:g} times smaller"


def _tell(found: dict[str, Any], idle_share: float, improvement: float) -> None:
    click.echo(
        f"{found['name']}: {found['idle_w']:g} W idle, {found['wait_w']:g} W waiting at the "
        f"barrier, {found['max_w']:g} W at most, gamma {found['gamma']:g}"
    )
    click.echo(
        f"waiting power: {found['wait_source'] or 'the idle power, the assumption of the paper'}"
    )
    click.echo(f"source: {found['source']}")
    if found["note"]:
        click.echo(f"note: {found['note']}")
    if found["uncertain"]:
        click.echo(found["uncertain"])
    click.echo(f"\nlimit of the paper's bound, P_w / D: {_share(found['limit'])}")
    slopes = found["limit_sensitivity"]
    if slopes is not None:
        click.echo(
            f"  it moves by {100 * slopes['wait_w']:+.3f} points per watt of waiting power, "
            f"{100 * slopes['max_w']:+.3f} per watt of maximum power, "
            f"{slopes['gamma']:+.3f} points per 0.01 of gamma"
        )
    click.echo(
        f"\nsaving for a baseline that idles {_share(idle_share)} and {_smaller(improvement)}, "
        f"with a waiting worker at {found['wait_w']:g} W"
    )
    spans = found["bounds_over_unknown"]
    cells = [
        (name, _share(v), *([] if spans is None else [_span(spans[name])]))
        for name, v in found["bounds"].items()
    ]
    head = ("bound", "saving", *([] if spans is None else ["over what is uncertain"]))
    click.echo(table(head, cells))
    if min(found["bounds"]["floor paper"], found["bounds"]["floor sharp"]) < 0:
        click.echo("a negative floor guarantees nothing")
    click.echo(
        "\nidle share that the baseline needs: possible from (cap), guaranteed from (floors)"
    )
    cells = [
        (saving, *(_share(needed[name]) for name in ("cap", "tangent cap", "sharp", "paper")))
        for saving, needed in found["idle_share_needed"].items()
    ]
    click.echo(table(("saving", "cap", "tangent cap", "sharp floor", "paper floor"), cells))


@click.command()
@device_options(None, several=True)
@click.option(
    "--idle-share", type=float, default=0.4, show_default=True, help="Of the baseline, in [0, 1)."
)
@click.option(
    "--improvement",
    type=float,
    default=math.inf,
    show_default="perfect balance",
    help="Baseline's total imbalance over the improved one's.",
)
@json_option
def energy(
    devices: "list[PowerModel]",
    idle_share: float,
    improvement: float,
    as_json: bool,
) -> None:
    """Bounds on the energy that balancing saves, for hardware by name or by numbers.

    The bounds hold for equal work, no step overhead, and work on every worker.  Numbers change a
    named device, or make one of their own.  Without a device, a table of all.
    """
    from theory.power import hardware_catalogue

    listed = devices or list(hardware_catalogue().values())
    found = [facts(device, idle_share, improvement) for device in listed]
    if as_json:
        click.echo(
            to_json({"idle_share": idle_share, "improvement": improvement, "hardware": found})
        )
    elif len(found) == 1:
        _tell(found[0], idle_share, improvement)
    else:
        click.echo(
            f"saving for a baseline that idles {_share(idle_share)} and "
            f"{_smaller(improvement)}; idle share from which 28 % is possible\n"
        )
        cells = [
            (
                row["name"],
                f"{row['idle_w']:g}",
                f"{row['wait_w']:g}",
                f"{row['max_w']:g}",
                f"{row['gamma']:g}",
                _share(row["limit"]),
                *(
                    _share(row["bounds"][name])
                    for name in ("floor paper", "floor sharp", "floor envelope", "cap envelope")
                ),
                _share(row["idle_share_needed"]["28%"]["cap"]),
            )
            for row in found
        ]
        head = ("hardware", "idle W", "wait W", "max W", "gamma", "limit", "paper floor")
        click.echo(table((*head, "sharp floor", "floor", "cap", "28 % needs"), cells))
        if any(row["unknown"] for row in found):
            click.echo(
                "\nnumbers that are not measured are as in the paper here, a waiting worker at its "
                "idle power;\n--hardware NAME has the intervals that they leave"
            )
        padded = _share(found[0]["bounds"]["padded"])
        click.echo(
            f"\non any device: at most {_share(idle_share)} whatever a waiting worker draws, and "
            f"{padded} where every rank computes on padding up to the largest load"
        )
