"""Formulas and proofs of the claims about the balance threshold, as data."""

from typing import TYPE_CHECKING

from theory.proof import (
    Computation,
    Conclusion,
    Identity,
    Inequality,
    Lemma,
    Setting,
    Step,
)

if TYPE_CHECKING:
    import sympy


def rich_formula() -> "sympy.Basic":
    """Formula of [threshold.rich]."""
    import sympy as sp

    G, g = sp.symbols("G g", positive=True, integer=True)
    X, least = sp.IndexedBase("X", real=True), sp.Symbol("Y_min", real=True)
    return sp.Eq(sp.Symbol("Imb"), sp.Sum(sp.Max(0, X[g] - least), (g, 1, G)))


def rich_proof() -> tuple[Step, ...]:
    """Proof of [threshold.rich]."""
    import sympy as sp

    G, g = sp.symbols("G g", positive=True, integer=True)
    X, least = sp.IndexedBase("X", real=True), sp.Symbol("Y_min", real=True)
    level, W, c, a, b = sp.symbols("Lambda W c_g a b", nonnegative=True)
    return (
        Setting(
            "All slots are full and grow alike, so after growth every worker has the same load "
            "Lambda; worker g loses c_g departing requests of total load W, so l_g = Lambda - W, "
            "X_g = W - c_g b and Y_g = W - c_g a."
        ),
        Identity(
            "The least load after refilling, l_g + c_g a, is Lambda - Y_g",
            sp.UnevaluatedExpr(level - W) + c * a,
            level - sp.UnevaluatedExpr(W - c * a),
        ),
        Identity(
            "and the largest, l_g + c_g b, is Lambda - X_g",
            sp.UnevaluatedExpr(level - W) + c * b,
            level - sp.UnevaluatedExpr(W - c * b),
        ),
        Conclusion(
            "By [step.waterfill] Imb = sum_g (M - l_g - c_g b)^+, M = max_g (l_g + c_g a) = "
            "Lambda - min Y",
            rich_formula(),
            {sp.Symbol("Imb"): sp.Sum(sp.Max(0, (level - least) - (level - X[g])), (g, 1, G))},
        ),
    )


def criterion_formula() -> "sympy.Basic":
    """Formula of [threshold.rich-any-slots]."""
    import sympy as sp

    X, Y = sp.symbols("X_max Y_min", integer=True)
    return sp.Equivalent(sp.Eq(sp.Symbol("Imb"), 0), sp.Le(X, Y))


def any_slots_proof() -> tuple[Step, ...]:
    """Disproof of [threshold.rich-any-slots]."""

    def optimum() -> bool:
        """All that can enter the one empty slot: loads 7 + s and 8."""
        return min(2 * max(7 + s, 8) - (7 + s) - 8 for s in (2, 3)) == 1

    return (
        Setting(
            "G = B = 2, drift 1, sizes 2 or 3, loads {6} and {3, 3}, balanced; nothing departs, so "
            "all X and Y are 0 and the criterion holds."
        ),
        Computation("The empty slot must be filled, by 2 or by 3: at best Imb = 1", optimum),
    )


def cost_formula() -> "sympy.Basic":
    """Formula of [threshold.cost]."""
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    v, imb = sp.symbols("v Imb", nonnegative=True, integer=True)
    return sp.And(sp.Le(v, imb), sp.Le(imb, (G - 1) * v))


def cost_proof() -> tuple[Step, ...]:
    """Proof of [threshold.cost]."""
    import sympy as sp

    n = sp.Symbol("n", nonnegative=True, integer=True)
    v, r, u, e = sp.symbols("v r u e", nonnegative=True)
    load, c, a, d = sp.symbols("l_g c_g a d", nonnegative=True)
    level, least = sp.symbols("M y", real=True)
    return (
        Lemma(
            "terms",
            "By [step.waterfill] the optimum is the sum of the terms (M - l_g - c_g b)^+, M = "
            "max_g (l_g + c_g a).  Let y be the smallest l_g + c_g b; then v = (M - y)^+.",
        ),
        Identity(
            "A worker at y + e has, for v = M - y > 0, the term (v - e)^+",
            sp.Subs(sp.Max(0, level - (least + e)), level, least + v),
            sp.Max(0, v - e),
        ),
        Inequality("which is at most v", sp.Max(0, v - e), v, sp.Min(v, e)),
        Identity(
            "The worker of M = l + c a, b = a + d, has none",
            sp.Subs(sp.Max(0, level - load - c * (a + d)), level, load + c * a),
            sp.Integer(0),
        ),
        Lemma(
            "two workers",
            "If v > 0 the worker at y, with the term v, and that of M are two; the n = G - 2 "
            "others have terms that sum to r >= 0 and to n v - u, u >= 0.",
        ),
        Inequality("Lower side", v, v + r, r),
        Inequality("Upper side", sp.expand(v + n * v - u), (n + 1) * v, u),
    )


def replacement_proof() -> tuple[Step, ...]:
    """Proof of [threshold.replacement]."""
    import sympy as sp

    a, b = sp.symbols("a b", positive=True)
    x, y = sp.symbols("x y", nonnegative=True)
    G, g = sp.symbols("G g", positive=True, integer=True)
    below, above = sp.IndexedBase("x", nonnegative=True), sp.Symbol("y", nonnegative=True)
    return (
        Inequality("A load w = b - x has w - b <= 0", (b - x) - b, sp.Integer(0), x),
        Inequality("A load w = a + y has w - a >= 0", sp.Integer(0), (a + y) - a, y),
        Lemma(
            "separated by zero",
            "Loads never fall below the size, so a <= w <= b for all that depart, and X_g = -x_g "
            "<= 0 <= min Y = y.  In words, each request is replaced by one of its own load.",
        ),
        Conclusion(
            "By [threshold.rich] Imb = sum_g (X_g - min Y)^+",
            sp.Eq(sp.Symbol("Imb", positive=True), 0, evaluate=False),
            {sp.Symbol("Imb", positive=True): sp.Sum(sp.Max(0, -below[g] - above), (g, 1, G))},
        ),
    )


def sufficient_formula() -> "sympy.Basic":
    """Formula of [threshold.sufficient]."""
    import sympy as sp

    G, t, V, R = sp.symbols("G t V R", positive=True)
    return sp.Le(sp.Symbol("P_fail"), G * (G - 1) * sp.exp(-(t**2) / (2 * (V + R * t / 3))))


def sufficient_proof() -> tuple[Step, ...]:
    """Proof of [threshold.sufficient]."""
    import sympy as sp

    B, level, a, b, d, m, R, ell, n = sp.symbols("B Lambda a b d m R ell n", positive=True)
    p, q = sp.symbols("p q", positive=True)
    t, V = p * B * d, 2 * p * q * B * m
    return (
        Lemma(
            "failure",
            "By [threshold.rich] balance fails iff X_g > Y_h for some workers g, h; never for "
            "g = h, as w - b <= w - a.  So one of G (G-1) pairs has X_g - Y_h > 0.",
        ),
        Identity(
            "The rows have the same sum Lambda, so all pairs have the same mean: E X_g - E Y_h",
            p * (level - B * b) - p * (level - B * a),
            -p * B * (b - a),
        ),
        Lemma(
            "variance and range",
            "X_g - Y_h is a sum of independent terms xi (w - b) and -xi (w - a), xi in {0, 1} "
            "with mean p: variance p (1-p) (sum_g (w-b)^2 + sum_h (w-a)^2) <= V; centred terms "
            "are at most (1-p)(w-b) or p(b-w), and p(w-a), hence at most R.",
        ),
        Lemma(
            "Bernstein",
            "A centred sum of independent terms at most R, of variance at most V, reaches t with "
            "probability at most exp(-t^2 / (2 (V + R t / 3))).  Union over the pairs.",
        ),
        Identity(
            "With t = p B d, V = 2 p q B m, q = 1 - p, ell = ln(G (G-1) / eps): the bound is at "
            "most eps iff t^2 >= 2 (V + R t / 3) ell, and",
            t**2 - 2 * (V + R * t / 3) * ell,
            p * B * (B * p * d**2 - (4 * q * m + sp.Rational(2, 3) * R * d) * ell),
        ),
        Inequality(
            "G = n + 1 has ln G + ln(G - 1) <= 2 ln G, so ell <= 2 (ln G + ln(1/eps) / 2)",
            sp.log(n + 1) + sp.log(n),
            2 * sp.log(n + 1),
            sp.log(1 + 1 / n),
        ),
        Identity(
            "which turns 4 q m and (2/3) R d into the stated constants",
            sp.UnevaluatedExpr(4 * q * m + sp.Rational(2, 3) * R * d) * 2,
            8 * q * m + sp.Rational(4, 3) * R * d,
        ),
    )


def stationary_proof() -> tuple[Step, ...]:
    """Proof of [threshold.stationary]."""
    import sympy as sp

    B, m, z, theta = sp.symbols("B m z theta", positive=True)
    p = sp.Symbol("p", positive=True)
    q = 1 - p
    mean, square = 1 / p, (2 - p) / p**2
    x, y, A = sp.symbols("x y A", nonnegative=True)
    return (
        Lemma(
            "ages",
            "In an overloaded run every slot is always occupied and departs with probability p at "
            "each step, independently of all else; so the ages A >= 1 after growth are iid "
            "geometric(p), cut at the cold start, whatever the policy.",
        ),
        Inequality(
            "A load w = s + A, s = a + x = b - y, x + y = d, has w - a <= d + A",
            x + A,
            (x + y) + A,
            y,
        ),
        Lemma("and", "-d <= w - b - A <= 0, so |w - b| <= max(A, d)."),
        Identity(
            "A is 1, or with probability q = 1 - p one more than a copy of itself: E A = 1/p",
            1 + q * mean,
            mean,
        ),
        Identity("and E A^2 = (2 - p) / p^2", 1 + 2 * q * mean + q * square, square),
        Lemma(
            "memoryless",
            "E (d+A)^2 = d^2 + 2 d E A + E A^2, and E max(A,d)^2 - d^2 = P(A > d) E[(d+A')^2 - "
            "d^2] with A' geometric(p) from 1.  A cut at the cold start lowers both means.",
        ),
        Lemma(
            "old requests",
            "P(some A > n) <= G B (1-p)^n.  Otherwise every square is at most z = (d+n)^2 and R "
            "bounds the centred terms of [threshold.sufficient].",
        ),
        Identity(
            "A worker's B squares, cut at z, have variance at most B z m; Bernstein at theta B m "
            "has the exponent",
            (theta * B * m) ** 2 / (2 * (B * z * m + z * theta * B * m / 3)),
            B * theta**2 * m / (2 * z * (1 + theta / 3)),
        ),
        Lemma(
            "union",
            "Outside these events [threshold.sufficient] applies to the state, for the next "
            "departures are independent of it, and V bounds its variance.  Integrate over the "
            "balanced states.",
        ),
    )


def any_policy_formula() -> "sympy.Basic":
    """Formula of [threshold.any-policy]."""
    import sympy as sp

    G, B, a, b, g = sp.symbols("G B a b g", positive=True, integer=True)
    A, top = sp.IndexedBase("A"), sp.Symbol("A_max", nonnegative=True, integer=True)
    floor = G * top - sp.Sum(A[g], (g, 1, G)) - (G - 1) * B * (b - a)
    return sp.Ge(sp.Symbol("Imb", nonnegative=True, integer=True), floor)


def any_policy_proof() -> tuple[Step, ...]:
    """Proof of [threshold.any-policy]."""
    import sympy as sp

    B, a, b = sp.symbols("B a b", positive=True)
    top, age, x, y = sp.symbols("A_h A_g x y", nonnegative=True)
    return (
        Lemma(
            "loads",
            "All slots are occupied, so L_g = S_g + A_g with S_g the sum of B sizes in [a, b].  "
            "Let h have the largest A_h.",
        ),
        Inequality(
            "Each other worker g has max L - L_g >= L_h - L_g >= A_h - A_g - B (b-a): with "
            "S_h = B a + x and S_g = B b - y",
            top - age - B * (b - a),
            sp.expand((B * a + x + top) - (B * b - y + age)),
            x + y,
        ),
        Lemma(
            "sum",
            "Worker h has a gap >= 0 = A_h - A_h.  The sum over the workers is the pathwise bound.",
        ),
        Lemma(
            "the ages are out of reach",
            "Fix, for every slot and step, a coin of probability p that decides whether its "
            "request departs; geometric lengths are memoryless and hidden, so any online policy "
            "faces these coins.  The age of a slot depends on its coins alone.  So the A_g are "
            "those of FCFS with equal sizes.",
        ),
    )


def t2_static_proof() -> tuple[Step, ...]:
    """Disproof of [threshold.t2-static], for every constant."""
    import sympy as sp

    G, m, B, d, s, most = sp.symbols("G m B d s_max E_G", positive=True)
    p, q = sp.symbols("p q", positive=True)
    critical = most**2 * q / (4 * p**2 * d**2)
    return (
        Inequality(
            "By [threshold.any-policy], with m = E max_g A_g - E A_g, every online policy has "
            "E[Imb] >= G m - (G-1) B d >= G (m - B d)",
            G * (m - B * d),
            G * m - (G - 1) * B * d,
            B * d,
        ),
        Lemma(
            "central limit theorem",
            "Fix G >= 2 and the sizes and let p fall to 0 with B = E_G^2 (1-p) / (4 p^2 d^2), "
            "rounded: p times an age tends to an exponential variable and B grows, so m is "
            "E_G sqrt(B q) / p, q = 1 - p, times a factor that tends to 1.",
        ),
        Identity(
            "At that B the leading term of m - B d is half of m",
            sp.Subs(most * sp.sqrt(B * q) / p - B * d, B, critical),
            sp.Subs(most * sp.sqrt(B * q) / p, B, critical) / 2,
        ),
        Identity(
            "which is E_G^2 q / (4 p^2 d)",
            sp.Subs(most * sp.sqrt(B * q) / p, B, critical) / 2,
            most**2 * q / (4 * p**2 * d),
        ),
        Identity(
            "So (G-1) s_max / p over E[Imb] tends to 0: no constant serves",
            sp.Limit(((G - 1) * s / p) / (G * most**2 * (1 - p) / (4 * p**2 * d)), p, 0),
            sp.Integer(0),
        ),
    )
