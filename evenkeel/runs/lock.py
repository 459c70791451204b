"""One process at a time writes to a folder: the system's own lock, which ends with its owner."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from theory.files import UNDER_WAY
from theory.model import InputError

# What systems answer where somebody else has the lock.
_TAKEN = errno.EAGAIN, errno.EACCES, errno.EDEADLK


@contextmanager
def only_writer(folder: Path, name: str = "") -> Iterator[None]:
    """Hold the folder, or what has that name in it, for the block.

    The file ``.NAME.lock`` has the number of the process and is removed at the end; one that a
    process left when it was killed holds nobody up.  File systems without locks have none.

    Raises
    ------
    InputError
        If another process holds it, or the folder cannot be written.
    """
    path = folder / f".{name or 'evenkeel'}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _held(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    if file is None:
        owner = ""
        with suppress(OSError, ValueError):
            owner = f" (process {int(path.read_text('ascii'))})"
        raise InputError(
            f"{folder / name}: another evenkeel{owner} writes there: wait for it, or name another "
            "place"
        )
    UNDER_WAY.add(path)
    try:
        yield
    finally:
        UNDER_WAY.discard(path)
        # Removed while it is held: nobody can hold a file that is about to go and another one.
        with suppress(OSError):
            path.unlink()
        os.close(file)


def _held(path: Path) -> int | None:
    """The lock file, open and locked; None where another process has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                os.close(file)
                return None
            return file  # a file system without locks
        if _is_there(file, path):
            with suppress(OSError):  # a full disk, where the number is missing
                os.truncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
            return file
        os.close(file)  # its last owner removed it between the two


def _is_there(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
