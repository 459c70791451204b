"""Lengths drawn from the rows of a trace, for studies of many runs in many processes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adversary.workloads.reading import DEFAULT, Reading
from theory.content import STDIN
from theory.model import InputError, Requests

if TYPE_CHECKING:
    from adversary.workloads.traces import Trace


@dataclass(frozen=True, slots=True)
class Source:
    """A trace file, and how to read it; every process reads it once."""

    path: str
    reading: Reading = DEFAULT

    def trace(self, progress: Callable[[int], None] | None = None) -> "Trace":
        """The trace, read at the first call.

        Raises
        ------
        InputError
            If it cannot be read, or is standard input, which only one process can read.
        """
        if self.path == STDIN:
            raise InputError("a study reads its trace in several processes: give a file, not -")
        if self not in _READ:
            from adversary.workloads.traces import read_trace  # loads what reads files

            _READ[self] = read_trace(self.path, self.reading, progress=progress)
        return _READ[self]

    @property
    def label(self) -> str:
        """Name of the file and digest of the lengths: what the draws depend on."""
        requests = self.trace().requests
        lengths = requests.prefill.tobytes() + requests.decode.tobytes()
        return f"{Path(self.path).name} {hashlib.sha256(lengths).hexdigest()[:12]}"

    def draw(self, count: int, seed: int) -> Requests:
        """A backlog of so many rows, drawn with replacement."""
        requests = self.trace().requests
        rows = np.random.default_rng(seed).integers(len(requests), size=count)
        return Requests(requests.prefill[rows], requests.decode[rows])


_READ: "dict[Source, Trace]" = {}
