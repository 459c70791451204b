"""Certificates of worst cases: accepted as they are, and changed only where they stay true."""

import copy
import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import adversary
from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Space
from adversary.witnesses.gallery import gallery
from adversary.worst_case.certify import certify_worst_case
from adversary.worst_case.exhaustive import fcfs_worst_case, worst_case
from solvers import checker
from solvers.certificates import to_text
from solvers.step.problem import StepProblem
from theory.model import InputError


def accepted(certificate):
    try:
        assert certificate["format"] == "evenkeel certificate 1"
        assert certificate["kind"] == "worst-case"
        checker.worst_case(certificate)
    except Exception:
        return False
    return True


def is_true(c):
    """Of the class that the changed certificate names, by the compiled enumeration."""
    workers, slots, pool, n, low, high, longest = c["class"]
    space = Space(workers, slots, n, high, low, longest, pool=pool, drift=tuple(c["drift"]))
    worst = worst_case(space, c["policy"], c["against"])
    top, bottom = c["value"]
    value = Fraction(top, bottom) if bottom else math.inf
    vector = [*c["prefill"], *c["decode"]]
    assert all(low <= s <= high for s in c["prefill"])
    assert all(1 <= o <= longest for o in c["decode"])
    instance = space.build(np.array(vector, dtype=np.int64))
    reached = simulate_small(instance, c["policy"])
    shown = reached.avg_imbalance
    if c["against"]:
        other = simulate_small(instance, c["against"]).avg_imbalance
        shown = shown / other if other else math.inf
    return worst.value == value == shown


def changes(certificate):
    """One field dropped, added or renamed, and every entry of every field changed."""
    for key, value in certificate.items():
        yield {k: v for k, v in certificate.items() if k != key}
        yield {**certificate, f"{key}x": 1}
        if isinstance(value, list):
            yield {**certificate, key: value[::-1]}
            for i, x in enumerate(value):
                yield {**certificate, key: value[:i] + value[i + 1 :]}
                yield {**certificate, key: [*value[:i], x, *value[i:]]}
                for y in (x + 1, x - 1, 0, -x, 2 * x, float(x), str(x), None, 10**6):
                    yield {**certificate, key: [*value[:i], y, *value[i + 1 :]]}
        elif isinstance(value, int):
            for y in (value + 1, value - 1, 1 - value, 2, None, "1"):
                yield {**certificate, key: y}
        else:
            for y in ("fcfs", "bfio_exact", "jsq", None, 0, "", f"{value}x", f"{value}"[::-1]):
                yield {**certificate, key: y}


CASES = {
    "refill": (Space(2, 2, 4, 3), "bfio_exact", None),
    "fcfs": (Space(2, 1, 3, 4, 2, decode_max=2, pool=2), "fcfs", None),
    "ratio": (Space(2, 1, 3, 2, decode_max=2, pool=3, drift=(0, 2)), "bfio_exact", "fcfs"),
}


@pytest.mark.parametrize("name", CASES)
def test_every_field_is_checked(name):
    space, policy, against = CASES[name]
    certificate = certify_worst_case(worst_case(space, policy, against), policy, against)
    assert accepted(certificate)
    assert is_true(certificate)
    total = passed = 0
    for changed in changes(certificate):
        total += 1
        if changed != certificate and accepted(copy.deepcopy(changed)):
            passed += 1
            assert is_true(changed), changed
    assert total > 100
    assert passed < total / 10


def test_closed_forms_are_certified():
    """[fcfs.worst-case] and [step.full-refill-tight] at G = B = 2, sizes 1 to 3."""
    refill = Space(2, 2, 4, 3)
    for worst, policy, value in (
        (fcfs_worst_case(refill), "fcfs", 2 * 2),
        (worst_case(refill, "bfio_exact"), "bfio_exact", 2),
    ):
        certificate = certify_worst_case(worst, policy)
        assert certificate["value"] == [value, 1]
        assert certificate["ends"] == (policy == "fcfs")
        assert accepted(certificate)


def test_large_sizes_are_no_hindrance_where_the_ends_decide():
    certificate = certify_worst_case(fcfs_worst_case(Space(2, 1, 2, 10**6)), "fcfs")
    assert certificate["value"] == [10**6 - 1, 1]
    assert accepted(certificate)
    with pytest.raises(InputError, match="up to 99 workers and requests"):
        certify_worst_case(fcfs_worst_case(Space(2, 1, 100, 1)), "fcfs")


def test_an_infinite_ratio_is_certified():
    space = Space(2, 1, 5, 2, decode_max=3, pool=4)
    certificate = certify_worst_case(worst_case(space, "bfio_exact", "fcfs"), "bfio_exact", "fcfs")
    assert certificate["value"] == [1, 0]
    assert accepted(certificate)


def test_the_ends_alone_are_no_evidence_for_other_policies():
    """BF-IO's worst sizes can be interior [fcfs.vertex]: a list of the ends must not pass."""
    space = Space(2, 1, 3, 2, decode_max=2, pool=2)
    certificate = certify_worst_case(worst_case(space, "bfio_exact"), "bfio_exact")
    assert accepted(certificate)
    assert not accepted({**certificate, "ends": 1})


def test_refusals():
    sorted_only = worst_case(Space(2, 1, 2, 2, order="sorted"), "bfio_exact")
    with pytest.raises(InputError, match="every arrival order"):
        certify_worst_case(sorted_only, "bfio_exact")
    large = fcfs_worst_case(Space(2, 2, 8, 10, decode_max=3))
    with pytest.raises(InputError, match="1,679,616 instances, more than 1,000,000"):
        certify_worst_case(large, "fcfs")
    wide = fcfs_worst_case(Space(6, 2, 12, 1))
    with pytest.raises(InputError, match=r"13,841,287,201 assignments of a step"):
        certify_worst_case(wide, "fcfs")


STORED = sorted((Path(adversary.__file__).parent / "witnesses" / "certificates").glob("*.json"))


def test_every_stored_certificate_verifies_in_a_bare_python():
    command = [sys.executable, "-I", "-S", checker.__file__, *map(str, STORED)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count(": holds: ") == len(STORED)


def test_every_kind_of_certificate_is_stored():
    kinds = [json.loads(path.read_text("utf-8"))["kind"] for path in STORED]
    assert set(kinds) == {"step", "worst-case", "offline", "energy"}


def test_every_step_of_the_gallery_has_its_certificate():
    steps = [witness for witness in gallery() if isinstance(witness.instance, StepProblem)]
    assert steps
    for witness in steps:
        [path] = [path for path in STORED if path.stem == witness.name]
        content = json.loads(path.read_text("utf-8"))
        assert content["bound"] == content["imbalance"] == witness.expected["optimum"]
        for field in ("loads", "free", "pool"):
            assert content[field] == getattr(witness.instance, field).tolist()


def test_a_whole_enumeration_is_what_was_stored():
    """The same bytes from the class alone, so the transcript is no accident of a run."""
    [path] = [path for path in STORED if path.stem == "bfio-refill-2x2"]
    fresh = certify_worst_case(worst_case(Space(2, 2, 4, 5), "bfio_exact"), "bfio_exact")
    assert to_text(fresh) == path.read_text("utf-8")
