"""Machine code on disk: a file for each function and signature, checked before it is read.

A file is named by all that its machine code is made from, so that nothing stale is ever found: the
versions of Python and of the compiler, the processor, the signature, and the sources of every
module that the function's own module imports, directly or not, since a constant of any of them may
be part of the code.  Its contents stand behind their digest: a file that was cut off or damaged is
removed and made anew.  Where no folder can be written, nothing is kept, and that is said once.

Of several processes that need the same machine code one makes it; the others wait and read it.
"""

import hashlib
import os
import pickle
import platform
import re
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from solvers.kernel_linking import called_by, note, part_of, provide
from theory.provenance import is_house, is_installed, is_users

try:
    import fcntl
except ImportError:  # Windows: each process makes its own
    fcntl = None  # type: ignore[assignment]

# A process that waits for another's machine code asks this often, and makes its own after so long:
# the other may have been stopped.
ASK_S, WAIT_S = 0.05, 120

# How the files are named, by what is looked for: code that takes Python's objects, which other
# compiled code can call as well; code for the latter, to which Python needs an entry; the entry.
SUFFIXES = {
    "whole": (".nbc", ".inner.nbc"),
    "inner": (".inner.nbc", ".nbc"),
    "entry": (".entry.nbc",),
}


class KernelCache(_Cache):  # type: ignore[misc]
    """The machine code of one function, as numba's dispatcher asks for it.

    Parameters
    ----------
    function : callable
        The plain function, of a module whose imports are done.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.function = function
        self.file = Path(function.__code__.co_filename)
        self.stamp = stamp_of(function.__module__)
        self.kind = "whole"  # what is looked for or kept now, one of SUFFIXES

    @property
    def cache_path(self) -> str | None:
        """The folder, or None where nothing is kept."""
        folder = folder_of(self.file.parent) if self.stamp else None
        return None if folder is None else str(folder)

    @contextmanager
    def by_one_process(self, sig: Any, target_context: Any, kind: str) -> Iterator[None]:
        """Have one process at a time make the machine code for a signature.

        Parameters
        ----------
        sig : tuple
            The types of the arguments.
        target_context : object
            Numba's.
        kind : str
            What to make, one of `SUFFIXES`.
        """
        self.kind = kind
        key = self._key(sig, target_context.codegen())
        paths = self._paths(key)
        if not paths or any(path.exists() for path in paths):
            yield
            return
        place = int(hashlib.sha256(self._name(key).encode()).hexdigest()[:15], 16)
        lock = _locks(paths[0].parent)
        held = _taken(lock, place)
        self.kind = kind  # other code of this function may have been made meanwhile
        if _TELL and not any(path.exists() for path in paths):
            _TELL.pop()()
        try:
            yield
        finally:
            if held and lock is not None:
                fcntl.lockf(lock, fcntl.LOCK_UN, 1, place)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The machine code for a signature, or None if there is none that is whole."""
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        found = (self._read(path, key, target_context) for path in self._paths(key))
        return next((code for code in found if code is not None), None)

    def _read(self, path: Path, key: tuple[Any, ...], target_context: Any) -> Any:
        try:
            found = path.read_bytes()
        except OSError:
            return None
        digest, body = found[:32], found[32:]
        if hashlib.sha256(body).digest() != digest:
            with suppress(OSError):
                path.unlink()
            return None
        try:
            stored, called, part, code = pickle.loads(body)
            if stored != key or not provide(called):
                return None
            rebuilt = CompileResult._rebuild(target_context, *code)
        except Exception:  # it names something that is no longer there
            return None
        note(rebuilt.library, called, part)
        return rebuilt

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code for a signature; what cannot be written is not kept."""
        key = self._key(sig, data.codegen)
        path = next(iter(self._paths(key)), None)
        if path is None:
            _say("no folder for compiled code can be written; NUMBA_CACHE_DIR may name one")
            return
        if data.lifted or data.library.has_dynamic_globals:
            return
        # What the types of its variables are is for a reader, and takes long to write.
        code = data._replace(type_annotation="")._reduce()
        body = dumps((key, called_by(data.library), part_of(data.library), code))
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            scratch.write_bytes(hashlib.sha256(body).digest() + body)
            scratch.replace(path)
            for other in path.parent.glob(f"{self._base}.*"):
                if not other.name.startswith(f"{self._base}.{self.stamp}."):
                    other.unlink()
        except OSError as error:
            with suppress(OSError):
                scratch.unlink()
            _say(f"compiled code cannot be kept in {path.parent}: {error.strerror}")

    def enable(self) -> None:
        """Do nothing: it is always on."""

    def disable(self) -> None:
        """Do nothing: it is always on."""

    def flush(self) -> None:
        """Forget the machine code of every signature."""
        for path in Path(self.cache_path).glob(f"{self._base}.*") if self.cache_path else ():
            path.unlink()

    @property
    def _base(self) -> str:
        """What the names of all files of this function under these versions begin with."""
        name = f"{self.function.__module__.rpartition('.')[2]}.{self.function.__qualname__}"
        plain = re.sub(r"[^\w.]", "_", name)
        return f"{plain}-{sys.implementation.cache_tag}-numba{numba.__version__}"

    def _key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        code = self.function.__code__
        closed = tuple(cell.cell_contents for cell in self.function.__closure__ or ())
        bounds = numba.config.OPT, numba.config.BOUNDSCHECK
        return sig, codegen.magic_tuple(), code.co_code, dumps(closed) if closed else b"", bounds

    def _paths(self, key: tuple[Any, ...]) -> list[Path]:
        """The file of what is looked for, then another that does; none without a folder."""
        if self.cache_path is None:
            return []
        name = self._name(key)
        return [Path(self.cache_path) / (name + suffix) for suffix in SUFFIXES[self.kind]]

    def _name(self, key: tuple[Any, ...]) -> str:
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{self._base}.{self.stamp}.{digest}"

    def symbol(self, sig: Any, target_context: Any) -> str:
        """A name for the machine code for a signature, the same in every process."""
        name = self._name(self._key(sig, target_context.codegen()))
        return f"kernel_{hashlib.sha256(name.encode()).hexdigest()[:32]}"


@cache
def _locks(folder: Path) -> int | None:
    """A file whose places are locks, open while the process lasts; None if it cannot be."""
    try:
        return os.open(folder / "kernels.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None


def _taken(lock: int | None, place: int) -> bool:
    """Whether a place is now ours; the system lets it go when this process ends."""
    until = time.monotonic() + WAIT_S
    while fcntl is not None and lock is not None and time.monotonic() < until:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            return True
        except (BlockingIOError, PermissionError):
            time.sleep(ASK_S)
        except OSError:  # a file system without locks
            return False
    return False


@cache
def stamp_of(module: str) -> str:
    """A digest of the sources that a module is made of; empty if one of them cannot be read."""
    versions = platform.python_version(), np.__version__, llvmlite.__version__
    digest = hashlib.sha256(repr(versions).encode())
    found, to_read = {module}, [module]
    try:
        while to_read:
            for name in _imported(to_read.pop()):
                if name not in found:
                    found.add(name)
                    to_read.append(name)
        for name in sorted(found):
            digest.update(name.encode() + b"\0" + hashlib.sha256(_source(name)).digest())
    except OSError:
        return ""
    return digest.hexdigest()[:16]


@cache
def _source(module: str) -> bytes:
    return Path(_file_of(module)).read_bytes()


@cache
def _imported(module: str) -> tuple[str, ...]:
    """The modules that this one imports at its head and whose sources may change with ours."""
    text = _source(module).decode("utf-8", "replace")
    names = set(re.findall(r"^(?:from|import)[ \t]+([\w.]+)", text, re.MULTILINE))
    for name, value in vars(sys.modules[module]).items():
        # A package has each of its modules that anybody has loaded.
        if isinstance(value, ModuleType) and (
            value.__name__ != f"{module}.{name}"
            or re.search(rf"^(?:from|import)\b(?:.*|[^\n(]*\([^)]*)\b{name}\b", text, re.MULTILINE)
        ):
            names.add(value.__name__)
    return tuple(name for name in sorted(names) if _changes(name))


def _file_of(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""


def _changes(module: str) -> bool:
    """Whether a module is the house's or the user's own, not an installed one."""
    file = _file_of(module)
    if not file.endswith(".py") or module == __name__:
        return False
    return is_house(module) or is_users(file)


@cache
def folder_of(sources: Path) -> Path | None:
    """The first folder that can be written in which machine code of these sources is kept.

    These are: that of NUMBA_CACHE_DIR; ``__pycache__`` beside the sources, unless they are an
    installed package, which would then leave something behind; the user's cache; and one of the
    user alone among the temporary files.
    """
    for folder in _folders(sources):
        with suppress(OSError, RuntimeError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
    return None


def _folders(sources: Path) -> Iterator[Path]:
    name = f"{sources.name}_{hashlib.sha256(os.fsencode(sources.absolute())).hexdigest()[:16]}"
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR) / _of_this_user() / name
    if not is_installed(str(sources)):
        yield sources / "__pycache__"
    yield Path(AppDirs(appname="evenkeel", appauthor=False).user_cache_dir) / name
    with suppress(OSError):
        private = Path(tempfile.gettempdir()) / _of_this_user()
        private.mkdir(mode=0o700, exist_ok=True)
        # Reading machine code is running it: nobody else may have put it there.
        found = private.lstat()
        if os.name == "nt" or (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        ):
            yield private / name


def _of_this_user() -> str:
    return "evenkeel" if os.name == "nt" else f"evenkeel-{os.getuid()}"


# What to do where somebody waits for machine code.
_TELL: list[Callable[[], None]] = []


def tell_of_compiling(help_it: Callable[[], object] | None = None) -> None:
    """Say on stderr, once, when machine code has to be made: the next run will be quicker.

    Parameters
    ----------
    help_it : callable, optional
        What is called then.
    """

    def tell() -> None:
        if sys.stderr is not None:
            print("compiling: once after an installation or a change", file=sys.stderr)
        if help_it is not None:
            help_it()

    _TELL[:] = [tell]


_SAID: list[str] = []


def _say(what: str) -> None:
    """Say the first of these on stderr, in the first of a run's processes."""
    if not _SAID and parent_process() is None and sys.stderr is not None:
        _SAID.append(what)
        print(f"note: {what}: each run compiles anew", file=sys.stderr)
