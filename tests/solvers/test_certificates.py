"""Certificates: the checker accepts what is true, and no changed field gets past it unless true."""

import copy
import json
import subprocess
import sys
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from solvers import checker
from solvers.certificates import (
    POWER_SCALE,
    argue,
    certify_energy,
    certify_offline,
    certify_step,
    to_text,
)
from solvers.schedule.problem import OfflineProblem, Rule
from solvers.schedule.solve import solve_by_states, solve_offline
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.fast.solve import solve_step
from solvers.step.problem import AssignmentError, StepProblem, StepSolution
from theory.model import InputError, Requests, System, imbalance

KINDS = {"step": checker.step, "offline": checker.offline, "energy": checker.energy}


def accepted(certificate):
    """As the checker's main loop decides, without a process for each."""
    try:
        assert certificate["format"] == "evenkeel certificate 1"
        KINDS[certificate["kind"]](certificate)
    except Exception:
        return False
    return True


def changes(value):
    """Every value that differs from a JSON value in one place."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield {**{k: v for k, v in value.items() if k != key}, f"{key}x": value[key]}
            for changed in changes(value[key]):
                yield {**value, key: changed}
        yield {**value, "extra": 1}
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield value[:i] + value[i + 1 :]
            yield [*value[:i], entry, *value[i:]]
            for changed in changes(entry):
                yield [*value[:i], changed, *value[i + 1 :]]
        yield from (value[::-1], {}, 0, None)
    elif isinstance(value, str):
        yield from (value + "x", "", 0, None, "fill", "levels", "place", "step", "energy")
    else:
        number = value or 0
        yield from (number + 1, number - 1, -number, 0, number + 0.5, f"{number}", None, [number])
        yield from (2 * number + 7, 10**15)


def step_is_true(c):
    problem = StepProblem(c["loads"], c["free"], c["pool"])
    problem.validate(np.array(c["assignment"], dtype=np.int64))
    reached = problem.objective(np.array(c["assignment"], dtype=np.int64))
    return reached == c["imbalance"] and c["bound"] <= enumerate_step(problem).imbalance


def offline_is_true(c):
    problem = OfflineProblem(
        System(c["workers"], c["slots"], (c["drift"],)),
        Requests(c["prefill"], c["decode"]),
        work_conserving=bool(c["work_conserving"]),
        step_cost=c["overhead"],
    )
    return solve_by_states(problem).cost == c["cost"]


def energy_is_true(c):
    """In 60 digits, with both sides of [energy.sandwich] and [energy.envelope]."""
    rows = np.array(c["loads"], dtype=object).reshape(-1, c["workers"]).tolist()
    p, q = c["gamma"]
    idle, full = Decimal(c["idle_w"]), Decimal(c["max_w"])
    with localcontext() as context:
        context.prec = 60
        gamma = Decimal(p) / q
        power = {}
        for row in rows:
            for x in row if max(row) else ():
                u = Decimal(x) / max(row)
                power[x, max(row)] = idle + (full - idle) * (u**gamma if x else 0)
        energy = sum(max(row) * power[x, max(row)] for row in rows if max(row) for x in row)
        work, lost = sum(map(sum, rows)), sum(map(imbalance, rows))
        waste = idle + (1 - gamma) * (full - idle)
        time = work + lost
        share = Decimal(work) / time if time else Decimal(0)
        envelope = time * (idle + (full - idle) * (share**gamma if share else 0))
        dust = Decimal(10) ** -40
        low, high = c["energy"]
        return (
            full * work + idle * lost <= energy + dust
            and energy <= min(full * work + waste * lost, envelope) + dust
            and low <= energy * POWER_SCALE + dust
            and energy * POWER_SCALE <= high + dust
        )


STEPS = {
    # Closed by counting: 1 on one worker, 2 on the other whatever is done.
    "counting": StepProblem([0, 1], [1, 1], [1, 1]),
    # Even sizes beside an odd full worker: counting says 1, the parity of sums says more.
    "levels": StepProblem([7, 0, 0], [0, 2, 2], [4, 4, 4, 4, 2]),
    # At the level 2 the 2 fits each worker, but there is one 2 only.
    "places": StepProblem([0, 0], [1, 1], [2, 1, 4]),
    # 22 on two machines: 11 is odd, and all requests are even.
    "weights": StepProblem([0, 0], [4, 4], [8, 4, 6, 4]),
    "empty": StepProblem([3, 0], [1, 0], []),
}


NAMES = *STEPS, "offline-True", "offline-False", "energy", "flat-energy"


@cache
def certificate_of(name):
    """A certificate, and what decides whether one of its kind is true."""
    if name in STEPS:
        return certify_step(STEPS[name], enumerate_step(STEPS[name])), step_is_true
    if name.startswith("offline"):
        problem = OfflineProblem(
            System(2, 1),
            Requests([4, 1, 2], [2, 1, 2]),
            work_conserving=name == "offline-True",
            step_cost=1,
        )
        return certify_offline(problem, solve_offline(problem)), offline_is_true
    if name == "energy":
        loads = [[3, 0, 5], [2, 2, 2], [0, 0, 0]]
        return certify_energy(loads, 100, 400, Fraction(7, 10)), energy_is_true
    return certify_energy([[0, 4]], 0, 300, Fraction(1, 2)), energy_is_true


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_checked(name):
    certificate, is_true = certificate_of(name)
    assert accepted(certificate)
    assert is_true(certificate)
    total = passed = 0
    for changed in changes(certificate):
        total += 1
        if changed != certificate and accepted(copy.deepcopy(changed)):
            passed += 1
            assert is_true(changed), changed
    assert total > 100
    assert passed < total / 2


def test_the_rules_are_all_used():
    text = {name: json.dumps(certificate_of(name)[0].get("argument")) for name in STEPS}
    assert "fill" not in text["counting"]
    assert "fill" in text["levels"]
    assert "place" not in text["levels"]
    assert "place" in text["places"]
    assert '"weights"' in text["weights"]


def random_steps(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        G = int(rng.integers(1, 4))
        yield StepProblem(
            rng.integers(0, 10, G), rng.integers(0, 4, G), rng.integers(1, 10, rng.integers(0, 7))
        )


def test_every_small_optimum_is_certified_and_nothing_more():
    for problem in random_steps(200, 0):
        best = enumerate_step(problem)
        certificate = certify_step(problem, best)
        assert certificate["bound"] == certificate["imbalance"] == best.imbalance
        assert accepted(certificate)
        # One more is false, and neither the writer nor the checker says it.
        assert argue(problem, best.imbalance + 1)[0] <= best.imbalance
        assert not accepted({**certificate, "bound": best.imbalance + 1})


def test_a_wrong_optimum_is_not_certified():
    """An assignment that is not optimal keeps a gap, whatever bound its solver claims."""
    for problem in random_steps(60, 1):
        best = enumerate_step(problem).imbalance
        waits = problem.pool.size - problem.admissions
        slots = np.repeat(np.arange(problem.workers), problem.free)[: problem.admissions]
        first = np.concatenate([slots, np.full(waits, -1)]).astype(np.int64)
        value = problem.objective(first)
        certificate = certify_step(problem, StepSolution(first, value, value))
        assert certificate["bound"] <= best <= certificate["imbalance"]
        assert accepted(certificate)


def test_large_steps_get_a_bound_without_end():
    rng = np.random.default_rng(3)
    problem = StepProblem(
        rng.integers(0, 5000, 32), rng.integers(0, 20, 32), rng.integers(1, 1000, 400)
    )
    certificate = certify_step(problem, solve_step(problem))
    assert 0 <= certificate["bound"] <= certificate["imbalance"]
    assert accepted(certificate)


def test_a_request_far_larger_than_any_room_costs_no_memory():
    # One worker has slots, the other bounds the level.  Optimal: loads 3 and 2.
    problem = StepProblem([0, 3], [2, 0], [1, 1, 2**50])
    certificate = certify_step(problem, StepSolution(np.array([0, 0, -1]), 1, 1))
    assert certificate["bound"] == certificate["imbalance"] == 1
    assert accepted(certificate)


def test_files_verify_in_a_bare_python(tmp_path):
    """-I and -S leave nothing but the standard library to import."""
    good, bad, worse = (tmp_path / name for name in ("good.json", "bad.json", "none.json"))
    certificate = certificate_of("levels")[0]
    good.write_text(to_text(certificate), "utf-8")
    bad.write_text(to_text({**certificate, "imbalance": 0}), "utf-8")

    def verify(*paths):
        command = [sys.executable, "-I", "-S", checker.__file__, *map(str, paths)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    run = verify(good)
    assert (run.returncode, run.stderr) == (0, "")
    assert "holds: imbalance" in run.stdout
    run = verify(good, bad, worse)
    assert run.returncode == 1
    assert run.stdout.count("holds") == 1
    assert run.stdout.count("REJECTED") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # json.load keeps the last of two; a reader may look at the first.
        ('"bound": 400, "bound": 4', "a field is given twice"),
        ('"bound": NaN', "bound must hold integers"),
        ('"bound": 4.0', "bound must hold integers"),
        ('"bound": 4e0', "bound must hold integers"),
        ('"bound": true', "bound must hold integers"),
        ('"bound": [4]', "bound must hold integers"),
        ('"bound": {"bound": 4}', "bound must hold integers"),
        ('"bound": ' + "9" * 5000, "digits"),
        ('"bound": ' + "[" * 100_000 + "]" * 100_000, "recursion"),
        ('"bound": ', "Expecting value"),
    ],
)
def test_forged_texts_are_rejected(tmp_path, text, says):
    whole = to_text({**certificate_of("levels")[0], "bound": 4})
    assert '"bound": 4' in whole
    path = tmp_path / "forged.json"
    path.write_text(whole.replace('"bound": 4', text), "utf-8")
    command = [sys.executable, "-I", "-S", checker.__file__, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "")
    assert "REJECTED: " in run.stdout
    assert says in run.stdout


def test_the_checker_is_short_and_stands_alone():
    source = checker.__file__
    with open(source, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert len(lines) < 250
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def test_refusals():
    problem = OfflineProblem(System(1, 1), Requests([1, 2], [1, 1]), rule=Rule.PAUSING)
    with pytest.raises(InputError, match="sticky"):
        certify_offline(problem, solve_by_states(problem))
    many = OfflineProblem(System(2, 5), Requests([1] * 9, [1] * 9))
    with pytest.raises(InputError, match="up to 8 requests, got 9"):
        certify_offline(many, solve_offline(many))
    for system, length in ((System(2, 1), 21), (System(100, 1), 1)):
        large = OfflineProblem(system, Requests([1, 1], [length, length]))
        with pytest.raises(InputError, match="up to 40 steps of all requests together and 99"):
            certify_offline(large, solve_offline(large))
    with pytest.raises(InputError, match="gamma in"):
        certify_energy([[1]], 100, 400, Fraction(1))
    with pytest.raises(AssignmentError):
        certify_step(StepProblem([0], [1], [1]), StepSolution(np.array([-1]), 0, 0))
