"""Checks of what caps the saving whatever the power law: [energy.any-power] and its neighbours."""

from collections.abc import Callable
from fractions import Fraction

from adversary.instances.load_histories import LoadHistory, Loads
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.verdicts import held
from evenkeel.theorems.theorem4.load_histories import histories, proof_fails, shown

SAVED = "energy saved (share)"

# Power in units of P_max at a utilisation in [0, 1], between u and 1: rational, so that energies
# are exact.  Some are neither concave nor continuous.
LAWS: dict[str, Callable[[Fraction], Fraction]] = {
    "proportional": lambda u: u,
    "half idle power": lambda u: (1 + u) / 2,
    "constant": lambda _u: Fraction(1),
    "waiting at full power": lambda u: Fraction(u > 0),
    "full from a tenth on": lambda u: min(Fraction(1), 10 * u),
    "concave parabola": lambda u: u * (2 - u),
    "a jump at one half": lambda u: u if 2 * u < 1 else Fraction(1),
}


def _energy(loads: Loads, law: Callable[[Fraction], Fraction]) -> Fraction:
    """Energy of a history without overhead, in ``P_max`` times units of load."""
    return sum((max(s) * law(Fraction(load, max(s))) for s in loads for load in s), Fraction(0))


@check(
    "energy.any-power",
    measures=SAVED,
    plants=(
        Variant("idle share x0.999", Fraction(999, 1000), side="idle share"),
        Variant("attained at constant power x1.001", Fraction(1001, 1000), side="attained"),
        Variant("a convex law among the others", fault="convex"),
    ),
    random=6,
    standard={"random": 100},
    paper={"random": 400},
)
def any_power(trial: Trial) -> Finding:
    """Every pair of histories of equal work under every law, in fractions."""
    cap, exactly = trial.scale_of("idle share"), trial.scale_of("attained")
    laws = dict(LAWS)
    if trial.fault("convex"):
        laws["convex"] = lambda u: u * u
    groups: dict[int, list[LoadHistory]] = {}
    for history in histories(trial.seed, trial["random"]):
        groups.setdefault(history.workers, []).append(history)
    compared, closest = 0, (Fraction(2), Fraction(0), Fraction(0))
    for name, law in laws.items():
        for group in groups.values():
            # Per unit of work: what a policy does to the works plays no part.
            drawn = [_energy(history.loads, law) / history.work for history in group]
            for base, before in zip(group, drawn, strict=True):
                share = Fraction(base.imbalance, base.imbalance + base.work)
                for new, after in zip(group, drawn, strict=True):
                    compared += 1
                    saving, most = 1 - after / before, share * cap
                    right = saving <= most
                    if name == "constant" and new.imbalance == 0:
                        most = share * exactly if right else most
                        right = right and saving == most
                    if not right:
                        return Finding(
                            Verdict.REFUTED,
                            saving,
                            most,
                            "<=" if saving > most else "==",
                            f"saving of a pair of equal work, power law: {name}, exact",
                            witness={
                                "power law": name,
                                "baseline": shown(base.loads),
                                "improved": shown(new.loads),
                            },
                        )
                    if 0 < most - saving < closest[0]:
                        closest = most - saving, saving, most
    failed = proof_fails("energy.any-power")
    return Finding(
        Verdict.INCONCLUSIVE if failed else held("energy.any-power"),
        float(closest[1]),
        float(closest[2]),
        "<=",
        failed
        or f"{compared:,} pairs of load histories of equal work under {len(laws)} power laws, "
        "exact; the closest that is not met is shown",
        details={"pairs": compared, "power laws": list(laws)},
    )


@check(
    "energy.any-power-convex",
    measures=SAVED,
    plants=(
        Variant("three quarters of the load in place of half", Fraction(3, 2)),
        Variant("P = P_max u^3", fault="cube"),
        Variant("at most a tenth above the idle share", fault="allowance"),
    ),
)
def any_power_convex(trial: Trial) -> Finding:
    """A balanced baseline against utilisations 1 and 1/2, per unit of work, under a convex law."""
    power = 3 if trial.fault("cube") else 2
    base = LoadHistory("balanced", ((4, 4),))
    new = LoadHistory("partly idle", ((4, int(2 * trial.scale)),))
    before, after = (
        _energy(history.loads, lambda u: u**power) / history.work for history in (base, new)
    )
    saving = 1 - after / before
    share = Fraction(base.imbalance, base.imbalance + base.work)
    claimed = share + (Fraction(1, 10) if trial.fault("allowance") else 0)
    if saving <= claimed:
        return Finding(Verdict.INCONCLUSIVE, saving, claimed, "<=", "this pair saves less")
    return Finding(
        Verdict.REFUTED,
        saving,
        claimed,
        "<=",
        f"P = P_max u^{power}: a worker at half its load draws less than half its power, exact",
        witness={"baseline": shown(base.loads), "improved": shown(new.loads)},
    )


@check(
    "energy.cap-with-overhead",
    measures=SAVED,
    plants=(
        Variant("half the overhead", Fraction(1, 2)),
        Variant("at most a tenth above the idle share", fault="allowance"),
    ),
)
def cap_with_overhead(trial: Trial) -> Finding:
    """One worker, three slots, ten requests of size 1: the long one last, or first."""
    overhead = 100 * trial.scale
    last = LoadHistory("long one last", ((3,), (3,), (3,), (1,), (2,), (3,)))
    first = LoadHistory("long one first", ((3,), (4,), (5,), (3,)))
    assert last.work == first.work == 15  # 9 + (1 + 2 + 3)
    before, after = (overhead * len(run.loads) + run.work for run in (last, first))
    saving = 1 - Fraction(after, 1) / before
    share = Fraction(last.imbalance, last.imbalance + last.work)
    claimed = share + (Fraction(1, 10) if trial.fault("allowance") else 0)
    if saving <= claimed:
        return Finding(Verdict.INCONCLUSIVE, saving, claimed, "<=", "this pair saves less")
    return Finding(
        Verdict.REFUTED,
        saving,
        claimed,
        "<=",
        f"G = 1, B = 3, C = {float(overhead):g} t_l: the worker never idles, and 4 steps pay fewer "
        "overheads than 6, whatever the power law",
        witness={
            "prefill": [1] * 10,
            "decode": [1] * 9 + [3],
            "overhead": str(overhead),
            "baseline": shown(last.loads),
            "improved": shown(first.loads),
        },
    )
