"""Power and the hardware catalogue.

A device at utilisation ``u`` draws ``P(u) = P_w + (P_max - P_w) * u**gamma`` watts in a step for
which work is resident on it, ``0 < u <= 1``, and ``P_idle`` watts where none is.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from theory.formulas.energy import Constants
from theory.model import FloatArray, InputError

# What every command takes for a worker unless told otherwise: a device whose exponent is measured,
# while serving, and not assumed.
DEFAULT_DEVICE = "h100-sxm-decode"


@dataclass(frozen=True, slots=True)
class PowerModel(Constants[float]):
    """Power drawn by one device as a function of its utilisation.

    Parameters
    ----------
    idle_w, max_w : float
        Power without resident work and at ``u = 1``, in watts, ``0 <= idle_w <= max_w``,
        ``max_w > 0``.
    gamma : float
        Exponent in ``(0, 1]``: 1 is proportional, small values are almost flat.
    name, source, note : str
        Where the numbers come from and how far to trust them.
    wait_w : float, optional
        Power of a worker that has work and waits at the barrier, ``idle_w <= wait_w <= max_w``:
        waiting keeps all that is resident, so that it takes no less than idling, and it does
        nothing that work at full load does not.  By default ``idle_w``, the paper's assumption.
    wait_source : str
        Where ``wait_w`` comes from, if the catalogue has it.

    Raises
    ------
    InputError
        If a number is out of its range.

    Notes
    -----
    Source: paper, experiment E5 and Theorem 4.
    """

    name: str = "custom"
    source: str = "given by the user"
    note: str = ""
    wait_source: str = ""

    def __post_init__(self) -> None:
        for field in ("idle_w", "max_w", "gamma", "barrier_w"):
            value = getattr(self, field)
            if not np.isfinite(value):
                name = "wait_w" if field == "barrier_w" else field
                raise InputError(f"{name} must be a finite number, got {value!r}")
        if not 0 <= self.idle_w <= self.max_w or self.max_w <= 0:
            raise InputError(
                "power must satisfy 0 <= idle_w <= max_w and max_w > 0, "
                f"got idle_w = {self.idle_w}, max_w = {self.max_w}"
            )
        if not self.idle_w <= self.barrier_w <= self.max_w:
            raise InputError(
                "waiting power must satisfy idle_w <= wait_w <= max_w, got "
                f"wait_w = {self.wait_w}, idle_w = {self.idle_w}, max_w = {self.max_w}"
            )
        if not 0 < self.gamma <= 1:
            raise InputError(f"gamma must lie in (0, 1], got {self.gamma}")

    @property
    def waiting(self) -> str:
        """What is taken for a waiting worker, in words.

        Examples
        --------
        >>> PowerModel(100, 400, 0.7).waiting, PowerModel(100, 400, 0.7, wait_w=250).waiting
        ('a waiting worker at its idle power of 100 W', 'a waiting worker at 250 W')
        """
        assumed = "its idle power of " if self.wait_w is None else ""
        return f"a waiting worker at {assumed}{self.barrier_w:g} W"

    def power(self, utilisation: float) -> float:
        """``P(u)`` in watts for ``u`` in [0, 1]."""
        return float(self.powers(np.asarray(utilisation)))

    def powers(self, utilisation: FloatArray) -> FloatArray:
        """``P(u)`` in watts for each ``u`` in [0, 1]."""
        working = self.barrier_w + self.dynamic_w * utilisation**self.gamma
        return np.where(utilisation > 0, working, self.idle_w)


@cache
def hardware_catalogue() -> dict[str, PowerModel]:
    """All devices of ``theory/hardware.toml`` by name, in file order."""
    table = tomllib.loads(files("theory").joinpath("hardware.toml").read_text("utf-8"))
    return {
        name: PowerModel(
            row["p_idle_w"],
            row["p_max_w"],
            row["gamma"],
            name,
            row["source"],
            row.get("note", ""),
            row.get("wait_source", ""),
            wait_w=row.get("p_wait_w"),
        )
        for name, row in table.items()
    }


def hardware(name: str) -> PowerModel:
    """The catalogue's device of that name.

    Raises
    ------
    InputError
        If there is none; the message lists the names.

    Examples
    --------
    >>> a100 = hardware("a100-paper")
    >>> a100.idle_w, a100.max_w, a100.gamma, a100.power(0), a100.power(1)
    (100.0, 400.0, 0.7, 100.0, 400.0)
    """
    catalogue = hardware_catalogue()
    if name not in catalogue:
        raise InputError(f"unknown hardware {name!r}; known: {', '.join(catalogue)}")
    return catalogue[name]
