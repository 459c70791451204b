"""Things of one's own: found by ``module:attribute``, by file, or as an entry point.

Every floor takes what a user has written in the place of what it has itself, and all look it up
here: claims, policies, workload families, figures, predictors and power laws.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from theory.content import printable
from theory.model import InputError
from theory.provenance import HOUSE, is_house, is_users

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


def aside() -> "redirect_stdout[Any]":
    """What code of one's own prints in the block goes to stderr: it is no answer of a command."""
    return redirect_stdout(sys.stdout if sys.stderr is None else sys.stderr)


class OwnError(InputError):
    """Something of one's own raised an exception, or answered what it may not."""


@contextmanager
def running(what: str, module: str | None = None) -> Iterator[None]:
    """Run code of one's own: an exception of it is bad input, and told with the user's own line.

    What it prints goes to stderr.  An :class:`~theory.model.InputError` is told as it is.
    ``sys.exit`` is an exception like any other: it would end a command without its answer.

    Parameters
    ----------
    what : str
        What runs, which begins the message: ``the check of mine.bound``.
    module : str, optional
        Where it is defined: code of the house fails as it fails.

    Raises
    ------
    OwnError
        If it raises anything else; what interrupts, and a lack of memory, pass.

    Examples
    --------
    >>> with running("the check of mine.bound"):  # doctest: +ELLIPSIS
    ...     sys.exit("held")
    Traceback (most recent call last):
    theory.own.OwnError: the check of mine.bound: SystemExit: held (...line 2: sys.exit("held"))
    """
    try:
        with aside():
            yield
    except (InputError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        if module is not None and is_house(module):
            raise
        raise OwnError(f"{what}: {told(error)}") from error


def is_own(spec: str) -> bool:
    """Whether the text names something in a module or a file: ``mine:thing`` or ``mine.py``.

    >>> is_own("mine:bursts"), is_own("studies/mine.py"), is_own("uniform"), is_own("my.toml:a100")
    (True, True, False, False)
    """
    return spec.endswith(".py") or (":" in spec and ".toml:" not in spec)


def refuse_own(spec: str, allowed: Collection[str] = (), group: str = "") -> None:
    """Refuse what a file names if it is somebody's own, since importing it runs it.

    Parameters
    ----------
    spec : str
        What the file names.
    allowed : collection of str
        Names that the user has given on the command line.
    group : str
        Its group of entry points, whose names are refused too.

    Raises
    ------
    InputError
        If it is neither built in nor allowed.
    """
    if spec not in allowed and (is_own(spec) or (group and spec in installed(group))):
        name = printable(spec)
        raise InputError(
            f"{name!r} is not built in, and a file names what is built in only; --allow {name} "
            "lets it name, and so run, your own"
        )


def entry_points(group: str) -> "EntryPoints":
    """The entry points of a group; what reads them is loaded here, since few processes ask."""
    from importlib import metadata

    return metadata.entry_points(group=group)


def installed(group: str) -> dict[str, str]:
    """The entry points of a group that installed packages have: name to ``module:attribute``."""
    return _named(entry_points, group, tuple(sys.path))


@cache
def _named(
    points: "Callable[[str], EntryPoints]", group: str, _path: tuple[str, ...]
) -> dict[str, str]:
    """As above; reading what is installed takes as long as a small run."""
    return {point.name: point.value for point in points(group)}


def module_of(name: str) -> ModuleType:
    """The module of that name, or in that file, imported.

    Parameters
    ----------
    name : str
        ``package.module``, looked up from the current directory as ``python -m`` does; or a file
        ``folder/mine.py``, which is imported as the module ``mine``.

    Raises
    ------
    InputError
        If it cannot be imported; the message names the line of the user's file that fails.
    """
    module, path = reached(name)
    os._exit = _refuse_to_end
    try:
        with aside():
            found = importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too
        taken = isinstance(error, ImportError) and (error.name or "").partition(".")[0]
        hint = f"; evenkeel has a package {taken!r}: rename yours" if taken in HOUSE else ""
        raise InputError(f"cannot import module {name!r}: {told(error)}{hint}") from error
    other = getattr(found, "__file__", None)
    if path is not None and (other is None or Path(other).resolve() != path):
        raise InputError(f"{name}: another module has the name {module!r} ({other}); rename yours")
    return found


_MAIN, _END = os.getpid(), os._exit


def _refuse_to_end(status: int) -> NoReturn:
    """What ``os._exit`` is from the first code of one's own on.

    It would end a command without its answer, with an exit code that means something else.  A
    process that this one has forked may end as it likes.
    """
    if os.getpid() == _MAIN:
        raise SystemExit(f"os._exit({status})")
    _END(status)


def must_not_end() -> None:
    """Let no code of one's own end this process, which was forked to run it."""
    global _MAIN  # noqa: PLW0603
    _MAIN = os.getpid()


def reached(name: str) -> tuple[str, Path | None]:
    """Let a module be found from now on; returns its name, and its file if that was given.

    Raises
    ------
    InputError
        If there is no such file.
    """
    path = None
    if name.endswith(".py"):
        path = Path(name).resolve()
        if not path.is_file():
            raise InputError(f"there is no file {name}")
        folder, name = str(path.parent), path.stem
    else:
        try:
            folder = os.getcwd()
        except FileNotFoundError:  # it was removed, and has no modules
            return name, None
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return name, path


def own(spec: str, group: str = "") -> Any:
    """What ``module:attribute``, ``file.py:attribute`` or an entry point of the group names.

    Parameters
    ----------
    spec : str
        The name; without an attribute it names the module itself.
    group : str
        Group of entry points to look in first, such as ``evenkeel.families``.

    Raises
    ------
    InputError
        If there is no such module, file or attribute.

    Examples
    --------
    >>> own("math:inf")
    inf
    >>> own("math:pj")
    Traceback (most recent call last):
    theory.model.InputError: module 'math' has no attribute 'pj'
    """
    value = installed(group).get(spec, spec) if group else spec
    module, colon, attribute = value.rpartition(":") if ":" in value else (value, "", "")
    found: Any = module_of(module.strip())
    for name in attribute.strip().split(".") if colon else ():
        if not hasattr(found, name):
            raise InputError(f"module {module!r} has no attribute {attribute.strip()!r}")
        found = getattr(found, name)
    return found


def one_line(error: BaseException) -> str:
    """Type of an exception and the first line of its message, as it can be shown."""
    try:
        message = printable((str(error).splitlines() or [""])[0], 500)
    except Exception:
        message = "(its message cannot be read)"
    return f"{type(error).__name__}: {message}"


def told(error: BaseException) -> str:
    """An exception in a line: its type, its message, and the user's own line that it came from."""
    return f"{one_line(error)}{_whence(error)}"


def _whence(error: BaseException) -> str:
    """The last of the user's own lines that an exception passed, in parentheses; or nothing."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return _line(error.filename, error.lineno, error.text or "")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_users(frame.filename):
            return _line(frame.filename, frame.lineno or 0, frame.line or "")
    return ""


def _line(file: str, number: int, text: str) -> str:
    shown = printable(text.strip())
    return f" ({printable(file)}, line {number}{': ' * bool(shown)}{shown})"
