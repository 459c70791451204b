"""Power and the hardware catalogue.

A device at utilisation ``u`` draws ``P(u) = P_idle + (P_max - P_idle) * u**gamma`` watts.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from theory.formulas.energy import Constants
from theory.model import InputError


@dataclass(frozen=True, slots=True)
class PowerModel(Constants[float]):
    """Power drawn by one device as a function of its utilisation.

    Parameters
    ----------
    idle_w, max_w : float
        Power at ``u = 0`` and ``u = 1``, in watts, ``0 <= idle_w <= max_w``, ``max_w > 0``.
    gamma : float
        Exponent in ``(0, 1]``: 1 is proportional, small values are almost flat.
    name, source, note : str
        Where the numbers come from and how far to trust them.

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

    def __post_init__(self) -> None:
        for field in ("idle_w", "max_w", "gamma"):
            if not np.isfinite(getattr(self, field)):
                raise InputError(f"{field} must be a finite number, got {getattr(self, field)!r}")
        if not 0 <= self.idle_w <= self.max_w or self.max_w <= 0:
            raise InputError(
                "power must satisfy 0 <= idle_w <= max_w and max_w > 0, "
                f"got idle_w = {self.idle_w}, max_w = {self.max_w}"
            )
        if not 0 < self.gamma <= 1:
            raise InputError(f"gamma must lie in (0, 1], got {self.gamma}")

    def power(self, utilisation: float) -> float:
        """``P(u)`` in watts for ``u`` in [0, 1]."""
        return float(self.idle_w + self.dynamic_w * utilisation**self.gamma)


@cache
def hardware_catalogue() -> dict[str, PowerModel]:
    """All devices of ``theory/hardware.toml`` by name, in file order."""
    table = tomllib.loads(files("theory").joinpath("hardware.toml").read_text("utf-8"))
    return {
        name: PowerModel(
            row["p_idle_w"], row["p_max_w"], row["gamma"], name, row["source"], row.get("note", "")
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
