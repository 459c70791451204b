"""``evenkeel attack``: the worst instance for a policy, exactly where that is affordable."""

import math
import time
from pathlib import Path
from typing import Any

import click

from evenkeel.cli.anytime import follow
from evenkeel.exits import HELD, OutOfTime
from evenkeel.output import (
    OutputFile,
    json_option,
    progress,
    seed_option,
    time_limit_option,
)

# How often an unfinished attack is stored, in seconds.
SECONDS_KEPT = 5

# Policies under which the worst instance is shown as well.
BUILT_IN = "fcfs", "round_robin", "jsq", "least_loaded", "bfio"


@click.command()
@click.option("--policy", default="bfio_exact", show_default=True, help="Name or module:attribute.")
@click.option("--against", help='Maximise the ratio to this policy, or to the "optimum".')
@click.option("-G", "--workers", type=int, default=2, show_default=True, help="Workers.")
@click.option("-B", "--slots", type=int, default=2, show_default=True, help="Slots on each worker.")
@click.option("-n", "--requests", type=int, help="Requests.  [default: G*B]")
@click.option("--size-max", type=int, default=4, show_default=True, help="Largest size.")
@click.option("--size-min", type=int, default=1, show_default=True, help="Smallest size.")
@click.option("--length-max", type=int, default=1, show_default=True, help="Largest output length.")
@click.option("--pool", type=int, help="Waiting requests a policy sees.  [default: G*B]")
@click.option("--growth", type=int, default=1, show_default=True, help="Growth in a step.")
@click.option("--sorted", "in_order", is_flag=True, help="Only lists in order of size and length.")
@click.option(
    "--method",
    default="auto",
    show_default=True,
    help="auto, exact, random, climb, anneal or hypothesis.",
)
@click.option(
    "--budget", type=int, default=20_000, show_default=True, help="Evaluations by the engine."
)
@time_limit_option
@click.option(
    "--gallery",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/gallery"),
    show_default=True,
    help="Folder for the witness.",
)
@click.option("--name", help="Name of the witness.  [default: from the policy and the class]")
@click.option(
    "--certificate",
    type=OutputFile(),
    help="Write a certificate; only of exact attacks on fcfs and bfio_exact.",
)
@seed_option
@json_option
def attack(
    policy: str,
    against: str | None,
    workers: int,
    slots: int,
    requests: int | None,
    size_max: int,
    size_min: int,
    length_max: int,
    pool: int | None,
    growth: int,
    in_order: bool,
    method: str,
    budget: int,
    gallery: Path,
    name: str | None,
    certificate: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Find the worst instance for a policy in a bounded class, shrink it, and store it.

    Every instance is looked at if the budget allows it, and the answer is exact; otherwise the
    class is searched, and the answer is what was found.  An attack that is interrupted, or runs out
    of time (exit code 3), goes on when the same command is given again.
    """
    from adversary.instances.small_runs import SMALL_POLICIES
    from adversary.instances.space import Space
    from adversary.witnesses.gallery import OPTIMUM, write_witness
    from adversary.worst_case.attack import Attack, beside, restored, stored, text_of
    from adversary.worst_case.certify import certifiable, certify_worst_case, most_work
    from adversary.worst_case.exhaustive import conclude
    from evenkeel.output import table, to_json, write_text
    from evenkeel.report.timeline import timeline
    from evenkeel.runs.lock import only_writer
    from evenkeel.runs.sources import source_digest
    from solvers.certificates import to_text
    from solvers.checker import WORK
    from solvers.policies.registry import policy as load
    from theory.model import InputError

    for given in (policy, against):
        if given not in (None, OPTIMUM, *SMALL_POLICIES):
            load(str(given))
    space = Space(
        workers,
        slots,
        workers * slots if requests is None else requests,
        size_max,
        size_min,
        length_max,
        order="sorted" if in_order else "any",
        pool=pool,
        drift=(growth,),
    )
    attack = Attack(space, policy, against, method, budget, seed)
    if certificate is not None:
        certifiable(space, policy, against)
        if not attack.is_exact:
            raise InputError("--certificate is for exact attacks: this class is searched")
    stem = name or _stem(attack)
    if not stem.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"--name takes letters, digits, hyphens and underscores, got {stem!r}")
    click.get_current_context().with_resource(only_writer(gallery, stem))
    unfinished = gallery / f".{stem}.attack"
    own = [name for name in (policy, against) if name not in (None, OPTIMUM, *SMALL_POLICIES)]
    code = " ".join(source_digest(str(name)) for name in own or BUILT_IN[:1])
    tally = restored(attack, unfinished, code)

    def keep() -> None:
        if tally is not None:
            write_text(unfinished, to_json(stored(attack, tally, code)) + "\n")

    def so_far(why: str) -> str:
        found = (
            "before the first instance"
            if tally is None
            else f"after {tally.instances:,} instances, largest so far {text_of(tally.value)}"
        )
        return f"{why} {found}; the same command goes on from here"

    try:
        kept = time.monotonic()
        with progress("attack", attack.total) as tick:
            for portion in follow(attack.portions(tally)):
                tally = portion
                tick(tally.instances, f"attack: {text_of(tally.value)}")
                if time.monotonic() > kept + SECONDS_KEPT:
                    keep()
                    kept = time.monotonic()
        keep()
        assert tally is not None  # every attack has a portion
        smallest = attack.shrunk(tally)
    except KeyboardInterrupt as stop:
        keep()
        stop.args = (so_far("out of time" if isinstance(stop, OutOfTime) else "interrupted"),)
        raise
    answer: dict[str, Any] = {
        "objective": attack.objective_text,
        "value": text_of(tally.value),
        "exact": attack.is_exact,
        "domain": attack.domain,
        "instances": tally.instances,
        "maximisers": tally.maximisers if attack.is_exact else None,
        "witness": None,
        "certificate": None,
    }
    if smallest is not None:
        witness = attack.witness(stem, smallest, tally)
        answer["witness"] = str(write_witness(witness, gallery))
        answer["replayed"] = witness.expected
        known = () if policy in SMALL_POLICIES else (policy,)
        others = beside(smallest, dict.fromkeys((*known, *BUILT_IN)))
        answer["policies"] = {
            name: {"avg_imbalance": average, "longest_wait": wait}
            for name, (average, wait) in others.items()
        }
    if certificate is not None:
        worst = conclude(space, attack.objective_text, tally)
        certified = certify_worst_case(worst, policy, against)
        write_text(certificate, to_text(certified))
        answer["certificate"] = str(certificate)
        if (work := most_work(certified)) > WORK:
            answer["work"] = 10 ** len(str(work))
    unfinished.unlink(missing_ok=True)
    if as_json:
        click.echo(to_json(answer))
    else:
        sure = "exact" if attack.is_exact else "found; more may exist"
        click.echo(f"{attack.objective_text}: {answer['value']} ({sure})")
        click.echo(click.wrap_text(attack.domain, 96, "  ", "  "))
        if smallest is not None:
            click.echo("\nshrunk to\n")
            for shown in (policy, against):
                if shown is not None:
                    click.echo(timeline(smallest, shown) + "\n")
            if tally.value == math.inf:
                click.echo(
                    f"{against} has no imbalance there: that the ratio is infinite says only that "
                    f"{policy} has some\n"
                )
            rows = [(name, str(average), str(wait)) for name, (average, wait) in others.items()]
            click.echo("the same requests under other policies\n")
            click.echo(table(("policy", "average imbalance", "longest wait"), rows) + "\n")
            click.echo(f"witness      {answer['witness']}")
        if certificate is not None:
            more = (
                f", which verify may need --work={answer['work']} for" if "work" in answer else ""
            )
            click.echo(f"certificate  {certificate}{more}")
    click.get_current_context().exit(HELD)


def _stem(attack: Any) -> str:
    """A name from what the attack is."""
    space = attack.space
    parts = [attack.policy, *([attack.against] if attack.against else [])]
    text = "-".join(parts).replace("_", "-")
    plain = "".join(c if c.isalnum() or c == "-" else "-" for c in text)
    numbers = space.requests, space.size_max, space.decode_max
    return f"{plain}-{space.workers}x{space.slots}-" + "-".join(map(str, numbers))
