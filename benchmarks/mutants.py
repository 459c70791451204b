"""Faults planted at random, and the tests that should see them: ``python -m benchmarks.mutants``.

Each mutant is one small change of one expression or statement.  It is planted in a copy of the
checkout, never in the checkout itself, and the tests that could see it run there until one fails.

Which tests these are:

* first those named after the module (``tests/*/test_NAME.py`` and ``test_checks_NAME.py``), then
  those that import it, then those that import what imports it and so on, of its own floor first and
  in each those that use it most, up to ``--tests`` files;
* for a module of formulas or claims also ``test_claims.py``, which builds all proofs;
* a test that names a command (``"assess"``) counts as importing its module, which the command line
  loads by name;
* for a module in a room of ``theorems``, before all others, ``tests/power`` and
  ``tests/bounds`` for the claims in it, or in the modules of the room that import it where it
  has none.

A mutant is caught when a test fails or time is up.  A survivor is a missing test, or a change that
changes nothing: only a reader can tell.  Where no test imports the file, nothing is judged.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Queue
from xml.etree import ElementTree

FOLDERS = ("theory", "solvers", "evenkeel")
MEMORY_KIB = 12 * 2**20
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

CAUGHT, SURVIVED, NO_TEST = "caught", "SURVIVED", "no test"

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
JUMPS = (ast.Raise, ast.Return, ast.Continue, ast.Break)


@dataclass(frozen=True)
class Mutant:
    """A changed file: ``source`` is its whole new text."""

    path: str
    line: int
    change: str
    source: str


def with_field(node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def changes(node):
    """Pairs of a node at or just below this one and what may stand there instead."""
    match node:
        case ast.Compare(ops=[op]):
            for other in COMPARISONS[type(op)]:
                yield node, with_field(node, ops=[other()])
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            text = (ast.JoinedStr, ast.List, ast.Tuple)
            sides = (node.left, node.right)
            if not any(isinstance(x, text) or is_text(x) for x in sides):
                yield node, with_field(node, op=OPERATORS[type(op)]())
        case ast.AugAssign(op=op):
            if type(op) in OPERATORS:
                yield node, with_field(node, op=OPERATORS[type(op)]())
            yield node, ast.Pass()
        case ast.BoolOp(op=op):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, with_field(node, op=other)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node, node.operand
        case ast.Constant(value=bool() as value):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield node, ast.Constant(value + 1)
            yield node, ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield node, with_field(node, func=ast.Name(SWAPPED[name]))
        case ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield node, ast.Pass()
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        if isinstance(node, ast.If) and isinstance(node.body[0], JUMPS) and not node.orelse:
            yield node.test, ast.Constant(False)
        yield node.test, ast.UnaryOp(ast.Not(), node.test)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def unread(node):
    """Parts of a node that no run reads, or whose change is no fault of the program."""
    match node:
        case ast.FunctionDef():
            return [*node.decorator_list, node.returns]
        case ast.ClassDef():
            return node.decorator_list
        case ast.keyword(arg="strict"):  # of zip: it changes nothing until something else is wrong
            return [node.value]
        case ast.AnnAssign() | ast.arg():
            return [node.annotation]
        case ast.Raise() | ast.Import() | ast.ImportFrom():
            return list(ast.iter_child_nodes(node))  # of an error, whether it comes, not its text
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return [node]
    return []


def nodes(tree):
    """Every node with the span that is rewritten for it: its own, or of the f-string around it."""

    def walk(node, span):
        skipped = unread(node)
        if any(part is node for part in skipped):
            return
        span = span or (node if isinstance(node, ast.JoinedStr) else None)
        yield node, span
        for child in ast.iter_child_nodes(node):
            if not any(child is part for part in skipped):
                yield from walk(child, span)

    yield from walk(tree, None)


class Swap(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def rewritten(old, new, span):
    """The text of a span with one node in it replaced."""
    if isinstance(old, ast.stmt):
        return ast.unparse(new)
    if span is None or span is old:
        return f"({ast.unparse(new)})"
    Swap(old, new).visit(span)
    text = ast.unparse(span)
    Swap(new, old).visit(span)
    return text


def sites(tree):
    """All changes of a file: a node, what may stand there, and the span to rewrite."""
    return [(old, new, span) for node, span in nodes(tree) for old, new in changes(node)]


def planted(path, text, tree, site):
    """The mutant of one site; None where the change is none or is no Python."""
    old, new, span = site
    where = span or old
    lines = text.encode().splitlines(keepends=True)
    begin = sum(map(len, lines[: where.lineno - 1])) + where.col_offset
    end = sum(map(len, lines[: where.end_lineno - 1])) + where.end_col_offset
    raw = text.encode()
    source = (raw[:begin] + rewritten(*site).encode() + raw[end:]).decode()
    try:
        if ast.dump(ast.parse(source)) == ast.dump(tree):
            return None
    except SyntaxError:
        return None
    return Mutant(path, where.lineno, f"{ast.unparse(old)}  ->  {ast.unparse(new)}", source)


# Which tests could see a mutant.


def module_of(path):
    parts = list(Path(path).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(root, path):
    """Modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse((root / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def uses(root, path, module):
    """How often a file uses names that it imports from a module."""
    nodes = list(ast.walk(ast.parse((root / path).read_text("utf-8"))))
    names = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }
    return sum(isinstance(node, ast.Name) and node.id in names for node in nodes)


def words(root, path):
    """Texts of a file up to their first space."""
    tree = ast.parse((root / path).read_text("utf-8"))
    return {node.value.split(" ")[0] for node in ast.walk(tree) if is_text(node)}


def labels(root, path):
    """Labels of the claims that are registered in a file."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse((root / path).read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "claim"
        and node.args
        and is_text(node.args[0])
    ]


class Suite:
    """The tests of a checkout, by the modules that they reach."""

    def __init__(self, root, files):
        self.root, self.files = root, files
        self.tests = [f for f in files if f.startswith("tests/") and is_test(f)]
        self.importers = defaultdict(set)
        for path in files:
            for name in imports(root, path):
                self.importers[name].add(path)
        commands = {Path(f).stem: f for f in files if Path(f).parent.name == "cli"}
        for test in self.tests:
            for word in words(root, test) & commands.keys():
                self.importers[module_of(commands[word])].add(test)

    def runs(self, path, most):
        """Arguments of the runs of pytest that could see a change of this file, in order."""
        return [*self._family(path), *([test] for test in self._nearest(path, most))]

    def _family(self, path):
        if "theorems" not in Path(path).parts:
            return []
        found = labels(self.root, path)
        for other in sorted(self.importers[module_of(path)]) if not found else ():
            if Path(other).parent == Path(path).parent:
                found += labels(self.root, other)
        if not found:
            return []
        chosen = " or ".join(f"[{label}]" for label in found)
        folders = [t for t in ("tests/power", "tests/bounds") if (self.root / t).is_dir()]
        return [[folder, "-k", chosen] for folder in folders]

    def _nearest(self, path, most):
        name, floor = Path(path).stem, Path(path).parts[0]

        def often(test):
            return uses(self.root, test, module_of(path))

        named = {f"test_{name}.py", f"test_checks_{name}.py"}
        if name.endswith("formulas") or "theorems" in Path(path).parts:
            named.add("test_claims.py")
        chosen = sorted(t for t in self.tests if Path(t).name in named)
        level, seen = {path}, {path}
        while level and len(chosen) < most:
            level = set().union(*(self.importers[module_of(f)] for f in level)) - seen
            seen |= level
            found = [t for t in level if t in self.tests and t not in chosen]
            chosen += sorted(found, key=lambda t: (t.split("/")[1] != floor, -often(t), t))
        # The families have runs of their own.
        return [t for t in chosen if not t.startswith(("tests/power/", "tests/bounds/"))][:most]


def is_test(path):
    return Path(path).name.startswith(("test_", "conftest"))


# A copy of the checkout in which tests run.


class Processes:
    """The runs that go on; after :meth:`stop` there are none, and none starts."""

    def __init__(self):
        self.running, self.lock, self.stopped = set(), threading.Lock(), False

    def exit_code(self, command, limit, **options):
        """Exit code of a command, None if time is up; nothing that it started is left."""
        with self.lock:
            if self.stopped:
                raise InterruptedError
            process = subprocess.Popen(command, start_new_session=True, **options)
            self.running.add(process)
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with self.lock:
                end(process)
                self.running.discard(process)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                end(process)


def end(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Copy:
    """A folder with two trees: one without a fault, and links to its files where tests run.

    Tests always run under the same path and with the same dates of files, so that the compiled code
    that is cached in the clean tree holds for a mutant, except for what the mutant changes.
    """

    def __init__(self, folder, root, processes):
        self.processes = processes
        self.clean, self.work, self.scratch = (folder / n for n in ("clean", "work", "scratch"))
        traces = os.environ.get("EVENKEEL_TRACES", root.parent / "shared" / "traces")
        drop = ("CI", "HYPOTHESIS_PROFILE", "PYTEST_ADDOPTS", "NUMBA_CACHE_DIR")
        self.environment = {k: v for k, v in os.environ.items() if k not in drop} | {
            "PYTHONPATH": str(self.work),
            "TMPDIR": str(self.scratch),
            "EVENKEEL_TRACES": str(traces),
        }

    def fill(self, root, files):
        """Copy the files of the checkout to where tests run."""
        for path in files:
            target = self.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target)

    def keep(self):
        """Take the tree, with what the runs have cached in it, as the clean one."""
        self.work.rename(self.clean)

    def plant(self, mutant):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.clean, self.work, copy_function=os.link)
        target = self.work / mutant.path
        target.unlink()  # else the clean tree changes with it
        target.write_text(mutant.source, "utf-8")

    def run(self, arguments, limit):
        """Exit code of pytest, None if time is up; 5 where no test fits."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        bounded = ["sh", "-c", f'ulimit -d {MEMORY_KIB}; exec "$@"', "sh", *pytest]
        return self.processes.exit_code(
            bounded,
            limit,
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def cases(report):
    """File, name, seconds and whether it passed of each test in a report of pytest."""
    for case in ElementTree.parse(report).iter("testcase"):
        folder, _, rest = case.get("classname").rpartition(".test_")
        file = f"{folder.replace('.', '/')}/test_{rest.split('.')[0]}.py"
        bad = case.find("failure") is not None or case.find("error") is not None
        yield file, case.get("name"), float(case.get("time")), not bad


class Judge:
    """Runs tests on mutants in copies of the checkout, after the tests alone have passed there."""

    def __init__(self, copies, suite, timeout, most):
        self.copies, self.suite, self.timeout, self.most = copies, suite, timeout, most
        self.idle = Queue()
        for place in self.copies:
            self.idle.put(place)
        self.seconds = {}

    def prepare(self, mutants):
        """Run every test of the sample once without a fault; what does not pass is left out."""
        runs = {tuple(r) for m in mutants for r in self.suite.runs(m.path, self.most)}
        first, *others = self.copies
        report = first.clean.parent / "tests.xml"
        say(f"tests without a mutant: {len({r[0] for r in runs})} files and folders")
        spread = ["-n", str(len(self.copies)), "--dist", "loadfile", f"--junitxml={report}"]
        first.run([*spread, *sorted({r[0] for r in runs})], None)
        first.keep()
        for other in others:
            shutil.copytree(first.clean, other.clean)
        found = list(cases(report))
        for run in sorted(runs):
            own = [c for c in found if self.fits(run, *c[:2])]
            if own and all(passed for *_, passed in own):
                self.seconds[run] = sum(seconds for _, _, seconds, _ in own)
            elif own:
                say(f"left out, fails without a mutant: {' '.join(run)}")

    def fits(self, run, file, name):
        """Whether a run has this test."""
        if len(run) == 1:
            return file == run[0]
        chosen = run[2].split(" or ")
        return file.startswith(run[0] + "/") and any(label in name for label in chosen)

    def verdict(self, mutant):
        runs = [r for r in self.suite.runs(mutant.path, self.most) if tuple(r) in self.seconds]
        if not runs:
            return NO_TEST
        files = [r[0] for r in runs if len(r) == 1]
        together = [r for r in runs if len(r) > 1] + ([files] if files else [])
        place = self.idle.get()
        try:
            place.plant(mutant)
            for arguments in together:
                own = [r for r in runs if r[0] in arguments]
                limit = self.timeout + 3 * sum(self.seconds[tuple(r)] for r in own)
                if place.run(["-x", *arguments], limit) not in (0, 5):
                    return CAUGHT
            return SURVIVED
        finally:
            self.idle.put(place)


def everything(root):
    """Files of the checkout: those that git knows and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return sorted({f for f in listed.split("\0") if f and (root / f).is_file()})


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def chosen(files, folders):
    """Python files in these folders, or these files, other than tests."""
    return [
        f
        for f in files
        if any(f == x or f.startswith(x.rstrip("/") + "/") for x in folders) and not is_test(f)
    ]


def sample(root, files, number, seed):
    """Mutants drawn without replacement from all changes of these files."""
    every = []
    for path in files:
        text = (root / path).read_text("utf-8")
        tree = ast.parse(text)
        every += [(path, text, tree, site) for site in sites(tree)]
    random.Random(seed).shuffle(every)
    found = (mutant for place in every if (mutant := planted(*place)))
    return list(islice(found, number))


def run(root, folders, number, seed, timeout, jobs, most):
    """Verdict on each mutant of a sample."""
    files = [f for f in everything(root) if f.endswith(".py")]
    mutants = sample(root, chosen(files, folders), number, seed)
    if not mutants:
        raise SystemExit(f"no code to change in {', '.join(folders)}")
    verdicts, processes = [], Processes()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        try:
            copies = [Copy(Path(folder, str(i)), root, processes) for i in range(jobs)]
            copies[0].fill(root, everything(root))
            judge = Judge(copies, Suite(root, files), timeout, most)
            judge.prepare(mutants)
            for mutant, verdict in zip(mutants, pool.map(judge.verdict, mutants), strict=True):
                place = f"{mutant.path}:{mutant.line}"
                say(f"{len(verdicts) + 1:4}  {verdict:8}  {place}  {mutant.change}")
                verdicts.append(verdict)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
    return list(zip(mutants, verdicts, strict=True))


def report(results):
    judged = [verdict for _, verdict in results if verdict != NO_TEST]
    caught = judged.count(CAUGHT)
    share = f" ({100 * caught / len(judged):.0f} %)" if judged else ""
    yield f"{caught} of {len(judged)} mutants caught{share}"
    for kind in (SURVIVED, NO_TEST):
        for mutant, verdict in results:
            if verdict == kind:
                yield f"{kind}  {mutant.path}:{mutant.line}  {mutant.change}"


def interrupt(*_):
    for number in SIGNALS:  # once is enough: a second one would leave files behind
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", default=FOLDERS, help="folders or files to change")
    parser.add_argument("--number", type=int, default=40, help="of mutants (40)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    parser.add_argument("--timeout", type=float, default=60, help="seconds beyond 3 x the tests'")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time (1)")
    parser.add_argument("--tests", type=int, default=12, help="test files for a mutant (12)")
    a = parser.parse_args(arguments)
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        results = run(Path.cwd(), a.folders, a.number, a.seed, a.timeout, a.jobs, a.tests)
    except KeyboardInterrupt:
        raise SystemExit("interrupted") from None
    print("\n".join(report(results)))


if __name__ == "__main__":
    main()
