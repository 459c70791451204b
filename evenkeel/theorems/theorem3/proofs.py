"""Formulas and proofs of the claims about Theorem 3, as data."""

from typing import TYPE_CHECKING

from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Step

if TYPE_CHECKING:
    import sympy


def fcfs_lower_formula() -> "sympy.Basic":
    """Formula of [drift.fcfs-lower]."""
    import sympy as sp

    return sp.Ge(
        sp.Symbol("E[Imb(FCFS, drift)]", positive=True),
        sp.Symbol("E[Imb(FCFS, no drift)]", positive=True),
    )


def fcfs_lower_proof() -> tuple[Step, ...]:
    """Proof of [drift.fcfs-lower]."""
    import sympy as sp

    G, largest, total, y = sp.symbols("G M S y", positive=True)
    w1, w2, u, v = sp.symbols("w_1 w_2 u v", nonnegative=True)
    m1, m2 = sp.symbols("M_1 M_2", real=True)
    return (
        Lemma(
            "independence",
            "A load is L_g = S_g + Y_g, S_g the sum of the B sizes on the worker and Y_g that of "
            "their growths.  Ages depend on output lengths alone, which are independent of the "
            "sizes; so Y is independent of S, and the Y_g are iid with some mean y.",
        ),
        Inequality(
            "The maximum is convex: a mixture of loads, M_1 - u and M_2 - v on any one worker, "
            "is at most the mixture of the maxima",
            w1 * (m1 - u) + w2 * (m2 - v),
            w1 * m1 + w2 * m2,
            w1 * u + w2 * v,
        ),
        Lemma(
            "Jensen, given the sizes",
            "E[max_g (S_g + Y_g) | S] >= max_g (S_g + E[Y_g | S]) = max_g S_g + y.",
        ),
        Identity(
            "Adding y to every load leaves the imbalance unchanged",
            G * (largest + y) - (total + G * y),
            G * largest - total,
        ),
        Inequality(
            "So, with E[max_g L_g | S] = M + y + u: the expected imbalance given the sizes is at "
            "least that of the sizes alone",
            G * largest - total,
            G * (largest + y + u) - (total + G * y),
            G * u,
        ),
        Lemma(
            "the law of the sizes",
            "The sizes in the slots are iid from the law of s at every step, as they do not "
            "influence how long a request stays; so the right side is E[Imb] with X = s.",
        ),
    )


def work_formula() -> "sympy.Basic":
    """Formula of [drift.work]."""
    import sympy as sp

    s, o = sp.IndexedBase("s"), sp.IndexedBase("o")
    i, n = sp.symbols("i N", integer=True)
    d = sp.Symbol("d", nonnegative=True)
    return sp.Eq(sp.Symbol("W"), sp.Sum(o[i] * s[i] + d * o[i] * (o[i] - 1) / 2, (i, 1, n)))


def work_proof() -> tuple[Step, ...]:
    """Proof of [drift.work]."""
    import sympy as sp

    s, o = sp.IndexedBase("s"), sp.IndexedBase("o")
    i, n = sp.symbols("i N", integer=True)
    d, size = sp.symbols("d s", nonnegative=True)
    length, j = sp.symbols("o j", positive=True, integer=True)
    of_one = length * size + d * length * (length - 1) / 2
    return (
        Lemma(
            "exchange the sums",
            "W = sum_k sum_g L_g(k) adds every request's load at each of its o steps, on "
            "whatever worker and at whatever steps they are.",
        ),
        Identity(
            "A request's work under constant drift",
            sp.Sum(size + d * (j - 1), (j, 1, length)),
            of_one,
        ),
        Computation(
            "With drift (3, 0, 1) a request of size s and length 2 works s + (s + 3) if it starts "
            "at step 0, and s + (s + 0) at step 1: s = 1 gives 5 and 2",
            lambda: [1 + (1 + grown) for grown in (3, 0)] == [5, 2],
        ),
        Conclusion(
            "Summed over the requests",
            work_formula(),
            {sp.Symbol("W"): sp.Sum(of_one.subs({size: s[i], length: o[i]}), (i, 1, n))},
        ),
    )
