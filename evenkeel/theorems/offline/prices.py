"""The price of each restriction of a schedule."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache

from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Instance
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases
from evenkeel.findings.verdicts import LARGER
from evenkeel.theorems.offline.domains import DOMAINS, instances, witness_of_backlog
from evenkeel.theorems.registry import Assumption, claim
from solvers.schedule.price_ladder import price_ladder
from theory.model import Requests, System
from theory.proof import Identity, Lemma, Step
from theory.symbolic import sp

SCHEDULES = (
    Assumption.BACKLOG,
    Assumption.CONSTANT_DRIFT,
    Assumption.SAME_REQUESTS,
    Assumption.NO_OVERHEAD,
)

_ENUMERATED = Lemma(
    "the other instances",
    "That no backlog of the domain has a larger ratio is not argued: it is the enumeration of the "
    "evidence.  So are the prices on the other domains.",
)


def _price_formula(
    stricter: "tuple[tuple[int, ...], ...]", freer: "tuple[tuple[int, ...], ...]"
) -> "sp.Expr":
    """Ratio of two sums of largest loads, unevaluated: the loads of each step are given."""

    def level(loads: "tuple[int, ...]") -> "sp.Expr":
        names = sp.symbols(f"L_1:{len(loads) + 1}", nonnegative=True)
        return sp.Subs(sp.Max(*names), names, loads)

    return sp.Add(*map(level, stricter)) / sp.Add(*map(level, freer))


# Largest ratio of sum M to that one rung before, on each domain.
PRICES = {
    "offline.price-workers": (Fraction(7, 6), Fraction(14, 11), Fraction(7, 6)),
    "offline.price-pauses": (Fraction(8, 7), Fraction(8, 7), Fraction(10, 9)),
    "offline.price-conserving": (Fraction(6, 5), Fraction(4, 3), Fraction(4, 3)),
    "offline.price-online": (Fraction(11, 8), Fraction(5, 3), Fraction(11, 8)),
}


@cache
def _ladders(domain: tuple[int, ...], growth: int) -> tuple[tuple[Requests, tuple[int, ...]], ...]:
    """Sum of the largest loads on each rung, the last that of BF-IO with exact steps."""
    rows = []
    for system, requests in instances(domain, growth):
        optima = [rung.totals.sum_max for rung in price_ladder(system, requests, ())]
        online = simulate_small(Instance(system, requests, len(requests)), "bfio_exact")
        rows.append((requests, (*optima, online.sum_max)))
    return tuple(rows)


class _Price:
    """The price of a rung of the ladder, searched for on every domain."""

    @evidence(
        measures="largest ratio of the sums of largest loads",
        domains=3,
        plants=(
            LARGER,
            Variant("claimed side x1.02", Fraction(51, 50)),
            Variant("requests do not grow", fault="no-growth"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact optima of every instance of the domains, from the values of all states and, sticky,
        by branch and bound; a larger or smaller maximum refutes it. The numbers were found by the
        same enumeration.
        """
        rung = list(PRICES).index(trial.label)
        growth = 0 if trial.fault("no-growth") else 1
        domains = DOMAINS[: trial["domains"]]

        def largest() -> Iterator[Case]:
            for domain, claimed in zip(domains, PRICES[trial.label], strict=False):
                ratio, requests = max(
                    ((Fraction(v[rung + 1], v[rung]), r) for r, v in _ladders(domain, growth)),
                    key=lambda pair: pair[0],
                )
                system = System(*domain[:2], (growth,))
                witness = witness_of_backlog(system, requests, price=str(ratio))
                yield ratio, claimed * trial.scale, witness

        cases = Cases("==")
        cases.extend(largest())
        finding = cases.finding(
            trial,
            "largest price over all backlogs with sizes <= 3, lengths <= 2: "
            + "; ".join(f"G = {G}, B = {B}, N = {n}" for G, B, n, _, _ in domains),
        )
        # The steps show that a price is reached; that none is larger, the enumeration shows.
        return replace(finding, verdict=Verdict.CERTIFIED) if finding.verdict.held else finding


@claim(
    "offline.price-workers",
    "equality",
    assumptions=SCHEDULES,
    requires=("offline.ladder",),
)
class PriceWorkers(_Price):
    """The price of staying on one worker.

    Requests that may pause but stay on their worker, against those that migrate. Over all backlogs
    with sizes 1..3, lengths 1..2 and growth 1, listed by size and length, the largest ratio of sum
    M is exactly 7/6, 14/11, 7/6 (G = 2, B = 1, N = 4; G = 3, B = 1, N = 4; G = 2, B = 2, N = 5).
    """

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "instance",
                "Three workers of one slot, four requests of size 3 and length 2.  Migrating, one "
                "pauses in the second step and goes on in the third beside the one that took its "
                "place, on another worker: 11 is the least.  Staying, it would have to wait for "
                "that one on its own worker; two rounds of 3 and 4 are the least.",
            ),
            Identity(
                "The ratio is 14/11",
                _price_formula(
                    ((3, 3, 3), (4, 4, 4), (3, 0, 0), (4, 0, 0)),
                    ((3, 3, 3), (4, 4, 3), (4, 4, 0)),
                ),
                sp.Rational(14, 11),
            ),
            _ENUMERATED,
        )


@claim(
    "offline.price-pauses",
    "equality",
    assumptions=SCHEDULES,
    requires=("offline.ladder",),
)
class PricePauses(_Price):
    """The price of running without a break.

    Sticky requests against those that may pause on their worker. Over all backlogs with sizes 1..3,
    lengths 1..2 and growth 1, listed by size and length, the largest ratio of sum M is exactly 8/7,
    8/7, 10/9 (G = 2, B = 1, N = 4; G = 3, B = 1, N = 4; G = 2, B = 2, N = 5).
    """

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "instance",
                "Two workers of one slot, sizes (1, 1, 1, 2), lengths (1, 2, 2, 2).  The 2 runs "
                "in the second and the fourth step, beside the second steps of two of the 1s, and "
                "pauses in between: 7 is the least.  Without a pause 8 is.",
            ),
            Identity(
                "The ratio is 8/7",
                _price_formula(((1, 1), (2, 1), (2, 2), (3, 0)), ((1, 1), (2, 2), (1, 0), (2, 3))),
                sp.Rational(8, 7),
            ),
            _ENUMERATED,
        )


@claim(
    "offline.price-conserving",
    "equality",
    assumptions=SCHEDULES,
    requires=("offline.ladder",),
)
class PriceConserving(_Price):
    """The price of work conservation.

    Sticky schedules that leave no slot free, against those that may. Over all backlogs with sizes
    1..3, lengths 1..2 and growth 1, listed by size and length, the largest ratio of sum M is
    exactly 6/5, 4/3, 4/3 (G = 2, B = 1, N = 4; G = 3, B = 1, N = 4; G = 2, B = 2, N = 5).
    """

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "instance",
                "Two workers of two slots, sizes (1, 1, 1, 1, 2), length 1, so the work is 6 and "
                "no sum is below 3.  If all four slots are filled at once, either the 2 shares a "
                "worker and a 1 is left, or the 2 comes last: 4 both times.",
            ),
            Identity(
                "The ratio is 4/3: the 2 shares a worker",
                _price_formula(((3, 2), (1, 0)), ((2, 2), (1, 1))),
                sp.Rational(4, 3),
            ),
            Identity(
                "and the same if it comes last",
                _price_formula(((2, 2), (2, 0)), ((2, 2), (1, 1))),
                sp.Rational(4, 3),
            ),
            _ENUMERATED,
        )


@claim(
    "offline.price-online",
    "equality",
    assumptions=SCHEDULES,
    requires=("offline.ladder",),
)
class PriceOnline(_Price):
    """The price of not knowing the lengths, for BF-IO at H = 0.

    BF-IO with exact steps, against the clairvoyant work-conserving optimum. Over all backlogs with
    sizes 1..3, lengths 1..2 and growth 1, listed by size and length, the largest ratio of sum M is
    exactly 11/8, 5/3, 11/8 (G = 2, B = 1, N = 4; G = 3, B = 1, N = 4; G = 2, B = 2, N = 5).
    """

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "instance",
                "Three workers of one slot, sizes (1, 1, 1, 1), lengths (1, 1, 2, 2).  Who knows "
                "the lengths starts both long ones, and then no step is longer than they are: 3.  "
                "BF-IO sees equal sizes and takes them as they come: one long request starts late.",
            ),
            Identity(
                "The ratio is 5/3",
                _price_formula(((1, 1, 1), (2, 1, 0), (2, 0, 0)), ((1, 1, 1), (2, 2, 1))),
                sp.Rational(5, 3),
            ),
            _ENUMERATED,
        )
