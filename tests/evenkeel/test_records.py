"""Records survive an interrupt, and the same seed gives the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest

from evenkeel.cli import main
from evenkeel.evidence import Budget, Check, Finding, Trial, Variant, Verdict, checks, kill_rate
from evenkeel.executors import executor
from evenkeel.records import RecordFile, read_records, record
from evenkeel.report import markdown, number, power_text, row, surprises
from evenkeel.runs import Job, perform, run, unchecked
from theory.claims import claims
from theory.model import InputError

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
        Finding(Verdict.REFUTED, 2, 1, "<=", "nowhere")


def test_the_margin_is_negative_exactly_when_the_relation_fails() -> None:
    for relation, bad in (("<=", 5), (">=", 3), ("==", 5)):
        assert Finding(Verdict.CERTIFIED, bad, 4, relation, "").margin < 0
        assert Finding(Verdict.CERTIFIED, 4, 4, relation, "").margin == 0


def test_an_unknown_parameter_is_named_with_the_known_ones() -> None:
    check = checks()["step.full-refill-gap"]
    with pytest.raises(InputError, match="no parameter 'zzz'; it has:"):
        check.trial(Budget.SMOKE, zzz=1)


def test_the_report_names_every_claim_and_its_verdict(finished: Path) -> None:
    entries = list(read_records(finished / "records.jsonl"))
    text = markdown(entries, "evenkeel reproduce")
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
        return Finding(Verdict.CERTIFIED, 1, 1, "==", "nothing was looked at")

    return Check("step.objective", run, {}, {}, plants)


@pytest.mark.parametrize("plants", [(), (Variant("twice", Fraction(2)), Variant("a", fault="a"))])
def test_a_check_that_kills_nothing_reads_no_power(
    plants: tuple[Variant, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    check = _credulous(*plants)
    monkeypatch.setattr("evenkeel.runs.checks", lambda: {check.label: check})
    monkeypatch.setattr("evenkeel.evidence.checks", lambda: {check.label: check})
    entry, _ = perform(Job(check.label, Budget.SMOKE, 0))
    assert entry["verdict"] == "certified"
    assert entry["kill_rate"] == row(entry)[-2] == "no power"
    assert "verdict: **certified**, no power" in markdown([entry], "evenkeel reproduce")
    monkeypatch.setattr("sys.argv", ["evenkeel", "check", check.label])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("step.objective: certified, no power")


def test_what_is_not_checked_has_no_kill_rate() -> None:
    finding = Finding(Verdict.NOT_CHECKED, None, None, "~", "not recovered")
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


def test_ctrl_c_leaves_a_state_to_go_on_from(tmp_path: Path) -> None:
    code = [sys.executable, "-m", "evenkeel", "reproduce", "--jobs", "1"]
    command = [*code, "--claims", "step.*", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    file = tmp_path / "records.jsonl"
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
    assert 2 <= len(kept) < sum(label.startswith("step.") for label in claims())
    assert not (tmp_path / "report.md").exists()
    again = subprocess.run(
        [*command, "--resume", "--json"], check=False, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    records = json.loads(again.stdout)["records"]
    assert len(records) == sum(label.startswith("step.") for label in claims())
    assert all(entry in records for entry in kept)
