"""A policy that sees what no policy may see, to be planted where a claim rests on not seeing it."""

import numpy as np

from solvers.policies.protocol import StepView
from solvers.step.problem import WAITS, Assignment
from theory.model import Requests


class Peeking:
    """Oldest requests first, like FCFS, but the longest of them go to the first free slots.

    It sees no size and it skips nobody; the output lengths alone decide who goes where.

    Parameters
    ----------
    requests : Requests
        The requests of the run in arrival order, their hidden output lengths among them.
    """

    name = "peeking"

    def __init__(self, requests: Requests) -> None:
        self.lengths = requests.decode
        self.admitted = 0

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        n = view.admissions
        lengths = self.lengths[self.admitted : self.admitted + n]
        self.admitted += n
        answer = np.full(view.pool.size, WAITS, dtype=np.int64)
        slots = np.repeat(np.arange(view.free.size), view.free)[:n]
        answer[np.argsort(-lengths, kind="stable")] = slots
        return answer
