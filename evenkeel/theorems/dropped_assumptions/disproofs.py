"""Disproofs as data: for a statement that is false, the smallest instance and what it leaves.

Each is a proof of the negation, in the steps of :mod:`theory.proof`; where a whole family of
instances breaks the statement, the family is given.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step, parts
from theory.relations import Formula, at_least, at_most, equal

if TYPE_CHECKING:
    import sympy

refill_bound = at_most("Imb", "(G - 1) * (b - a)")


def violated(
    text: str,
    claimed: Formula,
    where: "Mapping[str, sympy.Expr | int]",
    excess: "sympy.Expr | int | None" = None,
) -> Conclusion:
    """The last step of a disproof: the reverse of the claimed inequality, at the witness.

    Parameters
    ----------
    text : str
        What the step says.
    claimed : Formula
        The inequality that is claimed.
    where : mapping
        What each of its names is at the witness.
    excess : sympy.Expr or int, optional
        By how much it fails, in a form that is evidently positive; the number, if it is one.
    """
    import sympy as sp

    low, _, high = parts(claimed())[0]
    values: dict[sympy.Basic, sympy.Basic] = {
        sp.Symbol(name, positive=True): sp.sympify(value) for name, value in where.items()
    }
    if excess is None:
        difference = low - high
        excess = sp.simplify(difference.subs(values, simultaneous=True).doit())
    return Conclusion(text, sp.Lt(high, low, evaluate=False), values, (sp.sympify(excess),))


def _broken_refill(
    text: str, left: "sympy.Expr", G: int, a: int, b: int, excess: "sympy.Expr | None" = None
) -> Conclusion:
    """``(G-1)(b-a) < Imb`` at numbers."""
    return violated(text, refill_bound, {"Imb": left, "G": G, "a": a, "b": b}, excess)


def _imbalance(*values: "sympy.Expr | int") -> "sympy.Expr":
    """``G max L - sum L`` at these loads, unevaluated."""
    import sympy as sp

    loads = sp.symbols(f"L_1:{len(values) + 1}", nonnegative=True)
    return sp.Subs(len(values) * sp.Max(*loads) - sp.Add(*loads), loads, values)


def _gap(*values: "sympy.Expr | int") -> "sympy.Expr":
    """``max L - min L`` at these loads, unevaluated."""
    import sympy as sp

    loads = sp.symbols(f"L_1:{len(values) + 1}", nonnegative=True)
    return sp.Subs(sp.Max(*loads) - sp.Min(*loads), loads, values)


def gap_naive() -> tuple[Step, ...]:
    """Disproof of [step.gap-naive]."""
    import sympy as sp

    s = sp.Symbol("s", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "Loads (0, s), free slots (0, 1), pool {s}: the one request must go to the second "
            "worker, so (0, 2 s) is the only admission and s_max = s.",
        ),
        Identity("Its gap is twice s_max", _gap(sp.Integer(0), 2 * s), 2 * s),
        violated("which is more", at_most("gap", "s_max"), {"gap": 2 * s, "s_max": s}, s),
    )


def gap_persists() -> tuple[Step, ...]:
    """Disproof of [step.gap-persists]."""
    import sympy as sp

    k = sp.Symbol("k", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "One slot is free at every step, on the second worker, and all waiting requests are "
            "alike.  After k steps the long request has load 1 + k, the new one load 1.",
        ),
        Identity("The gap is k, and s_max is 1", _gap(1 + k, sp.Integer(1)), k),
        violated("At k = 2 that is more", at_most("gap", "s_max"), {"gap": 2, "s_max": 1}),
    )


def overloaded() -> tuple[Step, ...]:
    """Disproof of [limits.overloaded]."""
    import sympy as sp

    G = sp.Symbol("n", positive=True, integer=True) + 1
    a = sp.Symbol("a", positive=True, integer=True)
    return (
        Lemma(
            "one request",
            "G = n + 1 empty workers and one request of size a, so b - a = 0 and the bound is 0: "
            "one load is a, the others are 0.",
        ),
        Identity(
            "The imbalance is positive",
            sp.UnevaluatedExpr(G * a) - a,
            (G - 1) * a,
        ),
        violated(
            "above the bound",
            refill_bound,
            {"Imb": (G - 1) * a, "G": G, "a": a, "b": a},
            (G - 1) * a,
        ),
    )


def pool_condition() -> tuple[Step, ...]:
    """Disproof of [limits.pool-condition]."""
    import sympy as sp

    level = sp.Symbol("M", nonnegative=True)
    return (
        Lemma(
            "the pool condition holds",
            "Two empty workers with one slot each, sizes 1, 2, 3: two of them are left whichever "
            "one is removed.",
        ),
        Identity(
            "The closed form says 0: M = max (0 + 1) = 1 and each gap is (M - 3)^+",
            sp.Subs(2 * sp.Max(0, level - 3), level, 1),
            sp.Integer(0),
        ),
        Lemma("all sizes differ", "so the two loads do, by at least 1: the best are (1, 2)."),
        violated(
            "The optimum leaves more than the closed form",
            at_most("Imb", "closed"),
            {"Imb": _imbalance(1, 2), "closed": 0},
        ),
    )


def work_conservation() -> tuple[Step, ...]:
    """Disproof of [limits.work-conservation]."""
    import sympy as sp

    return (
        Lemma(
            "admissions",
            "Two empty workers with one slot each, sizes 1 and 2.  Admitting none leaves (0, 0), "
            "one leaves (1, 0) or (2, 0), both leave (1, 2), up to the order of workers.",
        ),
        Identity("None", _imbalance(0, 0), sp.Integer(0)),
        Identity("One, at best", _imbalance(1, 0), sp.Integer(1)),
        Identity("Both", _imbalance(1, 2), sp.Integer(1)),
        Lemma("for ever", "The least imbalance is that of admitting nobody, at every step."),
        violated("None is fewer than two", at_least("admitted", "U"), {"admitted": 0, "U": 2}),
    )


def equal_slots() -> tuple[Step, ...]:
    """Disproof of [limits.equal-slots]."""
    import sympy as sp

    a = sp.Symbol("a", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "One slot and two slots, all sizes a, so the bound is 0; the loads are (a, 2 a).",
        ),
        Identity("The imbalance is a", _imbalance(a, 2 * a), a),
        violated("above the bound", refill_bound, {"Imb": a, "G": 2, "a": a, "b": a}, a),
    )


def bounded_sizes() -> tuple[Step, ...]:
    """Disproof of [limits.bounded-sizes]."""
    import sympy as sp

    B, a, K = sp.symbols("B a K", positive=True, integer=True)
    # G = n + 1 workers, at least two.
    n = sp.Symbol("m", nonnegative=True, integer=True) + 1
    return (
        Lemma(
            "no choice",
            "G = n + 1 workers.  One request of size a + K + 1 and G B - 1 of size a: B to each "
            "worker, so one load is B a + K + 1 and the others are B a.",
        ),
        Identity(
            "The imbalance",
            (n + 1) * (B * a + K + 1) - ((n + 1) * B * a + K + 1),
            n * (K + 1),
        ),
        violated("exceeds K", at_most("Imb", "K"), {"Imb": n * (K + 1), "K": K}, (n - 1) * K + n),
    )


def exact_step() -> tuple[Step, ...]:
    """Disproof of [limits.exact-step]."""
    return (
        Lemma(
            "first come, first served",
            "Two workers with two slots, sizes 1, 1, 2, 2 in that order: the loads are (2, 4), "
            "and (G-1)(b-a) = 1.",
        ),
        _broken_refill("The imbalance is twice the bound", _imbalance(2, 4), 2, 1, 2),
    )


def ties() -> tuple[Step, ...]:
    """Disproof of [limits.ties]."""
    import sympy as sp

    return (
        Lemma(
            "two optima",
            "Three empty workers with two slots, sizes 1, 1, 3, 3, 3, 3: pairs sum to 2, 4 or 6.  "
            "All are admitted, so the sum is 14 and the largest load alone counts; three loads "
            "of at most 4 sum to 12, so it is 6.  (4, 4, 6) and (2, 6, 6) are both admissions.",
        ),
        Identity("The first is optimal", _imbalance(4, 4, 6), sp.Integer(4)),
        Identity("and so is the second", _imbalance(2, 6, 6), sp.Integer(4)),
        violated(
            "whose gap is above s_max",
            at_most("gap", "s_max"),
            {"gap": _gap(2, 6, 6), "s_max": 3},
        ),
    )


def equal_lengths() -> tuple[Step, ...]:
    """Disproof of [limits.equal-lengths]."""
    return (
        Lemma(
            "no choice",
            "G = 2, B = 1, all sizes 1, lengths (1, 2, 1), so the bound is 0.  At the second step "
            "the request of length 2 has grown to 2 and the new one has load 1.",
        ),
        _broken_refill("The imbalance is above it", _imbalance(1, 2), 2, 1, 1),
    )


def common_drift() -> tuple[Step, ...]:
    """Disproof of [limits.common-drift]."""
    import sympy as sp

    s, d = sp.symbols("s d", positive=True, integer=True)
    return (
        Lemma(
            "two requests",
            "G = 2, B = 1, both of size s, so the bound is 0; one grows by d and the other not.",
        ),
        Identity("At the second step the imbalance is d", _imbalance(s + d, s), d),
        violated("above the bound", refill_bound, {"Imb": d, "G": 2, "a": s, "b": s}, d),
    )


def stickiness() -> tuple[Step, ...]:
    """Disproof of [limits.stickiness]."""
    import sympy as sp

    return (
        Lemma(
            "ages",
            "G = 2, B = 2, all sizes 1, two requests of age 1 on one worker and two new ones on "
            "the other: the sums of ages are (2, 0), and (G-1) B (b-a) = 0.",
        ),
        Identity("The bound is 2", _imbalance(2, 0), sp.Integer(2)),
        Lemma("migration", "One old and one new request on each worker give the loads (3, 3)."),
        violated(
            "which leave less than the bound",
            at_least("Imb", "bound"),
            {"Imb": _imbalance(3, 3), "bound": _imbalance(2, 0)},
        ),
    )


def hidden_lengths() -> tuple[Step, ...]:
    """Disproof of [limits.hidden-lengths]."""
    import sympy as sp

    p, z, t = sp.symbols("p z t", positive=True)
    # sum_d d q^d is q times the derivative of the geometric series at q = 1 - p.
    weighed = (1 - p) * sp.Subs(sp.Derivative(1 / (1 - z), z), z, 1 - p)
    return (
        Lemma(
            "the bound",
            "G = 2, B = 1, equal sizes: the bound is E|A_1 - A_2| of two geometric ages, and "
            "|A_1 - A_2| = d has probability 2 p q^d / (2 - p), q = 1 - p.",
        ),
        Identity(
            "So it is 2 p/(2-p) sum_d d q^d = 2 (1-p) / (p (2-p)), positive for p < 1; the sum "
            "from the derivative of the geometric series",
            2 * p / (2 - p) * weighed,
            2 * (1 - p) / (p * (2 - p)),
        ),
        Lemma(
            "side by side",
            "A policy that sees the lengths serves requests of equal length side by side, which "
            "start and depart together: the loads are equal at every step.",
        ),
        violated(
            "No imbalance is less than the bound; p = 1/(1 + t), t > 0",
            at_least("E_Imb", "bound"),
            {"E_Imb": 0, "bound": (2 * (1 - p) / (p * (2 - p))).subs(p, 1 / (1 + t))},
            2 * t * (1 + t) ** 2 / (1 + 2 * t) / (1 + t),
        ),
    )


def fixed_beta() -> tuple[Step, ...]:
    """Disproof of [balanceroute.fixed-beta]."""
    import sympy as sp

    n = sp.Symbol("n", nonnegative=True, integer=True)
    G, m, e = sp.symbols("G m e", positive=True, integer=True)
    score = (m + e) - G * e
    better = at_most("lowered_by_the_larger", "lowered_by_the_other")
    worse = at_least("lowered_by_the_larger", "lowered_by_the_other")
    return (
        Lemma(
            "one free slot",
            "A worker with margin m and one free slot; sizes 1 and m + e wait.  The request of "
            "size 1 scores 1 and lowers the imbalance by 1, that of size m + e scores "
            "m + e - beta e and lowers it by m + e - G e [balanceroute.score-identity].",
        ),
        Identity(
            "With m = 84, e = 2 and the penalty 43 the larger request scores 0, less than 1",
            sp.Subs(score, (G, m, e), (43, 84, 2)),
            sp.Integer(0),
        ),
        violated(
            "but lowers the imbalance by more at G = 42 - n, n >= 0",
            better,
            {
                "lowered_by_the_larger": sp.Subs(score, (G, m, e), (42 - n, 84, 2)),
                "lowered_by_the_other": 1,
            },
            1 + 2 * n,
        ),
        Identity(
            "With m = 86, e = 2 it scores 2, more than 1",
            sp.Subs(score, (G, m, e), (43, 86, 2)),
            sp.Integer(2),
        ),
        violated(
            "but lowers the imbalance by less at G = 44 + n, n >= 0",
            worse,
            {
                "lowered_by_the_larger": sp.Subs(score, (G, m, e), (44 + n, 86, 2)),
                "lowered_by_the_other": 1,
            },
            1 + 2 * n,
        ),
    )


def nonmonotone() -> tuple[Step, ...]:
    """Proof of [universal.nonmonotone]."""
    import sympy as sp

    G, B, s, k, g, h = sp.symbols("G B s k g h", positive=True, integer=True)
    after = sp.symbols("m", nonnegative=True, integer=True)
    kept, fallen = B * (s + k - 1), B * s
    imbalance, *names = sp.symbols("Imb G B k", positive=True)
    return (
        Setting(
            "All G B slots hold jobs of size s that started together, wherever a policy put them, "
            "and that are longer than k steps and grow by 1.  Step k puts the jobs of all workers "
            "but the first back to s.  The imbalance is the sum of the gaps below the largest.",
        ),
        Identity(
            "After k - 1 steps a job that was not put back has load",
            s + sp.Sum(1, (h, 1, k - 1)),
            s + k - 1,
        ),
        Inequality(
            "The first worker, at step k = m + 1, holds the largest load",
            fallen,
            kept.subs(k, after + 1),
            B * after,
        ),
        Conclusion(
            "The gaps of the G - 1 others add up to it",
            equal("Imb", "B * (G - 1) * (k - 1)")(),
            {
                imbalance: sp.Sum(kept - fallen, (g, 2, G)),
                **dict(zip(names, (G, B, k), strict=True)),
            },
        ),
    )


def greedy() -> tuple[Step, ...]:
    """Disproof of [balanceroute.greedy]."""
    import sympy as sp

    S, m = sp.symbols("S m", nonnegative=True)
    moves = (
        ("1 to the first", 1, 1, 1),
        ("2 to the first", 2, 1, 0),
        ("1 to the second", 1, 0, -1),
    )
    return (
        Lemma(
            "four first moves",
            "Loads (0, 1), one free slot each, pool {1, 2}: the margins are 1 and 0.",
        ),
        *(
            Identity(
                f"The score of size {move} worker",
                sp.Subs(S - 2 * sp.Max(0, S - m), (S, m), (size, margin)),
                sp.Integer(score),
            )
            for move, size, margin, score in (*moves, ("2 to the second", 2, 0, -2))
        ),
        Lemma("greedy", "So 1 goes to the first worker and 2 to the second: loads (1, 3)."),
        Identity("The greedy admission leaves 2", _imbalance(1, 3), sp.Integer(2)),
        violated(
            "which is more than the other one, loads (2, 2)",
            at_most("Imb", "optimum"),
            {"Imb": _imbalance(1, 3), "optimum": _imbalance(2, 2)},
        ),
    )
