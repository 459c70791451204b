"""Formulas and proofs of [fcfs.stationary], [fcfs.moments] and [fcfs.constant-of-law]."""

from typing import TYPE_CHECKING

from theory.proof import Identity, Inequality, Lemma, Step

if TYPE_CHECKING:
    import sympy


def stationary_formula() -> "sympy.Basic":
    """Formula of [fcfs.stationary]."""
    import sympy as sp

    d, mean = sp.symbols("d E[o]", positive=True)
    chance, tail = sp.Symbol("P(s, A=t)"), sp.Symbol("P(s, o>t)")
    return sp.Eq(chance, d * tail / mean)


def stationary_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.stationary]."""
    import sympy as sp

    d, m, n = sp.symbols("d m n", positive=True, integer=True)
    j = sp.Symbol("j", positive=True, integer=True)
    return (
        Lemma(
            "renewal theorem",
            "With d the greatest common divisor of the lengths, u_j = 0 unless d divides j, and "
            "u_(jd) tends to d/E[o], by the renewal theorem for the lengths in units of d.",
        ),
        Lemma(
            "age law",
            "So at steps k = r mod d the chance u_(k-t) P(s, o>t) tends to d P(s, o>t)/E[o] for "
            "t = r mod d, and is 0 for every other t; the lengths are bounded, so the sum of "
            "finitely many terms converges.",
        ),
        Identity(
            "For one length o = n d the ages of each phase have total probability one: n of the "
            "n d ages have the right remainder",
            sp.Sum(d / (n * d), (j, 1, n)),
            sp.Integer(1),
        ),
        Lemma(
            "phases under constant drift",
            "All lengths are multiples of d, so P(s, o > m d + r) is the same for r = 0..d-1: a "
            "load of phase r is one of phase 0 plus r times the drift, which leaves the imbalance "
            "unchanged, and the averaged law adds r drawn at random for each slot.  By Jensen's "
            "inequality, given the loads of phase 0, that does not lower E[max] - mean.",
        ),
        Identity(
            "It can raise it: two workers with one size and length d have no imbalance under "
            "drift 1, but ages drawn at random differ by (d^2-1)/(3d) in the mean",
            sp.Sum(2 * m * (d - m) / d**2, (m, 1, d - 1)),
            (d**2 - 1) / (3 * d),
        ),
    )


def moments_formula() -> "sympy.Basic":
    """Formula of [fcfs.moments]."""
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    m1, m2, F = sp.symbols("m_1 m_2 F", nonnegative=True)
    return sp.Eq(
        sp.Symbol("E[S^2; M<=y]"), G * m2 * F ** (G - 1) + G * (G - 1) * m1**2 * F ** (G - 2)
    )


def moments_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.moments]."""
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    m1, m2, F = sp.symbols("m_1 m_2 F", positive=True)
    t = sp.Symbol("t", real=True)
    generating = (F + m1 * t + m2 * t**2 / 2) ** G
    return (
        Lemma(
            "independence survives the cut",
            "M <= y says L_g <= y for each worker, so E[exp(t S); M <= y] = "
            "(E[exp(t L); L <= y])^G, and E[exp(t L); L <= y] = F + m_1 t + m_2 t^2/2 + .. with "
            "m_j = E[L^j; L <= y].",
        ),
        Identity(
            "First derivative at 0: E[S; M <= y] = G m_1 F^(G-1)",
            sp.Subs(sp.Derivative(generating, t), t, 0),
            G * m1 * F ** (G - 1),
        ),
        Identity(
            "Second derivative at 0: E[S^2; M <= y] = G m_2 F^(G-1) + G (G-1) m_1^2 F^(G-2)",
            sp.Subs(sp.Derivative(generating, (t, 2)), t, 0),
            G * m2 * F ** (G - 1) + G * (G - 1) * m1**2 * F ** (G - 2),
        ),
        Lemma(
            "increments",
            "E[h(M) S^j] = sum_y h(y) (E[S^j; M <= y] - E[S^j; M <= y-1]) for any h, and "
            "Imb^2 = G^2 M^2 - 2 G M S + S^2, Imb/(G M) = 1 - S/(G M).",
        ),
    )


def constant_of_law_formula() -> "sympy.Basic":
    """Formula of [fcfs.constant-of-law]."""
    import sympy as sp

    B, G, B1, G1 = sp.symbols("B G B_1 G_1", positive=True)
    c = sp.Function("c")
    shrink = sp.sqrt(B1 * sp.log(G1) / (B * sp.log(G)))
    return sp.Ge(c(G, B), c(G1, B1) * shrink)


def constant_of_law_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.constant-of-law]."""
    import sympy as sp

    sigma, slots, logs = sp.symbols("sigma B_1 l_1", positive=True)
    more, longer, gain, rise = sp.symbols("b l m r", nonnegative=True)
    return (
        Lemma(
            "more slots",
            "Give every worker one slot more, with loads X_g of mean m.  By Jensen's inequality "
            "E[max_g (L_g + X_g) | L] >= max_g L_g + m, so E[max] - B E[X] cannot fall as B "
            "grows.",
        ),
        Lemma("more workers", "nor as G grows, because the maximum is taken over more loads."),
        Inequality(
            "With E[max] - mean = m + r at (G, B) and m at (G_1, B_1), ln G = l_1 + l and "
            "B = B_1 + b: c(G, B) >= c(G_1, B_1) sqrt(B_1 ln G_1 / (B ln G))",
            gain / sigma / sp.sqrt((slots + more) * (logs + longer)),
            (gain + rise) / sigma / sp.sqrt((slots + more) * (logs + longer)),
            rise / sigma / sp.sqrt((slots + more) * (logs + longer)),
        ),
        Lemma(
            "branch and bound",
            "The region is cut into boxes until the bound at the lower corner of each is within "
            "the tolerance of the smallest exact value found.",
        ),
    )
