"""Proofs, as data, that each price of the ladder is reached; that none is larger is enumerated."""

from typing import TYPE_CHECKING

from evenkeel.theorems.dropped_assumptions.disproofs import violated
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least

if TYPE_CHECKING:
    import sympy

_ENUMERATED = Lemma(
    "the other instances",
    "That no backlog of the domain has a larger ratio is not argued: it is the enumeration of the "
    "evidence.  So are the prices on the other domains.",
)


def _price(
    stricter: "tuple[tuple[int, ...], ...]", freer: "tuple[tuple[int, ...], ...]"
) -> "sympy.Expr":
    """Ratio of two sums of largest loads, unevaluated: the loads of each step are given."""
    import sympy as sp

    def level(loads: "tuple[int, ...]") -> "sympy.Expr":
        names = sp.symbols(f"L_1:{len(loads) + 1}", nonnegative=True)
        return sp.Subs(sp.Max(*names), names, loads)

    return sp.Add(*map(level, stricter)) / sp.Add(*map(level, freer))


def workers() -> tuple[Step, ...]:
    """Proof of the largest value of [offline.price-workers]."""
    import sympy as sp

    return (
        Lemma(
            "instance",
            "Three workers of one slot, four requests of size 3 and length 2.  Migrating, one "
            "pauses in the second step and goes on in the third beside the one that took its "
            "place, on another worker: 11 is the least.  Staying, it would have to wait for that "
            "one on its own worker; two rounds of 3 and 4 are the least.",
        ),
        Identity(
            "The ratio is 14/11",
            _price(
                ((3, 3, 3), (4, 4, 4), (3, 0, 0), (4, 0, 0)),
                ((3, 3, 3), (4, 4, 3), (4, 4, 0)),
            ),
            sp.Rational(14, 11),
        ),
        _ENUMERATED,
    )


def pauses() -> tuple[Step, ...]:
    """Proof of the largest value of [offline.price-pauses]."""
    import sympy as sp

    return (
        Lemma(
            "instance",
            "Two workers of one slot, sizes (1, 1, 1, 2), lengths (1, 2, 2, 2).  The 2 runs in "
            "the second and the fourth step, beside the second steps of two of the 1s, and pauses "
            "in between: 7 is the least.  Without a pause 8 is.",
        ),
        Identity(
            "The ratio is 8/7",
            _price(((1, 1), (2, 1), (2, 2), (3, 0)), ((1, 1), (2, 2), (1, 0), (2, 3))),
            sp.Rational(8, 7),
        ),
        _ENUMERATED,
    )


def conserving() -> tuple[Step, ...]:
    """Proof of the largest value of [offline.price-conserving]."""
    import sympy as sp

    return (
        Lemma(
            "instance",
            "Two workers of two slots, sizes (1, 1, 1, 1, 2), length 1, so the work is 6 and no "
            "sum is below 3.  If all four slots are filled at once, either the 2 shares a worker "
            "and a 1 is left, or the 2 comes last: 4 both times.",
        ),
        Identity(
            "The ratio is 4/3: the 2 shares a worker",
            _price(((3, 2), (1, 0)), ((2, 2), (1, 1))),
            sp.Rational(4, 3),
        ),
        Identity(
            "and the same if it comes last",
            _price(((2, 2), (2, 0)), ((2, 2), (1, 1))),
            sp.Rational(4, 3),
        ),
        _ENUMERATED,
    )


def online() -> tuple[Step, ...]:
    """Proof of the largest value of [offline.price-online]."""
    import sympy as sp

    return (
        Lemma(
            "instance",
            "Three workers of one slot, sizes (1, 1, 1, 1), lengths (1, 1, 2, 2).  Who knows the "
            "lengths starts both long ones, and then no step is longer than they are: 3.  BF-IO "
            "sees equal sizes and takes them as they come: one long request starts late.",
        ),
        Identity(
            "The ratio is 5/3",
            _price(((1, 1, 1), (2, 1, 0), (2, 0, 0)), ((1, 1, 1), (2, 2, 1))),
            sp.Rational(5, 3),
        ),
        _ENUMERATED,
    )


def timed() -> tuple[Step, ...]:
    """Disproof of [offline.ladder-timed]."""
    import sympy as sp

    def left(*steps: tuple[int, int]) -> "sympy.Expr":
        x, y = sp.symbols("L_1 L_2", nonnegative=True)
        imbalance = 2 * sp.Max(x, y) - x - y
        return sp.Add(*(sp.Subs(imbalance, (x, y), loads) for loads in steps))

    return (
        Lemma(
            "as a backlog",
            "Two workers of two slots, sizes (2, 1, 1, 1, 1), length 1.  The first step fills four "
            "slots.  With the 2 among them its loads are (3, 2) and the second step's (1, 0); "
            "without it they are (2, 2), and the 2 is alone.",
        ),
        Identity("The 2 first leaves 2", left((3, 2), (1, 0)), sp.Integer(2)),
        Identity("and so does the 2 last", left((2, 2), (2, 0)), sp.Integer(2)),
        Lemma(
            "over time",
            "If two of the 1s come a step later, only the 2 and two 1s are there at first, and "
            "all are admitted: the 2 on one worker, the 1s on the other, if each goes where the "
            "load is least.  The second step has one of the others on each worker.",
        ),
        violated(
            "That run leaves less",
            at_least("Imb_online", "Imb_optimum"),
            {"Imb_online": left((2, 2), (1, 1)), "Imb_optimum": 2},
        ),
    )
