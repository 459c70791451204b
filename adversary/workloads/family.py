"""What a workload family is: its parameters, and how sizes and output lengths are drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.model import InputError, IntArray

# A draw larger than this would overflow the sums of a long run; no real request comes near it.
SIZE_LIMIT = 2**31 - 1

Draw = Callable[..., tuple[ArrayLike, ArrayLike]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a workload family.

    Parameters
    ----------
    default : int, float or None
        Value when none is given; None where the family has a rule of its own.
    least, most : int or float
        Range, both ends included.
    text : str
        What it means.
    integer : bool
        Whether only integers make sense.

    Examples
    --------
    >>> Parameter(50, 1, 10**6, "largest size").check("bursts", "b", 80)
    80
    """

    default: int | float | None
    least: int | float
    most: int | float
    text: str
    integer: bool = True

    def check(self, family: str, name: str, value: Any) -> int | float | None:
        """The value as a plain number.

        Raises
        ------
        InputError
            If it is not a number of the right kind, or out of range.
        """
        if value is None and self.default is None:
            return None
        kinds = (int, np.integer) if self.integer else (int, float, np.integer, np.floating)
        if isinstance(value, kinds) and not isinstance(value, bool):
            number = int(value) if self.integer else float(value)
            if self.least <= number <= self.most:
                return number
        kind = "an integer" if self.integer else "a number"
        raise InputError(
            f"{name} of the workload {family} must be {kind} in [{self.least}, {self.most}], "
            f"got {value!r}"
        )


@dataclass(frozen=True, slots=True)
class Family:
    """A workload family: what it is, its parameters, and how it is drawn.

    Parameters
    ----------
    name : str
        Its name.
    text : str
        A few words.
    parameters : mapping of str to Parameter
        What it may be asked for.
    draw : callable
        ``draw(rng, n, **parameters)``: sizes and output lengths of ``n`` requests.
    measured : bool
        Whether its output lengths, by default, follow those of a trace.
    """

    name: str
    text: str
    parameters: Mapping[str, Parameter]
    draw: "Draw"
    measured: bool = False


SIZE = 1, SIZE_LIMIT
# Of the families whose output lengths may be asked for.
LENGTHS = {
    "p": Parameter(None, 2**-40, 1.0, "geometric output lengths, of mean 1/p", integer=False),
    "length": Parameter(None, *SIZE, "equal output lengths"),
}
# Ends of the sizes.
SMALLEST = Parameter(1, *SIZE, "smallest size")
LARGEST = Parameter(100, *SIZE, "largest size")


def workload_family(
    text: str,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    name: str = "",
    sizes_only: bool = False,
    measured: bool = False,
) -> Callable[[Callable[..., Any]], Family]:
    """Decorate the function that draws a workload family.

    It is called with a random generator, the number of requests and a value for each parameter,
    and returns their sizes and output lengths, two lists of that many integers ``>= 1``.

    Parameters
    ----------
    text : str
        What the family is, in a few words.
    parameters : mapping of str to Parameter, optional
        What it may be asked for.
    name : str
        By default that of the function, with hyphens.
    sizes_only : bool
        The function returns sizes alone.  Their output lengths are independent of them: geometric
        (``p``), equal (``length``), or geometric of mean 50; these two parameters are added.
    measured : bool
        Whether its output lengths, by default, follow those of a trace.

    Examples
    --------
    >>> @workload_family("one large in each block", {"every": Parameter(8, 1, 10**6, "block")})
    ... def one_large(rng, n, every):
    ...     sizes = np.where(np.arange(n) % every == 0, 1000, 10)
    ...     return sizes, rng.geometric(0.02, n)
    >>> one_large.name, one_large.draw(np.random.default_rng(0), 3, every=2)[0].tolist()
    ('one-large', [1000, 10, 1000])
    """
    own_parameters = dict(parameters or {})
    for key, value in own_parameters.items():
        if not isinstance(value, Parameter):
            raise InputError(f"the parameter {key} of a workload family must be a Parameter")

    def decorate(draw: Callable[..., Any]) -> Family:
        called = name or draw.__name__.strip("_").replace("_", "-")
        if sizes_only:
            return Family(called, text, own_parameters | LENGTHS, _with_lengths(draw), measured)
        return Family(called, text, own_parameters, draw, measured)

    return decorate


def output_lengths(
    rng: np.random.Generator,
    n: int,
    p: float | None,
    length: int | None,
    otherwise: Callable[[], IntArray],
) -> IntArray:
    """Geometric or equal output lengths, or the family's own when neither is asked for."""
    if length is not None:
        return np.full(n, length, dtype=np.int64)
    return otherwise() if p is None else _geometric(rng, n, p)


def _geometric(rng: np.random.Generator, n: int, p: float) -> IntArray:
    return np.minimum(rng.geometric(p, n), SIZE_LIMIT).astype(np.int64)


def _with_lengths(
    sizes: Callable[..., IntArray],
) -> Callable[..., tuple[IntArray, IntArray]]:
    """A family of independent sizes, with geometric lengths of mean 50 unless others are given."""

    def draw(
        rng: np.random.Generator, n: int, *, p: float | None, length: int | None, **params: Any
    ) -> tuple[IntArray, IntArray]:
        prefill = sizes(rng, n, **params)
        return prefill, output_lengths(rng, n, p, length, lambda: _geometric(rng, n, 0.02))

    return draw


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse what is no integer of at least ``least``."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} must be an integer >= {least}, got {value!r}")
