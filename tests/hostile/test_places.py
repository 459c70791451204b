"""Where people run it: each place answers as any other, or says in a line what is missing."""

import io
import os
import subprocess
import sys
from pathlib import Path

import polars
import pytest

from evenkeel.cli.main import main
from evenkeel.plain_text import spell_out

ROOT = Path(__file__).parents[2]
LINUX = sys.platform == "linux"
TRACE = "arrival,prefill,decode\n" + "".join(f"{i},{10 + i % 7},{3 + i % 5}\n" for i in range(60))
SMALL = ("-G", "2", "-B", "2")
# Shows bars, Greek letters or dots in UTF-8, on three commands.
SHOWING = [("gallery", "iir-below-one"), ("claims", "geometric.bfio-upper"), ("policies", "--list")]


def run(*words, where, before=None, python=(), **environment):
    """The command in a process of its own; gives exit code, output, and what it said."""
    done = subprocess.run(
        [sys.executable, *python, "-m", "evenkeel", *words],
        cwd=where,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        preexec_fn=before,
        capture_output=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """What a command writes where standard output has this encoding."""
    monkeypatch.chdir(tmp_path)

    def run(encoding, *words):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, out.buffer.getvalue()

    return run


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_what_cannot_be_shown_is_spelled_in_ascii(printed, encoding):
    code, written = printed(encoding, *SHOWING[0])
    assert code == 0
    shown = written.decode(encoding)
    assert ("##" if encoding != "cp437" else "██") in shown
    assert encoding != "ascii" or written.isascii()


@pytest.mark.slow
@pytest.mark.parametrize("words", [*SHOWING, ("gallery",), ("claims",), ("doctor",)])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_each_command_can_be_shown(printed, words, encoding):
    code, written = printed(encoding, *words)
    assert code == 0
    assert written.decode(encoding)


def test_a_stream_that_was_told_what_to_do_does_it(monkeypatch):
    streams = [
        io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=errors)
        for errors in ("strict", "replace", "surrogateescape")
    ]
    for stream, shown in zip(streams, (b"gamma", b"?", None), strict=True):
        monkeypatch.setattr(sys, "stdout", stream)
        spell_out()
        if shown is not None:
            print("γ", end="", flush=True)
            assert stream.buffer.getvalue() == shown
        assert stream.errors == ("evenkeel_spelled" if shown == b"gamma" else stream.errors)


def test_a_folder_that_was_removed_is_said(monkeypatch, capsys, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "argv", ["evenkeel", "claims"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert capsys.readouterr() == ("", "Error: the current folder was removed: go to another\n")


NAMES = [
    "a b é ü 数",
    pytest.param(os.fsdecode(b"\xff\xe9 x"), marks=pytest.mark.skipif(not LINUX, reason="names")),
    "[1]*?",
    "'\"; $HOME `x`",
]


@pytest.mark.parametrize("name", NAMES)
def test_files_and_folders_of_any_name(printed, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    trace, rows = folder / f"{name}.csv", folder / f"{name} rows.parquet"
    trace.write_text(TRACE)
    words = ("--policy", "fcfs", "--trace", str(trace), "--requests-out", str(rows), "--json")
    code, written = printed("utf-8", "simulate", *SMALL, *words)
    assert code == 0
    assert b'"requests": 60' in written
    found = polars.read_parquet(io.BytesIO(rows.read_bytes()))
    assert found.height == 60
    assert [path.name for path in folder.iterdir() if path.suffix == ".part"] == []
    # Parquet is read by its name too.
    words = ("--trace", str(rows), "--prefill", "prefill", "--decode", "decode")
    assert printed("utf-8", "simulate", *SMALL, "--policy", "fcfs", *words)[0] == 0


@pytest.mark.skipif(not LINUX, reason="cores can be taken away on Linux")
def test_the_cores_that_are_allowed_are_counted():
    code = "from evenkeel.runs.workers import cores; print(cores())"
    one = {min(os.sched_getaffinity(0))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: os.sched_setaffinity(0, one),
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"1\n"


def test_nowhere_to_keep_anything(tmp_path):
    nowhere = str(tmp_path / "file")
    Path(nowhere).touch()
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "TMPDIR"), nowhere)
    words = ("simulate", *SMALL, "-n", "20", "--policy", "fcfs")
    code, out, said = run(*words, where=tmp_path, **places)
    assert (code, said) == (0, "")
    assert b"20 requests" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "python", "environment"),
    [
        (("simulate", *SMALL, "-n", "20"), (), {"TMPDIR": "with a space é"}),
        (("simulate", *SMALL, "-n", "20"), (), {"NUMBA_DISABLE_JIT": "1"}),
        (("simulate", *SMALL, "-n", "20"), ("-O",), {}),
        (("simulate", *SMALL, "-n", "20"), ("-OO",), {}),
        (("gallery",), ("-OO",), {}),
        (("gallery",), (), {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
        (("gallery",), (), {"TERM": "dumb", "NO_COLOR": "1"}),
        (("gallery",), ("-I",), {}),
    ],
)
def test_surroundings_that_change_nothing(tmp_path, words, python, environment):
    if "TMPDIR" in environment:
        environment = {"TMPDIR": str(tmp_path / environment["TMPDIR"])}
        Path(environment["TMPDIR"]).mkdir()
    if "-I" in python:
        pytest.importorskip("evenkeel", reason="installed")
    there = run(*words, where=tmp_path, python=python, **environment)
    here = run(*words, where=tmp_path)
    assert there[:2] == here[:2]
    assert there[0] == 0
    # Whichever is the first after a change compiles, and says so.
    told = (there[2] + here[2]).splitlines()
    assert all(line.startswith("compiling: ") for line in told)


@pytest.mark.slow
def test_without_docstrings_the_claims_say_so(tmp_path):
    for words in (("claims",), ("check", "energy.cap"), ("reproduce",)):
        code, out, said = run(*words, where=tmp_path, python=("-OO",))
        assert (code, out) == (2, b"")
        assert said == "error: claims are stated in docstrings: run Python without -OO\n"


def limited_to(number, value):
    """A limit that the process sets itself as it begins."""
    import resource

    return lambda: resource.setrlimit(number, (value, value))


SWEEP = 'rounds = 1\nseeds = 1\n[grid]\nfamily = ["uniform"]\nworkers = [2]\nslots = [1]\n'


@pytest.mark.skipif(not LINUX, reason="limits of a process")
@pytest.mark.parametrize("mib", [200, 1024])
def test_an_address_space_that_is_too_small_is_said(tmp_path, mib):
    import resource

    (tmp_path / "s.toml").write_text(SWEEP)
    before = limited_to(resource.RLIMIT_AS, mib << 20)
    code, out, said = run("sweep", "s.toml", "--jobs", "2", where=tmp_path, before=before)
    assert (code, out) == (4, b"")
    assert said == (
        f"error: {mib} MiB of address space are allowed, and loading the libraries takes 1536: "
        "allow more (ulimit -v)\n"
    )


@pytest.mark.skipif(not LINUX, reason="threads of a process")
def test_a_command_has_one_thread_of_linear_algebra_unless_more_are_given():
    code = (
        "import os; from evenkeel.exits import run\n"
        "def command(options):\n"
        "    import numpy\n"
        "    print(os.environ['OPENBLAS_NUM_THREADS'], len(os.listdir('/proc/self/task')))\n"
        "run(command)"
    )
    free = {name: it for name, it in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    threads = {}
    for given in ("", "1", "2"):
        environment = free | ({"OPENBLAS_NUM_THREADS": given} if given else {})
        words = [sys.executable, "-c", code]
        said = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True)
        kept, threads[given] = said.stdout.split()
        assert kept.decode() == (given or "1")
    assert threads[""] == threads["1"]


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="limits of a process")
def test_workers_in_the_least_address_space(tmp_path):
    import resource

    (tmp_path / "s.toml").write_text(SWEEP)
    before = limited_to(resource.RLIMIT_AS, 1536 << 20)
    assert run("sweep", "s.toml", "--jobs", "2", where=tmp_path, before=before)[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="limits of a process")
@pytest.mark.parametrize(
    ("limit", "value"), [("NOFILE", 12), ("NOFILE", 32), ("AS", 2**29), ("AS", 2**31), ("FSIZE", 0)]
)
@pytest.mark.parametrize("words", [("simulate", *SMALL, "-n", "20"), ("gallery",)])
def test_where_little_is_allowed_the_answer_is_the_same_or_none(tmp_path, limit, value, words):
    import resource

    before = limited_to(getattr(resource, f"RLIMIT_{limit}"), value)
    code, out, said = run(*words, where=tmp_path, before=before)
    assert code in (0, 4)
    assert "Traceback" not in said
    if code == 0:
        assert out == run(*words, where=tmp_path)[1]
    else:
        assert out == b""
