"""All benchmarks and a table of their goals: ``python -m benchmarks [NAME ...]``.

A line of a benchmark that measures a goal says ``pass``, ``ok`` or ``reached``, or else ``missed``
in small or capital letters.  Each such line is a row of the table, under the last heading above
it: a line that is not indented and that has a colon or an empty line above.
"""

import argparse
import re
import subprocess
import sys
import time

# In the order in which they run; hot_paths has ratios and no goals, as has bench_worst_cases, which
# keeps its own tables and is not run here.
NAMES = ("hot_paths", "step", "exact", "window", "engine", "growth")
LIMIT_S = 600
COLUMNS = "min,median,ops"

MARK = re.compile(r"\b(pass|ok|reached|missed)\b", re.IGNORECASE)


def lines_of(name):
    """Run one benchmark and yield its lines as they come."""
    module = [f"benchmarks.bench_{name}"]
    if name == "hot_paths":
        module = ["pytest", "-q", "benchmarks/test_hot_paths.py", f"--benchmark-columns={COLUMNS}"]
    command = [sys.executable, "-u", "-m", *module]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield from process.stdout
    if process.returncode:
        raise SystemExit(f"{' '.join(command[2:])} failed with status {process.returncode}")


def goals_of(lines):
    """Heading, line and whether all of its goals are reached, for each line with a mark."""
    heading, before = "", ""
    for line in lines:
        marks = [mark.lower() for mark in MARK.findall(line)]
        if marks:
            yield heading, " ".join(line.split()), "missed" not in marks
        elif line.strip() and not line.startswith(" ") and (not before.strip() or ": " in line):
            heading = line.split(": ")[0].strip()
        before = line


def echoed(lines):
    for line in lines:
        print(line, end="", flush=True)
        yield line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    start = time.perf_counter()
    rows = []
    for name in names:
        print(f"\n=== {name} ===", flush=True)
        begun = time.perf_counter()
        rows += [(name, *goal) for goal in goals_of(echoed(lines_of(name)))]
        print(f"({name}: {time.perf_counter() - begun:.0f} s)", flush=True)
    spent = time.perf_counter() - start
    rows.append(("all", "", f"{spent:.0f} s, at most {LIMIT_S}", spent <= LIMIT_S))
    print("\n=== goals ===")
    above = None
    for name, heading, line, reached in rows:
        if (name, heading) != above:
            above = name, heading
            print(f"{name}: {heading}" if heading else name)
        print(f"  {'pass  ' if reached else 'MISSED'}  {line}")
    print(f"\n{sum(row[-1] for row in rows)} of {len(rows)} goals are reached.")


if __name__ == "__main__":
    main()
