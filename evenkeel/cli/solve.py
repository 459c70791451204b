"""``evenkeel solve`` and ``optimum``: one admission step, one backlog, with certificates."""

import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evenkeel.exits import HELD, INCONCLUSIVE, began, code_of
from evenkeel.output import OutputFile, json_option, seconds, table, to_json, write_text
from theory.files import read
from theory.model import InputError, Requests, System

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from solvers.step.problem import StepProblem, StepSolution
    from theory.model import IntArray

# Seconds of a time limit that are left for each place of a schedule, to check it and to print it as
# text or as JSON.
SECONDS_PER_PLACE = 1e-7, 3e-7


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """The file of an admission step."""

    loads: list[int]
    free: list[int]
    pool: list[int]


def read_step(path: str) -> "StepProblem":
    """Read a step problem from a JSON object with the lists ``loads``, ``free`` and ``pool``.

    Raises
    ------
    InputError
        One line that names the file and the field.
    """
    from solvers.step.problem import StepProblem

    step = read(path, Step)
    try:
        return StepProblem(step.loads, step.free, step.pool)
    except (InputError, OverflowError) as error:
        raise InputError(f"{path}: {error}") from None


@click.command()
@click.argument("step", type=click.Path(), metavar="STEP.json")
@click.option(
    "--solver",
    type=click.Choice(["highs", "cbc", "cvxpy", "scan", "fast", "all"]),
    default="all",
    show_default=True,
)
@click.option(
    "--time-limit",
    type=seconds,
    default=60.0,
    show_default=True,
    help="Seconds for highs, cbc, cvxpy and scan each.",
)
@click.option(
    "--certificate",
    type=OutputFile(),
    help="Write a certificate for evenkeel verify.",
)
@json_option
def solve(
    step: str, solver: str, time_limit: float, certificate: Path | None, as_json: bool
) -> None:
    """Solve one admission step: {"loads": [...], "free": [...], "pool": [...]}.

    Prints the least imbalance found, a lower bound, and the worker of each request of the pool
    (-1 waits).  Exits with 0 if the value is proved optimal, 3 if not.  Only bounds in integers
    prove: what "highs", "cbc" and "cvxpy" find in floating point stands apart as claimed, and is
    left out where sizes are too large for it.  "scan" is the one for large steps: it proves most
    of 144 workers in seconds.
    """
    from solvers.certificates import SHORT_WORDS, certify_step, to_text
    from solvers.step.confirm import weigh
    from solvers.step.exact.milp import SOLVERS, solve_exact
    from solvers.step.exact.second_formulation import solve_cvxpy
    from solvers.step.fast.solve import solve_step

    problem = read_step(step)
    names = ("highs", "cbc", "cvxpy", "scan", "fast") if solver == "all" else (solver,)
    limited: dict[str, Callable[..., StepSolution]] = {
        **{name: partial(solve_exact, solver=name) for name in SOLVERS},
        "cvxpy": solve_cvxpy,
        "scan": scan,
    }
    solutions = {
        name: solve_step(problem)
        if name == "fast"
        else limited[name](problem, time_limit_s=time_limit)
        for name in names
    }
    best = weigh(problem, solutions).solution if solver == "all" else solutions[solver]
    shown = None
    if certificate is not None:
        shown = certify_step(problem, best)
        write_text(certificate, to_text(shown))
    elif not best.optimal:
        shown = certify_step(problem, best, SHORT_WORDS)
    if shown is not None:
        # An argument that anyone can check proves, whoever found the assignment.
        best = replace(best, lower_bound=max(best.lower_bound, shown["bound"]))
    answer = {
        "imbalance": best.imbalance,
        "lower_bound": best.lower_bound,
        "optimal": best.optimal,
        "assignment": best.assignment,
        "solvers": {
            name: {
                "imbalance": s.imbalance,
                "lower_bound": s.lower_bound,
                "optimal": s.optimal,
                "claimed": s.claim,
            }
            for name, s in solutions.items()
        },
    }
    if certificate is not None and shown is not None:
        answer["certificate"] = {"file": str(certificate), "lower_bound": shown["bound"]}
    if as_json:
        click.echo(to_json(answer))
    else:
        yes = {True: "yes", False: "no"}
        cells = [
            (
                name,
                f"{s.imbalance}",
                f"{s.lower_bound}",
                yes[s.optimal],
                "-" if s.claim is None else f"{s.claim}",
            )
            for name, s in solutions.items()
        ]
        click.echo(table(("solver", "imbalance", "lower bound", "proved", "claimed"), cells))
        click.echo(f"\nleast imbalance found  {best.imbalance}")
        click.echo(f"lower bound            {best.lower_bound}")
        click.echo(f"proved optimal         {yes[best.optimal]}")
        workers = " ".join(map(str, best.assignment.tolist()))
        click.echo(f"worker of each request {workers}   (-1 waits)")
        if certificate is not None and shown is not None:
            rest = "" if shown["bound"] == best.lower_bound else "; the rest a search has proved"
            click.echo(f"certificate            {certificate}, lower bound {shown['bound']}{rest}")
    click.get_current_context().exit(HELD if best.optimal else INCONCLUSIVE)


def scan(problem: "StepProblem", time_limit_s: float) -> "StepSolution":
    """Branch and price, or the solver of parallel machines, followed until the limit."""
    from evenkeel.cli.anytime import busy, follow, interval_shown
    from solvers.step.branch_and_price.solve import approach
    from solvers.step.exact.milp import largest_first
    from solvers.step.problem import StepSolution

    begun = time.monotonic()
    end = begun + time_limit_s
    first = largest_first(problem)
    found = StepSolution(first, problem.objective(first), 0)
    with interval_shown("scan", begun, end) as show:
        for found in follow(approach(problem, end), end):
            show(found.lower_bound, found.imbalance)
    if busy():
        click.echo("cut off amid a search, which is compiled once after installation", err=True)
    return found


class Backlog(msgspec.Struct, forbid_unknown_fields=True):
    """The file of a backlog; the model says what its values may be."""

    workers: Any
    slots: Any
    prefill: Any
    decode: Any
    growth: Any = 1


def read_backlog(path: str) -> tuple[System, Requests]:
    """Read a backlog from a JSON object with the fields of :class:`Backlog`.

    Raises
    ------
    InputError
        One line that names the file and the field.
    """
    given = read(path, Backlog)
    try:
        if type(given.growth) is not int or not 0 <= given.growth < 2**31:
            raise InputError(f"growth must be an integer in [0, 2^31), got {given.growth!r}")
        if not given.prefill:
            raise InputError("prefill must not be empty")
        system = System(given.workers, given.slots, (given.growth,))
        return system, Requests(given.prefill, given.decode)
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
    "--time-limit",
    type=seconds,
    default=60.0,
    show_default=True,
    help="Seconds for the whole command.",
)
@click.option(
    "--certificate",
    type=OutputFile(),
    help="Write a certificate for evenkeel verify: sticky, up to 8 requests of 40 steps in all.",
)
@json_option
def optimum(
    backlog: str,
    rule: str,
    idling: bool,
    overhead: int,
    time_limit: float,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """Solve {"workers": G, "slots": B, "prefill": [...], "decode": [...], "growth": 1}.

    Least total time: the sum of each step's largest load, and the overhead of each step.  Policies
    that must not know the lengths are shown beside it.  If time runs out, or Ctrl-C is pressed, the
    best schedule so far and a lower bound of all schedules are printed.  Exits with 3 if it is not
    proved optimal, with 130 if it was interrupted.
    """
    start = began()
    from evenkeel.cli.anytime import busy, follow, gap, interval_shown
    from solvers.certificates import certifiable, certify_offline, to_text
    from solvers.schedule.problem import OfflineProblem, Rule
    from solvers.schedule.solve import approach

    if overhead < 0:
        raise InputError(f"--overhead must be an integer >= 0, got {overhead}")
    system, requests = read_backlog(backlog)
    try:
        problem = OfflineProblem(
            system, requests, Rule(rule), work_conserving=not idling, step_cost=overhead
        )
        if certificate is not None:
            certifiable(problem)
        search = approach(problem)
        found = next(search)
    except InputError as error:
        raise InputError(f"{backlog}: {error}") from None
    places = len(requests) * (sum(requests.decode.tolist()) // system.capacity)
    places += len(requests) * int(requests.decode.max())
    end = start + time_limit - SECONDS_PER_PLACE[as_json] * places
    code = None
    try:
        with interval_shown("optimum", start, end) as show:
            for newer in follow(search, end):
                found = newer
                show(found.lower_bound, found.cost)
    except KeyboardInterrupt as stop:
        click.echo("interrupted: this is the best so far", err=True)
        code = code_of(stop)
    if busy():
        click.echo("cut off amid a search, which is compiled once after installation", err=True)
    best = found.schedule()
    costs = {name: found.policies.get(name) for name in ("fcfs", "bfio")}
    answer = {
        "cost": best.cost,
        "lower_bound": best.lower_bound,
        "optimal": best.optimal,
        "steps": best.totals.steps,
        "avg_imbalance": best.totals.avg_imbalance,
        "place": best.place,
        "policies": costs,
    }
    if certificate is not None and best.optimal:
        write_text(certificate, to_text(certify_offline(problem, best)))
        answer["certificate"] = str(certificate)
    elif certificate is not None:
        click.echo("no certificate: the schedule is not proved optimal", err=True)
    if as_json:
        click.echo(to_json(answer))
    else:
        rows = [("optimum" if best.optimal else "best found", f"{best.cost}")]
        rows += [(policy, "" if cost is None else f"{cost}") for policy, cost in costs.items()]
        click.echo(table(("schedule", "cost"), rows))
        click.echo(f"\nproved optimal  {'yes' if best.optimal else 'no'}")
        if not best.optimal:
            between = gap(best.lower_bound, best.cost)
            click.echo(f"lower bound     {best.lower_bound}, gap {between}")
        click.echo(f"steps           {best.totals.steps}")
        click.echo("worker of each request, step by step (. is idle):")
        for steps, line in runs_of(best.place):
            click.echo(f"{steps:>9}  " + " ".join("." if g < 0 else str(g) for g in line))
        if answer.get("certificate"):
            click.echo(f"certificate     {certificate}")
    click.get_current_context().exit(code or (HELD if best.optimal else INCONCLUSIVE))


def runs_of(place: "IntArray") -> "Iterator[tuple[str, list[int]]]":
    """Steps in which every request is on the same worker, and these workers.

    >>> import numpy as np
    >>> list(runs_of(np.array([[0, 1], [0, 1], [-1, 1]])))
    [('0-1', [0, 1]), ('2', [-1, 1])]
    """
    import numpy as np

    changes = np.flatnonzero((place[1:] != place[:-1]).any(axis=1)) + 1
    for first, last in pairwise([0, *changes.tolist(), len(place)]):
        yield f"{first}-{last - 1}" if last - first > 1 else f"{first}", place[first].tolist()
