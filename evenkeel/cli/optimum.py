"""``evenkeel optimum``: the best schedule of a small backlog when every length is known."""

import json
from pathlib import Path
from typing import Any

import click

from evenkeel.output import HELD, INCONCLUSIVE, json_option, table, to_json, write_text
from theory.model import InputError, Requests, System

NEEDED = ("workers", "slots", "prefill", "decode")


def _backlog(path: str) -> tuple[System, Requests]:
    try:
        content: Any = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON: {error}") from None
    if not isinstance(content, dict) or any(name not in content for name in NEEDED):
        raise InputError(f"{path}: expected a JSON object with {', '.join(NEEDED)}")
    unknown = sorted(set(content) - {*NEEDED, "growth"})
    if unknown:
        raise InputError(
            f"{path}: unknown field {unknown[0]!r}; known: {', '.join(NEEDED)}, growth"
        )
    try:
        growth = content.get("growth", 1)
        if isinstance(growth, bool) or not isinstance(growth, int) or not 0 <= growth < 2**31:
            raise InputError(f"growth must be an integer in [0, 2^31), got {growth!r}")
        if not content["prefill"]:
            raise InputError("prefill must not be empty")
        system = System(content["workers"], content["slots"], (growth,))
        return system, Requests(content["prefill"], content["decode"])
    except (InputError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


@click.command()
@click.argument("backlog", type=click.Path(), metavar="BACKLOG.json")
@click.option(
    "--rule",
    type=click.Choice(["sticky", "pausing", "migrating"]),
    default="sticky",
    show_default=True,
    help="What a started request may do.",
)
@click.option("--idling", is_flag=True, help="Slots may stay free while requests wait.")
@click.option("--overhead", type=int, default=0, show_default=True, help="Cost of a step, C/t_l.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a certificate for evenkeel verify: sticky, up to 8 requests.",
)
@json_option
def command(
    backlog: str, rule: str, idling: bool, overhead: int, certificate: Path | None, as_json: bool
) -> None:
    """Solve {"workers": G, "slots": B, "prefill": [...], "decode": [...], "growth": 1}.

    Least total time: the sum of each step's largest load, and the overhead of each step.  Policies
    that must not know the lengths are shown beside it.  Exits with 3 if it is not proved optimal.
    """
    from solvers.certificates import certify_offline, to_text
    from solvers.schedule.problem import OfflineProblem, Rule, solve_offline
    from solvers.simulation.engine import simulate

    if overhead < 0:
        raise InputError(f"--overhead must be an integer >= 0, got {overhead}")
    system, requests = _backlog(backlog)
    problem = OfflineProblem(
        system, requests, Rule(rule), work_conserving=not idling, step_cost=overhead
    )
    best = solve_offline(problem)
    costs = {}
    for policy in ("fcfs", "bfio"):
        total = simulate(system, requests, policy, pool=len(requests)).total
        costs[policy] = total.sum_max + overhead * total.steps
    answer = {
        "cost": best.cost,
        "lower_bound": best.lower_bound,
        "optimal": best.optimal,
        "steps": best.totals.steps,
        "avg_imbalance": best.totals.avg_imbalance,
        "place": best.place,
        "policies": costs,
    }
    if certificate is not None:
        write_text(certificate, to_text(certify_offline(problem, best)))
        answer["certificate"] = str(certificate)
    if as_json:
        click.echo(to_json(answer))
    else:
        rows: list[tuple[str, ...]] = [("optimum", f"{best.cost}")]
        rows += [(policy, f"{cost}") for policy, cost in costs.items()]
        click.echo(table(("schedule", "cost"), rows))
        click.echo(f"\nproved optimal  {'yes' if best.optimal else 'no'}")
        click.echo(f"steps           {best.totals.steps}")
        click.echo("worker of each request, step by step (. is idle):")
        for step, line in enumerate(best.place.tolist()):
            click.echo(f"{step:>4}  " + " ".join("." if g < 0 else str(g) for g in line))
        if certificate is not None:
            click.echo(f"certificate     {certificate}")
    click.get_current_context().exit(HELD if best.optimal else INCONCLUSIVE)
