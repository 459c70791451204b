"""A second process that makes machine code of the step solver, while the first makes other code.

It begins with what a run asks for last.  Each finds on disk what the other has made
(:mod:`solvers.kernel_cache`), so that a first run takes two thirds of the time on two cores.
"""

import atexit
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
from numba import typeof

from solvers.step.bounds.nested import nested_bound
from solvers.step.fast.enumeration import best_choice
from solvers.step.fast.local_moves import level_out
from solvers.step.fast.partial_assignment import Plan, fill
from solvers.step.fast.solve import finish, improve
from solvers.step.sorted_sizes import Pool
from theory.provenance import house_path


def start() -> "subprocess.Popen[bytes]":
    """Start that process, which ends with this one at the latest."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:] = {house_path()!r}; "
            "from solvers.compile_ahead import make; make()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which ends the other
    )
    atexit.register(_end, child)
    return child


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.communicate()


def kernels() -> list[tuple[Any, tuple[Any, ...]]]:
    """What is made, with the types that a run has it for, in order."""
    numbers, words = np.empty(0, np.int64), np.empty(0, np.uint64)
    plan = Plan(numbers, numbers, numbers, numbers, words, words)
    pool = Pool(numbers, numbers, numbers, 0, 0)
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (level_out, (plan, pool)),
        (improve, (plan, pool, 0, 0, 0)),
        (nested_bound, (numbers, numbers, pool, 0, 0, 0, 0, numbers)),
        (finish, (plan, pool, numbers)),
        (fill, (plan, pool, 0, 0.0)),
        (best_choice, (plan, pool)),
    ]
    return [(kernel, tuple(map(typeof, arguments))) for kernel, arguments in calls]


def make() -> None:
    """Make the machine code; the process ends when its standard input does."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    for kernel, types in kernels():
        kernel.code_of(types)


def _end_with_input() -> None:
    os.read(0, 1)
    os._exit(0)
