"""Searches with a time limit, followed from outside: the clock and Ctrl-C are heard at once.

A search runs on a thread of its own.  The command looks at what it has found so far, and goes on
with that when the time is up or somebody interrupts, whatever the search is busy with: compiling
its functions, once after installation, takes longer than many a time limit.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

import click

from evenkeel.output import progress

T = TypeVar("T")

# Seconds between two looks, and those that a search has for returning once it has been told.
_LOOK_S = 0.1
_LEAVE_S = 0.3

# Seconds before the first line in a log and between two; without news the next comes so many times
# later.
_LINE_S = 1.0
_GROWTH = 2.0

_threads: list[Thread] = []


def follow(search: Iterator[T], end: float = math.inf) -> Iterator[T]:
    """The newest item of a search, several times a second, until it is over or the time is up.

    Parameters
    ----------
    search : iterator
        Asked for its next item as fast as it goes; what it raises is raised here, after the last.
    end : float
        When to stop, by :func:`time.monotonic`.
    """
    found: list[T] = []
    raised: list[BaseException] = []
    stop, over = Event(), Event()

    def work() -> None:
        try:
            for item in search:
                found[:] = [item]
                if stop.is_set():
                    break
        except BaseException as error:
            raised.append(error)
        finally:
            over.set()

    thread = Thread(target=work, name="search", daemon=True)
    _threads.append(thread)
    thread.start()
    try:
        while not over.wait(min(_LOOK_S, max(0.0, end - time.monotonic()))):
            if found:
                yield found[-1]
            if time.monotonic() >= end:
                break
    finally:
        stop.set()
        over.wait(_LEAVE_S)
    if found:
        yield found[-1]
    if raised:
        raise raised[0]


def busy() -> bool:
    """Whether a search that was left has not returned yet."""
    return any(thread.is_alive() for thread in _threads)


@contextmanager
def interval_shown(name: str, start: float, end: float) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how an interval narrows: a bar on a terminal, lines in a log.

    Parameters
    ----------
    start, end : float
        Begin and end of the search, by :func:`time.monotonic`.

    Yields
    ------
    callable
        To be told the two sides, as often as one likes.
    """
    told, sides_told = 0.0, (0, 0)
    with progress(name, max(1, math.ceil(end - start)), log=False) as tick:

        def show(lower: int, upper: int) -> None:
            nonlocal told, sides_told
            elapsed = time.monotonic() - start
            text = f"{name}: at least {lower}, found {upper}, gap {gap(lower, upper)}"
            tick(int(elapsed), text)
            news = (lower, upper) != sides_told or elapsed >= _GROWTH * told
            if not sys.stderr.isatty() and news and elapsed >= told + _LINE_S:
                told, sides_told = elapsed, (lower, upper)
                click.echo(f"{elapsed:6.1f} s  {text}", err=True)

        yield show


def gap(lower: int, upper: int) -> str:
    """What is between two sides, as a share of the upper one, rounded up."""
    share = -((lower - upper) * 10**5 // max(1, upper))
    return f"{share / 1000:.3f} %"
