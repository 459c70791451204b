"""Processes of a run: answers, errors, losses, and that none outlives what started it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evenkeel.exits import WorkerLostError
from evenkeel.runs.executors import completed, executor
from evenkeel.runs.workers import Workers
from theory.model import InputError


def gone(pid: int) -> bool:
    """Whether a process has ended, within some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def this(_: Any = None) -> int:
    return os.getpid()


def exit_with(how: Any) -> None:
    how()


class OddError(Exception):
    """Can be pickled, but not back."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def odd() -> None:
    raise OddError(1, 2)


@pytest.fixture
def pool() -> Iterator[Workers]:
    workers = Workers(1)
    yield workers
    workers.shutdown(wait=False)


def test_answers_and_errors(pool: Workers) -> None:
    first = pool.submit(this).result()
    assert first != os.getpid()
    with pytest.raises(InputError, match="no such size") as raised:
        pool.submit(exit_with, partial(fails, InputError("no such size"))).result()
    assert "in fails" in "".join(raised.value.__notes__)
    with pytest.raises(RuntimeError, match="OddError: 3"):
        pool.submit(odd).result()
    # What cannot be sent, there or back, and what would end the worker.
    with pytest.raises(Exception, match="pickle"):
        pool.submit(lambda: 1).result()
    with pytest.raises(Exception, match="pickle"):
        pool.submit(threading.Lock).result()
    with pytest.raises(RuntimeError, match="SystemExit: 0"):
        pool.submit(sys.exit, 0).result()
    assert pool.submit(this).result() == first


def fails(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("how", [partial(os._exit, 0), partial(os.abort)])
def test_a_lost_worker_is_said_and_replaced(pool: Workers, how: Callable[[], None]) -> None:
    first = pool.submit(this).result()
    with pytest.raises(WorkerLostError, match="a process of the run ended"):
        pool.submit(exit_with, how).result()
    assert pool.submit(this).result() != first


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system tells no memory")
def test_a_worker_that_has_grown_gets_no_more_work(
    pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pool.submit(this).result()
    assert pool.submit(this).result() == first
    monkeypatch.setattr("evenkeel.runs.workers.RENEW_MB", 1)
    second = pool.submit(this).result()
    assert second != first
    assert gone(first)


def test_an_error_ends_what_is_under_way() -> None:
    with suppress(ZeroDivisionError), executor(2) as pool:
        pid = pool.submit(this).result()
        long = [pool.submit(time.sleep, 1000) for _ in range(5)]
        raise ZeroDivisionError
    assert gone(pid)
    for future in long:
        with pytest.raises((CancelledError, WorkerLostError)):
            future.result(timeout=10)


def test_all_is_done_at_the_end() -> None:
    with executor(2) as pool:
        last = [pool.submit(abs, -n) for n in range(20)]
        assert dict(completed(pool, abs, [-1, 2])) == {-1: 1, 2: 2}
    assert [future.result(timeout=0) for future in last] == list(range(20))
    with pytest.raises(RuntimeError):
        pool.submit(this)


ORPHANS = """
import os, sys, time
from evenkeel.runs.executors import executor
from tests_work import busy

if __name__ == "__main__":
    with executor(2) as pool:
        pids = [pool.submit(os.getpid).result()]
        for kind in ("sleep", "power"):
            pool.submit(busy, kind)
        time.sleep(0.5)
        print(*pids, flush=True)
        time.sleep(1000)
"""
WORK = """
import time
def busy(kind):
    if kind == "sleep":
        time.sleep(1000)
    while True:
        pow(3, 10**7)  # seconds in which Python's lock is kept
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(tmp_path: Path, number: int) -> None:
    (tmp_path / "orphans.py").write_text(ORPHANS)
    (tmp_path / "tests_work.py").write_text(WORK)
    path = os.pathsep.join([str(Path.cwd()), str(tmp_path)])
    tag = f"orphans-{tmp_path.name}-{number}-{time.time_ns()}"
    run = subprocess.Popen(
        [sys.executable, str(tmp_path / "orphans.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "TAG": tag},
    )
    assert run.stdout is not None
    run.stdout.readline()
    others = [pid for pid in tagged(tag) if pid != run.pid]
    assert len(others) >= 2
    os.kill(run.pid, number)
    run.wait(10)
    assert all(gone(pid) for pid in others)
    run.stdout.close()


def tagged(tag: str) -> list[int]:
    """Processes with that text in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if tag.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
