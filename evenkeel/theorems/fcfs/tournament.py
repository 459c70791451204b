"""A lower bound of FCFS's expected imbalance by exact values of a few workers."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

from adversary.workloads.slot_laws import slot_laws
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import TENTH, Cases, Comparison, Witness, broken, near, refuted
from evenkeel.theorems.fcfs.growth import exact_lead, small_laws
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.fcfs.pairing import RARE
from evenkeel.theorems.registry import claim
from theory.formal.record import Theorem
from theory.formulas.fcfs import explicit_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Enclosure
from theory.laws.order_statistics import berry_esseen_bound
from theory.laws.tournament import MOST, best_tournament, largest_group, mean_lead
from theory.proof import Lemma, Setting, Step
from theory.symbolic import sp


def _rounds(lead: Callable[[int, int], Fraction], g: int, rounds: int, slots: int) -> Fraction:
    """``(j-r) M(g, n) + r M(g, n+1)``, the slots shared as evenly as they can be."""
    n, more = divmod(slots, rounds)
    gain = (rounds - more) * lead(g, n)
    return gain + more * lead(g, n + 1) if more else gain


# Shares of the exact value for a rare large size at G = 32, B = 72, in per cent, rounded down.
STATED = {
    "one round of 16 workers": 81,
    "two rounds of 5 workers": 67,
    "five rounds of 2 workers": 28,
    "the explicit bound": 24,
    "Berry-Esseen's bound": 5,
}


@cache
def _rare_shares() -> dict[str, Enclosure]:
    """What each of the :data:`STATED` bounds keeps of the exact value."""
    workers, slots = 32, 72
    exact = expected_imbalance(RARE, workers, slots).imbalance
    lead = partial(mean_lead, RARE)
    bounds = (
        workers * _rounds(lead, 16, 1, slots),
        workers * _rounds(lead, 5, 2, slots),
        workers * _rounds(lead, 2, 5, slots),
        explicit_bound(RARE, workers, slots),
        berry_esseen_bound(RARE, workers, slots),
    )
    return {
        name: Enclosure(bound / exact.upper, bound / exact.lower)
        for name, bound in zip(STATED, bounds, strict=True)
    }


@claim(
    "fcfs.tournament",
    "lower",
    assumptions=EXPECTATION,
    requires=("fcfs.superadditive",),
    coq=Theorem(
        "fcfs_tournament", "Tournament.v", "laws with infinitely many values, and the shares kept"
    ),
)
class Tournament:
    """A lower bound by exact values of a few workers.

    With M(G, B) as in [fcfs.superadditive], for all g >= 2, j >= 1, n >= 1 and 0 <= r < j with g^j
    <= G and B = j n + r: M(G, B) >= (j-r) M(g, n) + r M(g, n+1) >= j M(g, floor(B/j)). So exact
    values of a few workers bound the imbalance of FCFS at every G. For a rare large size (100 with
    probability 0.01, else 1) at G = 32, B = 72, one round of 16 workers keeps 81 % of the exact
    value, two rounds of 5 keep 67 %, five of 2 keep 28 %; the explicit bound [fcfs.log-growth]
    keeps 24 %, Berry-Esseen's [fcfs.lower] 5 % (all rounded down).
    """

    def formula(self) -> "sp.Basic":
        g, j, n, r = sp.symbols("g j n r", positive=True, integer=True)
        M = sp.Function("M")
        return sp.Ge(M(g**j, j * n + r), (j - r) * M(g, n) + r * M(g, n + 1))

    def proof(self) -> tuple[Step, ...]:
        return (
            Setting("Share B = j n + r slots among j rounds: n + 1 to r of them, n to the others."),
            Lemma(
                "one round more",
                "By [fcfs.superadditive] with G_2 = g, g times as many workers with n slots more "
                "have at least M(g, n) more, and M(1, .) = 0; so g^j workers have the sum of all "
                "rounds.",
            ),
            Lemma("monotone", "G >= g^j, and M falls neither in G nor in the slots."),
        )

    @evidence(
        measures="mean of the largest load above the mean load, M(G, B) (load)",
        plants=(
            near("rounds", TENTH),
            near("even shares", TENTH),
            near("shares kept", Fraction(51, 50)),
            Variant("one round more", fault="round"),
            Variant("all slots in every round", fault="all-slots"),
        ),
        standard={"random": 40, "workers": (4, 5, 8, 9, 16, 30)},
        workers=(4, 8, 9),
        slots=(2, 3, 7, 12),
        random=3,
    )
    def check(self, trial: Trial) -> Finding:
        """Both sides in exact rationals for fixed and for random laws of small support, over a grid
        of G and B, every j >= 2 and every g that fits, and the two right sides where r > 0; and the
        shares at G = 32, B = 72 from enclosures. A violation, or a share outside what is stated,
        refutes it.
        """
        cases = Cases(">=")
        more, whole = int(trial.fault("round")), trial.fault("all-slots")
        laws = small_laws(trial.seed, trial["random"])
        domain = (
            f"exact, {len(laws)} laws of at most four sizes, G in {trial['workers']}, B in "
            f"{trial['slots']}, all g and j >= 2; shares at G = 32, B = 72"
        )
        for (name, law), workers in product(laws.items(), trial["workers"]):
            lead = cache(partial(exact_lead, law))
            for slots, rounds in product(trial["slots"], range(2, workers.bit_length())):
                last = largest_group(workers, rounds) if rounds <= slots else 0
                for g in range(2, last + 1):
                    found, equal = _rounds(lead, g, rounds, slots), lead(g, slots // rounds)
                    claimed = rounds * lead(g, slots) if whole else found + more * equal
                    witness: Witness = partial(
                        dict[str, Any], law=name, G=workers, B=slots, g=g, rounds=rounds
                    )
                    claimed *= trial.scale_of("rounds")
                    if cases.add(lead(workers, slots), claimed, witness):
                        return cases.finding(trial, domain)
                    equal *= rounds * trial.scale_of("even shares")
                    what = "even shares against j M(g, floor(B/j))"
                    if slots % rounds and cases.add(found, equal, witness, what):
                        return cases.finding(trial, domain)
        shares, factor = _rare_shares(), trial.scale_of("shares kept")
        details = {f"share kept by {name}": share.value for name, share in shares.items()}
        sides = (
            Comparison(
                share.lower >= stated * factor / 100 and share.upper < (stated + 1) * factor / 100,
                share.value,
                "~",
                float(stated * factor / 100),
                f"share kept by {name}",
            )
            for (name, share), stated in zip(shares.items(), STATED.values(), strict=True)
        )
        where = {"law": "100 with probability 0.01, else 1", "G": 32, "B": 72}
        return broken(sides, "exact enclosures", where, details) or cases.finding(
            trial, domain, details=details
        )


# The exact value is at most so many times the tournament bound, and the explicit one.
_NEAR, _SKEWED, _RARE = ("1.23", "2.95"), ("1.54", "9.48"), ("1.84", "23.5")
WITHIN = {
    "fair 1 or 2": _NEAR,
    "uniform 1..100": _NEAR,
    "uniform 1..100, geometric lengths of mean 100": _SKEWED,
    "100 once in 100, else 1": _RARE,
    "1 once in 100, else 100": _NEAR,
    "azure2023-code": _SKEWED,
    "azure2023-conv": _SKEWED,
    "mooncake-conversation": _SKEWED,
    "mooncake-synthetic": _SKEWED,
    "vidur-arxiv-summarization": _NEAR,
}
WORKERS = tuple(2**k for k in range(1, 13))
SLOTS = tuple(4**k for k in range(6))


@cache
def _lead_of(name: str) -> Callable[[int, int], Fraction]:
    return cache(partial(mean_lead, slot_laws()[name]))


@cache
def _quotients(name: str, workers: int, slots: int, most: int) -> tuple[Fraction, Fraction]:
    """The exact value, rounded up, over the tournament bound and over the explicit one."""
    law = slot_laws()[name]
    exact = expected_imbalance(law, workers, slots).imbalance.upper
    best = workers * best_tournament(_lead_of(name), workers, slots, most).lead
    return exact / best, exact / explicit_bound(law, workers, slots)


@cache
def _grid(workers: tuple[int, ...], slots: tuple[int, ...]) -> list[tuple[int, int]]:
    """The systems with at least ``floor(log2 G)`` slots."""
    return [(g, b) for g, b in product(workers, slots) if b >= g.bit_length() - 1]


@cache
def _silent() -> int:
    """At how many points, over all laws, Berry-Esseen's bound is not positive."""
    laws, grid = slot_laws().values(), _grid(WORKERS, SLOTS)
    return sum(berry_esseen_bound(law, *system) <= 0 for law, system in product(laws, grid))


@claim(
    "fcfs.bound-shares",
    "empirical",
    assumptions=EXPECTATION,
    requires=("fcfs.tournament", "fcfs.log-growth", "fcfs.lower"),
)
class BoundShares:
    """How far below the exact value the lower bounds lie.

    For G = 2, 4, 8, .., 4096 and B = 1, 4, 16, .., 1024 with B >= floor(log2 G), E[Imb] of FCFS is
    at most 1.23 times the bound of [fcfs.tournament] with groups of at most 16 workers, and 2.95
    times that of [fcfs.log-growth], for sizes 1 or 2, uniform on 1..100, a rare small size (1 with
    probability 0.01, else 100) and the prompts of arXiv summaries; 1.54 and 9.48 times for
    geometric lengths of mean 100 and for the prompts of four other public traces (Azure code and
    conversation, Mooncake conversation and synthetic); 1.84 and 23.5 times for a rare large size
    (100 with probability 0.01, else 1). Prompts are floored to the cells of their histograms.
    Berry-Esseen's bound [fcfs.lower] is not positive at 87 of these 530 points.
    """

    @evidence(
        measures="exact E[Imb] over the tournament bound (1)",
        plants=(
            near("tournament", Fraction(100, 101)),
            near("explicit", Fraction(100, 101)),
            near("silent", Fraction(88, 87)),
            Variant("two workers in place of sixteen", fault="pairs"),
        ),
        standard={"laws": tuple(WITHIN), "workers": WORKERS, "slots": SLOTS},
        laws=("uniform 1..100", "100 once in 100, else 1", "mooncake-synthetic"),
        workers=(2, 32, 512, 2048, 4096),
        slots=(4, 16),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact enclosures over both bounds, law by law and point by point (at the smallest budget
        for three laws at a few points, the worst of each among them), and the sign of
        Berry-Esseen's bound at every point; a larger quotient, or another number, refutes it.
        """
        most = 2 if trial.fault("pairs") else MOST
        grid, widest = _grid(trial["workers"], trial["slots"]), (Fraction(0), Fraction(1))
        details: dict[str, float] = {}
        for name in trial["laws"]:
            best, explicit = (
                Fraction(stated) * trial.scale_of(side)
                for stated, side in zip(WITHIN[name], ("tournament", "explicit"), strict=True)
            )
            for workers, slots in grid:
                found = _quotients(name, workers, slots, most)
                witness = {"law": name, "G": workers, "B": slots}
                sides = (
                    Comparison(x <= y, float(x), "<=", float(y), f"exact E[Imb] over the {what}")
                    for x, y, what in zip(
                        found, (best, explicit), ("tournament", "explicit bound"), strict=True
                    )
                )
                if larger := broken(sides, f"{name}, G = {workers}, B = {slots}", witness):
                    return larger
                widest = max(widest, (found[0], best))
                for x, what in zip(found, ("tournament", "explicit bound"), strict=True):
                    key = f"largest quotient by the {what}, {name}"
                    details[key] = max(details.get(key, 0.0), float(x))
        silent, claimed = _silent(), 87 * trial.scale_of("silent")
        if silent != claimed:
            what = "points where Berry-Esseen's bound is not positive"
            return refuted(silent, "==", claimed, what, {"points": silent})
        return Finding(
            verdict=Verdict.CERTIFIED,
            computed=float(widest[0]),
            claimed=float(widest[1]),
            relation="<=",
            domain=f"exact enclosures for {len(trial['laws'])} laws at {len(grid)} points (G, B) "
            f"with G in {trial['workers']}, B in {trial['slots']}",
            details=details,
        )
