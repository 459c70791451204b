"""Disproofs, as data, of statements about whole runs and games: witnesses followed by hand.

The loads of each step are argued from the rule, which is of two workers and small enough for
that; what they leave is computed.
"""

from typing import TYPE_CHECKING

from evenkeel.theorems.dropped_assumptions.disproofs import refill_bound, violated
from theory.proof import Identity, Lemma, Step
from theory.relations import at_most

if TYPE_CHECKING:
    import sympy

Loads = tuple[int, int]


def _total(*steps: Loads) -> "sympy.Expr":
    """``sum_k (2 max L - sum L)`` over steps with these loads, unevaluated."""
    import sympy as sp

    x, y = sp.symbols("L_1 L_2", nonnegative=True)
    return sp.Add(*(sp.Subs(2 * sp.Max(x, y) - x - y, (x, y), loads) for loads in steps))


def _average(*steps: Loads) -> "sympy.Expr":
    """``AvgImb`` of a run with these loads, unevaluated."""
    return _total(*steps) / len(steps)


def per_instance() -> tuple[Step, ...]:
    """Disproof of [iir.per-instance]."""
    import sympy as sp

    return (
        Lemma(
            "FCFS",
            "G = 2, B = 1, sizes (2, 2, 1, 1, 2), lengths (1, 1, 1, 3, 2), growth 1.  In order: "
            "loads (2, 2); then (1, 1); the second 1 stays and has 2 beside the last request's 2; "
            "then both have 3 and depart.",
        ),
        Identity("FCFS has no imbalance", _total((2, 2), (1, 1), (2, 2), (3, 3)), sp.Integer(0)),
        Lemma(
            "BF-IO starts with the small ones",
            "Both (1, 1) and (2, 2) leave no imbalance, and of two optima BF-IO takes the smaller "
            "largest load [step.lexicographic].  The 1 of length 3 stays with loads 2, 3; beside "
            "it come two requests of size 2 and length 1, as the oldest go first.",
        ),
        Lemma(
            "and ends alone",
            "At the fourth step only the request of size 2 and length 2 is left: (2, 0), (3, 0).",
        ),
        Identity(
            "BF-IO averages 6/5",
            _average((1, 1), (2, 2), (3, 2), (2, 0), (3, 0)),
            sp.Rational(6, 5),
        ),
        violated(
            "which is more",
            at_most("AvgImb_BFIO", "AvgImb_FCFS"),
            {"AvgImb_BFIO": sp.Rational(6, 5), "AvgImb_FCFS": 0},
        ),
    )


def immediate_dispatch() -> tuple[Step, ...]:
    """Disproof of [limits.immediate-dispatch]."""
    import sympy as sp

    a = sp.Symbol("a", positive=True, integer=True)
    k = sp.Symbol("k", positive=True, integer=True)
    x, y = sp.symbols("L_1 L_2", nonnegative=True)
    imbalance = 2 * sp.Max(x, y) - x - y

    def left(first: "sympy.Expr", second: "sympy.Expr") -> "sympy.Expr":
        return sp.Subs(imbalance, (x, y), (2 * a + first, 2 * a + second))

    zero = sp.Integer(0)
    return (
        Lemma(
            "the adversary",
            "G = 2, B = 2, b - a = 4 k: the sizes a + 4 k and a + k come first.  If both are sent "
            "to one worker, the other one gets two of size a.  Otherwise a + 2 k comes: if it "
            "joins a + 4 k, the last is of size a, and if it joins a + k, it is of size b.  The "
            "last one has no choice, as each worker has two slots.",
        ),
        Identity("Both on one worker", left(5 * k, zero), 5 * k),
        Identity("The third beside the largest", left(6 * k, k), 5 * k),
        Identity("The third beside the second", left(8 * k, 3 * k), 5 * k),
        violated(
            "Each is above (G-1)(b-a) = 4 k",
            refill_bound,
            {"Imb": 5 * k, "G": 2, "a": a, "b": a + 4 * k},
            k,
        ),
    )


def look_ahead() -> tuple[Step, ...]:
    """Disproof of [limits.look-ahead]."""
    import sympy as sp

    return (
        Lemma(
            "first step",
            "G = 2, B = 1, sizes (1, 1, 1, 2), lengths (2, 1, 1, 1), growth 1.  With either "
            "window the only sums of 0 are those of two 1s, of which the oldest go: (1, 1).  At "
            "the second step the first request has load 2 and departs after it; 1 and 2 wait.",
        ),
        Identity("Now, the 2 beside it leaves nothing", _total((2, 2)), sp.Integer(0)),
        Identity("and the 1 leaves 1: H = 0 takes the 2", _total((2, 1)), sp.Integer(1)),
        Identity(
            "Over H = 2 more steps, in which nothing is admitted and the new one is taken to "
            "stay, the 2 leaves 7",
            _total((2, 2), (0, 3), (0, 4)),
            sp.Integer(7),
        ),
        Identity(
            "and the 1 leaves 6: the look-ahead takes the 1",
            _total((2, 1), (0, 2), (0, 3)),
            sp.Integer(6),
        ),
        Identity("H = 0 averages 1/3", _average((1, 1), (2, 2), (1, 0)), sp.Rational(1, 3)),
        violated(
            "H = 2 averages 1, three times that",
            at_most("AvgImb_H", "AvgImb_0"),
            {"AvgImb_H": _average((1, 1), (2, 1), (2, 0)), "AvgImb_0": sp.Rational(1, 3)},
        ),
    )


def prediction_error() -> tuple[Step, ...]:
    """Disproof of [limits.prediction-error]."""
    import sympy as sp

    return (
        Lemma(
            "first step",
            "G = 2, B = 1, H = 1, sizes (2, 1, 4, 2), lengths (3, 1, 3, 1), growth 1, the first "
            "length predicted as 1.  Only the two 2s leave nothing now and a step ahead: (2, 2).  "
            "At the second step the first request has load 3 and stays; 1 and 4 wait.",
        ),
        Identity(
            "With perfect predictions the 4 leaves 2, now and a step ahead",
            _total((3, 4), (4, 5)),
            sp.Integer(2),
        ),
        Identity("and the 1 leaves 4: the 4 goes", _total((3, 1), (4, 2)), sp.Integer(4)),
        Identity(
            "Believed to depart, the first request is not there a step ahead: the 4 leaves 6",
            _total((3, 4), (0, 5)),
            sp.Integer(6),
        ),
        Identity("and the 1 leaves 4: the 1 goes", _total((3, 1), (0, 2)), sp.Integer(4)),
        Lemma(
            "the rest",
            "Perfect: the loads are (4, 5), then the first has left and the 1 stands beside 6.  "
            "Wrong: the 4 comes when the first has load 4, and goes on alone with 5 and 6.",
        ),
        Identity(
            "Perfect predictions average 7/4",
            _average((2, 2), (3, 4), (4, 5), (1, 6)),
            sp.Rational(7, 4),
        ),
        violated(
            "The wrong one averages 13/5, which is more",
            at_most("AvgImb_wrong", "AvgImb_perfect"),
            {
                "AvgImb_wrong": _average((2, 2), (3, 1), (4, 4), (0, 5), (0, 6)),
                "AvgImb_perfect": sp.Rational(7, 4),
            },
        ),
    )
