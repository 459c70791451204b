"""Claims whose statement is a theorem that Coq has checked: which, where, and when that counts.

The theorems are in ``theory/formal``, one idea a file.  ``theory/formal/checked.json`` is the
record of the last complete check (:mod:`theory.formal.coq`, ``make proofs``): a digest of every
file and the axioms that every theorem rests on.  A claim counts as machine-checked only while the
files are the ones that were checked, so that an edited proof loses the name until it is checked
again.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

RECORD = "checked.json"

# The axioms of the standard library's real numbers and of its analysis (the mean value theorem,
# behind exp and ln, uses classical logic); nothing else may be assumed.
ALLOWED_AXIOMS = frozenset(
    {
        "Classical_Prop.classic",
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    }
)


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem of ``theory/formal``.

    Parameters
    ----------
    name : str
        Its name in Coq.
    file : str
        The file that proves it, such as ``"Refill.v"``.
    without : str
        The part of the claim that it does not cover; empty where it is the whole statement.
    """

    name: str
    file: str
    without: str = ""


THEOREMS: Mapping[str, Theorem] = {
    "step.objective": Theorem("step_objective", "Step.v"),
    "step.full-refill-gap": Theorem("step_full_refill_gap", "Refill.v"),
    "step.full-refill-tight": Theorem("step_full_refill_tight", "Refill.v"),
    "step.waterfill": Theorem("step_waterfill", "Waterfill.v"),
    "step.lower-bound": Theorem("step_lower_bound", "LowerBound.v"),
    "step.gap-naive": Theorem("step_gap_naive_is_false", "GapNaive.v"),
    "fcfs.pairing": Theorem(
        "fcfs_pairing",
        "Extremes.v",
        "laws with infinitely many values, and the step from FCFS to independent loads",
    ),
    "fcfs.worst-case": Theorem("fcfs_worst_case", "Refill.v"),
    "energy.sandwich": Theorem("energy_sandwich", "Energy.v"),
    "energy.envelope": Theorem("energy_envelope", "Energy.v"),
    "energy.envelope-workers": Theorem("energy_envelope_workers", "EnvelopeWorkers.v"),
    "energy.overhead": Theorem("energy_overhead", "Energy.v"),
    "energy.saving-overhead": Theorem("energy_saving_overhead", "Overhead.v"),
    "energy.overhead-lowers": Theorem("energy_overhead_lowers", "Overhead.v"),
    "energy.throughput": Theorem("energy_throughput", "Throughput.v"),
    "energy.work-invariance": Theorem("energy_work_invariance", "Work.v"),
    "energy.saving-paper": Theorem("energy_saving_paper", "Saving.v"),
    "energy.saving-sharp": Theorem("energy_saving_sharp", "Saving.v"),
    "energy.sharp-dominates": Theorem("energy_sharp_dominates", "Saving.v"),
    "energy.saving-envelope": Theorem(
        "energy_saving_envelope",
        "Saving.v",
        "that both sides are approached by two policies on the same requests as G grows",
    ),
    "energy.limit-paper": Theorem("energy_limit_paper", "Saving.v"),
    "energy.limit-sharp": Theorem("energy_limit_sharp", "Saving.v"),
    "energy.cap": Theorem("energy_cap", "Saving.v"),
    "energy.any-power": Theorem("energy_any_power", "AnyPower.v"),
    "energy.saving-28": Theorem(
        "energy_saving_28",
        "Saving28.v",
        "that the runs between the two shares are of two policies on the same requests, for "
        "large G",
    ),
    "balanceroute.score-identity": Theorem("balanceroute_score_identity", "Scores.v"),
    "balanceroute.brh-reduces": Theorem("balanceroute_brh_reduces", "Discounts.v"),
    "balanceroute.telescopes": Theorem(
        "balanceroute_telescopes", "Scores.v", "that the admissions of a step are such moves"
    ),
    "balanceroute.gap-and-imbalance": Theorem("balanceroute_gap_and_imbalance", "Loads.v"),
}


def folder() -> "Traversable":
    """The folder of the proofs."""
    return files("theory").joinpath("formal")


def digest(text: str) -> str:
    """SHA-256 of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def sources() -> dict[str, str]:
    """The text of every proof file by name, in the order of their names."""
    found = {entry.name: entry.read_text("utf-8") for entry in folder().iterdir()}
    return {name: found[name] for name in sorted(found) if name.endswith(".v")}


def code(text: str) -> str:
    """A Coq text without its comments, which nest."""
    kept, depth = [], 0
    for part in re.split(r"(\(\*|\*\))", text):
        if part == "(*":
            depth += 1
        elif part == "*)":
            depth -= 1
        elif not depth:
            kept.append(part)
    return "".join(kept)


def theorems(text: str) -> list[str]:
    """Names of the theorems of a proof file; what is only used on the way is a lemma there."""
    return re.findall(r"^Theorem (\w+)", code(text), re.MULTILINE)


def statement(theorem: Theorem) -> str:
    """The theorem as it stands in its file, up to its proof."""
    text = code(sources()[theorem.file])
    start = text.index(f"Theorem {theorem.name}")
    return text[start : text.index("\nProof.", start)]


@cache
def record() -> dict[str, Any]:
    """The record of the last check; empty where there is none."""
    file = folder().joinpath(RECORD)
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def stands() -> bool:
    """Whether the proof files are the ones that were checked."""
    return bool(record()) and record()["files"] == {
        name: digest(text) for name, text in sources().items()
    }


def theorem_of(label: str) -> Theorem | None:
    """The checked theorem of a claim, or None where there is none or its check is out of date."""
    theorem = THEOREMS.get(label)
    if theorem is None or not stands():
        return None
    axioms = record()["theorems"].get(theorem.name)
    return theorem if axioms is not None and ALLOWED_AXIOMS.issuperset(axioms) else None


def mark(label: str) -> str:
    """What stands behind a verdict: ``machine-checked``, ``machine-checked in part`` or nothing."""
    theorem = theorem_of(label)
    if theorem is None:
        return ""
    return "machine-checked in part" if theorem.without else "machine-checked"


def note(label: str) -> str:
    """Where the claim's theorem is and what vouches for it, in one line; empty without one."""
    theorem = THEOREMS.get(label)
    if theorem is None:
        return ""
    where = f"theorem {theorem.name} in theory/formal/{theorem.file}"
    if theorem_of(label) is None:
        return f"not machine-checked: {where} has changed since its last check (make proofs)"
    return f"{mark(label)}: {where}" + (f", without {theorem.without}" if theorem.without else "")
