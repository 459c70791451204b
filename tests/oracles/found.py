"""What the checks find, computed once: the processes of a test run share it through files.

A finding depends on nothing but its trial, so it does not matter which test asks first.
"""

import os
import pickle
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from evenkeel.findings.check import Finding, Variant
from evenkeel.findings.headline import Record
from evenkeel.runs.records import record
from evenkeel.theorems.registry import checks


@dataclass(frozen=True)
class Found:
    """A finding, and the comparisons whose claimed side its check asked a factor for."""

    finding: Finding
    sides: frozenset[str]


@cache
def found(label: str, plant: Variant | None = None, seed: int = 0) -> Found:
    """What the check of a claim finds, of the claim as stated or of a false version of it."""
    name = sha256(repr((label, plant, seed)).encode()).hexdigest()
    path = Path(os.environ["EVENKEEL_TEST_FINDINGS"]) / name
    if path.exists():
        kept: Found = pickle.loads(path.read_bytes())
        return kept
    check = checks()[label]
    trial = check.trial(seed=seed, variant=plant)
    fresh = Found(check.hold(trial), frozenset(trial.sides))
    scratch = path.with_name(f"{name}.{os.getpid()}")
    scratch.write_bytes(pickle.dumps(fresh))
    scratch.replace(path)
    return fresh


def entry_of(label: str, versions: dict[str, str] | None = None) -> Record:
    """The record of a claim, as `evenkeel reproduce` makes it, without its power."""
    check = checks()[label]
    return record(check, check.trial(), found(label).finding, None, versions or {})
