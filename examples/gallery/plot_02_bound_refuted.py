"""
Is my bound true?
=================

A conjecture: after an optimal step the largest load exceeds the least by at most the largest size
in the pool. A claim is a class; its check looks at every small step, in exact integers, and stops
at the first that breaks it.
"""

from itertools import product

import numpy as np

from evenkeel import Cases, StepProblem, claim, claim_of, evidence, near, solve_step


@claim("mine.gap", "upper")
class Gap:
    """The gap after an optimal step.

    After a step of least imbalance the loads differ by at most the largest size in the pool.
    """

    @evidence(measures="gap (load)", plants=(near(),), workers=2, largest=3)
    def check(self, trial):
        """Every step of two workers with loads up to 3, 0 or 1 free slots, one request."""
        cases = Cases("<=")
        values = range(trial["largest"] + 1)
        for low, high, free_low, free_high, size in product(values, values, (0, 1), (0, 1), values):
            if not size or free_low + free_high == 0:
                continue
            step = StepProblem([low, high], [free_low, free_high], [size])
            after = step.loads_after(solve_step(step, effort=1).assignment)
            if cases.add(
                int(np.ptp(after)),
                size * trial.scale,
                lambda step=step, after=after: {
                    "loads": step.loads, "free": step.free, "pool": step.pool, "after": after,
                },
            ):  # fmt: skip
                break
        return cases.finding(trial, "all small steps")


check = claim_of("mine.gap").check
finding = check.hold(check.trial())
print(finding.summary())

# %%
# It is false: a worker without a free slot cannot be helped. The witness, as a picture:
step = StepProblem(*(finding.witness[name] for name in ("loads", "free", "pool")))
solve_step(step).plot(problem=step)
