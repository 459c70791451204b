"""The clairvoyant optimum under ever stricter rules."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Case, Cases, without
from evenkeel.theorems.offline.domains import DOMAINS, instances, witness_of_backlog
from evenkeel.theorems.registry import Assumption, claim
from solvers.schedule.price_ladder import price_ladder
from solvers.simulation.engine import simulate
from theory.disproof import imbalance_at, violated
from theory.model import Requests, System
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least
from theory.symbolic import sp

# Online policies of the last rung.
ONLINE = ("fcfs", "jsq", "least_loaded", "bfio", "bfio:horizon=2,predictor=oracle")

# Neighbouring rungs, and the work spread evenly below the first.
LINKS = ("staying", "no pauses", "conserving", "online", "spread evenly")


@claim(
    "offline.ladder",
    "order",
    assumptions=(
        Assumption.BACKLOG,
        Assumption.CONSTANT_DRIFT,
        Assumption.SAME_REQUESTS,
        Assumption.STICKY,
        Assumption.WORK_CONSERVING,
    ),
)
class Ladder:
    """Each restriction of a schedule costs something or nothing.

    On every backlog the least total imbalance rises along: migrating, pausing on one worker,
    sticky, sticky and work conserving (all clairvoyant), any sticky work-conserving online policy
    that sees the whole backlog; so does the least sum of largest loads, which is at least W/G.
    """

    def proof(self) -> tuple[Step, ...]:
        G, W, freer, stricter = sp.symbols("G W Sigma_1 Sigma_2", positive=True)
        return (
            Lemma(
                "inclusion",
                "A sticky schedule is one with pauses that makes none, and one with pauses is a "
                "migrating one that never moves; a work-conserving schedule is a schedule, and "
                "the run of a work-conserving policy is a work-conserving sticky schedule.  The "
                "least of a set is at most that of a part of it.",
            ),
            Lemma(
                "work",
                "A request weighs s + (j - 1) delta in its j-th active step under every rule, so "
                "all schedules have the same work W.",
            ),
            Identity(
                "The order of the sums of largest loads is that of the total imbalances",
                (G * stricter - W) - (G * freer - W),
                G * (stricter - freer),
            ),
        )

    @evidence(
        random=12,
        requests=5,
        standard={"random": 150, "requests": 6},
        measures="imbalance on the freer of two neighbouring rungs (load x steps)",
        plants=(
            *(
                Variant(f"at most 0.95 of the rung below: {link}", Fraction(19, 20), side=link)
                for link in LINKS
            ),
            Variant("a slot fewer for the migrating", fault="fewer-slots"),
            Variant("sticky and work conserving exchanged", fault="exchanged"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact optima under each rule, on whole domains and on random backlogs; an instance on
        which a freer rule costs more refutes it.
        """
        rng = np.random.default_rng(trial.seed)
        backlogs = list(instances(DOMAINS[0], 1)) + list(instances((2, 2, 3, 3, 2), 1))
        for _ in range(trial["random"]):
            G, B, n = int(rng.integers(2, 4)), int(rng.integers(1, 3)), trial["requests"]
            system = System(G, B, (int(rng.integers(0, 3)),))
            backlogs.append((system, Requests(rng.integers(1, 9, n), rng.integers(1, 4, n))))
        policies = trial.users() or ONLINE

        def links() -> Iterator[Case]:
            for number, (system, requests) in enumerate(backlogs):
                rungs = price_ladder(system, requests, ())
                names = [rung.name for rung in rungs]
                values = [rung.totals.imbalance for rung in rungs]
                if trial.fault("fewer-slots") and system.slots > 1:
                    narrow = System(system.workers, system.slots - 1, system.drift)
                    values[0] = price_ladder(narrow, requests, ())[0].totals.imbalance
                if trial.fault("exchanged"):
                    values[2], values[3] = values[3], values[2]
                found = list(zip(LINKS, pairwise(names), pairwise(values), strict=False))
                # Runs of all policies on every tiny backlog would cost more than they say.
                for policy in policies if number % 5 == 0 or trial.policy else ():
                    run = simulate(system, requests, policy, pool=len(requests))
                    sides = values[-1], run.total.imbalance
                    found.append(("online", (names[-1], run.policy), sides))
                # The sums of largest loads are no less than the work spread evenly.
                whole = rungs[0].totals
                evenly = whole.work, system.workers * whole.sum_max
                found.append(("spread evenly", ("work", "G sum of largest loads"), evenly))
                for link, (below, above), (freer, stricter) in found:
                    witness = witness_of_backlog(
                        system, requests, **{below: freer, above: stricter}
                    )
                    yield freer, stricter * trial.scale_of(link), witness

        cases = Cases("<=")
        cases.extend(links())
        return cases.finding(
            trial,
            "neighbouring rungs of all backlogs with sizes <= 3, lengths <= 2 (G = 2, B = 1, N = "
            f"4 and G = 2, B = 2, N = 3), and of {trial['random']} random ones with N = "
            f"{trial['requests']}, G <= 3, B <= 2, growth <= 2; policies {', '.join(policies)}",
        )


# Two workers of two slots: sizes and arrival times, in units of t_l, of requests of length 1.
TIMED = (2, 1, 1, 1, 1), (0, 0, 0, 1, 1)


@claim(
    "offline.ladder-timed",
    "lower",
    assumptions=(Assumption.CONSTANT_DRIFT, Assumption.SAME_REQUESTS, Assumption.STICKY),
    requires=("offline.ladder",),
    holds=False,
)
class LadderTimed:
    """The ladder for requests that arrive over time.

    Any work-conserving online run, also of requests that arrive over time or that a short pool
    shows one after the other, leaves at least the imbalance of the clairvoyant work-conserving
    optimum of the same requests as a backlog. False: two workers of two slots, sizes (2, 1, 1, 1,
    1), lengths 1: the optimum leaves 2, and if the last two come a step later, an online run leaves
    none.
    """

    def formula(self) -> "sp.Basic":
        return at_least("Imb_online", "Imb_optimum")

    def proof(self) -> tuple[Step, ...]:
        def left(*steps: tuple[int, int]) -> "sp.Expr":
            return sp.Add(*(imbalance_at(*loads) for loads in steps))

        return (
            Lemma(
                "as a backlog",
                "Two workers of two slots, sizes (2, 1, 1, 1, 1), length 1.  The first step fills "
                "four slots.  With the 2 among them its loads are (3, 2) and the second step's "
                "(1, 0); without it they are (2, 2), and the 2 is alone.",
            ),
            Identity("The 2 first leaves 2", left((3, 2), (1, 0)), sp.Integer(2)),
            Identity("and so does the 2 last", left((2, 2), (2, 0)), sp.Integer(2)),
            Lemma(
                "over time",
                "If two of the 1s come a step later, only the 2 and two 1s are there at first, "
                "and all are admitted: the 2 on one worker, the 1s on the other, if each goes "
                "where the load is least.  The second step has one of the others on each worker.",
            ),
            violated(
                "That run leaves less",
                at_least("Imb_online", "Imb_optimum"),
                {"Imb_online": left((2, 2), (1, 1)), "Imb_optimum": 2},
            ),
        )

    @evidence(
        measures="imbalance of an online run, against the optimum of the backlog (load x steps)",
        plants=(
            Variant("at least 4/5 of the optimum", Fraction(4, 5)),
            Variant("where a short pool shows the requests", fault="short-pool"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The stored instance with arrival times, and with a pool of three, under online policies;
        a run below the optimum of the backlog refutes it.
        """
        sizes, arrivals = TIMED
        n = len(sizes)
        backlog = Requests(sizes, [1] * n)
        plain = System(2, 2)
        timed = System(2, 2, step_overhead_s=0.0, seconds_per_token=1.0)
        optimum = price_ladder(plain, backlog, ())[-1].totals.imbalance
        settings = ((timed, Requests(sizes, [1] * n, arrivals), None), (plain, backlog, 3))

        def runs(*settings: tuple[System, Requests, int | None]) -> Iterator[Case]:
            for policy, (system, requests, pool) in product((*trial.users(), *ONLINE), settings):
                left = simulate(system, requests, policy, pool=pool).total.imbalance
                sides = {"policy": policy, "pool": pool, "arrival": pool is None and list(arrivals)}
                yield left, optimum, witness_of_backlog(system, requests, **sides)

        return without(
            trial,
            ">=",
            runs(*settings[trial.fault("short-pool") :]),
            runs((plain, backlog, n)),
            f"sizes {sizes}, lengths 1, G = 2, B = 2: arrivals {arrivals} in units of t_l, and a "
            f"pool of 3; {', '.join(ONLINE)} in turn",
            control="policies that see the whole backlog",
        )
