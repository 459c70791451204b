"""The sample trace that ships with the project: synthetic, so that everyone has a first run."""

from pathlib import Path

import numpy as np

SAMPLE_TRACE = Path(__file__).parent / "sample_trace.csv"

_ROWS = 3000
SEED = 2601_17855


def sample_trace_csv() -> str:
    """The text of :data:`SAMPLE_TRACE`: 3,000 requests over about seven minutes.

    Two thirds are chats (short prompts, geometric output lengths of mean 120), a quarter are
    questions about long documents (long prompts, geometric of mean 40), and the rest batch jobs
    of one size that are answered at length.  Arrivals are Poisson, five a second and ten in every
    second minute.  All numbers are made up; none is fitted to anyone's data.
    """
    rng = np.random.default_rng(SEED)
    kind = rng.choice(3, _ROWS, p=[8 / 12, 3 / 12, 1 / 12])
    chat = 20 + rng.geometric(1 / 280, _ROWS)
    document = rng.integers(1500, 6000, _ROWS, endpoint=True)
    prefill = np.select([kind == 0, kind == 1], [chat, document], 900)
    decode = rng.geometric(np.select([kind == 0, kind == 1], [1 / 120, 1 / 40], 1 / 300))
    lines = ["arrival,prefill,decode"]
    now_ms = 0
    for gap, s, o in zip(rng.geometric(1 / 200, _ROWS), prefill, decode, strict=True):
        now_ms += int(gap) // 2 if now_ms // 60_000 % 2 else int(gap)
        lines.append(f"{now_ms / 1000:.3f},{s},{o}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    SAMPLE_TRACE.write_text(sample_trace_csv(), encoding="utf-8", newline="\n")
