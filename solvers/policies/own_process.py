"""A policy of one's own, in a process of its own.

A policy that is named as ``module:attribute`` or by an entry point is the user's code.  It runs
apart from the run that it decides in: it sees what a view shows and nothing else, prints to stderr,
and whatever it does to its process, the run says by name what went wrong and at which step.  What
comes back is bytes of a stated form, never objects.

The other end is :mod:`solvers.policies.own_process_server`.

This closes what frames and the garbage collector would show, and every way to end or hold up the
run; it is no sandbox.  A policy has its user's rights: it can read files, the trace among them, and
the memory of other processes where the system lets a user do that, write, reach the network, and
start a process that leaves its session and outlives the run.  Policies that are passed as objects,
and claims, families, figures and predictors of one's own, are in the process of the run, where
everything can be reached: a verdict is then worth what that code is.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import suppress
from itertools import count
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from solvers.policies.protocol import PolicyError, StepView
from theory.model import InputError, IntArray, Requests
from theory.own import reached
from theory.provenance import house_path

# A decision may take this long, unless the policy asks for more by its ``decision_limit_s``; its
# import and its constructor together may take START_S.
DECISION_S = 60.0
START_S = 120.0
# The process of a policy may hold this share of the machine's memory.
MEMORY_SHARE = 0.5
# Processes that are kept for the policies that were used last.
KEPT = 4
# No message but an answer is longer than this.
TEXT_BYTES = 1 << 16

ARRAYS = ("loads", "free", "pool", "waited", "grown", "request", "group")
MORE_ARRAYS = ("held", "budget", "slowness", "queued", "queued_tokens", "ahead")
IN_FLIGHT = ("request", "worker", "size", "age")


class Made(msgspec.Struct, array_like=True, tag=True):
    """A policy was made: what it says of itself."""

    name: str
    module: str
    doc: str
    work_conserving: bool
    sees_in_flight: bool
    horizon: int
    predictor: list[Any] | None
    bound_gap: int | None
    decision_limit_s: float | None
    seed: int | None


class Answer(msgspec.Struct, array_like=True, tag=True):
    """An array of 64-bit integers: a decision or a forecast."""

    unsigned: bool
    values: bytes
    bound_gap: int | None


class Odd(msgspec.Struct, array_like=True, tag=True):
    """What was returned is no list of integers: what it is instead."""

    what: str


class Fault(msgspec.Struct, array_like=True, tag=True):
    """Something was raised."""

    what: str


_REPLY = msgspec.msgpack.Decoder(Made | Answer | Odd | Fault)
_encode = msgspec.msgpack.Encoder().encode


class LostError(Exception):
    """The process is gone; the message says how it ended."""


class _Process:
    """The process that runs one user's module."""

    def __init__(self, value: str) -> None:
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        # A module of the user's must not pass for one that evenkeel imports, now or later.
        path = list(dict.fromkeys([*house_path(), *sys.path]))
        start = (
            f"import sys; sys.path[:] = {path!r}; "
            "from solvers.policies.own_process_server import serve; serve()"
        )
        self.child = subprocess.Popen(
            [sys.executable, *flags, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # what it starts ends with it
        )
        self.end = weakref.finalize(self, _end, self.child)
        self.lock = threading.Lock()
        self.since: float | None = None  # when the present question was asked
        self.limit = START_S
        self.cut = ""  # why the process was ended
        self.forgotten: list[int] = []
        threading.Thread(target=_watch, args=(weakref.ref(self),), daemon=True).start()
        self.tell(value, os.getpid())

    def tell(self, *question: Any) -> None:
        """Send a question."""
        frame = _encode(question)
        try:
            _write(self.child, len(frame).to_bytes(8, "little") + frame)
        except OSError:
            raise LostError(self._fate()) from None

    def ask(self, limit: float, most: int, *question: Any) -> Made | Answer | Odd | Fault:
        """Send a question and wait for its reply of at most so many bytes."""
        with self.lock:
            return self._ask(limit, most, *question)

    def _ask(self, limit: float, most: int, *question: Any) -> Made | Answer | Odd | Fault:
        self.limit, self.since = limit, time.monotonic()
        whole = False
        try:
            self.tell(*question)
            size = int.from_bytes(self._read(8), "little")
            if size > most + TEXT_BYTES:
                raise LostError("its process answered something that is no answer")
            reply: Made | Answer | Odd | Fault = _REPLY.decode(self._read(size))
            whole = True
            return reply
        except msgspec.MsgspecError:
            raise LostError("its process answered something that is no answer") from None
        finally:
            self.since = None
            if not whole:
                self.end()

    def _read(self, size: int) -> bytes:
        assert self.child.stdout is not None
        parts = []
        while size:
            part = os.read(self.child.stdout.fileno(), min(size, 1 << 20))
            if not part:
                raise LostError(self._fate())
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _fate(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            code = self.child.wait(1)
            if self.cut:
                return self.cut
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            return f"it ended its process {how}"
        return self.cut or "it closed its connection"


def _write(child: "subprocess.Popen[bytes]", data: bytes) -> None:
    assert child.stdin is not None
    view = memoryview(data)
    while view:
        view = view[os.write(child.stdin.fileno(), view) :]


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a process with all that it started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    child.wait()


def _watch(of: "weakref.ref[_Process]") -> None:
    """End a process that takes too long over a question, or too much memory."""
    most = _memory() * MEMORY_SHARE
    while True:
        time.sleep(0.25)
        process = of()
        if process is None or not process.end.alive:
            return
        since = process.since
        if since is not None:
            if time.monotonic() - since > process.limit:
                process.cut = f"it took longer than {process.limit:g} s"
            elif _resident(process.child.pid) > most:
                process.cut = f"it took more than {most / 1e9:.3g} GB of memory"
            if process.cut:
                process.child.kill()
                return
        del process


def _memory() -> float:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return float("inf")


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds, where the system says it in a file."""
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


_LOCK = threading.Lock()
_KEPT: OrderedDict[tuple[object, ...], _Process] = OrderedDict()
_NUMBERS = count()


def _process(value: str) -> _Process:
    """The process for a policy: one for all objects that are made of it."""
    key = (os.getpid(), value, _here(), *sys.path)
    with _LOCK:
        found = _KEPT.pop(key, None)
        if found is None or not found.end.alive:
            found = _Process(value)
        _KEPT[key] = found
        while len(_KEPT) > KEPT:
            _KEPT.popitem(last=False)  # it ends with the last of its policies
    return found


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was removed
        return ""


class OwnPolicy:
    """A user's policy as the engine knows it: what it said of itself, and its decisions.

    Parameters
    ----------
    spec : str
        What the user wrote.
    value : str
        Where the policy is: ``module:attribute`` or ``file.py:attribute``.
    seed : int
        Given to its constructor, if that takes one.

    Raises
    ------
    InputError
        If it cannot be imported or made, or is no policy; the message has the user's own line.
    """

    def __init__(self, spec: str, value: str, seed: int) -> None:
        self._number = next(_NUMBERS)
        try:
            reached(value.rpartition(":")[0] or value)
            self._process = _process(value)
            made = self._process.ask(START_S, TEXT_BYTES, "make", self._number, seed)
        except LostError as error:
            raise InputError(f"policy {spec!r}: {error} while it was made") from None
        except InputError as error:
            raise InputError(f"policy {spec!r}: {error}") from None
        except OSError as error:
            raise InputError(f"policy {spec!r}: no process for it: {error.strerror}") from None
        if isinstance(made, Fault):
            raise InputError(f"policy {spec!r}: {made.what}")
        if not isinstance(made, Made):
            raise InputError(f"policy {spec!r}: its process answered something that is no answer")
        self.name = made.name
        self.module = made.module
        self.__doc__ = made.doc
        self.work_conserving = made.work_conserving
        self.sees_in_flight = made.sees_in_flight
        self.horizon = made.horizon
        self.predictor = None if made.predictor is None else OwnPredictor(self, *made.predictor)
        self.bound_gap = made.bound_gap
        if made.seed is not None:
            self.seed = made.seed
        self._limit = made.decision_limit_s or DECISION_S
        weakref.finalize(self, self._process.forgotten.append, self._number).atexit = False

    def admit(self, view: StepView) -> NDArray[Any]:
        """See :class:`solvers.policies.protocol.Policy`.

        Raises
        ------
        PolicyError
            If the policy raises, answers anything but integers, takes too long or too much
            memory, or ends its process.
        """
        arrays = [_bytes(getattr(view, name)) for name in (*ARRAYS, *MORE_ARRAYS)]
        flying = view.in_flight
        if flying is not None:
            arrays += [_bytes(getattr(flying, name)) for name in IN_FLIGHT]
            arrays.append(flying.queued.tobytes())
        question = ("admit", view.step, view.slots, view.now_s, arrays)
        return self._ask(f"at step {view.step}", 8 * view.pool.size, *question)

    def _ask(self, when: str, most: int, what: str, *question: Any) -> NDArray[Any]:
        forgotten, self._process.forgotten[:] = list(self._process.forgotten), []
        try:
            reply = self._process.ask(self._limit, most, what, self._number, *question, forgotten)
        except LostError as error:
            raise PolicyError(f"policy {self.name!r} {when}: {error}") from None
        if isinstance(reply, Fault):
            raise PolicyError(f"policy {self.name!r} {when} {reply.what}")
        if isinstance(reply, Answer) and len(reply.values) % 8 == 0:
            self.bound_gap = reply.bound_gap
            return np.frombuffer(reply.values, np.uint64 if reply.unsigned else np.int64)
        found = reply.what if isinstance(reply, Odd) else "something that is no answer"
        raise PolicyError(f"policy {self.name!r} {when}: {found}")


class OwnPredictor:
    """A predictor that a user's policy named or brought along.

    Parameters
    ----------
    policy : OwnPolicy
        Whose it is.
    name : str
        Its name.
    by_age : bool
        Whether it predicts from ages rather than a length for each request.
    """

    def __init__(self, policy: OwnPolicy, name: str, by_age: bool) -> None:
        self.name = str(name)
        self._policy = weakref.ref(policy)
        if by_age:
            self.remaining = self._remaining
        else:
            self.lengths = self._lengths

    def _lengths(self, requests: Requests) -> IntArray:
        arrival = None if requests.arrival is None else requests.arrival.tobytes()
        columns = (_bytes(requests.prefill), _bytes(requests.decode), arrival)
        return self._ask(8 * len(requests), "lengths", *columns)

    def _remaining(self, ended: IntArray, running: IntArray) -> IntArray:
        longest = int(max(ended.max(initial=0), running.max(initial=0)))
        return self._ask(16 * (longest + 2), "remaining", _bytes(ended), _bytes(running))

    def _ask(self, most: int, *question: Any) -> IntArray:
        policy = self._policy()
        assert policy is not None
        return policy._ask("in its predictor", most, *question)


def _bytes(array: IntArray | None) -> bytes | None:
    return None if array is None else np.ascontiguousarray(array, dtype=np.int64).tobytes()
