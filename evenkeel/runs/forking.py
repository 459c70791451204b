"""A process that loads once what the work of a run needs, and from which its workers are forked.

A worker then starts in hundredths of a second, and shares the memory of what is loaded.  Nothing
runs in that process, and it has one thread, so that no lock can be held where it forks.
"""

import atexit
import gc
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler, recv_handle, send_handle
from typing import Any

from evenkeel.exits import BLAS
from evenkeel.shadows import pin_floors

# Elsewhere the system's own libraries may not survive a fork, or there is none.
FORKS = sys.platform == "linux"

_SPAWN = get_context("spawn")

# As it is before code of one's own is imported, which has another (theory.own).
_EXIT = os._exit

# The process that forks looks this often whether its parent is there, which its pipe tells at once
# unless somebody else holds the other end; its parent looks that often whether a worker has ended.
_LOOK_S, _ENDED_S = 1, 0.005


class Forker:
    """The process, as seen by the one that starts it.

    Parameters
    ----------
    ready : callable, optional
        Loads what the work needs, in that process; what fails in it fails again in the work.
    serve : callable
        What a worker does with its connection.
    """

    def __init__(
        self,
        ready: Callable[[], object] | None,
        serve: "Callable[[Connection[Any, Any]], None]",
    ) -> None:
        self._calls, theirs = _SPAWN.Pipe()
        self._lock = threading.Lock()
        given = os.environ.get(BLAS)
        self._process = _SPAWN.Process(
            target=_attend,
            # What is loaded to find the callable comes after the floors, which it may import.
            args=(theirs, given, bytes(ForkingPickler.dumps(ready)), serve),
            name="evenkeel workers",
        )
        os.environ[BLAS] = "1"  # whatever is given: workers are as many as there are cores
        try:
            self._process.start()
        finally:
            _restore(given)
            theirs.close()  # so that we see when the other side closes its own

    def there(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    def fork(self, connection: "Connection[Any, Any]") -> "Forked | None":
        """A worker at the other end of a connection; None where forking is not safe.

        Raises
        ------
        EOFError or ConnectionError
            If the process is not there.
        OSError
            If the system has no process left.
        """
        with self._lock:
            self._calls.send(None)
            send_handle(self._calls, connection.fileno(), self._process.pid)
            found: int | OSError | None = self._calls.recv()
        if isinstance(found, OSError):
            raise found
        return None if found is None else Forked(found, self)

    def exit_code(self, pid: int) -> int | None:
        """The exit code of a worker, negative for a signal; None before it has ended."""
        try:
            with self._lock:
                self._calls.send(pid)
                code: int | None = self._calls.recv()
        except (EOFError, OSError):  # its workers end with it
            return -int(signal.SIGKILL)
        return code

    def end(self) -> None:
        """End it, and with it whatever workers there are."""
        self._process.kill()
        self._process.join()


class Forked:
    """A forked worker, with what :class:`multiprocessing.Process` says of one."""

    def __init__(self, pid: int, forker: Forker) -> None:
        self.pid = pid
        self.exitcode: int | None = None
        self._forker = forker

    def join(self) -> None:
        """Wait until it has ended."""
        while self.exitcode is None:
            self.exitcode = self._forker.exit_code(self.pid)
            if self.exitcode is None:
                time.sleep(_ENDED_S)


def _restore(given: str | None) -> None:
    if given is None:
        os.environ.pop(BLAS, None)
    else:
        os.environ[BLAS] = given


def _attend(
    calls: "Connection[Any, Any]",
    given: str | None,
    ready: bytes,
    serve: "Callable[[Connection[Any, Any]], None]",
) -> None:
    """In the process that forks: do what is asked until nobody asks any more."""
    parent = os.getppid()
    pin_floors()
    with suppress(Exception):
        load = pickle.loads(ready)
        if load is not None:
            load()
    _restore(given)
    gc.collect()
    gc.freeze()  # a collection in a worker would write to all that it shares
    with suppress(EOFError, ConnectionError):
        while True:
            while not calls.poll(_LOOK_S):
                if os.getppid() != parent:
                    return
            pid = calls.recv()
            if pid is None:
                connection = Connection(recv_handle(calls))
                calls.send(_forked(calls, connection, serve) if _safe() else None)
                connection.close()
            else:
                ended, status = os.waitpid(pid, os.WNOHANG)
                calls.send(os.waitstatus_to_exitcode(status) if ended else None)


def _safe() -> bool:
    """Whether no other thread runs here, as code of one's own may have started."""
    return len(os.listdir("/proc/self/task")) == 1


def _forked(
    calls: "Connection[Any, Any]",
    connection: "Connection[Any, Any]",
    serve: "Callable[[Connection[Any, Any]], None]",
) -> int | OSError:
    ours = os.getpid()
    try:
        if pid := os.fork():
            return pid
    except OSError as error:
        return error
    status = 1
    try:
        calls.close()
        _end_with(ours)
        from theory import own

        own.must_not_end()
        serve(connection)
        atexit._run_exitfuncs()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        _EXIT(status)


def _end_with(forker: int) -> None:
    """End with the process that forked this one, however that ends, and now if it has ended."""
    kill_with_starter()
    if os.getppid() != forker:
        _EXIT(1)


def kill_with_starter() -> None:
    """Have the system kill this process when the one that started it ends, where it can."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
