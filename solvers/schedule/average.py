"""The schedule of a backlog with the least average imbalance."""

from dataclasses import replace

from solvers.schedule.problem import OfflineProblem, Schedule
from solvers.schedule.solve import solve_offline


def best_average(problem: OfflineProblem) -> Schedule:
    """The schedule with the least average imbalance ``AvgImb = (G sum_k M(k) - W) / K``.

    By Dinkelbach: with the best ratio ``p/q`` so far, minimise ``q (G sum_k M(k) - W) - p K`` until
    nothing is below 0.  A longer schedule has a larger denominator, so the optimum may waste time
    on purpose; it is a yardstick for AvgImb as it is defined, not a recommendation.

    Parameters
    ----------
    problem : OfflineProblem
        Its costs are not used.

    Returns
    -------
    Schedule
        Read the value from ``totals.avg_imbalance``; ``cost`` and ``lower_bound`` are those of the
        last comparison.
    """
    best = problem.first()
    while True:
        ratio = best.totals.avg_imbalance
        G, q, p = problem.system.workers, ratio.denominator, ratio.numerator
        trial = replace(problem, level_cost=G * q, step_cost=-p)
        found = solve_offline(trial)
        if found.cost >= q * problem.work:
            return trial.schedule(best.place, q * problem.work)
        best = found
