"""The process that makes machine code ahead: what it makes, and that it ends."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from solvers.compile_ahead import kernels
from solvers.kernel_linking import called_by
from solvers.step.fast.solve import balance


def test_what_is_made_ahead_is_what_a_step_calls():
    numbers = np.zeros(1, np.int64)
    balance(numbers, numbers, numbers, 1, numbers)
    (code,) = balance.overloads.values()
    left, called = [code.library], set()
    while left:
        for part in called_by(left.pop()):
            if part not in called:
                called.add(part)
                kernel = getattr(sys.modules[part.module], part.kernel)
                left.append(kernel.code_of(part.types).library)
    found = {(part.module, part.kernel, part.types) for part in called}
    for kernel, types in kernels():
        assert (kernel.py_func.__module__, kernel.py_func.__name__, types) in found
    kernel, types = kernels()[0]
    assert (kernel.py_func.__module__, kernel.py_func.__name__, types[:1]) not in found


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc")
@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), 9)"])
def test_the_process_ends_with_the_one_that_started_it(end, tmp_path):
    code = (
        "import os; from solvers.compile_ahead import start; child = start(); "
        f"print(child.pid, flush=True); {end}"
    )
    # In an empty folder it has ten seconds of work to do.
    kept = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=False
    )
    child = int(done.stdout)
    until = time.monotonic() + 5
    while os.path.isdir(f"/proc/{child}") and time.monotonic() < until:
        time.sleep(0.01)
    assert not os.path.isdir(f"/proc/{child}")
