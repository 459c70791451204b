"""Claims of the family ``offline``: the price ladder, from migrating freely to deciding online.

All of it is about backlogs that a policy sees whole: who serves requests as they arrive, or as a
short pool shows them, leaves slots free that a work-conserving schedule of the backlog fills.

The prices are ratios of ``sum_k M(k)``, the time where a step has no overhead, and their largest
values on stated finite domains were found by going through these domains.  One extremal instance
of each is simple enough to follow by hand (growth 1 a step):

* workers: three workers of one slot, four requests of size 3 and length 2.  Migrating, the loads
  of three steps are (3,3,3), (4,4,3), (4,4,0) and the levels 3 + 4 + 4 = 11: the request that
  paused in the second step goes on at once with the one that took its place.  On the worker where
  it began it has to wait for that one, and two rounds of 3 + 4 make 14.
* pauses: two workers of one slot, sizes (1,1,1,2), lengths (1,2,2,2).  The 2 runs in the second and
  in the fourth step, beside the second steps of two of the 1s, and pauses in between, while the
  other 1s start: levels 1 + 2 + 1 + 3 = 7.  Without a pause it is 8.
* work conservation: two workers of two slots, sizes (1,1,1,1,2), length 1.  The work is 6, and
  (2 | 1 + 1), (1 | 1) costs 2 + 1 = 3.  Filling all four slots costs 4: either the 2 shares a
  worker, for 3 and then 1, or it comes last, for 2 + 2.
* knowledge: three workers of one slot, sizes (1,1,1,1), lengths (1,1,2,2).  Who knows the lengths
  starts both long ones, 1 + 2 = 3; who sees equal sizes takes them as they come, 1 + 2 + 2 = 5.
"""

from collections.abc import Callable
from fractions import Fraction

from evenkeel.theorems.offline import proofs as offline_proofs
from evenkeel.theorems.registry import Assumption, Claim
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least

# Domains (G, B, N, largest size, largest length) of the prices.
DOMAINS = ((2, 1, 4, 3, 2), (3, 1, 4, 3, 2), (2, 2, 5, 3, 2))

# Two workers of two slots: sizes and arrival times, in units of t_l, of requests of length 1.
TIMED = (2, 1, 1, 1, 1), (0, 0, 0, 1, 1)

# Largest ratio of sum M to that one rung before, on each domain.
PRICES = {
    "offline.price-workers": (Fraction(7, 6), Fraction(14, 11), Fraction(7, 6)),
    "offline.price-pauses": (Fraction(8, 7), Fraction(8, 7), Fraction(10, 9)),
    "offline.price-conserving": (Fraction(6, 5), Fraction(4, 3), Fraction(4, 3)),
    "offline.price-online": (Fraction(11, 8), Fraction(5, 3), Fraction(11, 8)),
}


def _ladder_proof() -> tuple[Step, ...]:
    import sympy as sp

    G, W, freer, stricter = sp.symbols("G W Sigma_1 Sigma_2", positive=True)
    return (
        Lemma(
            "inclusion",
            "A sticky schedule is one with pauses that makes none, and one with pauses is a "
            "migrating one that never moves; a work-conserving schedule is a schedule, and the run "
            "of a work-conserving policy is a work-conserving sticky schedule.  The least of a "
            "set is at most that of a part of it.",
        ),
        Lemma(
            "work",
            "A request weighs s + (j - 1) delta in its j-th active step under every rule, so all "
            "schedules have the same work W.",
        ),
        Identity(
            "The order of the sums of largest loads is that of the total imbalances",
            (G * stricter - W) - (G * freer - W),
            G * (stricter - freer),
        ),
    )


_DOMAIN = "; ".join(f"G = {G}, B = {B}, N = {N}" for G, B, N, _, _ in DOMAINS)


def _price(label: str, title: str, what: str, proof: Callable[[], tuple[Step, ...]]) -> Claim:
    values = ", ".join(map(str, PRICES[label]))
    return Claim(
        label,
        title,
        "evenkeel",
        "ours",
        "equality",
        f"{what}  Over all backlogs with sizes 1..3, lengths 1..2 and growth 1, listed by size and "
        f"length, the largest ratio of sum M is exactly {values} ({_DOMAIN}).",
        (
            Assumption.BACKLOG,
            Assumption.CONSTANT_DRIFT,
            Assumption.SAME_REQUESTS,
            Assumption.NO_OVERHEAD,
        ),
        "Exact optima of every instance of the domains, from the values of all states and, sticky, "
        "by branch and bound; a larger or smaller maximum refutes it.  The numbers were found by "
        "the same enumeration.",
        proof=proof,
        requires=("offline.ladder",),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "offline.ladder",
        "Each restriction of a schedule costs something or nothing",
        "evenkeel",
        "ours",
        "order",
        "On every backlog the least total imbalance rises along: migrating, pausing on one worker, "
        "sticky, sticky and work conserving (all clairvoyant), any sticky work-conserving online "
        "policy that sees the whole backlog; so does the least sum of largest loads, which is at "
        "least W/G.",
        (
            Assumption.BACKLOG,
            Assumption.CONSTANT_DRIFT,
            Assumption.SAME_REQUESTS,
            Assumption.STICKY,
            Assumption.WORK_CONSERVING,
        ),
        "Exact optima under each rule, on whole domains and on random backlogs; an instance on "
        "which a freer rule costs more refutes it.",
        proof=_ladder_proof,
    ),
    Claim(
        "offline.ladder-timed",
        "The ladder for requests that arrive over time",
        "evenkeel",
        "ours",
        "lower",
        "Any work-conserving online run, also of requests that arrive over time or that a short "
        "pool shows one after the other, leaves at least the imbalance of the clairvoyant "
        "work-conserving optimum of the same requests as a backlog.  False: two workers of two "
        "slots, sizes (2, 1, 1, 1, 1), lengths 1: the optimum leaves 2, and if the last two come "
        "a step later, an online run leaves none.",
        (Assumption.CONSTANT_DRIFT, Assumption.SAME_REQUESTS, Assumption.STICKY),
        "The stored instance with arrival times, and with a pool of three, under online policies; "
        "a run below the optimum of the backlog refutes it.",
        formula=at_least("Imb_online", "Imb_optimum"),
        proof=offline_proofs.timed,
        requires=("offline.ladder",),
        holds=False,
    ),
    _price(
        "offline.price-workers",
        "The price of staying on one worker",
        "Requests that may pause but stay on their worker, against those that migrate.",
        offline_proofs.workers,
    ),
    _price(
        "offline.price-pauses",
        "The price of running without a break",
        "Sticky requests against those that may pause on their worker.",
        offline_proofs.pauses,
    ),
    _price(
        "offline.price-conserving",
        "The price of work conservation",
        "Sticky schedules that leave no slot free, against those that may.",
        offline_proofs.conserving,
    ),
    _price(
        "offline.price-online",
        "The price of not knowing the lengths, for BF-IO at H = 0",
        "BF-IO with exact steps, against the clairvoyant work-conserving optimum.",
        offline_proofs.online,
    ),
)
