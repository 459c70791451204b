"""What ``--json`` prints is described by a schema: each command has one, and keeps to it."""

import importlib
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner

from evenkeel.cli.main import COMMANDS, cli

SCHEMAS = {
    Path(entry.name).stem: json.loads(entry.read_text("utf-8"))
    for entry in files("evenkeel").joinpath("schemas").iterdir()
    if entry.name.endswith(".json")
}

# Of each schema: words that print what it describes.  A command may have several.
WORDS: dict[str, list[str]] = {
    "assess": ["assess trace.csv -G 2 -B 2"],
    "attack": ["attack --policy fcfs -G 2 -B 1 --size-max 2"],
    "check": ["check energy.limit-paper", "check energy.limit-paper --scale 1/2"],
    "claim": ["claims energy.cap", "claims step.gap-naive"],
    "claims": ["claims"],
    "doctor": ["doctor"],
    "energy": ["energy --hardware a100-paper", "energy --hardware h100-sxm --idle-share 0.4"],
    "experiment": ["experiment bsp --requests 3000 --seeds 2 --jobs 1 --policy bfio"],
    "explore": ["explore --no-open"],
    "figures": ["figures price_ladder --redraw"],
    "formats": ["formats"],
    "gallery": ["gallery iir-below-one", "gallery gap-tie"],
    "measure": ["measure loads.csv"],
    "new": ["new claim my_claim"],
    "optimum": ["optimum backlog.json"],
    "policies": ["policies -G 2 -B 2 --rounds 2 --seeds 2 --policy fcfs --policy bfio"],
    "reproduce": ["reproduce --claims energy.limit-paper --jobs 1"],
    "rules": ["policies --list"],
    "simulate": [
        "simulate -G 2 -B 2 -n 20",
        "simulate -G 2 -B 2 -n 20 --system kv_budget=2000",
    ],
    "solve": ["solve step.json"],
    "sweep": ["sweep s.toml --jobs 1"],
    "verify": ["verify c.json"],
}

Printed = Callable[[str], Any]


@pytest.fixture
def printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Printed:
    """What a command prints, run in a folder with the files that it needs."""
    monkeypatch.chdir(tmp_path)
    Path("step.json").write_text('{"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}')
    sample = files("adversary.workloads").joinpath("sample_trace.csv").read_text("utf-8")
    Path("trace.csv").write_text("\n".join(sample.splitlines()[:200]) + "\n")
    Path("backlog.json").write_text(
        '{"workers": 2, "slots": 1, "prefill": [3, 1, 2], "decode": [1, 2, 1]}'
    )
    Path("s.toml").write_text(
        'seeds = 1\nrounds = 1\n[grid]\nfamily = ["uniform"]\nworkers = [2]\nslots = [2]\n'
    )
    lines = ["step,rank,load,duration_s"]
    lines += [
        f"{k},{g},{100 + 7 * k + 30 * (g == k % 2)},0.0{k % 7 + 1}"
        for k in range(60)
        for g in (0, 1)
    ]
    Path("loads.csv").write_text("\n".join(lines) + "\n")
    runner = CliRunner()

    def run(words: str) -> Any:
        if words.startswith("verify"):
            runner.invoke(cli, ["solve", "step.json", "--certificate", "c.json"])
        done = runner.invoke(cli, [*words.split(), "--json"])
        assert done.stdout, (done.exception, done.output)
        return json.loads(done.stdout)

    return run


def test_every_command_with_json_has_a_schema() -> None:
    tested = {words.split()[0] for runs in WORDS.values() for words in runs}
    for name, (module, _) in COMMANDS.items():
        command = getattr(importlib.import_module(f"evenkeel.cli.{module}"), name)
        if any("--json" in option.opts for option in command.params):
            assert name in tested
    assert WORDS.keys() == SCHEMAS.keys()
    assert isinstance(cli, click.Group)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_says_its_version(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"].startswith("evenkeel ")
    assert isinstance(schema["version"], int)


@pytest.mark.usefixtures("in_threads")
@pytest.mark.parametrize("name", WORDS)
def test_what_is_printed_keeps_to_its_schema(name: str, printed: Printed) -> None:
    for words in WORDS[name]:
        jsonschema.validate(printed(words), SCHEMAS[name])


def test_a_schema_refuses_what_lacks_a_field(printed: Printed) -> None:
    found = printed("solve step.json")
    del found[next(iter(SCHEMAS["solve"]["required"]))]
    with pytest.raises(jsonschema.ValidationError, match="is a required property"):
        jsonschema.validate(found, SCHEMAS["solve"])
