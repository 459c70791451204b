"""Whose a source file is: the house's, an installed package's, or the user's own."""

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

HOUSE = ("theory", "solvers", "adversary", "paper_figures", "evenkeel")

ROOT = Path(__file__).resolve().parents[1]


def is_house(module: str) -> bool:
    """Whether a module of that name is one of this package.

    >>> is_house("theory.model"), is_house("theoretical")
    (True, False)
    """
    return module.partition(".")[0] in HOUSE


def is_users(file: str) -> bool:
    """Whether a file is the user's, neither the house's nor installed.

    >>> is_users(__file__), is_users(os.__file__), is_users("/home/me/my_policies.py")
    (False, False, True)
    """
    house = tuple(f"{ROOT / name}{os.sep}" for name in HOUSE)
    return not (file.startswith(("<frozen", *house)) or is_installed(file))


def house_path() -> list[str]:
    """Where a process finds the house and what is installed, and nothing of a user's."""
    return [str(ROOT), *(folder for folder in sys.path if is_installed(folder))]


def is_installed(path: str) -> bool:
    """Whether a file or folder is Python's own, or of the packages that are installed.

    >>> is_installed(os.__file__), is_installed("/home/me")
    (True, False)
    """
    return f"{path}{os.sep}".startswith(_installed())


@cache
def _installed() -> tuple[str, ...]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = {sysconfig.get_path(kind) for kind in kinds}
    paths.add(sysconfig.get_path("purelib", sysconfig.get_preferred_scheme("user")))
    return tuple(f"{path}{os.sep}" for path in paths)
