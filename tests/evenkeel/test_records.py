"""Records survive an interrupt, and the same seed gives the same bytes."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from evenkeel.cli.main import main
from evenkeel.findings.check import (
    Budget,
    Check,
    Finding,
    Relation,
    Trial,
    Variant,
    Verdict,
    kill_rate,
)
from evenkeel.findings.headline import Record
from evenkeel.output import to_json
from evenkeel.report.rendering import report_markdown
from evenkeel.report.summary import number, power_text, row, surprises
from evenkeel.runs.executors import executor
from evenkeel.runs.records import SCHEMA, RecordFile, key, read_records, record
from evenkeel.runs.reproduce import Job, perform, run, unchecked, versions
from evenkeel.theorems import registry
from evenkeel.theorems.registry import checks, claim_of, claims
from theory.model import InputError

ROOT = Path(__file__).parents[2]
LABELS = ["step.full-refill-tight", "energy.limit-paper", "step.gap-naive"]


@pytest.fixture(scope="module")
def here() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, here: Executor) -> Path:
    out = tmp_path_factory.mktemp("run")
    run(LABELS, out, here)
    return out


def test_the_same_seed_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    with executor(jobs=2) as processes:
        run(reversed(LABELS), tmp_path, processes)
    assert (tmp_path / "records.jsonl").read_bytes() == (finished / "records.jsonl").read_bytes()


def test_records_are_in_the_order_of_the_claims(finished: Path) -> None:
    order = list(claims())
    seen = [entry["claim"] for entry in read_records(finished / "records.jsonl")]
    assert sorted(seen, key=order.index) == seen
    assert set(seen) == set(LABELS)


def test_a_half_written_last_line_is_dropped_and_done_again(
    finished: Path, tmp_path: Path, here: Executor
) -> None:
    whole = (finished / "records.jsonl").read_text("utf-8")
    cut = tmp_path / "records.jsonl"
    cut.write_text(whole[:-20], "utf-8")
    assert len(list(read_records(cut))) == len(LABELS) - 1
    done: list[str] = []
    run(LABELS, tmp_path, here, resume=True, done=lambda number, label: done.append(label))
    assert len(done) == 1
    assert cut.read_text("utf-8") == whole


def test_a_broken_line_in_the_middle_is_named(finished: Path, tmp_path: Path) -> None:
    whole = (finished / "records.jsonl").read_text("utf-8")
    broken = tmp_path / "records.jsonl"
    broken.write_text("{}\n" + whole, "utf-8")
    with pytest.raises(InputError, match="line 1 is not a record"):
        RecordFile(broken, resume=True)


def test_without_resume_a_run_starts_over(finished: Path, tmp_path: Path, here: Executor) -> None:
    (tmp_path / "records.jsonl").write_bytes((finished / "records.jsonl").read_bytes())
    run(LABELS[:1], tmp_path, here)
    assert len(list(read_records(tmp_path / "records.jsonl"))) == 1


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path, here: Executor) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(InputError, match="cannot write"):
        run(LABELS, tmp_path / "file" / "out", here)


def test_every_claim_has_a_check_or_was_not_recovered() -> None:
    without = [label for label in claims() if label not in checks()]
    for label in without:
        assert unchecked(claims()[label]).verdict is Verdict.NOT_CHECKED
    # What has no check is what nobody could recover.
    assert not {label for label in without if claims()[label].recovered}


def test_every_check_has_two_planted_false_variants() -> None:
    few = {label for label, check in checks().items() if len(check.plants) < 2}
    # Numbers that others reported and nobody can run again: declared "not checked" by their check.
    assert few == {label for label in checks() if not claims()[label].recovered and label in few}
    for label in few:
        assert checks()[label].run(checks()[label].trial()).verdict is Verdict.NOT_CHECKED


def test_a_refuted_finding_needs_a_witness() -> None:
    with pytest.raises(InputError, match="witness"):
        Finding(verdict=Verdict.REFUTED, computed=2, claimed=1, relation="<=", domain="nowhere")


def test_the_margin_is_negative_exactly_when_the_relation_fails() -> None:
    for relation, bad in (("<=", 5), (">=", 3), ("==", 5)):
        assert (
            Finding(
                verdict=Verdict.CERTIFIED, computed=bad, claimed=4, relation=relation, domain=""
            ).margin
            < 0
        )
        assert (
            Finding(
                verdict=Verdict.CERTIFIED, computed=4, claimed=4, relation=relation, domain=""
            ).margin
            == 0
        )


@pytest.mark.parametrize(
    ("computed", "relation", "claimed", "margin"),
    [
        (3, "<=", 4, Fraction(1, 4)),
        (5, "<=", 4, Fraction(-1, 4)),
        (3, ">=", 4, Fraction(-1, 4)),
        (5, ">=", 4, Fraction(1, 4)),
        # An equality has no slack: both sides of it are violations.
        (3, "==", 4, Fraction(-1, 4)),
        (5, "==", 4, Fraction(-1, 4)),
        # Relative to the size of the claimed side, and absolute where that is nothing.
        (-5, "<=", -4, Fraction(1, 4)),
        (Fraction(7, 2), "<=", Fraction(5, 2), Fraction(-2, 5)),
        (2, "<=", 0, -2),
        (-2, ">=", 0, -2),
        (2, "==", 0, -2),
        (3, "~", 4, None),
    ],
)
def test_margins(computed: int, relation: Relation, claimed: int, margin: Fraction | None) -> None:
    found = Finding(
        verdict=Verdict.CERTIFIED, computed=computed, claimed=claimed, relation=relation, domain=""
    ).margin
    assert found == margin
    if margin and claimed:
        exact = Finding(
            verdict=Verdict.CERTIFIED,
            computed=float(computed),
            claimed=claimed,
            relation=relation,
            domain="",
        ).margin
        assert exact == pytest.approx(float(margin))


def test_a_violation_by_one_ulp_has_a_negative_margin() -> None:
    above, below = math.nextafter(1, 2), math.nextafter(1, 0)
    assert (
        Finding(
            verdict=Verdict.CERTIFIED, computed=above, claimed=1.0, relation="<=", domain=""
        ).margin
        < 0
    )
    assert (
        Finding(
            verdict=Verdict.CERTIFIED, computed=below, claimed=1.0, relation=">=", domain=""
        ).margin
        < 0
    )
    assert (
        Finding(
            verdict=Verdict.CERTIFIED, computed=below, claimed=1.0, relation="==", domain=""
        ).margin
        < 0
    )
    assert (
        Finding(
            verdict=Verdict.CERTIFIED, computed=above, claimed=1.0, relation="==", domain=""
        ).margin
        < 0
    )
    # Exact sides decide where floats are equal.
    tiny = Fraction(1, 10**40)
    assert (
        Finding(
            verdict=Verdict.CERTIFIED, computed=1 + tiny, claimed=1, relation="<=", domain=""
        ).margin
        == -tiny
    )


def test_an_unknown_parameter_is_named_with_the_known_ones() -> None:
    check = checks()["step.full-refill-gap"]
    with pytest.raises(InputError, match="no parameter 'zzz'; it has:"):
        check.trial(Budget.SMOKE, zzz=1)


def test_the_report_names_every_claim_and_its_verdict(finished: Path) -> None:
    entries = list(read_records(finished / "records.jsonl"))
    text = report_markdown(entries, "evenkeel reproduce")
    for entry in entries:
        assert f"### {entry['claim']}:" in text
        assert f"- verdict: **{entry['verdict']}" in text


def test_a_claim_held_false_that_is_refuted_surprises_nobody(finished: Path) -> None:
    entries = list(read_records(finished / "records.jsonl"))
    assert surprises(entries) == []
    for entry in entries:
        # The other way round each verdict contradicts what is asserted.
        entry["verdict"] = "certified" if entry["verdict"] == "refuted" else "refuted"
    assert surprises(entries) == entries


def test_numbers_and_kill_rates_read_well() -> None:
    assert [number(x) for x in (None, 3, "7/2", "12345678901", 0.25)] == [
        "",
        "3",
        "3.5",
        "1.235e+10",
        "0.25",
    ]
    assert kill_rate({"a": True, "b": False}) == "1/2"
    assert kill_rate({"a": False}) == "no power"
    assert kill_rate({}) == "no power"


def _credulous(*plants: Variant) -> Check:
    """A check that finds its claim to hold whatever it is asked: it has no power."""

    def run(trial: Trial) -> Finding:
        return Finding(
            verdict=Verdict.CERTIFIED,
            computed=1,
            claimed=1,
            relation="==",
            domain="nothing was looked at",
        )

    return Check("step.objective", run, {}, {}, plants)


@pytest.mark.parametrize("plants", [(), (Variant("twice", Fraction(2)), Variant("a", fault="a"))])
def test_a_check_that_kills_nothing_reads_no_power(
    plants: tuple[Variant, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check = _credulous(*plants)
    blind = replace(claim_of(check.label), check=check)
    monkeypatch.setitem(registry._CLAIMS, check.label, blind)
    entry, _ = perform(Job(check.label, Budget.SMOKE, 0))
    assert entry["verdict"] == "certified"
    assert entry["kill_rate"] == row(entry)[-2] == "no power"
    assert "verdict: **certified**, no power" in report_markdown([entry], "evenkeel reproduce")
    monkeypatch.setattr("sys.argv", ["evenkeel", "check", check.label])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("step.objective: certified, no power")


def test_what_is_not_checked_has_no_kill_rate() -> None:
    finding = Finding(
        verdict=Verdict.NOT_CHECKED,
        computed=None,
        claimed=None,
        relation="~",
        domain="not recovered",
    )
    trial = _credulous().trial()
    assert record(_credulous(), trial, finding, {}, {})["kill_rate"] == ""


def test_a_kill_rate_names_what_was_missed() -> None:
    power = {"halved": True, "x1.1": False}
    check = _credulous(Variant("halved", Fraction(1, 2)), Variant("x1.1", Fraction(11, 10)))
    assert check.smallest_factor(power) == 2
    assert check.smallest_factor({**power, "x1.1": True}) == Fraction(11, 10)
    assert check.smallest_factor({"halved": False, "x1.1": False}) is None
    entry = {"kill_rate": "1/2", "power": power, "smallest_factor": "2"}
    assert (
        power_text(entry)
        == ", catches 1/2 false versions, the nearest a factor of 2 (missed: x1.1)"
    )
    assert power_text({"kill_rate": "", "power": {}, "smallest_factor": None}) == ""


# --- What a run does, and what it finds on disk --------------------------------------------------


class Now(Executor):
    """Does the work when it is asked for, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def submit(self, work: Any, /, *jobs: Any, **_: Any) -> Future[Any]:
        (group,) = jobs
        self.asked += [(job.label, job.budget.value, job.seed) for job in group]
        future: Future[Any] = Future()
        try:
            future.set_result(work(group))
        except Exception as error:
            future.set_exception(error)
        return future


def _of(label: str) -> Check:
    """A check of that claim, for its name."""
    return Check(
        label,
        lambda trial: Finding(
            verdict=Verdict.CERTIFIED, computed=1, claimed=1, relation="==", domain=""
        ),
        {},
        {},
        (),
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that take no time, and find their own seed."""

    def told(job: Job) -> tuple[Record, float]:
        if job.label == LABELS[1] and job.seed == 99:
            raise RuntimeError("broken")
        trial = Trial(job.label, {"G": 2}, job.seed, job.budget)
        finding = Finding(
            verdict=Verdict.CERTIFIED, computed=job.seed, claimed=1, relation="~", domain=""
        )
        return record(_of(job.label), trial, finding, {}, versions()), 0.25

    monkeypatch.setattr("evenkeel.runs.reproduce.perform", told)


def seeds_of(records: list[Record]) -> list[tuple[str, int, int]]:
    return [(entry["claim"], entry["seed"], entry["computed"]) for entry in records]


@pytest.mark.usefixtures("counted")
def test_only_what_was_asked_counts_as_done(tmp_path: Path) -> None:
    order = [label for label in claims() if label in LABELS]
    first = Now()
    found = run(LABELS, tmp_path, first, seed=0)
    assert first.asked == [(label, "smoke", 0) for label in LABELS]
    assert seeds_of(found.records) == [(label, 0, 0) for label in order]
    # Another seed, and another budget: nothing of the first run counts.
    for seed, budget in ((1, Budget.SMOKE), (1, Budget.STANDARD)):
        again = Now()
        found = run(LABELS, tmp_path, again, seed=seed, budget=budget, resume=True)
        assert again.asked == [(label, budget.value, seed) for label in LABELS]
        assert seeds_of(found.records) == [(label, seed, seed) for label in order]
        assert {entry["budget"] for entry in found.records} == {budget.value}
    # All of them are kept; what is there is not done again, and only what is asked is returned.
    last, done = Now(), []
    found = run(
        LABELS[:2], tmp_path, last, seed=1, resume=True, done=lambda n, label: done.append(n)
    )
    assert (last.asked, done, found.seconds) == ([], [], {})
    assert seeds_of(found.records) == [(label, 1, 1) for label in order if label in LABELS[:2]]
    assert len(list(read_records(tmp_path / "records.jsonl"))) == 9
    # Without resume everything is done again, and nothing else is left.
    fresh = Now()
    run(LABELS[:1], tmp_path, fresh, seed=1)
    assert len(fresh.asked) == len(list(read_records(tmp_path / "records.jsonl"))) == 1


@pytest.mark.usefixtures("counted")
def test_progress_and_times_are_of_what_was_done(tmp_path: Path) -> None:
    run(LABELS[:1], tmp_path, Now())
    told: list[tuple[int, str]] = []
    found = run(LABELS, tmp_path, Now(), resume=True, done=lambda n, label: told.append((n, label)))
    # One was there: the next ones are the second and the third.
    assert sorted(n for n, _ in told) == [2, 3]
    assert {label for _, label in told} == set(LABELS[1:]) == set(found.seconds)
    lines = (tmp_path / "timings.jsonl").read_text("utf-8").splitlines()
    assert {(t["claim"], t["seconds"]) for t in map(json.loads, lines)} == {
        (label, 0.25) for label in LABELS[1:]
    }


@pytest.mark.usefixtures("counted")
def test_what_was_done_before_an_error_is_kept(tmp_path: Path) -> None:
    run(LABELS[:1], tmp_path, Now(), seed=99)
    with pytest.raises(RuntimeError, match="broken"):
        run(LABELS[1:2], tmp_path, Now(), seed=99, resume=True)
    kept = list(read_records(tmp_path / "records.jsonl"))
    assert [(entry["claim"], entry["seed"]) for entry in kept] == [(LABELS[0], 99)]


def an_entry(seed: int = 0, claim: str = LABELS[0], **params: int) -> Record:
    trial = Trial(claim, params, seed)
    return record(
        _of(claim),
        trial,
        Finding(verdict=Verdict.CERTIFIED, computed=1, claimed=1, relation="==", domain=""),
        {},
        {},
    )


def test_a_record_is_told_by_all_that_was_asked(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "records.jsonl", resume=False)
    different = [an_entry(G=2), an_entry(1, G=2), an_entry(G=3), an_entry(claim=LABELS[1], G=2)]
    for entry in different:
        file.append(entry)
    assert len({key(entry) for entry in different}) == len(file.entries) == 4
    # The same again takes the place of the first.
    file.append(an_entry(G=2) | {"computed": 7})
    assert len(file.finish({})) == 4
    (same,) = [e for e in read_records(file.path) if key(e) == key(different[0])]
    assert same["computed"] == 7
    # The claims' order first; then what was asked.
    order = {LABELS[1]: 0, LABELS[0]: 1}
    assert [e["claim"] for e in file.finish(order)] == [LABELS[1], *[LABELS[0]] * 3]


def test_a_record_is_on_disk_when_it_is_appended(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "records.jsonl", resume=False)
    for seed in range(3):
        file.append(an_entry(seed))
        assert len(list(read_records(file.path))) == seed + 1


@pytest.mark.parametrize("left", range(1, 60, 7))
def test_a_line_cut_anywhere_is_no_record(tmp_path: Path, left: int) -> None:
    path = tmp_path / "records.jsonl"
    lines = [to_json(an_entry(number)) + "\n" for number in range(2)]
    # Cut short by one character it is whole JSON, but nobody can know that.
    path.write_text(lines[0] + lines[1][:-left], "utf-8")
    assert [entry["seed"] for entry in read_records(path)] == [0]
    file = RecordFile(path, resume=True)
    assert path.read_text("utf-8") == lines[0]
    file.append(an_entry(1))
    assert path.read_text("utf-8") == "".join(lines)


@pytest.mark.parametrize(
    "change",
    [{"schema": SCHEMA + 1}, {"schema": None}, {"verdict": "plausible"}, {"claim": ""}],
)
def test_a_whole_line_that_is_no_record_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(to_json(an_entry()) + "\n" + to_json(an_entry(1) | change) + "\n", "utf-8")
    with pytest.raises(InputError, match=f"line 2 is not a record of schema {SCHEMA}"):
        RecordFile(path, resume=True)
    before = path.read_text("utf-8")
    with pytest.raises(InputError):
        RecordFile(path, resume=True)
    assert path.read_text("utf-8") == before  # and is not lost


# Two claims that take no time, and one that waits for a file.
CLAIM = '''
import time
from pathlib import Path
from evenkeel import Cases, claim, evidence, near

@claim("mine.{name}", "equality")
class {name}:
    """One.

    1 = 1.
    """
    @evidence(measures="one", plants=(near(),))
    def check(self, trial):
        """Another number refutes it."""
        while not Path({file!r}).exists():
            time.sleep(0.01)
        cases = Cases("==")
        cases.add(1, trial.scale, lambda: {{}})
        return cases.finding(trial, "one number")
'''


def test_ctrl_c_leaves_a_state_to_go_on_from(tmp_path: Path) -> None:
    # The claims of a module are done one after the other, the larger module first.
    now = [CLAIM.format(name=name, file=".") for name in ("First", "Second")]
    (tmp_path / "now.py").write_text("".join(now), "utf-8")
    (tmp_path / "later.py").write_text(CLAIM.format(name="Third", file="go"), "utf-8")
    wanted = ["mine.First", "mine.Second", "mine.Third"]
    command = [sys.executable, "-m", "evenkeel", "reproduce", "--jobs", "1", "--out", "out"]
    command += ["--claim", "now.py", "--claim", "later.py"]
    there: dict[str, Any] = {
        "cwd": tmp_path,
        "env": os.environ | {"PYTHONPATH": str(ROOT)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    process = subprocess.Popen(command, start_new_session=True, **there)
    file = tmp_path / "out" / "records.jsonl"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if file.exists() and file.read_text("utf-8").count("\n") >= 2:
            os.killpg(process.pid, signal.SIGINT)
            break
        time.sleep(0.02)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    kept = list(read_records(file))
    assert [entry["claim"] for entry in kept] == wanted[:2]
    assert not (tmp_path / "out" / "report.md").exists()
    (tmp_path / "go").touch()
    again = subprocess.run([*command, "--resume", "--json"], check=False, **there)
    assert again.returncode == 0, again.stderr
    records = json.loads(again.stdout)["records"]
    assert [entry["claim"] for entry in records] == wanted
    assert all(entry in records for entry in kept)
    assert {entry["verdict"] for entry in records} == {"certified"}
    # Only what was missing was done again.
    (timed,) = (tmp_path / "out" / "timings.jsonl").read_text("utf-8").splitlines()
    assert json.loads(timed)["claim"] == "mine.Third"
