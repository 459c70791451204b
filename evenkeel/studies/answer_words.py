"""An answer in words: the opening sentence, and where the answer holds."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from evenkeel.studies.answer import NEGLIGIBLE, Answer, Point, Saving
from evenkeel.studies.run_summary import percent
from solvers.simulation.result import RunResult
from theory.power import PowerModel

Place = tuple[float, float, float]


def less(saving: Saving, of: str) -> str:
    """A saving with its interval, signed by a word.

    >>> less(Saving(0.02, 0.01, 0.034), "energy"), less(Saving(-0.02, -0.03, 0.01), "energy")
    ('2.0 % less energy (1.0 % to 3.4 %)', '2.0 % more energy (3.0 % more to 1.0 % less)')
    >>> less(Saving(0.0, 0.0, 0.0), "time")
    'the same time'
    """
    ends = (saving.low, saving.value, saving.high)
    if all(abs(end) < 0.0005 for end in ends):
        return f"the same {of}"
    low, value, high = (percent(abs(end)) for end in ends)
    words = ["less" if end >= 0 else "more" for end in ends]
    between = f"{low} to {high}"
    if words[0] != words[2]:
        between = f"{low} {words[0]} to {high} {words[2]}"
    elif words[0] == "more":
        between = f"{high} to {low}"
    return f"{value} {words[1]} {of} ({between})"


def opening(
    answer: Answer, short: str | None, energy: Saving, time: Saving, judged: str, against: str
) -> str:
    """The sentence that answers.

    Parameters
    ----------
    answer : Answer
        Yes, no or cannot tell.
    short : str or None
        Why the run is too short, if it is.
    energy, time : Saving
        Of energy, and of time per output token.
    judged, against : str
        The policy and the baseline, in words.
    """
    numbers = (
        f"against {against}, {judged} needs {less(energy, 'energy')} and "
        f"{less(time, 'time per output token')}"
    )
    if short is not None:
        return f"Cannot tell: {short}.  In this run, {numbers}."
    if answer is Answer.UNCLEAR:
        return (
            f"Cannot tell: {numbers}; the interval of the energy holds both no saving and one of "
            f"more than {percent(NEGLIGIBLE)}."
        )
    return f"{answer.capitalize()}: {numbers}."


def not_by_balance(answer: Answer, base: RunResult, new: RunResult) -> str | None:
    """Where a saving comes from, if the workers wait no less for each other."""
    idle, left = ([run.total.idle_share, run.share_empty] for run in (base, new))
    if answer is not Answer.YES or left[0] < idle[0] - Fraction(NEGLIGIBLE):
        return None
    return (
        f"Balance is not what saves here: {percent(float(left[0]))} of the workers' time is idle, "
        f"and {percent(float(idle[0]))} under {base.policy}.  {new.policy} leaves workers without "
        f"any request in {percent(float(left[1]))} of their steps, {base.policy} in "
        f"{percent(float(idle[1]))}, and these draw the idle power."
    )


def waits(base: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """The longest waits of two runs by their summaries, where the second is over twice the first's.

    >>> names = (("jsq", 3), ("bfio", 7))
    >>> waits(*({"policy": name, "waiting_max_steps": steps} for name, steps in names))
    'The longest wait is 7 steps under bfio, 3 under jsq.'
    """
    before, after = (run["waiting_max_steps"] for run in (base, new))
    if after <= 2 * before:
        return None
    return (
        f"The longest wait is {after} steps under {new['policy']}, {before} under {base['policy']}."
    )


def beside(name: str, energy: Saving, time: Saving, judged: str) -> str:
    """The judged policy against the best of the others beside the baseline."""
    return (
        f"Against {name}, the best of the rules beside it, {judged} needs "
        f"{less(energy, 'energy')} and {less(time, 'time per output token')}: {energy.answer}."
    )


def over_device(power: PowerModel, nominal: Saving) -> str | None:
    """What is uncertain of the device, which the interval allows for; None if nothing is."""
    if not power.unknown:
        return None
    # Zero is added for -0.0, which would show its sign.
    ends = [round(end, 3) + 0 for end in (nominal.low, nominal.high)]
    assumed = f"gamma {power.gamma:g}, {power.waiting}"
    return (
        f"The interval is for all that is {power.uncertain}.  With {assumed}, it would be "
        f"{percent(ends[0])} to {percent(ends[1])}."
    )


def nominal(power: PowerModel) -> Place:
    """Where the answer is given: the device's own numbers, and ``C`` once."""
    return power.gamma, power.barrier_w, 1.0


def agreeing(points: Sequence[Point], centre: Place, axis: int) -> list[list[Point]]:
    """The points that differ from the centre along one axis: before, around and after.

    In the middle are those around the centre that give its answer, without a gap.
    """
    line = sorted(
        (
            point
            for point in points
            if all(i == axis or point.place[i] == centre[i] for i in range(3))
        ),
        key=lambda point: point.place[axis],
    )
    at = next(i for i, point in enumerate(line) if point.place == centre)
    answer, first, last = line[at].saving.answer, at, at
    while first > 0 and line[first - 1].saving.answer is answer:
        first -= 1
    while last + 1 < len(line) and line[last + 1].saving.answer is answer:
        last += 1
    return [line[:first], line[first : last + 1], line[last + 1 :]]


def where(answer: Answer, points: Sequence[Point], power: PowerModel, overhead_s: float) -> str:
    """Over which exponents, waiting powers and ``C`` the answer is the same."""
    centre = nominal(power)
    answers = [point.saving.answer for point in points]
    same = next(point.saving.answer for point in points if point.place == centre)
    if answer is not same or same is Answer.UNCLEAR:
        counts = ", ".join(f"{each} in {answers.count(each)}" for each in Answer)
        return (
            f"Of {len(points)} combinations of gamma, waiting power and C the answer is {counts}."
        )
    told = []
    times = f" times {1e3 * overhead_s:.2f} ms"
    units = (("gamma", ""), ("a waiting power of", " W"), ("C of", times))
    for axis, (name, unit) in enumerate(units):
        before, around, after = agreeing(points, centre, axis)
        low, high = (around[i].place[axis] for i in (0, -1))
        text = f"{name} {low:g} to {high:g}{unit}" if low < high else f"{name} {low:g}{unit} alone"
        others = [
            f"{point.saving.answer} at {point.place[axis]:g}"
            for point in (*before[-1:], *after[:1])
        ]
        told.append(text + (f" ({', '.join(others)})" if others else ""))
    return (
        f"The answer is the same for {told[0]}, {told[1]} and {told[2]}, each by itself, and in "
        f"{answers.count(same)} of {len(points)} combinations."
    )
