"""sympy, and the symbols of the energy claims, loaded when one of their names is first used.

A start of evenkeel, and a listing of its claims, needs neither; importing sympy takes as long as
all the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy as sp

    from theory.formulas import energy_symbols as es
else:

    class _Later:
        """A module that is imported when a name of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self._name), name)

    sp = _Later("sympy")
    es = _Later("theory.formulas.energy_symbols")

__all__ = ["es", "sp"]
