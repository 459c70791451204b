"""The price ladder: what each restriction of a scheduler costs, exactly, on small instances.

From the freest to the most restricted, each rung contains the schedules of the next:

    migrating  >=  pausing  >=  sticky  >=  sticky and work conserving  >=  an online policy

so the least costs rise along it: all rungs but the last are clairvoyant optima
(:mod:`solvers.schedule.problem`), the last are runs of work-conserving policies that see no output
length. The first step is from the work spread evenly, ``G M = W / K`` at every step, to the best
that any schedule can do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solvers.policies.protocol import Policy
from solvers.schedule.problem import OfflineProblem, Rule
from solvers.schedule.solve import solve_by_states, solve_offline
from solvers.simulation.engine import simulate
from solvers.simulation.result import Totals
from theory.model import InputError, Requests, System

ONLINE_POLICIES = ("bfio", "fcfs")

# Clairvoyant rungs: name, rule, work conserving.
OPTIMA = (
    ("migrating", Rule.MIGRATING, False),
    ("pausing", Rule.PAUSING, False),
    ("sticky", Rule.STICKY, False),
    ("work conserving", Rule.STICKY, True),
)


@dataclass(frozen=True, slots=True)
class Restriction:
    """The least cost under one restriction, or the cost of a policy.

    Parameters
    ----------
    name : str
        ``"migrating"``, ``"pausing"``, ``"sticky"``, ``"work conserving"`` or a policy.
    totals : Totals
        Of a schedule with the least sum of largest loads, or of the policy's run.
    """

    name: str
    totals: Totals


def price_ladder(
    system: System, requests: Requests, policies: Sequence[str | Policy] = ONLINE_POLICIES
) -> tuple[Restriction, ...]:
    """The least total imbalance under each restriction, exactly; the online policies last.

    The total imbalance ``G sum_k M(k) - W`` and the sum of the largest loads, which is the time
    where steps have no overhead, have the same optima.  Every policy sees the whole backlog.

    Parameters
    ----------
    system : System
        With a constant drift.
    requests : Requests
        A backlog of about 7 requests.
    policies : sequence of str or Policy
        Work-conserving policies.

    Raises
    ------
    InputError
        If the instance is too large, or has arrival times.
    """
    rungs = []
    for name, rule, conserving in OPTIMA:
        solve = solve_offline if rule is Rule.STICKY else solve_by_states
        best = solve(OfflineProblem(system, requests, rule, conserving))
        if not best.optimal:
            raise InputError(f"the instance is too large for the optimum {name!r}")
        rungs.append(Restriction(name, best.totals))
    for policy in policies:
        run = simulate(system, requests, policy, pool=len(requests))
        rungs.append(Restriction(run.policy, run.total))
    return tuple(rungs)
