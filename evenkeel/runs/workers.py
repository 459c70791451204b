"""Processes of this machine that do the work of a run, and end when it ends, however it ends.

A worker that computes is not asked to stop, it is ended; and a worker whose parent has gone ends
itself, also where nothing could be said to it (``kill -9``, a machine without memory).
"""

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from evenkeel.exits import WorkerLostError
from evenkeel.runs.forking import FORKS, Forked, Forker, kill_with_starter
from evenkeel.shadows import pin_floors

P = ParamSpec("P")
T = TypeVar("T")

_SPAWN = get_context("spawn")

# What is sent to a whole group of processes is for the parent, which ends its workers.
_ASKED = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

# One process is started at a time.
_STARTING = threading.Lock()

# A worker that holds more after a piece of work gets no other, where the system tells: what is kept
# for that piece, as results that its checks share and the compiler's own, is of no use to the next.
RENEW_MB = 320

_Work = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


# As it is before code of one's own is imported, which has another (theory.own).
_EXIT = os._exit


def cores() -> int:
    """Cores that this process may use.

    >>> cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers(Executor):
    """An executor of at most so many processes, each started when there is work for it.

    A worker that ends without an answer, killed or without memory, raises
    :class:`~evenkeel.exits.WorkerLostError` where that answer is due; the next piece of work starts
    another, as it does for a worker that has grown beyond :data:`RENEW_MB`.

    Parameters
    ----------
    count : int
        Processes that work.
    ready : callable, optional
        Loads what the work needs, once for all workers where they are forked
        (:mod:`evenkeel.runs.forking`).
    """

    def __init__(self, count: int, ready: Callable[[], object] | None = None) -> None:
        self.count = count
        self.ready = ready
        self._due: SimpleQueue[tuple[Future[Any], _Work] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._spawned: set[BaseProcess] = set()
        self._forker: Forker | None = None
        self.forks = FORKS
        self._over = self._ended = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a worker call the function."""
        if self._over:
            raise RuntimeError("the workers have been told to end")
        future: Future[T] = Future()
        self._due.put((future, (fn, args, kwargs)))
        if len(self._threads) < self.count:
            thread = threading.Thread(target=self._attend, name="worker", daemon=True)
            thread.start()
            self._threads.append(thread)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers end when what is due is done; without ``wait`` they are ended at once."""
        self._over = True
        self._ended = not wait
        if cancel_futures or not wait:
            with suppress(Exception):
                while given := self._due.get_nowait():
                    given[0].cancel()
        for _ in self._threads:
            self._due.put(None)
        if not wait:
            with _STARTING:
                for process in self._spawned:
                    process.kill()
                if self._forker is not None:
                    self._forker.end()
        for thread in self._threads:
            thread.join()
        if self._forker is not None:
            self._forker.end()

    def _attend(self) -> None:
        """Hand work to one process, and start it anew where it was lost."""
        if hasattr(signal, "pthread_sigmask"):
            # Before, since it leaves signals unblocked in the thread that starts it (Python 3.11).
            resource_tracker.ensure_running()
            # What this thread starts hears none from its first moment on.
            signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
        process, calls = None, None
        while (given := self._due.get()) is not None:
            future, work = given
            if not future.set_running_or_notify_cancel():
                continue
            if process is not None and calls is not None and _megabytes(process.pid) > RENEW_MB:
                calls.close()  # so it ends
                self._lost(process)
                process = None
            try:
                message = ForkingPickler.dumps(work)
                if process is None or calls is None:
                    process, calls = self._start()
                calls.send_bytes(message)
                good, answer = pickle.loads(calls.recv_bytes())
            except (EOFError, ConnectionError):
                good, answer = False, self._lost(process)
                process = None
            except BaseException as error:
                good, answer = False, error
            if good:
                future.set_result(answer)
            else:
                future.set_exception(answer)
        if calls is not None:
            calls.close()
        if process is not None:
            self._lost(process)

    def _start(self) -> tuple[BaseProcess | Forked, "Connection[Any, Any]"]:
        ours, theirs = _SPAWN.Pipe()
        try:
            return self._fork(theirs) or self._spawn(theirs), ours
        finally:
            theirs.close()  # so that we see when the other side closes its own

    def _fork(self, theirs: "Connection[Any, Any]") -> Forked | None:
        with _STARTING:
            if self._ended:
                raise WorkerLostError("a process was not started")
            if self.forks and (self._forker is None or not self._forker.there()):
                self._forker = Forker(self.ready, _serve)
            forker = self._forker
        process = forker.fork(theirs) if self.forks and forker is not None else None
        self.forks = process is not None
        return process

    def _spawn(self, theirs: "Connection[Any, Any]") -> BaseProcess:
        process = _SPAWN.Process(target=_serve, args=(theirs,), name="evenkeel worker")
        with _STARTING:
            if self._ended:
                raise WorkerLostError("a process was not started")
            process.start()
            self._spawned.add(process)
        return process

    def _lost(self, process: BaseProcess | Forked | None) -> WorkerLostError:
        if process is None:
            return WorkerLostError("a process could not be started")
        process.join()
        if isinstance(process, BaseProcess):
            with _STARTING:
                self._spawned.discard(process)
        code = process.exitcode or 0
        how = signal.strsignal(-code) if code < 0 else f"with code {code}"
        return WorkerLostError(f"a process of the run ended ({how})")


def _megabytes(pid: int | None) -> int:
    """The memory that a process holds; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return int(pages * os.sysconf("SC_PAGE_SIZE") // 2**20)


def _serve(calls: "Connection[Any, Any]") -> None:
    """In a worker: answer calls until there are no more."""
    _end_with_parent()
    pin_floors()
    for number in _ASKED:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED)
    while True:
        try:
            message = calls.recv_bytes()
        except (EOFError, ConnectionError):
            return
        answer = _answer(message)
        with suppress(ConnectionError):
            calls.send_bytes(answer)


def _answer(message: bytes) -> bytes:
    """The result of a call, or its error with the place where it was raised."""
    try:
        function, args, kwargs = pickle.loads(message)
        return bytes(ForkingPickler.dumps((True, function(*args, **kwargs))))
    except BaseException as error:
        if not isinstance(error, Exception):  # of the user's code: not that we should end
            error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note("In a worker:\n" + traceback.format_exc())
        with suppress(Exception):
            told = bytes(ForkingPickler.dumps((False, error)))
            pickle.loads(told)
            return told
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    """End this process when its parent has ended."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        _EXIT(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    # The thread does not run where a library keeps Python's lock for long; the kernel does.
    kill_with_starter()
