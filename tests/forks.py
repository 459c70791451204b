"""Processes of their own that need not load and warm up the compiler: forks of one that did.

That is most of what a process takes that compiles a function of a line.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Done(NamedTuple):
    """What a process that has ended left."""

    returncode: int
    stdout: str
    stderr: str


class Forks:
    """The process that forks.

    Parameters
    ----------
    server : subprocess.Popen
        It, with pipes.
    """

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self.server = server

    def at_once(self, folder: Path, code: str, count: int = 1, **environment: str) -> list[Done]:
        """Run code in so many processes at once, whose working folder is a given one."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(json.dumps([str(folder), code, count, environment]), file=self.server.stdin)
        self.server.stdin.flush()
        return [Done(*done) for done in json.loads(self.server.stdout.readline())]

    def run(self, folder: Path, code: str, **environment: str) -> Done:
        """Run code in a process, which has to end well."""
        (done,) = self.at_once(folder, code, **environment)
        assert done.returncode == 0, done.stderr
        return done


@contextmanager
def forks() -> Iterator[Forks]:
    """The process that forks, while it is needed."""
    with subprocess.Popen(
        [sys.executable, "-B", "-m", "tests.forks"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Forks(server)


def _fork(folder: str, code: str, environment: dict[str, str], said: Path) -> int:
    if process := os.fork():
        return process
    status = 1
    try:
        for stream, suffix in ((1, ".out"), (2, ".err")):
            os.dup2(os.open(said.with_suffix(suffix), os.O_CREAT | os.O_WRONLY), stream)
        os.chdir(folder)
        os.environ.update(environment)
        sys.path[0], tempfile.tempdir = "", None
        exec(code, {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _serve() -> None:
    import numba

    import solvers.compiled  # noqa: F401

    numba.njit(lambda n: n + 1)(1)
    for line in sys.stdin:
        folder, code, count, environment = json.loads(line)
        with tempfile.TemporaryDirectory() as shelf:
            said = [Path(shelf, str(number)) for number in range(count)]
            running = [_fork(folder, code, environment, path) for path in said]
            ended = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in running]
            found = [
                (status, *(path.with_suffix(end).read_text() for end in (".out", ".err")))
                for status, path in zip(ended, said, strict=True)
            ]
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _serve()
