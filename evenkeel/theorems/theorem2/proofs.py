"""Formulas and proofs of the claims about Theorem 2, as data."""

from fractions import Fraction
from typing import TYPE_CHECKING

from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Setting, Step

if TYPE_CHECKING:
    import sympy

# The right side of [geometric.bfio-upper].
TWO_SIZES = "((G - 1) * (delta - 1) + F) / p + Imb_0 / (p * K)"


def _factorial_moments(p: "sympy.Symbol") -> "list[sympy.Expr]":
    """``E[A (A-1) ... (A-j+1)]`` for j = 1..4, from the generating function of the age."""
    import sympy as sp

    z = sp.Symbol("z", positive=True)
    generating = p / (1 - (1 - p) * z)  # sum_t p (1-p)^t z^t
    return [sp.Subs(sp.Derivative(generating, z, j), z, 1) for j in range(1, 5)]


def _age_moments(p: "sympy.Expr") -> "tuple[sympy.Expr, sympy.Expr]":
    """Variance and fourth central moment of a geometric age."""
    return (1 - p) / p**2, (1 - p) * (p**2 - 9 * p + 9) / p**4


def fcfs_lower_formula() -> "sympy.Basic":
    """Formula of [geometric.fcfs-lower]."""
    import sympy as sp

    sigma, p, fourth = sp.symbols("sigma_s p mu_4(s)", positive=True)
    v, age4 = _age_moments(p)
    return sp.And(
        sp.Eq(sp.Symbol("sigma_X", positive=True) ** 2, sigma**2 + v),
        sp.Eq(sp.Symbol("mu_4", positive=True), fourth + 6 * sigma**2 * v + age4),
    )


def fcfs_lower_proof() -> tuple[Step, ...]:
    """Proof of [geometric.fcfs-lower]."""
    import sympy as sp

    sigma, p, fourth, u, v = sp.symbols("sigma_s p mu_4(s) u v", positive=True)
    f1, f2, f3, f4 = _factorial_moments(p)
    mean = (1 - p) / p
    variance, age4 = _age_moments(p)
    return (
        Lemma(
            "size and age are independent",
            "Lengths are independent of sizes and memoryless: in stationarity A is geometric, "
            "P(A = t) = p (1-p)^t, whatever s [fcfs.exact].",
        ),
        Identity("Mean of the age, from its generating function", f1, mean),
        Identity("Variance of the age", f2 + f1 - mean**2, variance),
        Identity(
            "Fourth central moment of the age",
            (f4 + 6 * f3 + 7 * f2 + f1)
            - 4 * mean * (f3 + 3 * f2 + f1)
            + 6 * mean**2 * (f2 + f1)
            - 3 * mean**4,
            age4,
        ),
        Identity(
            "With u = s - E s and v = A - E A independent, the terms of odd power have mean 0",
            (u + v) ** 4,
            u**4 + 6 * u**2 * v**2 + v**4 + 4 * u * v * (u**2 + v**2),
        ),
        Conclusion(
            "so the moments of X = s + A are",
            fcfs_lower_formula(),
            {
                sp.Symbol("sigma_X", positive=True): sp.sqrt(sigma**2 + f2 + f1 - mean**2),
                sp.Symbol("mu_4", positive=True): fourth + 6 * sigma**2 * variance + age4,
            },
        ),
    )


def two_sizes_steps() -> tuple[Step, ...]:
    """One step from a pool that offers x and x + delta; growth is common and drops out."""
    import sympy as sp

    d, B, x, z = sp.symbols("delta B x z", positive=True)
    r, u, v, y = sp.symbols("r u v y", nonnegative=True)
    j, c = sp.symbols("j c_g", nonnegative=True, integer=True)
    load, low, level = sp.symbols("l_g low_g T", real=True)
    L, M, D, X, Y = sp.symbols("L_g M D X_g Y", real=True)
    p, q = 1 / (1 + z), z / (1 + z)  # any p in (0, 1)
    return (
        Setting(
            "After the departures worker g has load l_g and c_g free slots.  Let low_g = l_g + "
            "c_g x, up_g = low_g + c_g delta and T = max_h low_h, and let it take j = min(c_g, "
            "floor((T - low_g)/delta)) requests of size x + delta and c_g - j of size x."
        ),
        Identity(
            "Then its load is low_g + j delta",
            sp.Subs(load, load, low - c * x) + (c - j) * x + j * (x + d),
            low + j * d,
        ),
        Inequality(
            "If j < c_g, T = low_g + j delta + delta - 1 - r with r >= 0, as sizes are integers: "
            "it ends at most delta - 1 below T",
            sp.Subs(level - (low + j * d), level, low + j * d + d - 1 - r),
            d - 1,
            r,
        ),
        Identity(
            "and if j = c_g, by T - up_g, which is not negative",
            sp.Subs(level - (low + j * d), j, c),
            level - (low + c * d),
        ),
        Lemma(
            "the optimum",
            "So no worker ends above T, the one with low_g = T ends there, and each of the G - 1 "
            "others at most (delta-1) + (T - up_g)^+ below it.  The copies suffice for that "
            "admission, and the optimal one has no larger imbalance.",
        ),
        Identity(
            "With L_g the load before the departures, D = sum (w-x) over them and Y = p (L_g - "
            "B x) - D: low_g",
            L - D,
            (1 - p) * L + p * B * x + (p * (L - B * x) - D),
        ),
        Identity(
            "and, with D = sum (w-x-delta) over them and X_g = D - p (L_g - B (x+delta)): up_g",
            L - D,
            (1 - p) * L + p * B * (x + d) - (D - p * (L - B * (x + d))),
        ),
        Inequality(
            "T is low_h for some h, with L_h = M - u and Y_h = Y - v below the largest ones: T - "
            "up_g is at most (1-p)(M - L_g) + X_g + Y - B p delta",
            (q * (M - u) + p * B * x + Y - v) - (q * L + p * B * (x + d) - X),
            q * (M - L) + X + Y - B * p * d,
            q * u + v,
        ),
        Inequality("(u - y)^+ <= u = u + (-y)^+, u, y >= 0", sp.Max(0, u - y), u, sp.Min(u, y)),
        Lemma(
            "sum",
            "With u = (1-p)(M - L_g), whatever the sign of the rest, the sum over the workers is "
            "the inequality of the step, as sum_g (M - L_g) = Imb.",
        ),
    )


def bfio_upper_proof() -> tuple[Step, ...]:
    """Proof of [geometric.bfio-upper]."""
    return (*two_sizes_steps(), average())


def average() -> Step:
    """The bound of the mean over K steps, from the one of a step."""
    import sympy as sp

    from theory.relations import at_most

    G, d, F, p, K, first = sp.symbols("G delta F p K Imb_0", positive=True)
    last, u = sp.symbols("Imb_K u", nonnegative=True)
    return Conclusion(
        "Summed over K steps, p K AvgImb = Imb_0 - Imb_K + K ((G-1)(delta-1) + F) - u with u >= 0",
        at_most("AvgImb_BFIO", TWO_SIZES)(),
        {
            sp.Symbol("AvgImb_BFIO", positive=True): (
                first - last + K * ((G - 1) * (d - 1) + F) - u
            )
            / (p * K)
        },
        ((last + u) / (p * K),),
    )


def range_proof() -> tuple[Step, ...]:
    """Disproof of [geometric.bfio-upper-range], [geometric.iir-range], [drift.bfio-upper-range]."""
    import sympy as sp

    B, a, b, r = sp.symbols("B a b R_g", positive=True)
    top, age, x, y = sp.symbols("A_h A_g x y", nonnegative=True)
    return (
        Setting(
            "Sizes a, a + 1 and, almost never, b; A_g is the sum of the ages on worker g, R_g the "
            "number of its requests of size b, h the worker with the largest A_h.  The instance "
            "is theory.formulas.rebalancing.RareSize: N requests wait from the start, N/4 = G B "
            "(2k + 1), k = 40/p."
        ),
        Inequality(
            "Every worker g ends at least A_h - A_g - B - (b-a-1) R_g below the largest load: "
            "with sizes B a + x on h and B (a+1) + (b-a-1) R_g - y on g",
            top - age - B - (b - a - 1) * r,
            sp.expand((B * a + x + top) - (B * (a + 1) + (b - a - 1) * r - y + age)),
            x + y,
        ),
        Lemma(
            "expectation",
            "The ages are those of [threshold.any-policy], independent of the sizes, and of the N "
            "requests in expectation N P(b) are of size b.  So at every step every online policy "
            "has E[Imb] >= E[G max A - sum A] - (G-1) B - (b-a-1) N P(b), the ages at step k "
            "being stationary up to E (A-k)^+.",
        ),
        Lemma(
            "the pool condition",
            "If a quarter of the requests has size a and a quarter a + 1, which fails with "
            "probability below 2^-1000, each of these classes fills G B slots to step 2k, as at "
            "most G B requests enter in a step; given that, expectations grow by at most a "
            "factor 1/(1 - 2^-1000).",
        ),
        Computation(
            "The instance: exact enclosures of both expectations, against the claimed sides",
            rare_size_refutes,
        ),
    )


def rare_size_refutes() -> bool:
    """Whether the instance breaks the bound of BF-IO by 2 and that of IIR by 5/4."""
    from theory.formulas.constants import FCFS_ROUNDED
    from theory.formulas.rebalancing import RareSize
    from theory.formulas.theorem2 import bfio_bound, frontier_slots, paper_ratio

    it = RareSize()
    claimed = paper_ratio(it.sizes, it.p, it.G, it.B, FCFS_ROUNDED)
    return (
        frontier_slots(it.G, float(it.p), it.b - 1) <= it.B
        and it.floor > 2 * bfio_bound(it.G, it.b, it.p)
        and it.fcfs / it.floor < claimed.lower * Fraction(4, 5)
    )


def vacuity_formula() -> "sympy.Basic":
    """Formula of [geometric.vacuity]."""
    import sympy as sp

    bound, B, edge = sp.symbols("T_2 B B_1", positive=True)
    return sp.Eq(bound**2, B / edge)


def vacuity_proof() -> tuple[Step, ...]:
    """Proof of [geometric.vacuity]."""
    import sympy as sp

    c, G, sigma, B, p, s = sp.symbols("c G sigma_X B p s_max", positive=True)
    bound = c * p / s * sigma * sp.sqrt(B * sp.log(G)) * G / (G - 1)
    edge = ((G - 1) * s / (c * p * G)) ** 2 / (sigma**2 * sp.log(G))
    named = dict(zip(sp.symbols("T_2 B_1", positive=True), (bound, edge), strict=True))
    return (
        Conclusion(
            "With T_2 = c (p/s_max) sigma_X sqrt(B ln G) G/(G-1) and B_1 as stated",
            vacuity_formula(),
            named,
        ),
    )


def iir_static_proof() -> tuple[Step, ...]:
    """Disproof of [geometric.iir-static], for every constant."""
    import sympy as sp

    G, B, most, c, logs, p = sp.symbols("G B E_G c l p", positive=True)
    critical = most**2 / (4 * p**2)
    spread = sp.sqrt(sp.Rational(1, 4) + (1 - p) / p**2)  # sizes 1 or 2 at equal odds
    bound = c * p / 2 * spread * sp.sqrt(critical * logs) * G / (G - 1)
    return (
        Lemma(
            "both sides",
            "Sizes 1 or 2 at equal odds, d = 1, G >= 2 fixed, p falls to 0 and B = E_G^2 / "
            "(4 p^2), rounded.  By the central limit theorem E[Imb(FCFS)]/G and E max_g A_g - "
            "E A_g are both E_G sqrt(B) / p times factors that tend to 1, and by "
            "[threshold.any-policy] no online policy has less than G times the latter minus G B.",
        ),
        Identity(
            "So the limit of the largest possible IIR is 2",
            sp.Subs((most * sp.sqrt(B) / p) / (most * sp.sqrt(B) / p - B), B, critical),
            sp.Integer(2),
        ),
        Identity(
            "while p times the claimed side, l = ln G, tends to a positive number",
            sp.Limit(p * bound, p, 0),
            c * most * sp.sqrt(logs) * G / (4 * (G - 1)),
        ),
    )
