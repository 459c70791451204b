"""The answers that claims give to the questions which a report opens with."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from evenkeel.findings.check import Verdict
from theory.model import InputError

Record = dict[str, Any]  # of one claim, as a run writes it


@dataclass(frozen=True, slots=True)
class Headline:
    """A question that people ask first, and how the records of a run answer it.

    Parameters
    ----------
    question : str
        The question.
    rank : int
        Its place among the others, 1 first.
    labels : tuple of str
        The claims whose records the answer takes, in that order.
    answer : callable
        The answer from these records.
    """

    question: str
    rank: int
    labels: tuple[str, ...]
    answer: Callable[..., str]


_Method = TypeVar("_Method", bound=Callable[..., str])


def headline(question: str, rank: int, *beside: str) -> Callable[[_Method], _Method]:
    """Declare the decorated method as the answer of its claim to a question.

    It takes the record of the claim and those of the claims ``beside`` it.  Every number of the
    answer is to be read from a record, and every yes or no from a verdict, so that it cannot say
    what the run did not find.
    """

    def declare(method: _Method) -> _Method:
        vars(method)["headline"] = question, rank, beside
        return method

    return declare


def asked(answer: Callable[..., str], label: str) -> Headline:
    """The headline of a claim from its bound method.

    Raises
    ------
    InputError
        If the method is not decorated by :func:`headline`.
    """
    said = getattr(answer, "headline", None)
    if said is None:
        raise InputError(f"the answer of {label!r} needs the decorator @headline(...)")
    question, rank, beside = said
    return Headline(question, rank, (label, *beside), answer)


def percent(share: float | Fraction | str) -> str:
    """A share in per cent, to one decimal."""
    return f"{100 * float(Fraction(share)):.1f} %"


def says(entry: Record) -> str:
    """``Yes`` where the claim held, ``No`` where it is refuted."""
    verdict = Verdict(entry["verdict"])
    if verdict.held:
        return "Yes"
    return "No" if verdict is Verdict.REFUTED else f"Open ({verdict})"
