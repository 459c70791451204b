"""Reading a file runs nothing, writes nowhere else, and takes no stored result for another's."""

import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adversary.witnesses.gallery import GALLERY, read_witness
from evenkeel.runs.sources import source_digest
from evenkeel.studies.grid import read_sweep, run_sweep
from tests.hostile.conftest import Call
from theory.model import InputError

LEAVES_A_TRACE = """
from pathlib import Path
Path("it-ran").touch()
from tests.oracles.policies import FCFS
from kept import DELAY
class Rule(FCFS):
    name = "rule"
    delay = DELAY
"""

SWEEP = """
name = {name}
rounds = 1
seeds = 1
[grid]
family = ["uniform"]
workers = [2]
slots = [1, 2]
policy = {policy}
"""


@pytest.fixture
def own(tmp_path: Path, call: Call) -> Path:
    """A policy whose module leaves a file where it was imported."""
    (tmp_path / "own_rule.py").write_text(LEAVES_A_TRACE, "utf-8")
    (tmp_path / "kept.py").write_text("DELAY = 1\n", "utf-8")
    for name in ("own_rule", "kept"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    source_digest.cache_clear()
    return tmp_path / "it-ran"


def witness(name: str, expected: dict[str, object]) -> Path:
    """A stored run that expects something of other policies."""
    stored = json.loads((GALLERY / "iir-zero.json").read_text("utf-8"))
    path = Path("shelf") / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored | {"expected": expected}), "utf-8")
    return path


def test_a_witness_runs_no_code_unless_that_is_allowed(call: Call, own: Path) -> None:
    path = witness("w", {"own_rule:Rule": {}})
    code, out, err = call("gallery", "--gallery", "shelf")
    assert (code, out) == (2, "")
    assert err.startswith("error: shelf/w.json: not a witness: unknown policy 'own_rule:Rule'")
    assert not own.exists()
    with pytest.raises(InputError, match="--allow own_rule:Rule lets it name"):
        read_witness(path)
    code, out, _ = call("gallery", "--gallery", "shelf", "--allow", "own_rule:Rule", "--json")
    assert (code, list(json.loads(out)[0]["found"])) == (1, ["own_rule:Rule"])
    assert own.exists()


def test_a_sweep_runs_no_code_unless_that_is_allowed(call: Call, own: Path) -> None:
    path = Path("s.toml")
    path.write_text(SWEEP.format(name='"s"', policy='["own_rule:Rule"]'), "utf-8")
    code, out, err = call("sweep", "s.toml", "--jobs", "1")
    assert (code, out, own.exists()) == (2, "", False)
    assert err.startswith("error: s.toml: unknown policy 'own_rule:Rule': a file names built-in")
    assert read_sweep(path, allowed=["own_rule:Rule"]).name == "s"
    assert own.exists()


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "a/b", "a\\b", "..", ".", "", ".x", "a\tb", "a\x1b[1m", "x" * 101]
)
def test_the_name_of_a_sweep_is_no_path(call: Call, name: str) -> None:
    Path("s.toml").write_text(SWEEP.format(name=json.dumps(name), policy='["fcfs"]'), "utf-8")
    code, out, err = call("sweep", "s.toml", "--jobs", "1")
    assert (code, out, Path("out").exists()) == (2, "", False)
    assert err.startswith("error: s.toml: name")


def test_cells_are_each_of_their_own(call: Call, tmp_path: Path) -> None:
    Path("s.toml").write_text(SWEEP.format(name='"s"', policy='["fcfs"]'), "utf-8")
    sweep, out = read_sweep(Path("s.toml")), tmp_path / "cells"
    with ThreadPoolExecutor(1) as pool:
        rows = run_sweep(sweep, out, pool)
        first, second = (out / f"{cell.name}.parquet" for cell in sweep.cells)
        kept = first.read_bytes()
        first.write_bytes(second.read_bytes())
        with pytest.raises(InputError, match=rf"{first.name} is not a cell .* of another cell"):
            run_sweep(sweep, out, pool)
        first.write_bytes(kept[: len(kept) // 2])
        assert run_sweep(sweep, out, pool).equals(rows)  # what was cut short is run again
    assert first.read_bytes() == kept


def test_cells_of_changed_code_run_again(call: Call, own: Path, tmp_path: Path) -> None:
    Path("s.toml").write_text(SWEEP.format(name='"s"', policy='["own_rule:Rule"]'), "utf-8")
    sweep = read_sweep(Path("s.toml"), allowed=["own_rule:Rule"])
    sweep = replace(sweep, cells=sweep.cells[:1])
    ran: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        for text, runs in (("DELAY = 1\n", 1), ("DELAY = 1\n", 1), ("DELAY = 2\n", 2)):
            (tmp_path / "kept.py").write_text(text, "utf-8")  # imported by the policy's module
            source_digest.cache_clear()
            run_sweep(sweep, tmp_path / "cells", pool, ran.append)
            assert len(ran) == runs


OWN = """
import numpy as np
from evenkeel import workload_family
from kept import DELAY
class Guess:
    name = "guess"
    def lengths(self, requests):
        return np.full(len(requests), DELAY)
@workload_family("ones")
def ones(rng, n):
    return np.ones(n, int), np.full(n, DELAY)
"""


@pytest.mark.parametrize(
    ("family", "policy"),
    [
        ("own_things:ones", "fcfs"),
        ("own_things.py:ones", "fcfs"),
        ("", "bfio:horizon=2,predictor=own_things:Guess"),
    ],
)
def test_the_code_of_families_and_predictors_is_digested(
    call: Call, own: Path, tmp_path: Path, family: str, policy: str
) -> None:
    (tmp_path / "own_things.py").write_text(OWN, "utf-8")
    found = []
    for text in ("DELAY = 1\n", "DELAY = 1\n", "DELAY = 2\n"):
        (tmp_path / "kept.py").write_text(text, "utf-8")
        source_digest.cache_clear()
        found.append(source_digest(policy, family))
    assert found[0] == found[1] != found[2]
    assert source_digest("fcfs", "uniform") == source_digest("fcfs") not in found
    sys.modules.pop("own_things", None)
