"""What is one's own: by module, by file and by entry point, in every command that takes it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import evenkeel
from evenkeel.cli.main import cli
from evenkeel.cli.new import KINDS
from evenkeel.theorems import registry
from paper_figures.catalogue import figure
from theory.own import own

ROOT = Path(__file__).parents[2]

THINGS = '''
import numpy as np
from fractions import Fraction
from evenkeel import (
    Cases, Parameter, PowerModel, Variant, claim, evidence, figure, near, table, workload_family,
)

class LastWorker:
    name = "last-worker"
    def admit(self, view):
        answer = np.full(view.pool.size, -1)
        slots = np.repeat(np.arange(view.free.size), view.free)[::-1]
        answer[: view.admissions] = slots[: view.admissions]
        return answer

class Two:
    name = "two"
    def lengths(self, requests):
        return np.full(len(requests), 2)

@workload_family("sizes in turn", {"most": Parameter(3, 1, 9, "largest")})
def turns(rng, n, most):
    return 1 + np.arange(n) % most, np.ones(n, int)

@workload_family("one request too few")
def short(rng, n):
    return np.ones(n - 1, int), np.ones(n - 1, int)

@workload_family("divides by zero")
def broken(rng, n):
    return 1 // 0

@workload_family("times of arrival too")
def timed(rng, n):
    return np.ones(n, int), np.ones(n, int), np.arange(n)

class Fails:
    name = "fails"
    def lengths(self, requests):
        return 1 // 0

class Unmade:
    def __init__(self):
        1 // 0
    def powers(self, utilisation):
        return utilisation

watts = PowerModel(50, 500, 0.5)

def stairs(utilisation):
    return 100 + 300 * np.ceil(4 * utilisation) / 4

class Measured:
    def powers(self, utilisation):
        return np.interp(utilisation, [0, 0.5, 1], [100, 300, 400])

def one_number(utilisation):
    return 300

def debts(utilisation):
    return 100 - 400 * utilisation

def fails(utilisation):
    return 1 // 0

@table("x computed theory")
def squares(most=3):
    for x in range(1, most + 1):
        yield {"x": x, "computed": x * x, "theory": x**2}

@figure("step", squares)
def drawn(picture, rows):
    """Squares."""
    picture.subplots().plot([1, 2, 3])

@table("x computed")
def half():
    yield {"x": 1}

@table("x computed")
def none():
    return []

@table("x computed")
def breaks():
    yield {"x": 1 // 0}

halved, empty, broke = (figure("step", rows)(lambda picture, rows: None)
                        for rows in (half, none, breaks))

@figure("step", squares)
def torn(picture, rows):
    """Not drawn."""
    raise RuntimeError("no")

print("no answer of the command")

@claim("mine.sum", "equality", figure=f"{__name__}:drawn")
class Sum:
    """The sum of the first numbers.

    1 + ... + n = n (n + 1) / 2 for every n >= 1.
    """
    @evidence(measures="sum", plants=(near(), Variant("without the half", Fraction(2))), n=5)
    def check(self, trial):
        """Every n up to a hundred; another sum refutes it."""
        cases = Cases("==")
        for n in range(1, trial["n"] + 1):
            claimed = Fraction(n * (n + 1), 2) * trial.scale
            if cases.add(sum(range(n + 1)), claimed, lambda: {"n": n}):
                break
        return cases.finding(trial, f"n = 1..{trial['n']}")

@claim("mine.square", "upper")
class Square:
    """A false claim.

    n^2 <= 2 n for every n.
    """
    @evidence(measures="square", plants=(near("", Fraction(1, 2)),), n=5)
    def check(self, trial):
        """Every n."""
        cases = Cases("<=")
        for n in range(trial["n"] + 1):
            print("no answer of the command")
            if cases.add(n * n, 2 * n * trial.scale, {"n": n}):
                break
        return cases.finding(trial, "n")
'''


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module with one of each, in the current folder."""
    name = f"things_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(THINGS, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)
    for label in [label for label in registry._CLAIMS if label.startswith("mine.")]:
        del registry._CLAIMS[label]


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.return_value if isinstance(done.return_value, int) else done.exit_code, done.stdout


@pytest.mark.parametrize("spec", ["{}:{}", "{}.py:{}", "./{}.py:{}"])
def test_a_claim_is_checked_by_module_and_by_file(things: str, spec: str) -> None:
    code, said = run("check", spec.format(things, "Sum"))
    assert code == 0
    assert said.startswith("mine.sum: certified, catches 2/2 false versions")
    assert run("check", spec.format(things, "Sum"), "--scale", "1/2")[0] == 1
    code, said = run("check", spec.format(things, "Square"), "--json")
    found = json.loads(said)
    assert (code, found["verdict"], found["witness"]) == (1, "refuted", {"n": 3})
    assert "1 + ... + n" in run("claims", spec.format(things, "Sum"))[1]


def test_a_report_has_the_page_of_a_claim(things: str, tmp_path: Path) -> None:
    # In processes of their own, which must find the file again.
    code, said = run("reproduce", "--claim", f"{things}.py", "--jobs", "1", "--json")
    told = json.loads(said)
    assert [entry["claim"] for entry in told["records"]] == ["mine.sum", "mine.square"]
    assert (code, told["against"]) == (1, ["mine.square"])
    page = (tmp_path / told["out"] / "report.html").read_text("utf-8")
    assert "Claims of one&#39;s own" in page or "Claims of one's own" in page
    assert 'id="mine.sum"' in page
    assert f'<figcaption>Squares. <span class="mono">evenkeel figures {things}:drawn' in page
    assert "](figures/drawn.svg)" in (tmp_path / told["out"] / "report.md").read_text("utf-8")
    assert (tmp_path / told["out"] / "figures" / "drawn.csv").is_file()
    assert f"evenkeel check {things}:Sum --budget smoke --seed 0" in page
    assert f"evenkeel reproduce --budget smoke --seed 0 --claim {things}.py" in page


def test_a_name_of_several_claims_is_refused(things: str) -> None:
    with pytest.raises(evenkeel.InputError, match=rf"has 2 claims: name one of {things}:Sum"):
        evenkeel.claim_of(f"{things}.py")
    with pytest.raises(evenkeel.InputError, match="no class under @claim"):
        evenkeel.claim_of(f"{things}:turns")


def test_a_claim_may_be_defined_again_where_it_was(things: str) -> None:
    source = Path(f"{things}.py").read_text("utf-8")
    evenkeel.claims_in(f"{things}.py")
    exec(source, sys.modules[things].__dict__)
    with pytest.raises(evenkeel.InputError, match=r"two claims share the label 'mine\.sum'"):
        exec(source, {"__name__": "elsewhere"})


@pytest.mark.parametrize("spec", ["{}:{}", "{}.py:{}"])
def test_workloads_policies_predictors_and_devices(things: str, spec: str) -> None:
    def named(what: str) -> str:
        return spec.format(things, what)

    drawn = evenkeel.workload(named("turns"), 5, seed=0, most=2)
    assert drawn.prefill.tolist() == [1, 2, 1, 2, 1]
    code, said = run(
        "simulate", "--family", named("turns"), "--param", "most=4", "-G", "2", "-B", "2",
        "--policy", named("LastWorker"), "--policy", f"bfio:horizon=2,predictor={named('Two')}",
        "--hardware", named("watts"), "--json",
    )  # fmt: skip
    told = json.loads(said)
    assert code == 0
    assert [each["policy"] for each in told["runs"]] == [
        "last-worker",
        "bfio:horizon=2,predictor=two",
    ]
    # 40 requests of one step in sizes 1..4, four at a time: by hand 10 steps of (2 + 1, 4 + 3)
    # and of (1 + 2, 3 + 4), a largest load of 7.
    assert told["runs"][0]["whole"]["steps"] == 10
    assert told["runs"][0]["whole"]["imbalance"] == 10 * (2 * 7 - 10)


@pytest.mark.parametrize(
    ("law", "watts"),
    # A worker at full load and one at a quarter of it, by hand.
    [("stairs", 400 + 175), ("Measured", 400 + 200), ("watts", 500 + 50 + 450 / 2)],
)
def test_a_power_law_gives_the_energy_of_a_run(things: str, law: str, watts: float) -> None:
    Path("two.csv").write_text("prefill,decode\n100,1\n25,1\n")
    words = ("simulate", "--trace", "two.csv", "-G", "2", "-B", "1", "--policy", "fcfs", "--json")
    code, said = run(*words, "--hardware", f"{things}:{law}")
    told = json.loads(said)
    system = evenkeel.System.paper(2, 1)
    took = system.step_overhead_s + 100 * system.seconds_per_token
    assert code == 0
    assert told["runs"][0]["energy_j"] == pytest.approx(took * watts, rel=1e-12)
    assert told["unknown"] == []
    if law == "watts":
        return
    assert told["hardware"] == f"{things}:{law}"
    # Both are sent to worker 0 at once, and wait there: two steps of 400 W and 100 W.
    code, said = run(*words, "--hardware", f"{things}:{law}", "--system", "queues=yes")
    took = 2 * system.step_overhead_s + 125 * system.seconds_per_token
    assert json.loads(said)["runs"][0]["energy_j"] == pytest.approx(took * 500, rel=1e-12)
    for bound in ("energy", "assess"):
        with pytest.raises(evenkeel.InputError, match="takes any power law, bounds do not"):
            run(bound, "--hardware", f"{things}:{law}")


@pytest.mark.parametrize(
    ("law", "says"),
    [
        ("one_number", r"an array of shape \(1, 2\), got \(\)"),
        ("debts", "must return watts >= 0, got -300 at utilisation 1"),
        ("fails", "ZeroDivisionError.* 1 // 0"),
        ("Unmade", r"cannot create it: ZeroDivisionError: .*\(.*things_.*\.py, line \d+: 1 // 0"),
        ("THINGS", "has no attribute 'THINGS'"),
        ("turns", "must be a PowerModel, a power law with powers"),
    ],
)
def test_a_power_law_is_told_what_is_wrong(things: str, law: str, says: str) -> None:
    Path("two.csv").write_text("prefill,decode\n100,1\n25,1\n")
    words = ("simulate", "--trace", "two.csv", "-G", "2", "-B", "1", "--policy", "fcfs")
    with pytest.raises(evenkeel.InputError, match=says):
        run(*words, "--hardware", f"{things}:{law}")
    with pytest.raises(evenkeel.InputError, match="is a law of your own: there is no gamma"):
        run(*words, "--hardware", f"{things}:stairs", "--gamma", "0.5")


def test_a_sweep_takes_a_workload(things: str, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        f'rounds = 2\nseeds = 1\n[grid]\nfamily = ["{things}:turns"]\nworkers = [2]\nslots = [2]\n'
    )
    with pytest.raises(evenkeel.InputError, match=f"--allow {things}:turns lets it name"):
        run("sweep", "s.toml", "--jobs", "1", "--json")
    code, said = run("sweep", "s.toml", "--jobs", "1", "--json", "--allow", f"{things}:turns")
    assert code == 0
    assert f"{things}:turns" in said


def test_a_sweep_runs_no_code_that_it_names(things: str, tmp_path: Path) -> None:
    for axis, value in (
        ("hardware", f"{things}:watts"),
        ("policy", f"bfio:horizon=2,predictor={things}:Two"),
    ):
        (tmp_path / "s.toml").write_text(
            f'[grid]\nworkers = [2]\nslots = [2]\n{axis} = ["{value}"]'
        )
        with pytest.raises(evenkeel.InputError, match="a file names what is built in only"):
            run("sweep", "s.toml", "--jobs", "1")
    assert things not in sys.modules


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("short", "drew 2 requests where 3 were asked for"),
        ("timed", r"ValueError: too many values to unpack \(expected 2\)"),
        ("broken", r"ZeroDivisionError: .*\(.*things_.*\.py, line \d+: "),
        ("watts", "must be a function under @workload_family, not PowerModel"),
        ("nothing", "has no attribute 'nothing'"),
    ],
)
def test_a_workload_that_is_wrong_is_told(things: str, family: str, message: str) -> None:
    with pytest.raises(evenkeel.InputError, match=message):
        evenkeel.workload(f"{things}:{family}", 3, seed=0)


@pytest.mark.parametrize("spec", ["{}:drawn", "{}.py:drawn"])
def test_a_figure_is_computed_and_drawn(things: str, spec: str, tmp_path: Path) -> None:
    code, said = run("figures", spec.format(things), "--out", "pictures", "--jobs", "1")
    assert code == 0
    assert (tmp_path / "pictures" / "drawn.csv").read_text() == (
        "x,computed,theory\n1,1,1\n2,4,4\n3,9,9\n"
    )
    assert said.split() == [f"pictures/drawn.{kind}" for kind in ("csv", "png", "svg", "pdf")]
    assert run("figures", spec.format(things), "--out", "pictures", "--redraw")[0] == 0
    with pytest.raises(evenkeel.InputError, match="has no table yet"):
        run("figures", spec.format(things), "--out", "elsewhere", "--redraw")


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        ("halved", "half must be rows with the columns x, computed: KeyError: 'computed'"),
        ("empty", "the table none has no rows"),
        ("broke", r"ZeroDivisionError: .*things_.*\.py, line \d+: yield"),
        ("torn", r"the figure torn: RuntimeError: no \(.*things_.*\.py, line \d+: raise"),
    ],
)
def test_a_figure_that_is_wrong_is_told(
    things: str, drawing: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(evenkeel.InputError, match=says):
        figure(f"{things}:{drawing}").make(tmp_path)


def test_a_predictor_that_fails_is_told(things: str) -> None:
    policy = f"bfio:horizon=2,predictor={things}:Fails"
    says = r"predictor 'fails': ZeroDivisionError: .*\(.*things_.*\.py, line \d+: return 1 // 0"
    words = ("-G", "2", "-B", "1", "-n", "3", "--policy", policy)
    for more in ((), ("--system", "request_cost=1")):
        with pytest.raises(evenkeel.InputError, match=says):
            run("simulate", *words, *more)


# What a check of one's own does, and what is said of it.
WRONG_CHECKS = {
    "return 1 // 0": "ZeroDivisionError: ",
    "raise SystemExit(0)": "the check of mine.bad: SystemExit: 0 (",
    "return None": "must return a Finding, not NoneType",
    "Cases('<=').add(float('nan'), 1, dict)": "TypeError: a side of a case is the float nan",
    "Cases('<=').add(1, float('inf'), dict)": "TypeError: a side of a case is the float inf",
    "Cases('<=').add(0.1 + 0.2, 0.3 * trial.scale, dict)": "TypeError: a side of a case is the ",
    "Cases('<=').add('two', 1, dict)": "ValueError: Invalid literal for Fraction: 'two'",
    "Cases('~')": "cases stand by <=, == or >=, not by '~'",
    "Cases('<=').add(2, 1, lambda: 1 // 0)": "ZeroDivisionError: ",
    "return found(verdict='proved')": "its verdict must be a Verdict, not str",
    "return found(computed=float('nan'))": "its computed side must be a finite number, not nan",
    "return found(claimed=float('inf'))": "its claimed side must be a finite number, not inf",
    "return found(claimed='1')": "its claimed side must be a finite number, not '1'",
    "return found(relation='<')": "its relation must be one of <= == >= ~",
    "return found(interval=(0, 'x'))": "its interval must be two finite numbers",
    "return found(domain=3)": "its domain must be a line of printable text",
    "return found(domain='\\x1b[2J')": "its domain must be a line of printable text",
    "return found(witness=[1])": "its witness must be a mapping, not list",
}


def _refused(method: str, act: Callable[[], object]) -> str:
    """What is said of a claim of one's own with this method, which begins in line 9 of its file."""
    Path("bad.py").write_text(
        "from functools import partial\n"
        "from evenkeel import *\n"
        "found = partial(Finding, **{'verdict': Verdict.SUPPORTED, 'domain': 'n'})\n"
        '@claim("mine.bad", "upper")\n'
        'class Bad:\n    """A thing.\n\n    One is one."""\n'
        f"    {method}\n"
    )
    try:
        with pytest.raises(evenkeel.InputError) as caught:
            act()
        return str(caught.value)
    finally:
        sys.modules.pop("bad", None)


@pytest.mark.parametrize("does", WRONG_CHECKS)
def test_a_check_that_is_wrong_is_told(things: str, does: str) -> None:
    says = _refused(
        f"@evidence(plants=(near(),))\n    def check(self, trial):\n        {does}",
        lambda: run("check", "bad.py:Bad"),
    )
    assert WRONG_CHECKS[does] in says
    if "Error: " in WRONG_CHECKS[does]:
        assert "bad.py, line 11: " in says


# What a part of a claim of one's own does, and what is said of it.
WRONG_PARTS = {
    ("formula", "return 1 // 0"): "the formula of mine.bad: ZeroDivisionError: ",
    ("formula", "return 'x <= 1'"): "the formula of mine.bad must be an expression of sympy",
    ("formula", "raise SystemExit(0)"): "the formula of mine.bad: SystemExit: 0 (",
    ("proof", "return 1 // 0"): "the proof of mine.bad: ZeroDivisionError: ",
    ("proof", "return 3"): "the proof of mine.bad: TypeError: 'int' object is not iterable",
    ("proof", "yield 3"): "must have steps such as Lemma and Identity, not int",
    ("proof", "yield Lemma(3, 'why')"): "must say what a step is in text (Lemma)",
    ("proof", "yield Identity('it', 1, 1)"): "must relate expressions of sympy, not int",
    ("proof", "yield Computation('it', lambda: 1 // 0)"): "the proof of mine.bad: ZeroDivision",
    ("numbers", "return 1 // 0"): "the numbers of mine.bad: ZeroDivisionError: ",
    ("numbers", "return 3"): "the numbers of mine.bad must be Numbers, not int",
    ("numbers", "return Numbers('t', ('a',), (('1', '2'),))"): "as many cells in each row",
    ("numbers", "return Numbers('t', ('a',), ((1,),))"): "must have texts as its cells",
}


@pytest.mark.parametrize(("part", "does"), WRONG_PARTS)
def test_a_part_of_a_claim_that_is_wrong_is_told(things: str, part: str, does: str) -> None:
    says = _refused(f"def {part}(self):\n        {does}", lambda: run("claims", "bad.py:Bad"))
    assert WRONG_PARTS[part, does] in says
    if "//" in does:
        assert "bad.py, line 10: " in says


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("return 1 // 0", "the answer of mine.bad: ZeroDivisionError: "),
        ("return 3", "the answer of mine.bad must be a line of printable text"),
        ("return 'a\\nb'", "the answer of mine.bad must be a line of printable text"),
        ("return record['no such']", "the answer of mine.bad: KeyError: 'no such' ("),
    ],
)
def test_an_answer_that_is_wrong_is_told(things: str, does: str, why: str) -> None:
    method = f"@headline('How much?', 9)\n    def answer(self, record):\n        {does}"

    def ask() -> None:
        registry.claims_in("bad.py:Bad")[0].headline.answer({"verdict": "proved"})

    assert why in _refused(method, ask)


def test_what_cannot_be_found_is_told_in_a_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.py").write_text("x = 1\ny = x / 0\n")
    Path("json.py").write_text("x = 1\n")
    with pytest.raises(evenkeel.InputError, match=r"ZeroDivisionError.*wrong\.py, line 2: y = "):
        own("wrong.py:x")
    with pytest.raises(evenkeel.InputError, match=r"there is no file missing\.py"):
        own("missing.py:x")
    with pytest.raises(evenkeel.InputError, match="another module has the name 'json'"):
        own("json.py:x")
    for command in (["check"], ["simulate", "--family"], ["figures"]):
        with pytest.raises(evenkeel.InputError, match="cannot import module 'no_such_thing'"):
            run(*command, "no_such_thing:X")


def test_what_installed_packages_have_is_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(THINGS, "utf-8")
    about = tmp_path / "theirs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[evenkeel.claims]\ntheirs = theirs\n"
        "[evenkeel.families]\nturns = theirs:turns\n"
        "[evenkeel.figures]\nsquares = theirs:drawn\n"
        "[evenkeel.policies]\nlast = theirs:LastWorker\n"
        "[evenkeel.predictors]\ntwo = theirs:Two\n"
    )
    code = (
        "import evenkeel\n"
        "from paper_figures.catalogue import figure\n"
        "from solvers.policies.predictors import predictor_of\n"
        "assert 'mine.sum' in evenkeel.claims()\n"
        "assert evenkeel.claim_of('mine.sum').named == 'mine.sum'\n"
        "assert evenkeel.workload('turns', 2, seed=0).prefill.tolist() == [1, 2]\n"
        "assert evenkeel.policy('last').name == 'last-worker'\n"
        "assert predictor_of('two').name == 'two'\n"
        "assert figure('squares').name == 'drawn'\n"
    )
    found = os.pathsep.join([str(ROOT), str(tmp_path)])
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": found}
    )


def test_what_new_writes_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        code, said = run("new", kind, f"my_{kind}")
        assert code == 0
        assert said.split()[0] == f"my_{kind}.py"
    with pytest.raises(evenkeel.InputError, match=r"my_claim\.py is there already"):
        run("new", "claim", "my_claim")
    with pytest.raises(evenkeel.InputError, match="NAME must be a name"):
        run("new", "claim", "My-claim")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    lint = [sys.executable, "-m", "ruff", "check", "--select", "E,F,W,I,B,UP,SIM,RUF,C4", "."]
    lint += ["--line-length", "100", "--target-version", "py311"]
    done = subprocess.run(lint, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
