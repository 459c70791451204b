"""Checks of the price ladder: exact optima under each rule, on whole small domains."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, pairwise, product
from typing import Any

import numpy as np

from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Instance
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases
from evenkeel.evidence.verdicts import LARGER
from evenkeel.theorems.offline.statements import DOMAINS, PRICES, TIMED
from solvers.schedule.price_ladder import price_ladder
from solvers.simulation.engine import simulate
from theory.model import Requests, System

# Neighbouring rungs, and the work spread evenly below the first.
LINKS = ("staying", "no pauses", "conserving", "online", "spread evenly")

# Online policies of the last rung.
ONLINE = ("fcfs", "jsq", "least_loaded", "bfio", "bfio:horizon=2,predictor=oracle")

OVERPAID = Variant("claimed side x1.02", Fraction(51, 50))
NO_GROWTH = Variant("requests do not grow", fault="no-growth")


def _instances(domain: tuple[int, ...], growth: int) -> Iterator[tuple[System, Requests]]:
    """Every backlog of a domain, listed by size and length."""
    G, B, n, size, length = domain
    system = System(G, B, (growth,))
    for kinds in combinations_with_replacement(
        list(product(range(1, size + 1), range(1, length + 1))), n
    ):
        sizes, lengths = zip(*kinds, strict=True)
        yield system, Requests(sizes, lengths)


@cache
def _ladders(domain: tuple[int, ...], growth: int) -> tuple[tuple[Requests, tuple[int, ...]], ...]:
    """Sum of the largest loads on each rung, the last that of BF-IO with exact steps."""
    rows = []
    for system, requests in _instances(domain, growth):
        optima = [rung.totals.sum_max for rung in price_ladder(system, requests, ())]
        online = simulate_small(Instance(system, requests, len(requests)), "bfio_exact")
        rows.append((requests, (*optima, online.sum_max)))
    return tuple(rows)


def _witness(system: System, requests: Requests, **sides: Any) -> Callable[[], dict[str, Any]]:
    """The backlog as a witness, written only if it is needed."""
    return lambda: {
        "workers": system.workers,
        "slots": system.slots,
        "drift": list(system.drift),
        "prefill": requests.prefill.tolist(),
        "decode": requests.decode.tolist(),
        **sides,
    }


@check(
    "offline.ladder",
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
def ladder(trial: Trial) -> Finding:
    """Every neighbouring pair of rungs, on a whole domain and on random backlogs."""
    rng = np.random.default_rng(trial.seed)
    cases = Cases("<=")
    backlogs = list(_instances(DOMAINS[0], 1)) + list(_instances((2, 2, 3, 3, 2), 1))
    for _ in range(trial["random"]):
        G, B, n = int(rng.integers(2, 4)), int(rng.integers(1, 3)), trial["requests"]
        system = System(G, B, (int(rng.integers(0, 3)),))
        backlogs.append((system, Requests(rng.integers(1, 9, n), rng.integers(1, 4, n))))
    policies = trial.users() or ONLINE
    for number, (system, requests) in enumerate(backlogs):
        rungs = list(price_ladder(system, requests, ()))
        names = [rung.name for rung in rungs]
        values = [rung.totals.imbalance for rung in rungs]
        if trial.fault("fewer-slots") and system.slots > 1:
            narrow = System(system.workers, system.slots - 1, system.drift)
            values[0] = price_ladder(narrow, requests, ())[0].totals.imbalance
        if trial.fault("exchanged"):
            values[2], values[3] = values[3], values[2]
        # Runs of all policies on every tiny backlog would cost more than they say.
        online = policies if number % 5 == 0 or trial.policy else ()
        last = [simulate(system, requests, p, pool=len(requests)) for p in online]
        found = [
            *zip(LINKS, pairwise(names), pairwise(values), strict=False),
            *(("online", (names[-1], r.policy), (values[-1], r.total.imbalance)) for r in last),
        ]
        # The sums of largest loads are no less than the work spread evenly.
        whole = rungs[0].totals
        evenly = whole.work, system.workers * whole.sum_max
        found.append(("spread evenly", ("work", "G sum of largest loads"), evenly))
        for link, (below, above), (freer, stricter) in found:
            if cases.add(
                freer,
                stricter * trial.scale_of(link),
                _witness(system, requests, **{below: freer, above: stricter}),
            ):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "offline.ladder",
        f"neighbouring rungs of all backlogs with sizes <= 3, lengths <= 2 (G = 2, B = 1, N = 4 "
        f"and G = 2, B = 2, N = 3), and of {trial['random']} random ones with N = "
        f"{trial['requests']}, G <= 3, B <= 2, growth <= 2; policies {', '.join(policies)}",
    )


@check(
    "offline.ladder-timed",
    measures="imbalance of an online run, against the optimum of the backlog (load x steps)",
    plants=(
        Variant("at least 4/5 of the optimum", Fraction(4, 5)),
        Variant("where a short pool shows the requests", fault="short-pool"),
    ),
)
def ladder_timed(trial: Trial) -> Finding:
    """The stored instance, with arrival times and with a short pool, under the online policies.

    The planted versions are weaker statements that are false too; the backlog seen whole is the
    control.
    """
    sizes, arrivals = TIMED
    n = len(sizes)
    backlog = Requests(sizes, [1] * n)
    plain = System(2, 2)
    timed = System(2, 2, step_overhead_s=0.0, seconds_per_token=1.0)
    optimum = price_ladder(plain, backlog, ())[-1].totals.imbalance
    cases, control = Cases(">="), Cases(">=")
    settings = ((timed, Requests(sizes, [1] * n, arrivals), None), (plain, backlog, 3))
    for policy in (*trial.users(), *ONLINE):
        whole = simulate(plain, backlog, policy, pool=n).total.imbalance
        control.add(whole, optimum, _witness(plain, backlog, policy=policy))
        for system, requests, pool in settings[trial.fault("short-pool") :]:
            left = simulate(system, requests, policy, pool=pool).total.imbalance
            sides = {"policy": policy, "pool": pool, "arrival": pool is None and list(arrivals)}
            if not cases.violated:
                cases.add(left, optimum * trial.scale, _witness(system, requests, **sides))
    return cases.finding(
        trial,
        "offline.ladder-timed",
        f"sizes {sizes}, lengths 1, G = 2, B = 2: arrivals {arrivals} in units of t_l, and a pool "
        f"of 3; {', '.join(ONLINE)} in turn",
        details={
            "control: policies that see the whole backlog": control.count,
            "control: violations": int(control.violated),
        },
        held=Verdict.INCONCLUSIVE,
    )


def _price(trial: Trial, label: str, rung: int) -> Finding:
    cases = Cases("==")
    growth = 0 if trial.fault("no-growth") else 1
    domains = DOMAINS[: trial["domains"]]
    for domain, claimed in zip(domains, PRICES[label], strict=False):
        ratio, requests = max(
            ((Fraction(v[rung + 1], v[rung]), r) for r, v in _ladders(domain, growth)),
            key=lambda pair: pair[0],
        )
        system = System(domain[0], domain[1], (growth,))
        if cases.add(
            ratio,
            claimed * trial.scale,
            _witness(system, requests, price=str(ratio)),
        ):
            break
    finding = cases.finding(
        trial,
        label,
        "largest price over all backlogs with sizes <= 3, lengths <= 2: "
        + "; ".join(f"G = {G}, B = {B}, N = {n}" for G, B, n, _, _ in domains),
    )
    # The steps show that a price is reached; that none is larger, the enumeration shows.
    return replace(finding, verdict=Verdict.CERTIFIED) if finding.verdict.held else finding


@check(
    "offline.price-workers",
    measures="largest ratio of the sums of largest loads",
    domains=3,
    plants=(LARGER, OVERPAID, NO_GROWTH),
)
def price_workers(trial: Trial) -> Finding:
    """Pausing on one worker against migrating."""
    return _price(trial, "offline.price-workers", 0)


@check(
    "offline.price-pauses",
    measures="largest ratio of the sums of largest loads",
    domains=3,
    plants=(LARGER, OVERPAID, NO_GROWTH),
)
def price_pauses(trial: Trial) -> Finding:
    """Sticky against pausing."""
    return _price(trial, "offline.price-pauses", 1)


@check(
    "offline.price-conserving",
    measures="largest ratio of the sums of largest loads",
    domains=3,
    plants=(LARGER, OVERPAID, NO_GROWTH),
)
def price_conserving(trial: Trial) -> Finding:
    """Sticky and work conserving against sticky."""
    return _price(trial, "offline.price-conserving", 2)


@check(
    "offline.price-online",
    measures="largest ratio of the sums of largest loads",
    domains=3,
    plants=(LARGER, OVERPAID, NO_GROWTH),
)
def price_online(trial: Trial) -> Finding:
    """BF-IO with exact steps against the work-conserving optimum."""
    return _price(trial, "offline.price-online", 3)
