"""Theorems that Coq has checked: where they are, and when that counts.

The theorems are in ``theory/formal``, one idea a file.  ``theory/formal/checked.json`` is the
record of the last complete check (:mod:`theory.formal.coq`, ``make proofs``): a digest of every
file and the axioms that every theorem rests on.  A claim counts as machine-checked only while the
files are the ones that were checked, so that an edited proof loses the name until it is checked
again.
"""

import hashlib
import json
import re
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


def folder() -> "Traversable":
    """The folder of the proofs."""
    return files("theory").joinpath("formal")


@cache  # a report asks for each file's at every claim
def digest(text: str) -> str:
    """SHA-256 of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def sources() -> dict[str, str]:
    """The text of every proof file by name, in the order of their names."""
    found = {
        entry.name: entry.read_text("utf-8")
        for entry in folder().iterdir()
        if entry.name.endswith(".v")  # beside them is Python, and what it has compiled
    }
    return dict(sorted(found.items()))


def without_comments(text: str) -> str:
    """A Coq text without its comments, which nest.

    Examples
    --------
    >>> without_comments("Qed. (* a note (* in a note *) *) End.")
    'Qed.  End.'
    """
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
    return re.findall(r"^Theorem (\w+)", without_comments(text), re.MULTILINE)


def statement(theorem: Theorem) -> str:
    """The theorem as it stands in its file, up to its proof."""
    text = without_comments(sources()[theorem.file])
    start = text.index(f"Theorem {theorem.name}")
    return text[start : text.index("\nProof.", start)]


@cache
def last_check() -> dict[str, Any]:
    """The record of the last check; empty where there is none."""
    file = folder().joinpath(RECORD)
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def is_current() -> bool:
    """Whether the proof files are the ones that were checked."""
    return bool(last_check()) and last_check()["files"] == {
        name: digest(text) for name, text in sources().items()
    }


def is_checked(theorem: Theorem) -> bool:
    """Whether Coq has checked the theorem as it stands now, on no axiom but the allowed ones."""
    axioms = last_check()["theorems"].get(theorem.name) if is_current() else None
    return axioms is not None and ALLOWED_AXIOMS.issuperset(axioms)


def mark(theorem: Theorem | None) -> str:
    """What stands behind a verdict: ``machine-checked``, ``machine-checked in part`` or nothing."""
    if theorem is None or not is_checked(theorem):
        return ""
    return "machine-checked in part" if theorem.without else "machine-checked"


def note(theorem: Theorem | None) -> str:
    """Where the theorem is and what vouches for it, in one line; empty without one."""
    if theorem is None:
        return ""
    where = f"theorem {theorem.name} in theory/formal/{theorem.file}"
    if not is_checked(theorem):
        return f"not machine-checked: {where} has changed since its last check (make proofs)"
    return f"{mark(theorem)}: {where}" + (f", without {theorem.without}" if theorem.without else "")
