"""``evenkeel doctor``: the solvers, their versions, and the hand-solved shelf."""

import platform
from collections.abc import Mapping

import click

from evenkeel.exits import HELD, VIOLATED
from evenkeel.output import json_option, table, to_json


def version_warnings(versions: Mapping[str, str]) -> list[str]:
    """What is known to be wrong with these versions."""

    def number(name: str) -> tuple[int, ...]:
        digits = ("".join(filter(str.isdigit, part)) for part in versions.get(name, "").split("."))
        return tuple(int(part) for part in digits if part)

    warnings = []
    if number("highspy") == (1, 14, 0):
        warnings.append("highspy 1.14.0 is known to be bad: install 1.15.1 or later")
    elif number("highspy") < (1, 15, 1):
        warnings.append(
            f"highspy {versions.get('highspy')} is older than 1.15.1, which has fixes of wrong "
            "optima: install 1.15.1 or later"
        )
    if number("pulp") >= (4,):
        warnings.append(
            f"pulp {versions['pulp']} no longer ships CBC and has another interface: install < 4"
        )
    return warnings


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Name every solver and version, and run each on hand-solved instances.

    Exits with 1 if any answer is wrong.
    """
    from importlib.metadata import version

    from solvers.step.exact.milp import solver_versions
    from solvers.step.shelf import run_shelf

    versions = {"python": platform.python_version()}
    versions |= {name: version(name) for name in ("numba", "numpy", "highspy", "python-flint")}
    versions |= solver_versions()
    warnings = version_warnings(versions)
    results = run_shelf()
    shelf = {
        solver: {
            "solved": sum(r.ok for r in results if r.solver == solver),
            "instances": sum(r.solver == solver for r in results),
            "seconds": sum(r.seconds for r in results if r.solver == solver),
        }
        for solver in dict.fromkeys(r.solver for r in results)
    }
    wrong = [
        {
            "solver": r.solver,
            "instance": r.instance,
            "value": r.value,
            "lower_bound": r.lower_bound,
            "optimum": r.optimum,
        }
        for r in results
        if not r.ok
    ]
    if as_json:
        click.echo(
            to_json({"versions": versions, "shelf": shelf, "wrong": wrong, "warnings": warnings})
        )
    else:
        click.echo(table(("software", "version"), list(versions.items())))
        click.echo()
        cells = [
            (name, f"{s['solved']}/{s['instances']}", f"{s['seconds']:.2f}")
            for name, s in shelf.items()
        ]
        click.echo(table(("solver", "right", "seconds"), cells))
        for row in wrong:
            click.echo(
                f"wrong: {row['solver']} on {row['instance']!r}: value {row['value']}, "
                f"bound {row['lower_bound']}, optimum {row['optimum']}"
            )
        for warning in warnings:
            click.echo(f"warning: {warning}")
    click.get_current_context().exit(VIOLATED if wrong else HELD)
