"""The check of the proofs: what it refuses, and Coq's definitions evaluated beside Python's."""

import random
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from evenkeel.theorems.registry import claims
from solvers.policies.protocol import StepView
from solvers.policies.registry import policy
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.problem import StepProblem
from theory.formal import coq
from theory.formal.coq import (
    ProofError,
    axioms_of,
    check_theorems,
    compile_file,
    compile_files,
    order,
    requirements,
)
from theory.formal.record import Theorem, sources
from theory.formulas.balanceroute import br0_score
from theory.formulas.fcfs import worst_imbalance
from theory.formulas.step import (
    full_refill_bound,
    pool_condition_extremal,
    simple_lower_bound,
    spacing_cost,
    spacing_extremal,
    spare_request_bound,
    spare_request_extremal,
    waterfill_optimum,
)
from theory.model import Requests, imbalance

needs_coq = pytest.mark.skipif(coq.coqc() is None, reason=coq.INSTALL)

INTEGERS = (
    "Loads.v",
    "Step.v",
    "Refill.v",
    "Waterfill.v",
    "LowerBound.v",
    "Scores.v",
    "Work.v",
    "SpareRequest.v",
    "Spacing.v",
)


def test_without_coq_the_check_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(coq, "coqc", lambda: None)
    assert coq.main() == 2
    assert "apt-get install --no-install-recommends coq" in capsys.readouterr().err


def test_every_file_comes_after_what_it_builds_on():
    names = order(sources(), sources())
    assert sorted(names) == list(sources())
    assert requirements(sources()["Saving.v"]) == ["PowerLaw.v", "Energy.v"]
    for place, name in enumerate(names):
        assert set(requirements(sources()[name])) <= set(names[:place])


@pytest.mark.parametrize("word", ["Admitted", "Axiom", "Parameter", "Conjecture", "admit"])
def test_a_proof_that_assumes_something_is_refused_before_it_is_compiled(word, tmp_path):
    texts = {"Loads.v": f"Lemma a : False. {word}. (* Qed. *)"}
    with pytest.raises(ProofError, match=f"Loads.v uses {word}"):
        compile_files(texts, texts, tmp_path)
    assert not list(tmp_path.iterdir())


def test_forbidden_words_in_comments_are_harmless(tmp_path, monkeypatch):
    monkeypatch.setattr(coq, "compile_file", lambda folder, name: "")
    assert compile_files({"A.v": "(* no Axiom *)"}, ["A.v"], tmp_path) == ["A.v"]


CHANGES = [
    ("Refill.v", "(G - 1) * (b - a).", "(G - 1) * (b - a - 1).", "step.full-refill-gap"),
    ("Refill.v", "(G - 1) * (b - a).", "(G - 1) * (b - a + 1).", "step.full-refill-tight"),
    ("Refill.v", "(G - 1) * B * (b - a).", "(G - 1) * B * (b - a) - 1.", "fcfs.worst-case"),
    (
        "SpareRequest.v",
        "(G - 1) * (G - 1) * (b",
        "(G - 1) * (G - 1) * (b - 1",
        "step.spare-request",
    ),
    ("SpareRequest.v", "<= (n - 1) * (n - 2)", "<= n * (n - 3)", "step.pool-condition-refill"),
    ("Waterfill.v", "Z.of_nat (snd worker) * b))", "Z.of_nat (snd worker) * a))", "step.waterfill"),
    ("Spacing.v", "delta - 1) / 2.", "delta - 1) * 99 / 200.", "step.spacing"),
    ("Spacing.v", "optimum s (spacing G delta)", "optimum s (spacing G delta + 1)", "step.spacing"),
    ("LowerBound.v", "- ((- x) / n)", "- ((- x) / n) + 1", "step.lower-bound"),
    ("GapNaive.v", "[1; 1; 3; 3; 3; 3]", "[1; 1; 3; 3; 3; 2]", "step.gap-naive"),
    (
        "LogGrowth.v",
        "n / (6 + (kappa - 3) / n)",
        "101 / 100 * n / (6 + (kappa - 3) / n)",
        "fcfs.log-growth",
    ),
    ("LogGrowth.v", "326 / 1000", "327 / 1000", "fcfs.log-growth"),
    ("Tournament.v", "<= lead G (j * n + r) X /", "<= lead G (j * n) X /", "fcfs.tournament"),
    ("Tournament.v", "389 / 1000 <=", "390 / 1000 <=", "fcfs.constant-range"),
    ("Tournament.v", "472 / 1000", "471 / 1000", "fcfs.constant-range"),
    ("Tournament.v", "/ sqrt (3 + moment 4", "/ sqrt (2 + moment 4", "fcfs.few-slots"),
    (
        "Recursion.v",
        "INR B * p * IZR delta)) workers).",
        "101 / 100 * INR B * p * IZR delta)) workers).",
        "drift.bfio-upper",
    ),
    (
        "Recursion.v",
        "IZR (spacing G delta)",
        "(99 / 100 * IZR (spacing G delta))",
        "geometric.bfio-upper",
    ),
    ("Recursion.v", "(IZR s_max + 1) / 2", "(IZR s_max + 102 / 100) / 2", "geometric.bfio-upper"),
    (
        "Tail.v",
        "(exp (theta * r) - 1 - theta * r) / r ^ 2.",
        "99 / 100 * ((exp (theta * r) - 1 - theta * r) / r ^ 2).",
        "geometric.deviations-tail",
    ),
    (
        "Tail.v",
        "INR G * (INR G - 1) / theta",
        "99 / 100 * INR G * (INR G - 1) / theta",
        "geometric.deviations-tail",
    ),
    (
        "Tail.v",
        "2 * (1 - p) * s + 2 / 3 * r",
        "2 * (1 - p) * s + 66 / 100 * r",
        "geometric.deviations-tail",
    ),
    (
        "Tail.v",
        "((1 - p) * s + r * (INR B * IZR delta) / 3)",
        "(99 / 100 * (1 - p) * s + r * (INR B * IZR delta) / 3)",
        "geometric.deviations-tail",
    ),
    (
        "Expected.v",
        "+ average K (fun k => E k (deviations B p x delta))) / p",
        "+ 99 / 100 * average K (fun k => E k (deviations B p x delta))) / p",
        "geometric.expected",
    ),
    (
        "Expected.v",
        "+ E k (fun st => Rmax 0 (excess B p a b st))",
        "+ 99 / 100 * E k (fun st => Rmax 0 (excess B p a b st))",
        "geometric.expected",
    ),
    (
        "Spread.v",
        "INR B * p * IZR (b - a).",
        "99 / 100 * (INR B * p * IZR (b - a)).",
        "threshold.converse",
    ),
    (
        "Spread.v",
        "INR B * p * IZR (b - a).",
        "101 / 100 * (INR B * p * IZR (b - a)).",
        "geometric.recursion",
    ),
    ("Commonness.v", "(empty w) * y", "(empty w) * (y - 1)", "drift.uncommon"),
    ("Scores.v", "S - G * Z.max 0", "S - (G - 1) * Z.max 0", "balanceroute.score-identity"),
    ("Work.v", "d * (o * (o - 1) / 2)", "d * (o * (o + 1) / 2)", "energy.work-invariance"),
    ("EnvelopeWorkers.v", "(1 - 1 / G) *", "(99 / 100 - 1 / G) *", "energy.envelope-workers"),
    ("Overhead.v", "(worker_steps r - over", "(worker_steps r + over", "energy.saving-overhead"),
    ("Overhead.v", "worker_steps r0 <= worker_steps r1", "0 <= 1", "energy.overhead-lowers"),
    ("AnyPower.v", "u * M <= p u <= M", "u * u * M <= p u <= M", "energy.any-power"),
    (
        "ConcavePower.v",
        "w * f) <= saving_by p r0 r1",
        "w * f) <= 99 / 100 * saving_by p r0 r1",
        "energy.any-power-floor",
    ),
    ("Padding.v", "work r0 + imbalances r0 /\\", "work r0 /\\", "energy.padding"),
    ("Waiting.v", "(w - P_idle d) * empty c r in", "w * empty c r in", "energy.wait-power"),
    ("Waiting.v", "P_idle d <= w <= w' ->", "P_idle d <= w ->", "energy.wait-raises"),
    ("Saving28.v", "4769 / 10000", "4770 / 10000", "energy.saving-28"),
    ("Discounts.v", "- beta * total", "- 2 * beta * total", "balanceroute.brh-reduces"),
    ("PowerLaw.v", "(1 - gamma d) *", "(99 / 100 - gamma d) *", "energy.sandwich"),
]


def _each_change() -> list[object]:
    quick = ("step.full-refill-gap", "step.waterfill", "energy.sandwich")
    return [
        pytest.param(*change, id=change[3], marks=[pytest.mark.slow] * (change[3] not in quick))
        for change in CHANGES
    ]


@pytest.fixture(scope="module")
def statements(tmp_path_factory) -> Callable[[str], Path]:
    """Of a file of proofs, what Coq needs to compile those that build on it: not the proofs."""
    folder = tmp_path_factory.mktemp("statements")

    @cache
    def made(name: str) -> Path:
        for other in requirements(sources()[name]):
            made(other)
        (folder / name).write_text(sources()[name], "utf-8")
        compile_file(folder, name, "-vos")
        return (folder / name).with_suffix(".vos")

    return made


def check_changed(folder: Path, statements, texts: dict[str, str], file: str, proved: str) -> None:
    """Have Coq check the proofs of one file where another is changed, if that is what it is."""
    for name in order(texts, [proved]):
        (folder / name).write_text(texts[name], "utf-8")
        if name == proved:
            compile_file(folder, name, "-vok")
        elif file in order(texts, [name]):
            compile_file(folder, name, "-vos")
        else:
            shutil.copy(statements(name), folder)


@needs_coq
@pytest.mark.parametrize(("file", "old", "new", "label"), _each_change())
def test_a_changed_constant_is_refused(file, old, new, label, tmp_path, statements):
    text = sources()[file]
    assert old in text
    texts = {**sources(), file: text.replace(old, new)}
    proved = claims()[label].coq.file
    with pytest.raises(ProofError, match=f"{proved} is refused by Coq") as refused:
        check_changed(tmp_path, statements, texts, file, proved)
    assert "physical path" not in str(refused.value)


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("proved", sorted({claims()[label].coq.file for *_, label in CHANGES}))
def test_what_is_not_changed_is_not_refused(proved, tmp_path, statements):
    check_changed(tmp_path, statements, dict(sources()), proved, proved)


@needs_coq
def test_an_axiom_that_slips_in_is_refused(tmp_path):
    # Classical logic is allowed, the axiom of choice is not; neither uses a forbidden word.
    text = (
        "From Coq Require Import ClassicalChoice.\n"
        "Theorem chosen : forall (R : nat -> nat -> Prop), (forall x, exists y, R x y) ->\n"
        "  exists f, forall x, R x (f x).\nProof. intros R. apply choice. Qed.\n"
        "Theorem honest : 1 + 1 = 2.\nProof. reflexivity. Qed.\n"
    )
    honest, chosen = Theorem("honest", "Choice.v"), Theorem("chosen", "Choice.v")
    assert check_theorems({"Choice.v": text}, [honest], tmp_path) == {"honest": []}
    with pytest.raises(ProofError, match=r"chosen rests on .*choice"):
        axioms_of(tmp_path, [honest, chosen])
    with pytest.raises(ProofError, match="refused by Coq"):
        axioms_of(tmp_path, [Theorem("renamed", "Choice.v")])


def _coq(value: object) -> str:
    if isinstance(value, list):
        return "[" + "; ".join(map(_coq, value)) + "]"
    return f"({value})"


def _steps(count: int, seed: int) -> list[tuple[list[int], list[int], list[int]]]:
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        G = rng.randint(1, 3)
        loads = [rng.randint(0, 9) for _ in range(G)]
        free = [rng.randint(0, 2) for _ in range(G)]
        made.append((loads, free, [rng.randint(1, 9) for _ in range(rng.randint(0, 5))]))
    return made


@cache
def random_steps() -> tuple[list[str], list[int]]:
    expressions, expected = [], []
    for loads, free, pool in _steps(120, seed=1):
        problem = StepProblem(loads, free, pool)
        step = f"(Step.Step {_coq(loads)} {_coq(free)}%nat {_coq(pool)})"
        bound, level = simple_lower_bound(loads, free, pool)
        waited = np.zeros(len(pool), dtype=np.int64)
        view = StepView(0, 2, problem.loads, problem.free, problem.pool, waited)
        filled, water = waterfill_optimum(loads, free, 2, 7)
        expressions += [
            f"imbalance {_coq(loads)}",
            f"optimal_imbalance {step}",
            f"lower_bound {step}",
            f"least_maximum {step}",
            f"cost {step} (fcfs {step})",
            f"waterfill {_coq(loads)} {_coq(free)}%nat 2 7",
            f"level {_coq(loads)} {_coq(free)}%nat 2",
        ]
        expected += [
            imbalance(loads),
            enumerate_step(problem).imbalance,
            bound,
            level,
            problem.objective(policy("fcfs").admit(view)),
            filled,
            water,
        ]
    return expressions, expected


EXTREMAL = (spare_request_extremal, pool_condition_extremal)
EXTREMAL_OF = ((2, 1, 3, 5), (3, 2, 1, 40), (2, 4, 7, 9))


def extremal_pools() -> list[str]:
    return [
        f"nth {i} ({pool.__name__} {G} {B} {a} {m}) 0"
        for pool in EXTREMAL
        for G, B, a, m in EXTREMAL_OF
        for i in range(G * B + 1)
    ]


@cache
def random_numbers() -> tuple[list[str], list[int]]:
    rng = random.Random(2)
    expressions, expected = [], []
    for _ in range(100):
        G, B, a = rng.randint(1, 99), rng.randint(1, 99), rng.randint(1, 999)
        b = a + rng.randint(0, 999)
        expressions += [
            f"full_refill_bound {G} {a} {b}",
            f"spare_request_bound {G} {a} {b}",
            f"worst_imbalance {G} {B} {a} {b}",
            f"score {G} {b} {a}",
            f"request_work {B} {a} {G}",
            f"spacing {G}%nat {a}",
            f"spaced {G}%nat {a} {B % G}",
        ]
        expected += [
            full_refill_bound(G, a, b),
            int(G * spare_request_bound(G, a, b)),
            worst_imbalance(G, B, a, b),
            br0_score(b, a, G),
            Requests([a], [G]).work(B),
            spacing_cost(G, a),
            spacing_extremal(G, a)[B % G],
        ]
    return expressions, expected


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> dict[str, list[int]]:
    """The values in Coq of the integer expressions of each comparison.

    Definitions have values without proofs: `make proofs` checks these, once a change.  Each file is
    a module of one file, since Coq takes longer to start than to read them, and what they take from
    Coq's library is loaded once.
    """
    compared = {
        "random_steps": random_steps()[0],
        "extremal_pools": extremal_pools(),
        "random_numbers": random_numbers()[0],
    }
    folder = tmp_path_factory.mktemp("formal")
    lines = ["From Coq Require ZArith List Permutation Sorted Bool.\n"]
    for name in order(sources(), INTEGERS):
        bare = re.sub(r"\bProof\..*?\bQed\.", "Admitted.", sources()[name], flags=re.S)
        bare = re.sub(r"From \w+ Require Import", "Import", bare).replace(" Lia", "")
        module = name.removesuffix(".v")
        lines.append(f"Module {module}.\n{bare}\nEnd {module}.\n")
    modules = " ".join(name.removesuffix(".v") for name in INTEGERS)
    lines.append(
        f"Import ZArith List {modules}.\nImport ListNotations.\n"
        "Open Scope Z_scope.\nSet Printing Depth 1000000.\n"
    )
    for expressions in compared.values():
        lines.append(f"Eval vm_compute in [{'; '.join(expressions)}].\n")
    (folder / "Values.v").write_text("".join(lines), "utf-8")
    printed = re.findall(r"= \[(.*?)\]\s*: list Z", compile_file(folder, "Values.v"), re.S)
    return {
        name: [int(word) for word in re.findall(r"-?\d+", values)]
        for name, values in zip(compared, printed, strict=True)
    }


@needs_coq
@pytest.mark.parametrize("compared", [random_steps, random_numbers])
def test_coq_and_python_agree(compared, evaluated):
    assert evaluated[compared.__name__] == compared()[1]


@needs_coq
def test_coq_and_python_have_the_same_extremal_pools(evaluated):
    found = list(evaluated["extremal_pools"])
    for pool in EXTREMAL:
        for G, B, a, m in EXTREMAL_OF:
            assert sorted(found[: G * B + 1]) == list(pool(G, B, a, m))
            del found[: G * B + 1]
    assert not found
