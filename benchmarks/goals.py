"""What a benchmark returns: lines to show, and the goals that are measured in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Goal:
    """A measured value beside the most that it may be, or the least that it must be."""

    value: float
    limit: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the value is on the right side of its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        return "pass" if self.reached else "MISSED"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a benchmark with the goals measured in it; one with a title heads the next ones.

    >>> goal = Goal(2.5, 3)
    >>> Line(f"a step takes 2.5 x sort, at most 3: {goal}", (goal,)).reached
    True
    """

    text: str
    goals: tuple[Goal, ...] = ()
    title: str = ""

    @property
    def reached(self) -> bool:
        """Whether all of its goals are reached."""
        return all(goal.reached for goal in self.goals)


def titled(text: str) -> Line:
    """A line that heads the next ones; its title is what stands before the first colon.

    >>> titled("Cold start: at most 93 ms").title
    'Cold start'
    """
    return Line(text, title=text.partition(": ")[0].strip())


def show(lines: Iterable[Line]) -> list[tuple[str, Line]]:
    """Print lines as they come; returns the title and the line for each line with a goal."""
    title, found = "", []
    for line in lines:
        print(line.text, flush=True)
        title = line.title or title
        if line.goals:
            found.append((title, line))
    return found


def measured(name: str) -> list[tuple[str, Line]]:
    """Run the benchmark ``bench_NAME``, as :func:`show` does its lines."""
    return show(import_module(f"benchmarks.bench_{name}").lines())
