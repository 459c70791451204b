"""All benchmarks and a table of their goals: ``python -m benchmarks [NAME ...]``.

Each runs in a process of its own, so that none measures what another has compiled or allocated.
"""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.goals import Goal, Line, measured

# In the order in which they run; hot_paths has ratios and no goals, as has bench_worst_cases, which
# keeps its own tables and is not run here.
NAMES = ("hot_paths", "step", "exact", "machines", "window", "engine", "growth", "sweep")
LIMIT_S = 720
HOT_PATHS = (
    *(sys.executable, "-m", "pytest", "-q", "benchmarks/test_hot_paths.py"),
    "--benchmark-columns=min,median,ops",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    names = parser.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    start = time.perf_counter()
    found = []
    for name in names:
        print(f"\n=== {name} ===", flush=True)
        begun = time.perf_counter()
        if name == "hot_paths":
            subprocess.run(HOT_PATHS, check=True)
        else:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                found += [(name, *goal) for goal in process.submit(measured, name).result()]
        print(f"({name}: {time.perf_counter() - begun:.0f} s)", flush=True)
    spent = Goal(time.perf_counter() - start, LIMIT_S)
    found.append(("all", "", Line(f"{spent.value:.0f} s, at most {LIMIT_S}", (spent,))))
    print("\n=== goals ===")
    above = None
    for name, title, line in found:
        if (name, title) != above:
            above = name, title
            print(f"{name}: {title}" if title else name)
        print(f"  {'pass  ' if line.reached else 'MISSED'}  {' '.join(line.text.split())}")
    print(f"\n{sum(line.reached for *_, line in found)} of {len(found)} goals are reached.")


if __name__ == "__main__":
    main()
