"""Commands that are ended at random moments: nothing is lost, left running or left half written.

What is run again gives the bytes of a run that nobody disturbed.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at /proc")

ROOT = Path(__file__).parents[2]
SWEEP = """
rounds = 40
seeds = 2
[grid]
family = ["burst-like"]
workers = [8]
slots = [16]
policy = ["fcfs", "bfio", "bfio:horizon=8"]
"""

COMMANDS = {
    "reproduce": "reproduce --claims limits.[b-h]* --jobs 2 --out out --resume",
    "sweep": "sweep sweep.toml --jobs 2 --out out",
    "attack": "attack --policy fcfs -G 2 -B 2 --size-max 7 --gallery out",
    "figures": "figures hardware_savings energy_saving --jobs 2 --out out",
    "simulate": "simulate -G 16 -B 16 -n 100000 --requests-out out/requests.parquet --json",
    "assess": "assess trace.csv -G 2 -B 2 --json",
}
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
KILLS = 40

# Would have every process compile all modules anew.
_SLOW = "PYTHONDONTWRITEBYTECODE"

# Seconds in which every process has gone, on a machine that has other things to do.
PATIENCE_S = 20


@dataclass
class Run:
    """A command under way in a folder of its own; its processes are known by their environment."""

    folder: Path
    process: "subprocess.Popen[str]"
    tag: str

    @classmethod
    def start(cls, command: str, folder: Path) -> "Run":
        tag = f"kills-{os.getpid()}-{time.time_ns()}"
        (folder / "tmp").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "evenkeel", *COMMANDS[command].split()],
            cwd=folder,
            env={
                **{key: value for key, value in os.environ.items() if key != _SLOW},
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(folder / "tmp"),
                "KILLS": tag,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return cls(folder, process, tag)

    def listens(self) -> None:
        """Wait until it hears signals: before, it is Python that starts and ends."""
        bit = 1 << (signal.SIGTERM - 1)
        while self.process.poll() is None:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            if int(status.partition("SigCgt:")[2].split()[0], 16) & bit:
                return
            time.sleep(0.005)

    def processes(self) -> list[int]:
        """Those that have not ended."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    ours = self.tag.encode() in (entry / "environ").read_bytes()
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if ours and state != "Z":
                    found.append(int(entry.name))
        return found

    def files(self) -> dict[str, bytes]:
        """All that it wrote, but for the times that its parts took."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != "timings.jsonl"
        }


def prepared(folder: Path) -> Path:
    (folder / "sweep.toml").write_text(SWEEP)
    draw = random.Random(0)
    rows = [f"{n / 9},{draw.randint(1, 999)},{draw.randint(1, 99)}\n" for n in range(300)]
    (folder / "trace.csv").write_text("arrival,prefill,decode\n" + "".join(rows))
    return folder


@cache
def undisturbed(command: str) -> tuple[float, str, dict[str, bytes]]:
    """Seconds, output and files of a command."""
    folder = prepared(Path(mkdtemp(prefix="undisturbed")))
    try:
        err = "compiling: "
        while "compiling: " in err:  # which takes time once
            shutil.rmtree(folder / "out", ignore_errors=True)
            began = time.monotonic()
            run = Run.start(command, folder)
            out, err = run.process.communicate()
            took = time.monotonic() - began
            assert run.process.returncode == 0, err
        return took, out, run.files()
    finally:
        shutil.rmtree(folder)


def numbered() -> list[object]:
    """The kills: every command under every signal in turn; a few of them by default."""
    found = []
    for number in range(KILLS):
        command = list(COMMANDS)[number % len(COMMANDS)]
        how = SIGNALS[number // len(COMMANDS) % len(SIGNALS)]
        # That Ctrl-C leaves a run of checks whole is held in tests/evenkeel/test_records.py too.
        marks = () if number in (7, 14) else pytest.mark.slow
        name = f"{number}-{command}-{how.name}"
        found.append(pytest.param(number, command, how, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("number", "command", "how"), numbered())
def test_kill(tmp_path: Path, number: int, command: str, how: signal.Signals) -> None:
    took, out, files = undisturbed(command)
    draw = random.Random(number)
    run = Run.start(command, prepared(tmp_path))
    if how is not signal.SIGKILL:
        run.listens()
    time.sleep(draw.uniform(0, took))
    # A terminal tells the whole group, `kill` the process alone.
    if draw.random() < 1 / 2 and how is not signal.SIGKILL:
        os.killpg(run.process.pid, how)
    else:
        run.process.send_signal(how)
    said, told = run.process.communicate(timeout=PATIENCE_S)
    code = run.process.returncode
    assert code % 256 in (0, 128 + how, -how % 256)
    assert "Traceback" not in told
    assert code == 0 or how == signal.SIGKILL or "interrupted" in told
    if code == 0:
        assert said == out
    end = time.monotonic() + PATIENCE_S
    while run.processes() and time.monotonic() < end:
        time.sleep(0.05)
    assert run.processes() == []
    if how is not signal.SIGKILL:
        assert [name for name in run.files() if name.endswith((".part", ".lock"))] == []
    again = Run.start(command, tmp_path)
    said, told = again.process.communicate()
    assert (again.process.returncode, said) == (0, out), told
    assert again.files() == files
