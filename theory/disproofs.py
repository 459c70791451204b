"""Disproofs as data: for a statement that is false, the smallest instance and what it leaves.

Each is a proof of the negation, in the steps of :mod:`theory.proof`; where a whole family of
instances breaks the statement, the family is given.
"""

from typing import TYPE_CHECKING

from theory.proof import Identity, Lemma, Step

if TYPE_CHECKING:
    import sympy


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
        Identity("The optimum leaves 1", _imbalance(1, 2), sp.Integer(1)),
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
    )


def bounded_sizes() -> tuple[Step, ...]:
    """Disproof of [limits.bounded-sizes]."""
    import sympy as sp

    G, B, a, K = sp.symbols("G B a K", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "One request of size a + K + 1 and G B - 1 of size a: B to each worker, so one load "
            "is B a + K + 1 and the others are B a.",
        ),
        Identity(
            "The imbalance exceeds every K for G >= 2",
            G * (B * a + K + 1) - (G * B * a + K + 1),
            (G - 1) * (K + 1),
        ),
    )


def exact_step() -> tuple[Step, ...]:
    """Disproof of [limits.exact-step]."""
    import sympy as sp

    return (
        Lemma(
            "first come, first served",
            "Two workers with two slots, sizes 1, 1, 2, 2 in that order: the loads are (2, 4), "
            "and (G-1)(b-a) = 1.",
        ),
        Identity("The imbalance is twice the bound", _imbalance(2, 4), sp.Integer(2)),
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
        Identity("whose gap is above s_max = 3", _gap(2, 6, 6), sp.Integer(4)),
    )


def equal_lengths() -> tuple[Step, ...]:
    """Disproof of [limits.equal-lengths]."""
    import sympy as sp

    return (
        Lemma(
            "no choice",
            "G = 2, B = 1, all sizes 1, lengths (1, 2, 1), so the bound is 0.  At the second step "
            "the request of length 2 has grown to 2 and the new one has load 1.",
        ),
        Identity("The imbalance is 1", _imbalance(1, 2), sp.Integer(1)),
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
        Identity("and no imbalance", _imbalance(3, 3), sp.Integer(0)),
    )


def hidden_lengths() -> tuple[Step, ...]:
    """Disproof of [limits.hidden-lengths]."""
    import sympy as sp

    p, z = sp.symbols("p z", positive=True)
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
    )


def fixed_beta() -> tuple[Step, ...]:
    """Disproof of [balanceroute.fixed-beta]."""
    import sympy as sp

    G, m, e = sp.symbols("G m e", positive=True, integer=True)
    score = (m + e) - G * e
    return (
        Lemma(
            "one free slot",
            "A worker with margin m and one free slot; sizes 1 and m + e wait.  The request of "
            "size 1 scores 1 and lowers the imbalance by 1, that of size m + e scores "
            "m + e - beta e and lowers it by m + e - G e [balanceroute.score-identity].",
        ),
        Identity(
            "At G = 2, m = 3, e = 1 the larger request lowers it by 2, so it is the better one",
            sp.Subs(score, (G, m, e), (2, 3, 1)),
            sp.Integer(2),
        ),
        Identity(
            "but with the penalty 43 it scores less than 1",
            sp.Subs(score, (G, m, e), (43, 3, 1)),
            sp.Integer(-39),
        ),
    )


def nonmonotone() -> tuple[Step, ...]:
    """Proof of [universal.nonmonotone]."""
    import sympy as sp

    G, B, s, k = sp.symbols("G B s k", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "All G B slots are taken by jobs of size s that started together.  At step k those of "
            "one worker have load s + k - 1 each, those of the others have fallen back to s.",
        ),
        Identity(
            "The imbalance grows without bound",
            G * B * (s + k - 1) - (B * (s + k - 1) + (G - 1) * B * s),
            B * (G - 1) * (k - 1),
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
        Identity("the other one, loads (2, 2), nothing", _imbalance(2, 2), sp.Integer(0)),
    )
