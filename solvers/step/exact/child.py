"""A child process in which floating-point solvers run, because they cannot be stopped otherwise.

HiGHS and CBC may run for minutes past the limit that they are given, and hear no interrupt.  One
child serves all calls of a process, one after the other, and is replaced after it was stopped.  It
ends with its parent, however that ends: its standard input closes then.
"""

import atexit
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

# A call is stopped so many seconds after its limit, in which the solver may stop by itself.
GRACE_S = 0.5

# How often a waiting parent looks at the clock and hears an interrupt, in seconds.
_LOOK_S = 0.1


def serve() -> None:
    """In the child: answer calls from standard input until it closes."""
    calls = sys.stdin.buffer
    # Whatever a library prints must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    given: queue.SimpleQueue[tuple[str, str, tuple[Any, ...]]] = queue.SimpleQueue()

    def listen() -> None:
        with suppress(Exception):
            while True:
                given.put(pickle.load(calls))
        _end_group()

    threading.Thread(target=listen, daemon=True).start()
    while True:
        module, name, arguments = given.get()
        try:
            answer = True, getattr(import_module(module), name)(*arguments)
        except Exception as error:
            answer = False, error
        pickle.dump(answer, answers)
        answers.flush()


def places() -> tuple[str, str, str]:
    """Where temporary files may be, the usual place first."""
    return tempfile.gettempdir(), os.getcwd(), os.path.expanduser("~")


def scratch_of(process: int) -> str:
    """How the names of that process's temporary folders begin."""
    return f"evenkeel-solver-{process}-"


def _clear(process: int) -> None:
    """Remove the temporary folders that the process is not there to remove."""
    with suppress(OSError):
        for place in places():
            for folder in Path(place).glob(f"{scratch_of(process)}*"):
                shutil.rmtree(folder, ignore_errors=True)


def _end_group() -> None:
    """End this process, and the CBC that it may have started."""
    _clear(os.getpid())
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class _Child:
    """The process, and a thread that reads its answers."""

    def __init__(self) -> None:
        paths = [os.path.abspath(path) for path in sys.path]
        start = f"import sys; sys.path[:] = {paths!r}; from {__name__} import serve; serve()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the parent, and CBC ends with the group.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.owner = os.getpid()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        assert self.process.stdout is not None
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()

    def _listen(self, answers: IO[bytes]) -> None:
        with suppress(Exception):
            while True:
                self.answers.put(pickle.load(answers))
        self.answers.put(None)

    def usable(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None

    def ask(self, call: tuple[str, str, tuple[Any, ...]], until: float | None) -> Any:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            pickle.dump(call, self.process.stdin)
            self.process.stdin.flush()
        while True:
            with suppress(queue.Empty):
                return self.answers.get(timeout=_LOOK_S)
            if until is not None and time.monotonic() > until:
                return None

    def stop(self) -> None:
        if self.owner != os.getpid():
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        _clear(self.process.pid)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


_LOCK = threading.Lock()
_child: _Child | None = None


def _stop() -> None:
    global _child  # noqa: PLW0603
    if _child is not None:
        _child.stop()
        _child = None


atexit.register(_stop)


def call(function: Callable[..., Any], *arguments: Any, until: float | None = None) -> Any:
    """The function's result, computed in the child; None if it was not there in time.

    Parameters
    ----------
    function : callable
        Of the top level of a module.
    arguments
        What can be pickled.
    until : float, optional
        Time of ``time.monotonic`` at which the function should be done; :data:`GRACE_S` later the
        child is stopped.

    Raises
    ------
    Exception
        Whatever the function raised.
    """
    global _child  # noqa: PLW0603
    last = None if until is None else until + GRACE_S
    with _LOCK:
        if _child is None or not _child.usable():
            _stop()
            _child = _Child()
        answer = None
        try:
            answer = _child.ask((function.__module__, function.__name__, arguments), last)
        finally:
            # Late, interrupted or dead: the next call gets another.
            if answer is None:
                _stop()
    if answer is None:
        return None
    good, result = answer
    if not good:
        raise result
    return result
