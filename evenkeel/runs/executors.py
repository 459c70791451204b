"""Where the work of a run is done: processes of this machine, or a Dask cluster.

Both are a :class:`concurrent.futures.Executor`; what a run yields depends on neither.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from typing import TypeVar

import click

from evenkeel.runs.workers import Workers, cores
from theory.model import InputError

jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes on this machine.  [default: all cores]"
)
cluster_option = click.option(
    "--cluster", metavar="ADDRESS", help="Dask scheduler to run on, such as tcp://host:8786."
)

Item = TypeVar("Item")
Result = TypeVar("Result")

# A scheduler that does not answer within this time is not there.
CONNECT_S = 10


def simulator() -> None:
    """Load what runs policies, which most work does, and what the first kernel has numba load."""
    import numpy as np

    import solvers.simulation.engine  # noqa: F401
    from solvers.arrays import sum_of

    sum_of(np.zeros(1, np.int64))


@contextmanager
def executor(
    jobs: int | None = None,
    cluster: str | None = None,
    ready: Callable[[], object] | None = simulator,
) -> Iterator[Executor]:
    """An executor; where its block ends with an error, the work that is under way ends too.

    Parameters
    ----------
    jobs : int, optional
        Processes of this machine; all cores by default.
    cluster : str, optional
        Address of a Dask scheduler, whose workers have evenkeel installed.
    ready : callable, optional
        Loads what the work needs, for all processes of this machine at once; nothing that starts
        threads, as polars does.  None where each piece of work loads what it needs.

    Raises
    ------
    InputError
        If both are given, if Dask is not installed, or if the scheduler does not answer.
    """
    if cluster is not None:
        if jobs is not None:
            raise InputError("give --jobs or --cluster, not both")
        with _cluster(cluster) as remote:
            yield remote
        return
    pool = Workers(jobs or cores(), ready)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False)
        raise
    pool.shutdown()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--cluster needs Dask: pip install 'evenkeel[cluster]'") from error
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        yield client.get_executor(pure=False)  # no two tasks are the same: not looked for


def completed(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[tuple[Item, Result]]:
    """Each item with the result of its work, as they end.

    An error in the work is raised where its item is due.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as pool:
    ...     sorted(completed(pool, abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    futures = {pool.submit(work, item): item for item in items}
    for future in as_completed(futures):
        yield futures[future], future.result()
