"""Processes of a run: answers, errors, losses, and that none outlives what started it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from evenkeel.exits import WorkerLostError
from evenkeel.runs.executors import completed, executor
from evenkeel.runs.forking import FORKS
from evenkeel.runs.workers import Workers
from tests.evenkeel.work import (
    call,
    exit_with,
    fails,
    imported,
    load,
    odd,
    start_thread,
    this,
    threads_and_setting,
)
from theory.model import InputError
from theory.own import own


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


@pytest.fixture(params=["forks", "spawns"] if FORKS else ["spawns"])
def pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    monkeypatch.setattr("evenkeel.runs.workers.FORKS", request.param == "forks")
    workers = Workers(1)
    yield workers
    workers.shutdown(wait=False)
    assert workers.forks is (request.param == "forks")


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


@contextmanager
def workers(ready: Callable[[], object] | None, count: int = 1) -> Iterator[Workers]:
    pool = Workers(count, ready)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False)


forked = pytest.mark.skipif(not FORKS, reason="workers are spawned here")


@forked
def test_what_is_loaded_once_is_there_in_every_worker(tmp_path: Path) -> None:
    (tmp_path / "loaded_once.py").write_text(
        f"with open({str(tmp_path / 'count')!r}, 'a') as file:\n    file.write('.')\n"
    )
    with workers(partial(load, str(tmp_path))) as pool:
        first, parent = pool.submit(this).result(), pool.submit(os.getppid).result()
        assert parent != os.getpid()
        assert pool.submit(imported, "loaded_once").result()
        with pytest.raises(WorkerLostError, match="Killed"):
            pool.submit(os.kill, first, signal.SIGKILL).result()
        assert pool.submit(this).result() != first
        assert pool.submit(os.getppid).result() == parent
        assert pool.submit(imported, "loaded_once").result()
    assert (tmp_path / "count").read_text() == "."
    assert gone(parent)


@forked
def test_the_process_that_forks_is_replaced_and_its_workers_end() -> None:
    with workers(None) as pool:
        first, parent = pool.submit(this).result(), pool.submit(os.getppid).result()
        long = pool.submit(time.sleep, 1000)
        os.kill(parent, signal.SIGKILL)
        with pytest.raises(WorkerLostError):
            long.result(timeout=10)
        assert gone(first)
        assert pool.submit(os.getppid).result() not in (parent, os.getpid())


@forked
def test_it_does_not_fork_beside_a_thread() -> None:
    with workers(start_thread) as pool:
        assert pool.submit(os.getppid).result() == os.getpid()
        assert not pool.forks


@forked
def test_what_fails_there_is_told_by_the_work() -> None:
    with workers(partial(fails, ImportError("no such library"))) as pool:
        assert pool.submit(abs, -1).result() == 1
        assert pool.forks


@pytest.mark.parametrize("given", [None, "3"])
@forked
def test_linear_algebra_has_one_thread(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    with workers(threads_and_setting) as pool:
        assert pool.submit(threads_and_setting).result() == (2, given)
        assert os.environ.get("OPENBLAS_NUM_THREADS") == given


@forked
def test_what_is_loading_is_ended_too() -> None:
    began = time.monotonic()
    with workers(partial(time.sleep, 1000), 2) as pool:
        due = [pool.submit(abs, n) for n in range(3)]
        time.sleep(0.3)
    assert time.monotonic() - began < 5
    for future in due:
        with pytest.raises((CancelledError, WorkerLostError)):
            future.result(timeout=0)


@forked
def test_code_of_ones_own_does_not_end_a_worker(tmp_path: Path) -> None:
    """Also where it was imported in the process that forks."""
    (tmp_path / "leaves.py").write_text("import os\ndef leave(): os._exit(3)\n")
    spec = f"{tmp_path / 'leaves.py'}:leave"
    with workers(partial(own, spec)) as pool:
        first = pool.submit(this).result()
        with pytest.raises(RuntimeError, match=r"SystemExit: os._exit\(3\)"):
            pool.submit(call, spec).result()
        assert pool.submit(this).result() == first


def test_an_error_ends_what_is_under_way() -> None:
    with suppress(ZeroDivisionError), executor(2, ready=None) as pool:
        pid = pool.submit(this).result()
        long = [pool.submit(time.sleep, 1000) for _ in range(5)]
        raise ZeroDivisionError
    assert gone(pid)
    for future in long:
        with pytest.raises((CancelledError, WorkerLostError)):
            future.result(timeout=10)


def test_all_is_done_at_the_end() -> None:
    with executor(2, ready=None) as pool:
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
    with executor(2, ready=None) as pool:
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
def test_workers_end_with_their_parent_and_hear_no_signal_themselves(
    tmp_path: Path, number: int
) -> None:
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
    # Ctrl-C at a terminal is sent to all of them.
    listening = [
        pid for pid in others if not (deaf(pid, signal.SIGINT) and deaf(pid, signal.SIGTERM))
    ]
    os.kill(run.pid, number)
    run.wait(10)
    assert listening == []
    assert all(gone(pid) for pid in others)
    run.stdout.close()


def deaf(pid: int, number: int) -> bool:
    """Whether a process blocks or ignores a signal."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return bool((int(status["SigBlk"], 16) | int(status["SigIgn"], 16)) >> (number - 1) & 1)


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
