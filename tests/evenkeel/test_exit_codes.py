"""Every command's exit code in every condition it knows.

0 held, 1 violated, 2 bad input, 3 open, 4 no answer.

What a check found is planted here, so that a code is tied to the verdict alone; real checks are
asked in the tests of their commands.
"""

import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from adversary.worst_case.attack import Attack
from evenkeel.cli.main import COMMANDS, main
from evenkeel.exits import Interrupted, WorkerLostError
from evenkeel.findings.check import Check, Finding, Trial, Variant, Verdict
from evenkeel.runs.records import read_records
from evenkeel.theorems import registry
from evenkeel.theorems.registry import claims
from solvers.step.problem import StepSolution
from theory.model import InputError

Call = Callable[..., tuple[int, str, str]]

TRUE, FALSE = "step.full-refill-gap", "limits.exact-step"  # as asserted, and as refuted

STEP = {"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}
BACKLOG = {"workers": 2, "slots": 1, "prefill": [4, 4, 5, 6], "decode": [3, 2, 3, 2]}
SWEEP = 'rounds = 1\nseeds = 1\n[grid]\nfamily = ["uniform"]\nworkers = [2]\nslots = [1]\n'
TRACE = "arrival,prefill,decode\n0,5,3\n1,6,2\n"

FILES = {
    "step.json": json.dumps(STEP),
    "backlog.json": json.dumps(BACKLOG),
    "sweep.toml": SWEEP,
    "trace.csv": TRACE,
    "loads.csv": "\n".join(f"{1000 + k % 3},{2000 - k % 5}" for k in range(40)) + "\n",
    "untimed.csv": "prefill,decode\n5,3\n6,2\n",
    "bad.json": "{",
    "bad.toml": "rounds = 0\n",
    "both.toml": SWEEP + '[trace]\nfile = "trace.csv"\n',
    "lost.toml": '[trace]\nfile = "absent.csv"\n',
    "bad.csv": "prefill\n3\n",
    "table/price_ladder.csv": "device\nabacus\n",
}


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    in_threads: None,
) -> Call:
    """Runs the command line in a folder with the files above; gives exit code, stdout, stderr.

    What is planted in this process is seen where the work is done.
    """
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, "utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


def finding(verdict: Verdict) -> Finding:
    """A finding of that verdict, with what it must have."""
    return Finding(
        verdict=verdict,
        computed=2 if verdict is Verdict.REFUTED else 1,
        claimed=1,
        relation="<=",
        domain="planted",
        witness={"at": 0},
    )


def check_that_finds(label: str, verdict: Verdict, *, asks: bool = True) -> Check:
    """A check with that finding of the claim, which refutes every false version."""

    def run(trial: Trial) -> Finding:
        if asks:
            trial.users()
        return finding(Verdict.REFUTED if trial.variant else verdict)

    return Check(label, run, {}, {}, (Variant("planted", fault="planted"),))


def plant(monkeypatch: pytest.MonkeyPatch, checks: Mapping[str, Check]) -> None:
    """Give claims these checks, and none to the others."""
    for label, claim in claims().items():
        monkeypatch.setitem(registry._CLAIMS, label, replace(claim, check=checks.get(label)))


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the checks of some claims find what they are told."""

    def finds(verdicts: Mapping[str, Verdict], *, asks: bool = True) -> None:
        checks = {
            label: check_that_finds(label, verdict, asks=asks)
            for label, verdict in verdicts.items()
        }
        plant(monkeypatch, checks)

    return finds


# --- check --------------------------------------------------------------------------------------


def wanted(verdict: Verdict) -> int:
    """What ``evenkeel check`` says of a verdict."""
    return 0 if verdict.held else 1 if verdict is Verdict.REFUTED else 3


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("words", [(), ("--policy", "lpt"), ("--json",)])
def test_check_of_a_claim(
    call: Call, finds: Callable[..., None], verdict: Verdict, words: tuple[str, ...]
) -> None:
    finds({TRUE: verdict})
    code, out, _ = call("check", TRUE, *words)
    assert code == wanted(verdict)
    if "--json" in words:
        assert json.loads(out)["verdict"] == verdict


def test_the_codes_of_the_verdicts_are_spelled_out() -> None:
    assert {v: wanted(v) for v in Verdict if not v.held} == {
        Verdict.REFUTED: 1,
        Verdict.INCONCLUSIVE: 3,
        Verdict.NOT_APPLICABLE: 3,
        Verdict.NOT_CHECKED: 3,
    }
    assert {Verdict.PROVED, Verdict.CERTIFIED, Verdict.ATTACKED, Verdict.SUPPORTED} <= {
        v for v in Verdict if wanted(v) == 0
    }


def test_check_of_a_false_version(call: Call, finds: Callable[..., None]) -> None:
    finds({TRUE: Verdict.CERTIFIED})
    assert call("check", TRUE, "--scale", "1/2")[0] == 1
    assert call("check", TRUE)[0] == 0


def test_a_false_version_that_is_not_caught_exits_with_0(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    credulous = Check(TRUE, lambda trial: finding(Verdict.CERTIFIED), {}, {}, ())
    plant(monkeypatch, {TRUE: credulous})
    assert call("check", TRUE, "--scale", "1/2")[0] == 0


def test_check_of_a_policy_that_takes_no_part(call: Call, finds: Callable[..., None]) -> None:
    for verdict in (Verdict.CERTIFIED, Verdict.REFUTED):
        finds({TRUE: verdict}, asks=False)
        code, out, _ = call("check", TRUE, "--policy", "lpt", "--json")
        assert (code, json.loads(out)["verdict"]) == (3, "not applicable")


def test_check_without_a_check(call: Call, finds: Callable[..., None]) -> None:
    finds({})
    code, out, _ = call("check", TRUE)
    assert (code, "not checked" in out) == (3, True)


# --- reproduce ----------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figures and no page."""
    monkeypatch.setattr("evenkeel.runs.figures.illustrate", lambda *_: {})
    monkeypatch.setattr("evenkeel.report.rendering.pictures", lambda _: {})
    monkeypatch.setattr("evenkeel.report.rendering.report_html", lambda *_, **__: "")


REPRODUCE = ("reproduce", "--out", "run", "--claims")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("label", "verdict", "code"),
    [
        (TRUE, Verdict.CERTIFIED, 0),
        (TRUE, Verdict.REFUTED, 1),
        (TRUE, Verdict.INCONCLUSIVE, 0),
        (TRUE, Verdict.NOT_APPLICABLE, 0),
        (FALSE, Verdict.REFUTED, 0),
        (FALSE, Verdict.CERTIFIED, 1),
        (FALSE, Verdict.SUPPORTED, 1),
        (FALSE, Verdict.INCONCLUSIVE, 0),
    ],
)
def test_reproduce_contradicts(
    call: Call, finds: Callable[..., None], label: str, verdict: Verdict, code: int
) -> None:
    assert (claims()[TRUE].holds, claims()[FALSE].holds) == (True, False)
    finds({label: verdict})
    found, out, _ = call(*REPRODUCE, label, "--json")
    answer = json.loads(out)
    assert (found, answer["against"]) == (code, [label] if code else [])
    assert [entry["claim"] for entry in answer["records"]] == [label]
    found, out, _ = call(*REPRODUCE, label)
    assert (found, "against what is asserted" in out) == (code, code == 1)


@pytest.mark.usefixtures("quick")
def test_one_contradiction_among_many_is_enough(call: Call, finds: Callable[..., None]) -> None:
    labels = [label for label in claims() if label.startswith("scaling.")]
    expected = {
        label: Verdict.CERTIFIED if claims()[label].holds else Verdict.REFUTED for label in labels
    }
    finds(expected)
    assert call(*REPRODUCE, "scaling.*")[0] == 0
    assert len(labels) > 3
    for label in (labels[0], labels[-1]):
        other = Verdict.REFUTED if claims()[label].holds else Verdict.CERTIFIED
        finds({**expected, label: other})
        code, out, _ = call(*REPRODUCE, "scaling.*", "--json")
        assert (code, json.loads(out)["against"]) == (1, [label])


@pytest.mark.usefixtures("quick")
def test_a_contradiction_that_an_interrupted_run_left_still_counts(
    call: Call, finds: Callable[..., None]
) -> None:
    finds({TRUE: Verdict.REFUTED})
    assert call(*REPRODUCE, TRUE)[0] == 1
    finds({TRUE: Verdict.CERTIFIED})
    assert call(*REPRODUCE, TRUE, "--resume")[0] == 1
    # It is of that seed and that budget, and of no other.
    assert call(*REPRODUCE, TRUE, "--resume", "--seed", "1")[0] == 0
    assert call(*REPRODUCE, TRUE, "--resume", "--budget", "standard")[0] == 0
    assert call(*REPRODUCE, TRUE, "--resume")[0] == 1
    kept = [(e["seed"], e["budget"]) for e in read_records(Path("run/records.jsonl"))]
    assert sorted(kept) == [(0, "smoke"), (0, "standard"), (1, "smoke")]
    assert call(*REPRODUCE, TRUE)[0] == 0


@pytest.mark.usefixtures("quick")
def test_a_check_that_fails_is_no_verdict(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad input inside a check is inconclusive; another error is not swallowed."""

    def fails(error: Exception, module: str) -> Callable[[Trial], Finding]:
        def run(trial: Trial) -> Finding:
            if trial.variant is None:
                raise error
            return finding(Verdict.REFUTED)

        run.__module__ = module
        return run

    for error, module in (
        (InputError("no such size"), "evenkeel.theorems"),
        (RuntimeError("wrong sum"), "evenkeel.theorems"),
        (RuntimeError("wrong sum"), "mine"),
    ):
        run = fails(error, module)
        check = Check(TRUE, run, {}, {}, (Variant("planted", fault="planted"),))
        plant(monkeypatch, {TRUE: check})
        if isinstance(error, InputError):
            code, out, _ = call(*REPRODUCE, TRUE, "--json")
            (entry,) = json.loads(out)["records"]
            assert (code, entry["verdict"]) == (0, "inconclusive")
        else:
            code, _, err = call(*REPRODUCE, TRUE)
            told = err.splitlines()[-1]
            if module == "mine":
                assert (code, told.startswith(f"error: the check of {TRUE}: RuntimeError: ")) == (
                    2,
                    True,
                )
                assert "test_exit_codes.py, line " in told
            else:
                assert (code, told.startswith("internal error: RuntimeError: wrong sum")) == (
                    4,
                    True,
                )


# --- solve, optimum, verify ---------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--json",), ("--certificate", "c.json")])
def test_solve(call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    assert call("solve", "step.json", "--solver", "fast", *words)[0] == 0

    def unsure(problem: Any, *_: Any) -> Iterator[StepSolution]:
        from solvers.step.fast.solve import solve_step

        best = solve_step(problem)
        yield replace(best, lower_bound=best.lower_bound - 1)

    def no_argument(problem: Any, target: int, words: int) -> tuple[int, list[Any]]:
        return target - 1, []

    # The best value, one above its bound: nobody has proved it.
    monkeypatch.setattr("solvers.certificates.argue", no_argument)
    monkeypatch.setattr("solvers.step.branch_and_price.solve.approach", unsure)
    code, out, _ = call("solve", "step.json", "--solver", "scan", *words)
    assert code == 3
    if not words:
        assert "proved optimal         no" in out
        assert "lower bound            1" in out


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_optimum(call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    code, out, _ = call("optimum", "backlog.json", *words)
    assert code == 0
    if words:
        answer = json.loads(out)
        # Work 15 + 9 + 18 + 13 = 55: at least 28, which steps of 4 5 6 7 6 or the like reach.
        assert (answer["cost"], answer["lower_bound"], answer["optimal"]) == (28, 28, True)
        assert answer["policies"]["fcfs"] == 28
        more = json.loads(call("optimum", "backlog.json", "--overhead", "100", *words)[1])
        # Each step costs 100 more; ten tokens of two slots take at least five steps.
        assert more["cost"] == 28 + 100 * 5
        assert more["policies"]["fcfs"] == 28 + 100 * more["steps"] == 528
    from solvers.schedule import solve

    true = solve.approach

    def unsure(problem: Any) -> Iterator[Any]:
        for found in true(problem):
            yield replace(found, lower_bound=27)

    monkeypatch.setattr(solve, "approach", unsure)
    code, out, err = call("optimum", "backlog.json", "--certificate", "c.json", *words)
    assert (code, "proved optimal  no" in out or '"optimal": false' in out) == (3, True)
    assert not Path("c.json").exists()
    assert "no certificate" in err
    assert '"lower_bound": 27' in out or "lower bound     27, gap 3.572 %" in out


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_an_interrupted_optimum_shows_the_best_so_far(
    call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    from solvers.schedule import solve

    true = solve.approach

    def interrupted(problem: Any) -> Iterator[Any]:
        yield replace(next(true(problem)), lower_bound=20)
        yield replace(next(true(problem)), lower_bound=21)
        raise KeyboardInterrupt

    monkeypatch.setattr(solve, "approach", interrupted)
    code, out, err = call("optimum", "backlog.json", *words)
    assert (code, "interrupted" in err) == (130, True)
    assert '"lower_bound": 21' in out or "lower bound     21, gap" in out


def certificates(call: Call) -> tuple[str, str]:
    """A true certificate, and one that claims one less."""
    assert call("solve", "step.json", "--solver", "fast", "--certificate", "good.json")[0] == 0
    forged = json.loads(Path("good.json").read_text("utf-8"))
    forged["imbalance"] -= 1
    Path("forged.json").write_text(json.dumps(forged), "utf-8")
    return "good.json", "forged.json"


def test_verify(call: Call) -> None:
    good, forged = certificates(call)
    for files, code in (
        ((good,), 0),
        ((good, good), 0),
        ((forged,), 1),
        ((good, forged), 1),
        ((forged, good), 1),
        (("bad.json",), 1),  # not a certificate: it proves nothing
        (("step.json",), 1),
        (("absent.json",), 2),
        ((good, "absent.json"), 2),
        ((), 2),
    ):
        found, out, _ = call("verify", *files)
        assert found == code, files
        if code < 2:
            answers = json.loads(call("verify", *files, "--json")[1])
            assert [a["holds"] for a in answers] == [file == good for file in files]
            assert [line.partition(": ")[0] for line in out.splitlines()] == list(files)


# --- the rest -----------------------------------------------------------------------------------


def test_attack(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ("attack", "--policy", "fcfs", "-B", "1", "-n", "2", "--size-max", "2")
    code, out, _ = call(*small, "--json")
    # Sizes 1 and 2 beside each other: found, and that is what was asked.
    assert (code, json.loads(out)["value"]) == (0, "1")
    code, out, _ = call(*small, "--size-min", "2", "--json")
    assert (code, json.loads(out)["witness"]) == (0, None)  # nothing to find
    assert call("attack", "--policy", "nobody")[0] == 2

    def interrupted(self: Attack, tally: Any = None) -> Iterator[Any]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Attack, "portions", interrupted)
    code, out, err = call(*small)
    assert (code, out, "goes on from here" in err) == (130, "", True)


def test_gallery(call: Call) -> None:
    assert call("gallery", "gap-smallest")[0] == 0
    assert call("attack", "--policy", "fcfs", "-B", "1", "-n", "2", "--size-max", "2")[0] == 0
    (kept,) = Path("out/gallery").glob("*.json")
    own = ("gallery", "--gallery", "out/gallery")
    assert call(*own)[0] == 0
    kept.write_text(kept.read_text("utf-8").replace('"avg_imbalance": "1"', '"avg_imbalance": "2"'))
    for words in (own, (*own, kept.stem), (*own, "--json")):
        assert call(*words)[0] == 1
    # One that replays does not make up for one that does not.
    attack = ("attack", "--policy", "fcfs", "-B", "1", "-n", "2", "--size-max", "3")
    assert call(*attack)[0] == 0
    assert len(list(Path("out/gallery").glob("*.json"))) == 2
    assert call(*own)[0] == 1
    assert call("gallery", "nothing")[0] == 2


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_doctor(call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    def shelf(ok: bool) -> list[SimpleNamespace]:
        told = {"instance": "by hand", "value": 3, "lower_bound": 3, "optimum": 3 if ok else 2}
        right = SimpleNamespace(solver="fast", ok=True, seconds=0.1, **told)
        return [right, SimpleNamespace(solver="scan", ok=ok, seconds=0.1, **told)]

    for ok, code in ((True, 0), (False, 1)):
        monkeypatch.setattr("solvers.step.shelf.run_shelf", lambda ok=ok: shelf(ok))
        assert call("doctor", *words)[0] == code


GOOD = {
    "simulate": ("-G", "2", "-B", "1", "-n", "4"),
    "assess": ("trace.csv", "-G", "2", "-B", "1"),
    "formats": (),
    "measure": ("loads.csv",),
    "energy": ("--hardware", "a100-paper"),
    "policies": ("--list",),
    "experiment": ("E2", "--seeds", "2", "--requests", "2400", "--policy", "jsq"),
    "sweep": ("sweep.toml",),
    "figures": ("price_ladder", "--redraw"),
    "claims": (),
    "explore": ("--no-open",),
}
BAD = {
    "simulate": [
        *(("--trace", "bad.csv"), ("--trace", "absent.csv"), ("--policy", "nobody")),
        *(
            ("--trace", "untimed.csv", "--timed"),
            ("--trace", "trace.csv", "--timed", "--pool", "2"),
        ),
        *(("--prefill", "x"), ("--trace", "trace.csv", "--prefill", "x"), ("--trace", ".")),
        ("--trace", "trace.csv", "--max-rows", "1"),
    ],
    "assess": [
        *(("bad.csv",), ("absent.csv",), ("untimed.csv", "--timed"), ("-G", "0")),
        *(("trace.csv", "--timed", "--pool", "2"), ("--timed", "--pool", "2"), ("--drop-bad",)),
        ("trace.csv", "--arrival-unit", "hours"),
        *(("trace.csv", "--policy", "nobody"), ("trace.csv", "--policy", "jsq")),
        *(("trace.csv", "--baseline", "nobody"), ("trace.csv", "--gamma", "2")),
    ],
    "formats": [("all",)],
    "measure": [("absent.csv",), ("bad.csv",), ()],
    "energy": [("--hardware", "abacus"), ("--idle-w", "1")],
    "policies": [("--policy", "nobody"), ("--rounds", "0"), ("--family", "nobody")],
    "experiment": [
        ("E9",),
        ("E2", "--seeds", "1"),
        ("E2", "--trace", "bad.csv"),
        ("E2", "--drop-bad"),
        ("E2", "--trace", "-"),
    ],
    "sweep": [("bad.toml",), ("absent.toml",), ("both.toml",), ("lost.toml",), ()],
    "figures": [("nothing",), ("price_ladder", "--redraw", "--out", "table")],
    "claims": [
        *(("step.full-refil-gap",), ("--format", "latex"), ("--all",), (TRUE, "--run", ".")),
        *((TRUE, "--format", "latex", "--all"), ("--format", "latex", "--all", "--run", "absent")),
    ],
    "check": [("step.full-refil-gap",), (TRUE, "--scale", "half"), (TRUE, "--policy", "nobody")],
    "reproduce": [("--claims", "zzz"), ("--budget", "huge")],
    "attack": [("--policy", "nobody"), ("--budget", "0")],
    "gallery": [("nothing",), ("--gallery", "absent")],
    "solve": [("bad.json",), ("absent.json",), ("step.json", "--time-limit", "0")],
    "optimum": [("bad.json",), ("absent.json",), ("backlog.json", "--overhead", "-1")],
    "verify": [("absent.json",), ()],
    "explore": [("too much",)],
    "doctor": [("too much",)],
    "new": [("claim",), ("nothing", "mine"), ("claim", "Not a name")],
}


def test_no_command_is_left_out() -> None:
    assert set(BAD) == set(COMMANDS)
    tested = {"check", "reproduce", "solve", "optimum", "verify", "attack", "gallery", "doctor"}
    # A file is begun only once: tests/evenkeel/test_own.py.
    assert set(GOOD) == set(COMMANDS) - tested - {"new"}


@pytest.mark.parametrize("command", GOOD)
def test_what_was_asked_is_done(call: Call, command: str) -> None:
    for words in ((), ("--json",)):
        code, out, _ = call(command, *GOOD[command], *words)
        assert (code, bool(out)) == (0, True)
    json.loads(out)


@pytest.mark.parametrize(("command", "words"), [(c, w) for c, many in BAD.items() for w in many])
def test_bad_input(call: Call, command: str, words: tuple[str, ...]) -> None:
    code, out, err = call(command, *words)
    assert (code, out) == (2, "")
    assert sum("error:" in line.lower() for line in err.splitlines()) == 1
    assert "Traceback" not in err


def caused(error: Exception, cause: Exception) -> Exception:
    """The error as it is when raised from the other."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no such thing"), 2),
        (MemoryError(), 4),
        (RecursionError(), 4),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 4),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "trace.csv"), 4),
        (caused(InputError("cannot write a.png"), OSError(errno.EDQUOT, "quota")), 4),
        (caused(InputError("a.png: is no folder"), OSError(errno.ENOTDIR, "no folder")), 2),
        (WorkerLostError("a process ended"), 4),
        (RuntimeError("a slot was lost"), 4),
        (RuntimeError("can't start new thread"), 4),
        (SystemExit(0), 4),  # nobody but the command line itself ends a command
        (click.UsageError("no such option"), 2),
        (KeyboardInterrupt(), 130),
        (Interrupted(signal.SIGTERM), 143),
        (BrokenPipeError(), 141),  # the reader of a pipe has seen enough
    ],
)
def test_errors_in_a_command(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("theory.power.hardware_catalogue", fails)
    found, out, err = call("energy")
    assert (found, out) == (code, "")
    assert len(err.splitlines()) == (4 if isinstance(error, click.UsageError) else code != 141)
    assert "Traceback" not in err
    found, _, err = call("--debug", "energy")
    assert (found, "Traceback" in err) == (code, code != 141)


@pytest.mark.parametrize("words", [("--help",), ("--version",), *((c, "-h") for c in COMMANDS)])
def test_help(call: Call, words: tuple[str, ...]) -> None:
    code, out, err = call(*words)
    assert (code, bool(out), err) == (0, True, "")
