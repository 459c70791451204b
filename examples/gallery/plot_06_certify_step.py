"""
Is this step optimal, and can I know without trusting the solver?
=================================================================

A certificate holds the step, the assignment and an argument that nothing is better. One short file
of the standard library checks it, in a process that cannot import evenkeel.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import solvers.checker
from evenkeel import StepProblem, solve_step
from solvers.certificates import certify_step, to_text

step = StepProblem([120, 85, 97, 140], [2, 3, 1, 1], [50, 48, 31, 22, 22, 17, 12, 9, 4])
solution = solve_step(step, effort=2)
certificate = certify_step(step, solution)
print(solution.summary())

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "step.json"
    path.write_text(to_text(certificate))
    # -I -S: no site packages, no current folder.
    command = [sys.executable, "-I", "-S", solvers.checker.__file__, path.name]
    print(subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout)

# %%
solution.plot(problem=step)
