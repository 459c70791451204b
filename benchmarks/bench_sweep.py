"""How a sweep scales over a Dask cluster of this machine: ``python -m benchmarks.bench_sweep``.

The same cells run on a cluster of one process and on one of as many as there are cores, in turn,
after each process has loaded what it runs.  Efficiency is the wall time of one over that of k, over
k.  The cores themselves lose something to each other, and to whatever else runs on the machine: the
reference is the same for cells that all processes run at once, each as many as the one, without any
scheduling.  Two measures feel less of that: the share of the time that a process has a cell to work
on, and the CPU time of all.
"""

import argparse
import logging
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.goals import Goal, Line, show, titled
from evenkeel.runs.executors import executor
from evenkeel.runs.workers import cores
from evenkeel.studies.grid import perform, read_sweep, run_sweep

SWEEP = """
name = "scaling"
rounds = 240
seeds = 40
[grid]
family = ["uniform"]
workers = [32]
slots = [72]
policy = ["fcfs", "bfio"]
"""


@contextmanager
def cluster_of(processes):
    """A cluster of so many processes of one thread, each of which has loaded what a cell needs."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run(sweep, client, folder):
    """Wall time of the sweep; time that each worker worked on cells, and CPU time, over all."""
    from distributed import get_task_stream

    before = sum(client.run(time.process_time).values())
    with (
        get_task_stream(client) as stream,
        executor(cluster=client.scheduler.address) as pool,
    ):
        start = time.perf_counter()
        run_sweep(sweep, folder, pool)
        wall = time.perf_counter() - start
    cpu = sum(client.run(time.process_time).values()) - before
    spans = [s for task in stream.data for s in task["startstops"] if s["action"] == "compute"]
    return wall, sum(s["stop"] - s["start"] for s in spans), cpu


def work(cells):
    """Run cells, all of them in this process."""
    for cell in cells:
        perform(cell)


def at_once(cells, client):
    """Wall time of the cells, which each process runs for itself."""
    start = time.perf_counter()
    client.run(work, cells)
    return time.perf_counter() - start


def lines(rounds=2):
    """Measure clusters of one process and of all cores, in turn."""
    most = cores()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scaling.toml").write_text(SWEEP, "utf-8")
        sweep = read_sweep(folder / "scaling.toml")
        yield titled(f"Sweep of {len(sweep.cells)} cells on a Dask cluster of this machine")
        with cluster_of(1) as one, cluster_of(most) as all_:
            for client in (one, all_):
                for cell in sweep.cells[:1], sweep.cells[-1:]:
                    client.run(perform, replace(cell[0], repeat=10**6))
            some, clients = sweep.cells[::4], (one, all_)
            found, unscheduled = [], []
            for i in range(rounds):
                unscheduled.append([at_once(some, client) for client in clients])
                found.append([run(sweep, c, folder / f"{i}-{k}") for k, c in enumerate(clients)])
    (wall, _, cpu), (wall_all, _, cpu_all) = np.min(found, axis=0)
    alone, alone_all = np.min(unscheduled, axis=0)
    busy = np.median([worked / (most * took) for _, (took, worked, _) in found])
    efficiency, reference = wall / wall_all / most, alone / alone_all
    for text, value, limit, at_least in (
        ("efficiency over that of the cores themselves", efficiency / reference, 0.9, True),
        ("share of the time with a cell to work on", busy, 0.9, True),
        ("CPU time over that of one", cpu_all / cpu, 1.1, False),
    ):
        goal = Goal(float(value), limit, at_least)
        yield Line(
            f"  {most} processes: {text} {value:.2f} "
            f"(at {'least' if at_least else 'most'} {limit}: {goal})",
            (goal,),
        )
    yield Line(f"  efficiency {efficiency:.2f}, of the cores themselves {reference:.2f}")
    walls = "; ".join(f"{a[0]:.1f}, {b[0]:.1f}" for a, b in found)
    yield Line(f"  wall s of one and of {most}: {walls}; CPU s {cpu:.1f}, {cpu_all:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="how often each is run")
    show(lines(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
