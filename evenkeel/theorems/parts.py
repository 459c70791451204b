"""What the methods of a claim return, and what is said where one of somebody's own does not."""

from dataclasses import dataclass
from functools import wraps
from typing import Any

from theory.content import printable
from theory.own import OwnError, running
from theory.provenance import is_house


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers that show how large the sides of a claim are.

    Parameters
    ----------
    text : str
        What the numbers are, and how they are rounded.
    head : tuple of str
        The heads of the columns.
    rows : tuple of tuple of str
        The cells; empty where a number is not known.
    """

    text: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def part(it: object, name: str, label: str) -> Any:
    """A method of a claim; one of somebody's own answers what it may, or says what is wrong."""
    method = getattr(it, name, None)
    if method is None or is_house(type(it).__module__):
        return method
    what = f"the {name} of {label}"

    @wraps(method)
    def answered(*given: Any) -> Any:
        with running(what):
            found = method(*given)
            if name == "proof":
                found = tuple(found)
        if fault := _fault(name, found):
            raise OwnError(f"{what} must {fault}")
        with running(what):
            for step in found if name == "proof" else ():
                step.status  # noqa: B018  (its relations are decided here)
        return found

    return answered


def _fault(name: str, found: Any) -> str:
    """What a method of a claim must do that it has not done; empty if it has."""
    kind = type(found).__name__
    if name == "formula":
        import sympy

        return "" if isinstance(found, sympy.Basic) else f"be an expression of sympy, not {kind}"
    if name == "proof":
        return _fault_of_steps(found)
    if name == "numbers":
        if not isinstance(found, Numbers):
            return f"be Numbers, not {kind}"
        cells = [cell for row in (found.head, *found.rows) for cell in row]
        if any(len(row) != len(found.head) for row in found.rows):
            return "have as many cells in each row as its head"
        texts = (found.text, *cells)
        return "" if all(isinstance(cell, str) for cell in texts) else "have texts as its cells"
    if name == "answer" and not (isinstance(found, str) and printable(found, len(found)) == found):
        return "be a line of printable text"
    return ""


def _fault_of_steps(steps: tuple[Any, ...]) -> str:
    import sympy

    from theory.proof import Step, relations_of

    for step in steps:
        if not isinstance(step, Step):
            return f"have steps such as Lemma and Identity, not {type(step).__name__}"
        if not all(isinstance(getattr(step, name, ""), str) for name in ("name", "text")):
            return f"say what a step is in text ({type(step).__name__})"
        sides = (side for low, _, high in relations_of(step) for side in (low, high))
        for side in sides:
            if not isinstance(side, sympy.Basic):
                return f"relate expressions of sympy, not {type(side).__name__}"
    return ""
