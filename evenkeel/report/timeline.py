"""A witness as a small timeline for the terminal: a row for each step, a bar for each worker."""

from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import Round, Situation
from adversary.witnesses.gallery import Witness, trajectory
from evenkeel.output import table
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import WAITS, StepProblem
from theory.content import printable
from theory.model import imbalance

WIDTH = 16
MOST_CELLS = 20_000
NAMES = "abcdefghijklmnopqrstuvwxyz"


def show(witness: Witness) -> str:
    """The witness in words, and what happens on its instance under each policy that it names."""
    about = f"claim {witness.claim}; " if witness.claim else ""
    texts = f"{witness.name}: {witness.text}", f"  {about}{witness.provenance}"
    lines = [printable(text, len(text)) for text in texts]
    if isinstance(witness.instance, Situation):
        return "\n".join([*lines, "", *_situation(witness.instance)])
    if isinstance(witness.instance, StepProblem):
        chosen = witness.assignment
        if chosen is None:
            chosen = tuple(exact_step(witness.instance).tolist())
        return "\n".join([*lines, "", step_picture(witness.instance, chosen)])
    for policy in witness.expected:
        lines += ["", timeline(witness.instance, policy)]
    return "\n".join(lines)


def timeline(run: Instance, policy: str) -> str:
    """A run in backlog mode under a policy: a table with a row for each step.

    The cell of a worker has a bar, its load and the requests in its slots, which are letters in
    arrival order.  The solid part of a bar is load, the light part is idling until the largest
    load is served.
    """
    system, requests = run.system, run.requests
    totals, place, every = trajectory(run, policy)
    if len(every) * system.workers > MOST_CELLS:
        return (
            f"{policy}: average imbalance {totals.avg_imbalance} over {totals.steps} steps of "
            f"{system.workers:,} workers, too many to show"
        )
    longest = max(1, *map(max, every))
    head = ("step", *(f"worker {g}" for g in range(system.workers)), "largest", "imbalance")
    rows = []
    for k, loads in enumerate(every):
        cells = []
        for g, load in enumerate(loads):
            names = "".join(_name(i) for i in (place[k] == g).nonzero()[0])
            cells.append(f"{_bar(load, max(loads), longest)} {load} {names}".rstrip())
        rows.append((str(k), *cells, str(max(loads)), str(imbalance(loads))))
    sizes = " ".join(
        f"{_name(i)}={s}x{o}"
        for i, (s, o) in enumerate(
            zip(requests.prefill.tolist(), requests.decode.tolist(), strict=True)
        )
    )
    average, steps = totals.avg_imbalance, totals.steps
    return (
        f"{policy}: average imbalance {average} over {steps} step{'s' * (steps != 1)}, "
        f"pool of {run.pool}; size x output length: {sizes}\n{table(head, rows)}"
    )


def _situation(situation: Situation) -> list[str]:
    """Its fields and what replaying it gives; a round step by step."""
    found = situation.replay()
    lines = [f"{situation.kind}:", *map(_line, situation.data().items())]
    lines += ["shows:", *map(_line, found.items())]
    if isinstance(situation, Round):
        steps: list[list[int]] = found["loads"]
        longest = max(map(max, steps))
        head = ("step", *(f"worker {g}" for g in range(situation.workers)), "imbalance")
        rows: list[tuple[str, ...]] = [
            (str(k), *(f"{_bar(x, max(row), longest)} {x}" for x in row), str(imbalance(row)))
            for k, row in enumerate(steps)
        ]
        lines += ["", table(head, rows)]
    return lines


def _line(entry: tuple[str, object]) -> str:
    return f"  {entry[0]:<22} {entry[1]}"


def step_picture(problem: StepProblem, assignment: tuple[int, ...]) -> str:
    """An admission step: loads before, what each worker gets, loads after."""
    before: list[int] = problem.loads.tolist()
    after = list(before)
    given: list[list[int]] = [[] for _ in before]
    for size, g in zip(problem.pool.tolist(), assignment, strict=True):
        if g != WAITS:
            after[g] += size
            given[g].append(size)
    rows: list[tuple[str, ...]] = [
        (
            str(g),
            f"{before[g]}",
            f"{int(problem.free[g])}",
            " + ".join(map(str, given[g])),
            f"{_bar(after[g], max(after), max(after))} {after[g]}",
        )
        for g in range(len(before))
    ]
    waits = [s for s, g in zip(problem.pool.tolist(), assignment, strict=True) if g == WAITS]
    last = f"imbalance {imbalance(after)}" + (f", waiting {waits}" if waits else "")
    return f"{table(('worker', 'load', 'free', 'gets', 'after'), rows)}\n{last}"


def _bar(load: int, largest: int, longest: int) -> str:
    full, end = (-(-x * WIDTH // max(1, longest)) for x in (load, largest))
    return ("█" * full + "░" * (end - full)).ljust(WIDTH)


def _name(i: int) -> str:
    return NAMES[i] if i < len(NAMES) else f"[{i}]"
