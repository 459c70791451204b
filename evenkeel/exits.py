"""How every command ends: its exit code, what it says of an error, and when it hears a signal.

====  =======================================================================
code  meaning
====  =======================================================================
0     held, or done as asked
1     violated
2     usage or bad input
3     inconclusive
4     no answer: an internal error, or something that the machine does not have
130   interrupted (SIGINT); in the same way 143 (SIGTERM) and 129 (SIGHUP)
141   the reader of the output has gone, as of any program in a pipe
====  =======================================================================

An error is one line on stderr; ``evenkeel --debug COMMAND`` shows where it was raised.

A signal raises :class:`Interrupted` in the main thread, so that what is being written is removed
and what is worth keeping is kept.  Python does that between two of its own instructions, which may
be minutes away: in compiled code, in a solver.  A second thread therefore watches, and ends the
process itself where the first does not.  A time limit is kept in the same way: its end is a signal.
"""

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from evenkeel.shadows import import_floors

HELD, VIOLATED, BAD_INPUT, INCONCLUSIVE, NO_ANSWER = range(5)
CLOSED_PIPE = 141
# From here on a signal has ended it.
_KILLED = 128

# Seconds that the main thread has to hear a signal, and to end once it has heard it.
_HEAR_S, _END_S = 0.5, 5.0

_WATCH = "signals"

# Characters of an error that are shown.
MOST_SAID = 2000

_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)

# The signal of a time limit.
_ALARM = getattr(signal, "SIGALRM", None)

# A longer time limit is none.
LONGEST_S = 10.0**8

# What to do where the system refuses, by the number of the error.
_DISK = "free some space and give the same command again"
_FILES = "allow more open files (ulimit -n), or use fewer --jobs"
_REMEDIES = {
    errno.ENOSPC: _DISK,
    getattr(errno, "EDQUOT", errno.ENOSPC): _DISK,
    errno.EFBIG: "allow larger files (ulimit -f) and give the same command again",
    errno.EIO: "the device fails: write elsewhere",
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOMEM: "use fewer --jobs, or a smaller instance",
    errno.EAGAIN: "allow more processes (ulimit -u), or use fewer --jobs",
}


# Address space without which compiled libraries end the process as they are loaded, or hang.  Each
# of their threads takes a part of it, so that where it is limited (ulimit -v) they have one each.
_LEAST_SPACE = 3 * 2**29
_THREADS = "OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"

# No product of matrices here is worth threads, which spin for 0.05 s when they are started and
# after each of them: a command has one.
BLAS = "OPENBLAS_NUM_THREADS"


# As it is before code of one's own is imported, which must not end a command (theory.own).
_EXIT = os._exit


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end; whoever has something to add says it in the message."""

    def __init__(self, signum: int, says: str = "interrupted") -> None:
        super().__init__(says)
        self.signum = signum


class OutOfTime(Interrupted):
    """The time limit of the command has passed."""

    def __init__(self, where: str = "") -> None:
        super().__init__(signal.SIGTERM, f"out of time{where}: nothing is decided")
        self.where = where


def code_of(stop: BaseException) -> int:
    """The exit code of what interrupted.

    >>> code_of(Interrupted(signal.SIGTERM)), code_of(KeyboardInterrupt()), code_of(OutOfTime())
    (143, 130, 3)
    """
    if isinstance(stop, OutOfTime):
        return INCONCLUSIVE
    return _KILLED + int(getattr(stop, "signum", signal.SIGINT))


class WorkerLostError(RuntimeError):
    """A process that did a part of the work ended without an answer."""


class Options:
    """What is asked of the command line as a whole."""

    debug = False


class _Signals:
    """The state of this process: which signal came, and whether the main thread has heard it.

    ``dropped`` says that it was raised where that had no effect, ``again`` counts those that were
    raised once more, ``ended`` says that none is acted on any more.  All this belongs to the
    process as its signals do.
    """

    numbers: tuple[int, ...] = ()
    came: int | None = None
    # When it began to listen, by time.monotonic.
    began: float | None = None
    late = False
    heard = threading.Event()
    again = 0
    dropped = False
    ended = False


def _interrupt(signum: int) -> NoReturn:
    _Signals.heard.set()
    raise OutOfTime if _Signals.late else Interrupted(signum)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    first = _Signals.came is None
    _Signals.came = signum if first else _Signals.came
    _Signals.late |= first and signum == _ALARM
    if (first or _Signals.dropped) and not _Signals.ended:
        _Signals.dropped = False
        _interrupt(signum)


def listen() -> None:
    """Hear the signals that end a program, except those that whoever started it has switched off.

    (``nohup`` and the background jobs of a script do that.)
    """
    _Signals.began = time.monotonic()
    wanted = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    wanted += [_ALARM] if _ALARM is not None else []
    _Signals.numbers = tuple(wanted)
    import socket

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(
        target=_watch, args=(ours, theirs, frozenset(wanted)), name=_WATCH, daemon=True
    ).start()
    for number in wanted:
        signal.signal(number, _on_signal)
    sys.unraisablehook = _unraisable


def began() -> float:
    """When the command began, by :func:`time.monotonic`, before it loaded anything large."""
    return time.monotonic() if _Signals.began is None else _Signals.began


def end_after(seconds: float) -> None:
    """Raise :class:`OutOfTime` when the command has run that long, or end it if it does not hear.

    In a process that does not :func:`listen` nothing happens.
    """
    if _Signals.began is None:
        return
    seconds = max(1e-6, min(seconds, LONGEST_S) + _Signals.began - time.monotonic())
    if _ALARM is not None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return
    # Windows has no alarm.

    def alarm() -> None:
        _Signals.late = _Signals.came is None
        signal.raise_signal(signal.SIGTERM)

    clock = threading.Timer(seconds, alarm)
    clock.daemon, clock.name = True, _WATCH
    clock.start()


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    """Raise again what came amid a finalizer or a callback, where exceptions are dropped."""
    if isinstance(told.exc_value, Interrupted):
        _Signals.dropped = True
        _Signals.heard.clear()
        _Signals.again += 1
        # A little later: here it would be dropped once more.
        threading.Timer(0.02, signal.raise_signal, (told.exc_value.signum,)).start()
    else:
        sys.__unraisablehook__(told)


def _watch(ours: Any, theirs: Any, wanted: frozenset[int]) -> None:
    """End the process where the main thread does not hear a signal, or does not come to its end.

    ``theirs`` is what the system writes to: it stays open as long as this runs.
    """

    def another(timeout: float | None) -> int | None:
        ours.settimeout(timeout)
        with suppress(TimeoutError):
            while byte := ours.recv(1):
                if byte[0] in wanted and not _Signals.again:
                    return int(byte[0])
                _Signals.again = max(0, _Signals.again - 1)
        return None

    signum = another(None)
    assert signum is not None
    if _Signals.heard.wait(_HEAR_S):
        another(_END_S)  # whoever asks twice does not wait
    late = _Signals.late or signum == _ALARM
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            where = sys.stderr.fileno()
            # A progress bar may have hidden the cursor.
            says = b"out of time\n" if late else b"interrupted\n"
            os.write(where, b"\x1b[?25h" * os.isatty(where) + says)
    _end(INCONCLUSIVE if late else _KILLED + signum)


def run(command: Callable[[Options], Any]) -> NoReturn:
    """Run a command to its exit code, and end the process with it."""
    before = set(threading.enumerate())
    try:
        code, says = _ended(command)
    except Interrupted as stop:  # amid what is said of another end
        code, says = code_of(stop), str(stop)
    with suppress(OSError, ValueError):
        if says and sys.stderr is not None:
            print(says, file=sys.stderr, flush=True)
    _leave(code, before)


def _too_narrow() -> str:
    """What to say where the address space is too small; where it is limited, it is saved."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if space == resource.RLIM_INFINITY:
        return ""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    if space >= _LEAST_SPACE:
        return ""
    return (
        f"error: {space >> 20} MiB of address space are allowed, and loading the libraries takes "
        f"{_LEAST_SPACE >> 20}: allow more (ulimit -v)"
    )


def _ended(command: Callable[[Options], Any]) -> tuple[int, str]:
    options = Options()
    try:
        listen()
        os.environ.setdefault(BLAS, "1")
        if sys.stdout is None:
            return NO_ANSWER, "error: standard output is closed: an answer would not be seen"
        if says := _too_narrow():
            return NO_ANSWER, says
        try:
            import_floors()
        except ImportError as error:
            return BAD_INPUT, f"error: {error}"
        code = command(options)
        sys.stdout.flush()
        _Signals.ended = True
        return (code if isinstance(code, int) else HELD), ""
    except BaseException as error:
        _Signals.ended = True
        if _Signals.came is not None and not isinstance(error, Interrupted):
            # A library made another error of it.
            error = OutOfTime() if _Signals.late else Interrupted(_Signals.came)
        code, says = _meaning(error)
        if options.debug and says:
            import traceback

            says = "".join(traceback.format_exception(error)) + says
        return code, says


def _meaning(error: BaseException) -> tuple[int, str]:
    """Exit code and message of what ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return code_of(error), str(error) or "interrupted"
    if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
        error = error.__context__  # rich ends the process by itself
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE, ""
    from click import ClickException

    from theory.content import printable
    from theory.model import InputError

    if refused := _refusal(error):
        return NO_ANSWER, f"error: {refused}"
    if isinstance(error, ClickException):
        import io

        text = io.StringIO()
        error.show(text)
        return BAD_INPUT, text.getvalue().rstrip()
    if isinstance(error, InputError):
        return BAD_INPUT, f"error: {printable(str(error), MOST_SAID)}"
    what = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return NO_ANSWER, f"internal error: {what} (evenkeel --debug COMMAND shows where)"


def _refusal(error: BaseException) -> str | None:
    """What the machine did not have, and what to do; an error of the system may be told as another.

    An error that was made from one of memory or depth has already said what is wrong.
    """
    if isinstance(error, MemoryError):
        return "not enough memory: use a smaller instance or fewer --jobs"
    if isinstance(error, RecursionError):
        return "nested too deeply for this machine: use a smaller instance"
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return f"{error}: {_REMEDIES[errno.EAGAIN]}"
    if isinstance(error, WorkerLostError):
        return f"{error}: it was killed, or had no memory; use fewer --jobs"
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:  # an error can be told as its own cause
        seen.append(cause)
        if isinstance(cause, OSError) and cause.errno in _REMEDIES:
            place = f"{cause.filename}: " if cause.filename else ""
            says = f"{place}{cause.strerror}" if cause is error else str(error)
            return f"{says}: {_REMEDIES[cause.errno]}"
        cause = cause.__cause__ or cause.__context__
    return None


def _leave(code: int, before: set[threading.Thread]) -> NoReturn:
    """End with that code; without the interpreter's own ending where that takes long or complains.

    A thread that is left behind is one that does not return, and a stream that is broken would be
    written to once more.
    """
    broken = False
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            broken = True
    left = set(threading.enumerate()) - before
    if broken or code >= _KILLED or any(thread.name != _WATCH for thread in left):
        _end(code)
    for number in _Signals.numbers:
        signal.signal(number, signal.SIG_IGN)  # the answer has been given
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End the process here and now."""
    if files := sys.modules.get("theory.files"):
        files.remove_scratch()
    _EXIT(code)
