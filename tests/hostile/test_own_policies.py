"""Whatever a user's policy does, the run names it, its step and its doing, and gives no verdict."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from solvers.policies.protocol import PolicyError, StepView
from solvers.policies.registry import policy
from solvers.simulation.engine import simulate
from theory.model import InputError, Requests, System

ROOT = Path(__file__).parents[2]
MODULE = '''
import ctypes
import gc
import os
import posix
import signal
import subprocess
import sys
import time

import numpy as np


class Fine:
    name = "fine"

    def admit(self, view):
        answer = np.full(view.pool.size, -1)
        slots = np.repeat(np.arange(view.free.size), view.free)[: answer.size]
        answer[: slots.size] = slots
        return answer


class Late(Fine):
    """Does what it does at its third decision."""

    name, decisions = "late", 0

    def admit(self, view):
        self.decisions += 1
        if self.decisions == 3:
            return self.mischief(view, super().admit(view))
        return super().admit(view)


class Stop(BaseException):
    pass


def mischief(function):
    """A policy that does this at its third decision."""
    made = type(function.__name__, (Late,), {"mischief": lambda self, *given: function(*given)})
    made.name = function.__name__
    return made


@mischief
def leaves(view, answer):
    sys.exit(0)


@mischief
def leaves_at_once(view, answer):
    os._exit(0)


@mischief
def leaves_by_another_door(view, answer):
    posix._exit(0)


@mischief
def kills_itself(view, answer):
    os.kill(os.getpid(), signal.SIGKILL)


@mischief
def segfaults(view, answer):
    ctypes.string_at(0)


@mischief
def raises_base(view, answer):
    raise Stop("no")


@mischief
def raises_keyboard(view, answer):
    raise KeyboardInterrupt


@mischief
def divides(view, answer):
    return 1 // (view.slots - 2)


@mischief
def recurses(view, answer):
    return recurses.mischief(None, view, answer)


@mischief
def loops(view, answer):
    while True:
        pass


loops.decision_limit_s = 0.5


@mischief
def hoards(view, answer):
    held = []
    while True:
        held.append(np.ones(10**7))


@mischief
def forks(view, answer):
    if os.fork() == 0:
        return answer
    return answer


@mischief
def floats(view, answer):
    return answer.astype(float)


@mischief
def masks(view, answer):
    return np.ma.array(answer, mask=answer == answer[0])


@mischief
def starts_another(view, answer):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    return answer


@mischief
def not_a_number(view, answer):
    return np.full(answer.size, np.nan)


@mischief
def shapes(view, answer):
    return answer[None]


@mischief
def short(view, answer):
    return answer[:-1]


@mischief
def nothing(view, answer):
    return None


@mischief
def texts(view, answer):
    return ["a"] * answer.size


@mischief
def ragged(view, answer):
    return [[1], [1, 2]]


@mischief
def large(view, answer):
    return np.full(answer.size, 2**63, dtype=np.uint64)


@mischief
def enormous(view, answer):
    return np.zeros(10**6, dtype=np.int64)


@mischief
def closes(view, answer):
    os.closerange(3, 50)
    return answer


@mischief
def garbles(view, answer):
    for number in range(3, 20):
        try:
            os.write(number, b"garbage that is no frame" * 8)
        except OSError:
            pass
    return answer


class Prints(Fine):
    name = "prints"

    def admit(self, view):
        print("to stdout", view.step)
        os.write(1, b"raw")
        subprocess.run(["echo", "from a child"])
        return super().admit(view)


class Mutates(Fine):
    name = "mutates"

    def admit(self, view):
        answer = super().admit(view)
        for array in (view.loads, view.free, view.pool, view.waited):
            array[:] = 0
        return answer


class Peeps(Fine):
    """Looks for an object that has output lengths."""

    name = "peeps"

    def admit(self, view):
        frame = sys._getframe()
        while frame:
            for value in frame.f_locals.values():
                assert not hasattr(value, "decode") or isinstance(value, (str, bytes)), value
            frame = frame.f_back
        for value in gc.get_objects():
            assert type(value).__name__ not in ("Requests", "RunState"), value
        return super().admit(view)


class EndsAtOnce(Fine):
    name = "ends"

    def admit(self, view):
        posix._exit(0)


class LeavesWhenMade(Fine):
    def __init__(self):
        sys.exit(0)


class EndsWhenMade(Fine):
    def __init__(self):
        os._exit(0)


class GoesWhenMade(Fine):
    def __init__(self):
        posix._exit(0)


class Unnamed(Fine):
    @property
    def name(self):
        return 1 // 0


class LeavesWhenNamed(Fine):
    @property
    def name(self):
        sys.exit(0)


class Escapes(Fine):
    name = "\\x1b[31mred"


class Hurried(Fine):
    decision_limit_s = "soon"


class Foresees(Fine):
    horizon = -1


class Seeded(Fine):
    name = "seeded"

    def __init__(self, seed):
        self.seed = seed


class Numbered:
    """That one of the policies that leave their process as it is."""

    def __new__(cls, seed):
        return globals()[ALIVE[seed]]()
'''
REQUESTS = Requests([5, 3, 4, 1, 2, 9, 3, 3, 2, 2, 7, 1], [2, 1, 3, 2, 2, 1, 1, 2, 3, 1, 1, 2])


def line_of(text):
    """The number of the first line of the module that has this text."""
    return next(i for i, line in enumerate(MODULE.splitlines(), 1) if text in line)


FAULTS = {
    "leaves": f"hostile_policies.py, line {line_of('sys.exit(0)')}: sys.exit(0))",
    "leaves_at_once": "raised SystemExit: os._exit(0) (",
    "leaves_by_another_door": "it ended its process with exit code 0",
    "kills_itself": "it ended its process by signal 9",
    "segfaults": "it ended its process by signal 11",
    "raises_base": f"hostile_policies.py, line {line_of('raise Stop')}: ",
    "raises_keyboard": "raised KeyboardInterrupt",
    "divides": "raised ZeroDivisionError: integer division or modulo by zero (",
    "recurses": "raised RecursionError: maximum recursion depth exceeded",
    "loops": "it took longer than 0.5 s",
    "forks": "forked its process",
    "floats": "got float64[",
    "masks": "got a masked array: fill what is masked, with -1 for one that waits",
    "not_a_number": "got float64[",
    "shapes": "got int64[1, ",
    "short": "an assignment needs one integer worker for each of the ",
    "nothing": "got object[]",
    "texts": "got <U1[",
    "ragged": "got list: ValueError",
    "large": "is sent to worker 9223372036854775808, but workers are 0 to 1",
    "enormous": "its process answered something that is no answer",
    "closes": "it ended its process",
    "garbles": "answer",
}
MAKING = {
    "LeavesWhenMade": "cannot create it: SystemExit: 0 (",
    "EndsWhenMade": "cannot create it: SystemExit: os._exit(0) (",
    "GoesWhenMade": "it ended its process with exit code 0 while it was made",
    "Unnamed": "its name or its admit raised ZeroDivisionError",
    "LeavesWhenNamed": "its name or its admit raised SystemExit: 0",
    "Escapes": "its name must be one line of at most 200 printable characters",
    "Hurried": "its decision_limit_s must be a number of seconds, got 'soon'",
    "Foresees": "its horizon must be an integer >= 0, got -1",
}


# Those whose process goes on: one serves them all, and each has the next one answered.
ALIVE = (
    *("raises_base", "raises_keyboard", "divides", "recurses", "floats", "not_a_number", "shapes"),
    *("masks", "short", "nothing", "texts", "ragged", "large", "leaves", "leaves_at_once"),
    *("LeavesWhenMade", "EndsWhenMade", "Unnamed", "LeavesWhenNamed", "Escapes", "Hurried"),
    *("Foresees", "Fine", "Mutates", "Peeps", "Late"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("hostile")
    (made / "hostile_policies.py").write_text(f"{MODULE}\n\nALIVE = {ALIVE}\n")
    return made


@pytest.fixture
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def named(name):
    """What the policy is named as, and the seed that it is made with."""
    if name in ALIVE:
        return "hostile_policies:Numbered", ALIVE.index(name)
    return f"hostile_policies:{name}", 0


def run(name):
    spec, seed = named(name)
    return simulate(System(2, 2), REQUESTS, spec, pool=4, seed=seed)


@pytest.mark.parametrize("name", sorted(FAULTS, key=ALIVE.__contains__))
def test_what_a_decision_does_is_named_with_its_step(there, name):
    with pytest.raises(PolicyError) as caught:
        run(name)
    told = str(caught.value)
    assert FAULTS[name] in told
    assert told.startswith(f"policy '{name}' at step ")
    assert "\n" not in told


@pytest.mark.slow
def test_a_policy_that_takes_the_memory_is_ended(there, monkeypatch):
    monkeypatch.setattr("solvers.policies.own_process.MEMORY_SHARE", 1e-2)
    with pytest.raises(PolicyError, match="it took more than"):
        run("hoards")


@pytest.mark.parametrize("name", sorted(MAKING, key=ALIVE.__contains__))
def test_what_its_making_does_is_named(there, name):
    spec, seed = named(name)
    with pytest.raises(InputError) as caught:
        policy(spec, seed=seed)
    assert MAKING[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_policy_can_print_mutate_and_look_around_without_harm(there, capfd):
    fine = run("Fine").total
    assert fine == simulate(System(2, 2), REQUESTS, "fcfs", pool=4).total
    for name in ("Prints", "Mutates", "Peeps"):
        assert run(name).total == fine
    out, err = capfd.readouterr()
    assert out == ""
    assert "to stdout 0" in err
    assert "from a child" in err


def test_the_seed_and_what_the_policy_says_of_itself_come_through(there):
    made = policy("hostile_policies:Seeded", seed=7)
    assert (made.name, made.seed, made.horizon, made.work_conserving) == ("seeded", 7, 0, True)
    spec, seed = named("Late")
    assert policy(spec, seed=seed).__doc__ == "Does what it does at its third decision."


VIEW = StepView(
    step=3,
    slots=2,
    loads=np.array([9, 0]),
    free=np.array([1, 2]),
    pool=np.array([5, 6]),
    waited=np.array([0, 1]),
)


def test_a_masked_answer_of_an_object_is_no_answer():
    from solvers.policies.protocol import decide

    class Masks:
        name = "masks"

        def admit(self, view):
            return np.ma.masked_equal([0, 1], 1)

    with pytest.raises(PolicyError, match=r"at step 3: .* got a masked array"):
        decide(Masks(), VIEW)


@pytest.mark.parametrize(
    "error", [SystemExit(0), GeneratorExit(), BaseException("b"), OSError("o")]
)
def test_an_object_that_raises_anything_is_named(error):
    from solvers.policies.protocol import decide

    class Raises:
        name = "raises"

        def admit(self, view):
            raise error

    with pytest.raises(PolicyError, match="policy 'raises' at step 3 raised") as caught:
        decide(Raises(), VIEW)
    assert "test_own_policies.py, line " in str(caught.value)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("check", "step.full-refill-gap"), "EndsAtOnce"),
        pytest.param(("simulate", "-G", "2", "-B", "2"), "leaves", marks=pytest.mark.slow),
        pytest.param(("attack", "-G", "2", "-B", "2"), "EndsAtOnce", marks=pytest.mark.slow),
        pytest.param(("simulate", "-G", "2", "-B", "2"), "EndsWhenMade", marks=pytest.mark.slow),
        pytest.param(("check", "step.full-refill-gap"), "LeavesWhenNamed", marks=pytest.mark.slow),
        pytest.param(("assess", "-G", "2", "-B", "2"), "kills_itself", marks=pytest.mark.slow),
        pytest.param(("policies", "-G", "2", "-B", "2"), "leaves", marks=pytest.mark.slow),
    ],
)
def test_no_command_ends_with_a_verdict(there, words, name):
    done = subprocess.run(
        [sys.executable, "-m", "evenkeel", *words, "--policy", f"hostile_policies:{name}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = [line for line in done.stderr.splitlines() if not line.startswith("compiling: ")]
    assert len(said) == 1


@pytest.mark.skipif(os.name != "posix", reason="groups of processes")
def test_what_a_policy_started_ends_with_the_command(there):
    """It would hold stderr open, which is read to its end here."""
    words = ("simulate", "-G", "2", "-B", "2", "-n", "24", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "evenkeel", *words, "--policy", "hostile_policies:starts_another"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_the_process_of_a_policy_ends_with_the_run(there):
    code = (
        "import os, time\n"
        "from solvers.policies.own_process import OwnPolicy\n"
        "made = OwnPolicy('fine', 'hostile_policies:Fine', 0)\n"
        "print(made._process.child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    with parent:
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    until = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        assert not Path(f"/proc/{child}").exists()


DOES = {"leaves": "sys.exit(0)", "ends": "os._exit(0)", "kills": "os.kill(os.getpid(), 9)"}
CLAIM = '''
import os
import sys
from evenkeel import claim, evidence, near

@claim("hostile.claim", "equality")
class Page:
    """A thing.

    One is one.
    """
    @evidence(measures="sum", plants=(near(),))
    def check(self, trial):
        """It does not check."""
'''


def told_of_claim(folder, name, *words):
    """Exit code, output and what was said of a command on a claim whose check does this."""
    (folder / "hostile_claims.py").write_text(f"{CLAIM}        {DOES[name]}\n")
    done = subprocess.run(
        [sys.executable, "-m", "evenkeel", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["ends", pytest.param("leaves", marks=pytest.mark.slow)])
def test_a_claim_of_ones_own_ends_no_command_with_a_verdict(tmp_path, name):
    code, out, said = told_of_claim(tmp_path, name, "check", "hostile_claims.py:Page")
    assert (code, out) == (2, "")
    assert said.startswith("error: the check of hostile.claim: SystemExit: ")
    assert f"hostile_claims.py, line 15: {DOES[name]}" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ends", "leaves", "kills"])
def test_a_claim_of_ones_own_in_a_worker_is_no_verdict(tmp_path, name):
    words = ("reproduce", "--claim", "hostile_claims.py:Page", "--jobs", "1", "--out", "out")
    code, _, said = told_of_claim(tmp_path, name, *words)
    assert code == (4 if name == "kills" else 2)
    assert "Traceback" not in said
