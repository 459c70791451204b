"""The numbers of one run, nested for JSON or as a flat row, and the table of several runs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.output import table
from solvers.simulation.result import RunResult, Totals
from theory.power import OwnLaw, PowerModel

if TYPE_CHECKING:
    import polars

# So many workers are listed one by one.
SHOWN = 16


def summary(run: RunResult, power: PowerModel | OwnLaw) -> dict[str, Any]:
    """The numbers of one run, JSON-ready.

    Parameters
    ----------
    run : RunResult
        Run with the sums for the exponents of :func:`exponents`.
    power : PowerModel or OwnLaw
        Of every worker.

    Returns
    -------
    dict
        Shares in [0, 1], times in seconds, throughput in output tokens per second, energy in
        joules, with its least and largest value over what is uncertain of the device; latencies and
        waiting times are None where there are no requests.
    """
    per_token = run.time_per_output_token_s
    return {
        "policy": run.policy,
        "whole": _totals(run.total),
        "overloaded": _totals(run.overloaded),
        "time_s": run.time_s,
        "throughput_tokens_per_s": run.throughput,
        "tpot_mean_s": float(per_token.mean()) if per_token.size else None,
        "tpot_p99_s": float(np.quantile(per_token, 0.99)) if per_token.size else None,
        "waiting_max_steps": int(run.waiting_steps.max(initial=0)),
        "waiting_mean_steps": float(run.waiting_steps.mean()) if per_token.size else None,
        "energy_j": run.energy_j(power),
        "energy_range_j": power.over(run.energy_j)
        if isinstance(power, PowerModel) and power.unknown
        else None,
        "unproved_imbalance": run.bound_gap,
    }


def exponents(power: PowerModel | OwnLaw) -> tuple[float, ...]:
    """The exponents for which a run must keep sums, in order; none where its loads are kept."""
    if isinstance(power, OwnLaw):
        return ()
    return tuple(sorted({power.gamma, *(device.gamma for device in power.possible)}))


def by_worker(run: RunResult) -> dict[str, Any]:
    """What each worker did, JSON-ready: requests, work in tokens, idle time in seconds and share.

    The idle time is what a worker waits at the barrier; the fixed part of a step is not in it.
    """
    idle, busiest = run.idle_by_worker, run.total.sum_max
    return {
        "requests": run.requests_by_worker.tolist(),
        "work": run.work_by_worker.tolist(),
        "idle_s": (idle * run.system.seconds_per_token).tolist(),
        "idle_share": (idle / busiest).tolist() if busiest else [None] * run.system.workers,
    }


def worker_table(policies: list[str], workers: list[dict[str, Any]]) -> str:
    """The workers of several runs side by side, a line for each worker.

    Of many workers those with the fewest and the most requests are shown, and the median.

    Parameters
    ----------
    policies : list of str
        Names of the runs' policies.
    workers : list of dict
        Their :func:`by_worker`.
    """
    runs = [list(zip(*run.values(), strict=True)) for run in workers]
    count = len(runs[0])
    names = [f"{g}" for g in range(count)]
    if count > SHOWN:
        for rows_of_run in runs:
            rows_of_run.sort(key=lambda row: (row[0], row[1]))
        chosen = [0, count // 2, count - 1]
        names = ["fewest requests", "median", "most requests"]
        runs = [[rows_of_run[g] for g in chosen] for rows_of_run in runs]
    head = [f"{title} {name}" for name in policies for title in ("requests", "idle s", "idle")]
    cells = [
        [
            text
            for number, _, idle, share in at_worker
            for text in (f"{number}", f"{idle:.2f}", percent(share))
        ]
        for at_worker in zip(*runs, strict=True)
    ]
    return table(("worker", *head), [(name, *row) for name, row in zip(names, cells, strict=True)])


def request_rows(runs: Sequence[RunResult]) -> "polars.DataFrame":
    """What became of every request of some runs, as :meth:`RunResult.to_polars` has it."""
    import polars

    return polars.concat([run.to_polars() for run in runs])


def flat_summary(run: RunResult, power: PowerModel) -> dict[str, Any]:
    """The same as one flat row, without the policy: ``whole_steps``, ``energy_j`` and so on."""
    row: dict[str, Any] = {}
    for key, value in summary(run, power).items():
        if isinstance(value, Mapping):
            row |= {f"{key}_{part}": number for part, number in value.items()}
        elif key == "energy_range_j":
            row["energy_least_j"], row["energy_most_j"] = value or (run.energy_j(power),) * 2
        elif key != "policy":
            row[key] = value
    return row


def summary_types() -> dict[str, Any]:
    """Polars types of the columns of :func:`flat_summary` that may be empty."""
    import polars

    shares = ("whole_idle_share", "overloaded_idle_share")
    times = ("tpot_mean_s", "tpot_p99_s", "waiting_mean_steps")
    return {"unproved_imbalance": polars.Int64, **dict.fromkeys(shares + times, polars.Float64)}


def _totals(total: Totals) -> dict[str, Any]:
    return {
        "steps": total.steps,
        "work": total.work,
        "imbalance": total.imbalance,
        "avg_imbalance": float(total.avg_imbalance),
        "idle_share": float(total.idle_share) if total.steps else None,
    }


def percent(share: float | None) -> str:
    """A share in per cent, one decimal.

    >>> percent(0.1234), percent(None)
    ('12.3 %', 'n/a')
    """
    return "n/a" if share is None else f"{100 * share:.1f} %"


def rows(numbers: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The table of several :func:`summary`: a row for each quantity, a column for each run."""

    def part(name: str) -> list[tuple[str, ...]]:
        totals: list[Mapping[str, Any]] = [run[name] for run in numbers]
        return [
            (f"steps, {name}", *(f"{t['steps']}" for t in totals)),
            (f"idle share, {name}", *(percent(t["idle_share"]) for t in totals)),
            (
                f"average imbalance (tokens), {name}",
                *(f"{t['avg_imbalance']:.1f}" if t["steps"] else "n/a" for t in totals),
            ),
        ]

    def line(title: str, key: str, factor: float, digits: int) -> tuple[str, ...]:
        values = [run[key] for run in numbers]
        return title, *("n/a" if v is None else f"{factor * v:.{digits}f}" for v in values)

    spans = []
    if any(run["energy_range_j"] for run in numbers):
        ends = [run["energy_range_j"] for run in numbers]
        texts = (f"{1e-3 * low:.1f} to {1e-3 * high:.1f}" for low, high in ends)
        spans = [("energy over what is uncertain (kJ)", *texts)]
    return [
        *part("overloaded"),
        *part("whole"),
        line("time (s)", "time_s", 1, 2),
        line("throughput (output tokens/s)", "throughput_tokens_per_s", 1, 0),
        line("time per output token, mean (ms)", "tpot_mean_s", 1e3, 2),
        line("time per output token, p99 (ms)", "tpot_p99_s", 1e3, 2),
        line("waiting, mean (steps)", "waiting_mean_steps", 1, 1),
        line("waiting, longest (steps)", "waiting_max_steps", 1, 0),
        line("energy (kJ)", "energy_j", 1e-3, 1),
        *spans,
    ]
