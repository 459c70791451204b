"""The memory that ``docs/scale.md`` says a run needs is that of its arrays."""

import tracemalloc

import numpy as np
import pytest

from solvers.simulation.engine import simulate
from solvers.simulation.loop_by_size import SortedPool
from solvers.simulation.state import new_run
from theory.model import INT_LIMIT, Requests, System

PER_REQUEST = ("prefill", "decode")
OF_REQUEST = ("worker", "reveal_step", "start_step", "start_s", "finish_s")
IN_SERVICE = ("active", "following", "free_slots")
OF_WORKERS = ("loads", "free", "weight", "candidate")


def backlog(n):
    rng = np.random.default_rng(0)
    return Requests(rng.integers(1, 1001, n), rng.geometric(1 / 36, n))


@pytest.mark.parametrize(("G", "B", "n"), [(3, 4, 50), (10, 72, 5_000), (40, 9, 100)])
def test_arrays_of_a_run_take_what_the_page_says(G, B, n):
    requests = backlog(n)
    run = new_run(System(G, B), requests, 8 * G, np.empty(0), history=False)

    def size(names):
        return sum(getattr(run, name).nbytes for name in names)

    assert size(PER_REQUEST) == 16 * n
    assert size(OF_REQUEST) == 40 * n
    # Four entries of working space stand behind the slots.
    assert size(IN_SERVICE) == 36 * min(G * B, n) + 4 * 8
    assert size(OF_WORKERS) == 32 * G
    longest = int(requests.decode.max())
    assert longest <= run.bucket.size < 2 * longest
    assert run.bucket.nbytes == 4 * run.bucket.size
    named = {*PER_REQUEST, *OF_REQUEST, *IN_SERVICE, *OF_WORKERS, "bucket"}
    rest = sum(np.asarray(getattr(run, name)).nbytes for name in set(run._fields) - named)
    assert rest < 1000
    assert sum(array.nbytes for array in SortedPool.of_length(8 * G)) == 40 * 8 * G


@pytest.mark.parametrize("policy", ["fcfs", "bfio"])
def test_a_run_allocates_little_else(policy):
    # The run of the page, 10,000 times smaller in requests and 1,000 times in workers.
    G, B, n = 10, 72, 100_000
    requests = backlog(n)
    simulate(System(2, 2), backlog(8), policy)
    tracemalloc.start()
    run = simulate(System(G, B), requests, policy, pool=8 * G)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = 40 * n + 36 * G * B
    assert expected <= peak <= 1.1 * expected
    # As many steps as output tokens fill, but for the last requests.
    assert run.total.steps == pytest.approx(requests.decode.sum() / (G * B), rel=0.15)


def test_the_page_adds_up():
    G, B, n, steps = 10_000, 72, 10**9, 50_000
    assert (16 * n, 40 * n) == (16 * 10**9, 40 * 10**9)
    assert pytest.approx(26e6, rel=0.01) == 36 * G * B
    assert (3_200_000, pytest.approx(29e6, rel=0.01)) == (40 * 8 * G, 40 * G * B)
    assert n * 36 == steps * G * B
    assert pytest.approx(22e6, rel=0.02) == 2**31 // 96
    assert 96 * n <= 90 * 2**30
    # Mean size 500.5, mean length 36, E[o (o - 1)] / 2 = 35 * 36 for geometric lengths.
    work = 500.5 * 36 + 35 * 36
    assert G * n * work / INT_LIMIT == pytest.approx(0.04, rel=0.05)
