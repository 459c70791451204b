"""Check the proofs of ``theory/formal`` with Coq and keep a record of what was checked.

``make proofs`` runs this module.  It compiles every file in a folder of its own, asks Coq for the
assumptions of every theorem, and refuses proofs that lean on anything but the axioms of the
standard library's real numbers.  Nothing else in evenkeel needs Coq.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from theory.formal.record import (
    ALLOWED_AXIOMS,
    RECORD,
    Theorem,
    digest,
    sources,
    theorems,
    without_comments,
)

INSTALL = (
    "Coq is not installed.  On Debian and Ubuntu: apt-get install --no-install-recommends coq; "
    "elsewhere: opam install coq (8.16 is what the proofs were written for)."
)

# Ways to assume something or to switch a check of the kernel off.
FORBIDDEN = (
    "Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|Hypothes[ie]s|Variables?|Context"
    "|Unset|bypass_check|type_in_type|Declare|Load|Abort|Program|Obligations?"
)


class ProofError(Exception):
    """The proofs do not stand; the message says which file or theorem, and why."""


def coqc() -> str | None:
    """Path of the compiler, or None."""
    return shutil.which("coqc")


def version() -> str:
    """Version of the compiler."""
    command = [coqc() or "coqc", "--print-version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.split()[0]


def requirements(text: str) -> list[str]:
    """The project's files that a proof file builds on."""
    names = re.findall(
        r"^From evenkeel Require Import ([\w ]+)\.", without_comments(text), re.MULTILINE
    )
    return [f"{name}.v" for group in names for name in group.split()]


def order(texts: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """The wanted files and all that they build on, each after what it builds on."""
    placed: list[str] = []

    def visit(name: str) -> None:
        if name not in placed:
            for other in requirements(texts[name]):
                visit(other)
            placed.append(name)

    for name in wanted:
        visit(name)
    return placed


def compile_file(folder: Path, name: str, *options: str) -> str:
    """Compile one file in a folder, with options of Coq's, and return what Coq printed.

    Raises
    ------
    ProofError
        If Coq refuses the file.
    """
    command = [coqc() or "coqc", "-q", "-Q", ".", "evenkeel", *options, name]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ProofError(f"{name} is refused by Coq:\n{(result.stderr or result.stdout).strip()}")
    return result.stdout


def compile_files(texts: Mapping[str, str], wanted: Iterable[str], folder: Path) -> list[str]:
    """Write and compile the wanted files and all that they build on; returns their names.

    Raises
    ------
    ProofError
        If a file assumes something, or is refused by Coq.
    """
    names = order(texts, wanted)
    for name in names:
        if found := re.search(rf"\b({FORBIDDEN})\b", without_comments(texts[name])):
            raise ProofError(f"{name} uses {found[0]}: proofs may assume nothing")
    for name in names:
        (folder / name).write_text(texts[name], "utf-8")
        compile_file(folder, name)
    return names


def axioms_of(folder: Path, wanted: Iterable[Theorem]) -> dict[str, list[str]]:
    """The axioms that each theorem of the compiled files rests on, as Coq prints them.

    Raises
    ------
    ProofError
        If a theorem does not exist, or rests on an axiom that is not allowed.
    """
    goals = list(wanted)
    modules = dict.fromkeys(theorem.file.removesuffix(".v") for theorem in goals)
    lines = [f"From evenkeel Require {' '.join(modules)}."]
    for theorem in goals:
        # Say which theorem the answer that follows is about.
        lines += [f'Goal True. idtac "theorem {theorem.name}". trivial. Qed.']
        lines += [f"Print Assumptions {theorem.file.removesuffix('.v')}.{theorem.name}."]
    (folder / "assumptions.v").write_text("\n".join(lines) + "\n", "utf-8")
    answers = compile_file(folder, "assumptions.v").split("theorem ")[1:]
    found: dict[str, list[str]] = {}
    for theorem, answer in zip(goals, answers, strict=True):
        axioms = re.findall(r"^([\w.]+)\s*:", answer.replace("Axioms:", ""), re.MULTILINE)
        extra = [axiom for axiom in axioms if axiom not in ALLOWED_AXIOMS]
        if extra or bool(axioms) == ("Closed under the global context" in answer):
            raise ProofError(f"{theorem.name} rests on {', '.join(extra) or answer.strip()}")
        found[theorem.name] = sorted(axioms)
    return found


def check_theorems(
    texts: Mapping[str, str], wanted: Iterable[Theorem], folder: Path
) -> dict[str, list[str]]:
    """Compile what the theorems need and return the axioms of each.

    Raises
    ------
    ProofError
        If anything is wrong.
    """
    goals = list(wanted)
    compile_files(texts, dict.fromkeys(theorem.file for theorem in goals), folder)
    return axioms_of(folder, goals)


def main() -> int:
    """Check all proofs, print the assumptions of every theorem, and write the record."""
    if coqc() is None:
        print(INSTALL, file=sys.stderr)
        return 2
    texts = sources()
    wanted = [Theorem(name, file) for file, text in texts.items() for name in theorems(text)]
    try:
        with tempfile.TemporaryDirectory() as name:
            compile_files(texts, texts, Path(name))
            axioms = axioms_of(Path(name), wanted)
    except ProofError as error:
        print(f"The proofs do not stand: {error}", file=sys.stderr)
        return 1
    for theorem in wanted:
        rests = ", ".join(axioms[theorem.name]) or "no axiom"
        print(f"{theorem.name} ({theorem.file}): {rests}")
    record = {
        "coq": version(),
        "files": {name: digest(text) for name, text in texts.items()},
        "theorems": dict(sorted(axioms.items())),
    }
    path = Path(__file__).parent / RECORD
    text = json.dumps(record, indent=1) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
        print(f"new record: {path.name}")
    print(f"{len(wanted)} theorems in {len(texts)} files stand, by Coq {record['coq']}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
