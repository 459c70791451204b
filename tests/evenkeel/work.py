"""What the workers of tests/evenkeel/test_workers.py do: a module that is loaded in no time."""

import os
import sys
import threading
import time
from typing import Any


def this(_: Any = None) -> int:
    return os.getpid()


def exit_with(how: Any) -> None:
    how()


class OddError(Exception):
    """Can be pickled, but not back."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def odd() -> None:
    raise OddError(1, 2)


def fails(error: Exception) -> None:
    raise error


def load(path: str) -> None:
    sys.path.insert(0, path)
    import loaded_once  # noqa: F401


def start_thread() -> None:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()


def threads_and_setting() -> tuple[int, str | None]:
    import numpy  # noqa: F401

    # The thread that waits for the parent is one of them.
    return len(os.listdir("/proc/self/task")), os.environ.get("OPENBLAS_NUM_THREADS")


def call(spec: str) -> None:
    from theory.own import own

    own(spec)()


def imported(name: str) -> bool:
    return name in sys.modules
