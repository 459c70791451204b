"""The packages below this one, held against others of the same names.

Python takes the first ``theory`` on its path, and the folder of the script that runs comes first.
"""

import os
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec

FLOORS = ("theory", "solvers", "adversary", "paper_figures")

HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


@cache
def import_floors() -> None:
    """Import the packages that stand beside this one, so that no other is taken for them later.

    Raises
    ------
    ImportError
        If another would be: which path shadows which package, and what to do.
    """
    for name in FLOORS:
        if other := _other(name):
            raise ImportError(
                f"{other} shadows evenkeel's package {name!r}, which has the same name: rename it, "
                "or keep it off Python's path (python -P leaves out the folder of the script)",
                name=name,
                path=other,
            )
    pin_floors()


def pin_floors() -> None:
    """Import them from here, whatever is first on the path: for a process that another checked."""
    sys.path.insert(0, HOME)
    try:
        for name in FLOORS:
            import_module(name)
    finally:
        sys.path.remove(HOME)


def _other(name: str) -> str | None:
    """The file or folder that is imported under that name, if it is not ours."""
    module = sys.modules.get(name)
    if module is None:
        spec = find_spec(name)
        if spec is None:  # a broken installation, which the import will tell
            return None
        folders, origin = spec.submodule_search_locations or (), spec.origin
    else:
        folders, origin = getattr(module, "__path__", ()), getattr(module, "__file__", None)
    ours = os.path.join(HOME, name)
    if any(os.path.realpath(folder) == ours for folder in folders):
        return None
    return next(iter(folders), origin or f"a module {name!r}")
