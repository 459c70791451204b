"""``evenkeel check``: check one claim, as stated, deliberately falsified, or for a policy."""

import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from evenkeel.cli.anytime import follow
from evenkeel.exits import HELD, INCONCLUSIVE, VIOLATED, OutOfTime
from evenkeel.output import OutputFile, json_option, seed_option, time_limit_option

# Characters of a number, and digits of its exponent.
_NUMBER = re.compile(r"[^eE]{1,100}([eE][-+]?\d{1,2})?")


def _value(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text
    for kind in (int, Fraction):
        try:
            return kind(text)
        except (ValueError, ZeroDivisionError):
            continue
    return text


def _like(name: str, given: Any, default: Any) -> Any:
    """The value in the type that the check's default has.

    Raises
    ------
    InputError
        If it is of another kind; the message names the parameter and the kind.
    """
    from theory.content import printable
    from theory.model import InputError

    if isinstance(default, tuple):
        if any(isinstance(part, tuple) for part in default):
            raise InputError(f"the parameter {name} is a list of tuples and cannot be given here")
        return tuple(_like(name, _value(part), default[0]) for part in str(given).split(","))
    if isinstance(default, float | Fraction) and isinstance(given, int | Fraction):
        return type(default)(given)
    kinds = {int: "a whole number", float: "a number", Fraction: "a number"}
    if type(default) in kinds and not isinstance(given, type(default)):
        raise InputError(
            f"the parameter {name} must be {kinds[type(default)]}, got {printable(str(given), 50)}"
        )
    return given


@click.command()
@click.argument("label")
@click.option("-G", "--workers", "G", help="Workers, where the check has them.")
@click.option("-B", "--slots", "B", help="Slots, where the check has them.")
@click.option("--p", help="Parameter of geometric lengths, where the check has it.")
@click.option("--param", "pairs", multiple=True, metavar="NAME=VALUE", help="Any other parameter.")
@click.option(
    "--budget",
    type=click.Choice(["smoke", "standard", "paper"]),
    default="smoke",
    show_default=True,
)
@click.option("--scale", default=None, help="Multiply the claimed side, e.g. 1/2: must be caught.")
@click.option("--policy", default=None, help="A policy in place of the claim's: module:attribute.")
@click.option("--witness", type=OutputFile(), help="Write the witness to this file.")
@time_limit_option
@seed_option
@json_option
def check(
    label: str,
    G: str | None,
    B: str | None,
    p: str | None,
    pairs: tuple[str, ...],
    budget: str,
    scale: str | None,
    policy: str | None,
    witness: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Check the claim LABEL, or one of your own, module:attribute or file.py:attribute.

    Beside the verdict stands how many of the deliberately false versions planted in the check it
    catches.  Exit code 0 if it held, 1 if it is refuted, 3 if nothing could be decided.
    """
    from evenkeel.findings.check import EVERY, Budget, Finding, Variant, Verdict
    from evenkeel.output import to_json, write_text
    from evenkeel.report.summary import computed_text, number, power_text, steps_text, verdict_text
    from evenkeel.runs.records import record
    from evenkeel.runs.reproduce import unchecked, versions
    from evenkeel.theorems.registry import claim_of
    from theory.budget import MEMORY, kept_to
    from theory.model import InputError

    shown = claim_of(label)
    label, check = shown.label, shown.check
    if check is None:
        click.echo(f"{label}: not checked: {unchecked(shown).domain}")
        click.get_current_context().exit(INCONCLUSIVE)
        return
    overrides: dict[str, Any] = {
        name: _value(text) for name, text in (("G", G), ("B", B), ("p", p)) if text is not None
    }
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InputError(f"--param takes NAME=VALUE, got {pair!r}")
        overrides[name] = _value(text)
    overrides = {
        name: _like(name, value, check.defaults[name]) if name in check.defaults else value
        for name, value in overrides.items()
    }
    variant = None
    if scale is not None:
        factor = _value(scale)
        if not isinstance(factor, int | Fraction):
            raise InputError(f"--scale takes a number such as 1/2 or 1.1, got {scale[:50]!r}")
        variant = Variant(f"claimed side x {scale}", scale=Fraction(factor), side=EVERY)
    if policy is not None:
        from solvers.policies.registry import policy as load

        load(policy)
    trial = check.trial(Budget(budget), seed, variant, policy, **overrides)
    finding = Finding(verdict=Verdict.INCONCLUSIVE, domain="out of time: nothing is decided")
    power: Mapping[str, bool] | None = None

    def measured() -> Iterator[tuple[Finding, Mapping[str, bool] | None]]:
        found = check.hold(trial)
        yield found, None
        # A deliberately false version is itself a test of power; only the claim has a kill rate.
        if variant is None:
            yield found, check.power(Budget.SMOKE, seed)

    try:
        with kept_to(MEMORY) if overrides else nullcontext():
            for so_far in follow(measured()):
                finding, power = so_far
    except OutOfTime:
        if finding.verdict is not Verdict.INCONCLUSIVE:
            click.echo("out of time: its false versions are not tried", err=True)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        if not overrides or isinstance(error, InputError):
            raise
        given = ", ".join(f"{name} = {value}" for name, value in overrides.items())
        raise InputError(
            f"the check of {label} cannot run with {given}: {type(error).__name__}: {error}"
        ) from error
    entry = record(check, trial, finding, power, versions())
    if witness is not None and finding.witness is not None:
        write_text(witness, to_json(finding.witness) + "\n")
    if as_json:
        click.echo(to_json(entry | {"variant": variant.name if variant else None}))
    else:
        what = f" ({variant.name})" if variant else ""
        # A false version, or a run of somebody's own policy, is not what a proof vouches for.
        stated = variant is None and policy is None
        verdict = verdict_text(entry) if stated else finding.verdict
        steps = f" ({steps_text(entry)})" if stated and steps_text(entry) else ""
        click.echo(f"{label}{what}: {verdict}{steps}" + power_text(entry))
        if finding.computed is not None:
            what = f"{check.measures}: " if check.measures else ""
            click.echo(
                f"  {what}{computed_text(entry)} {finding.relation} {number(entry['claimed'])}"
                + (f", margin {number(entry['margin'])}" if entry["margin"] is not None else "")
            )
        click.echo(click.wrap_text(finding.domain, 96, "  ", "  "))
        if finding.witness:
            click.echo(f"  witness {to_json(finding.witness)}")
    code = (
        HELD
        if finding.verdict.held
        else VIOLATED
        if finding.verdict is Verdict.REFUTED
        else INCONCLUSIVE
    )
    click.get_current_context().exit(code)
