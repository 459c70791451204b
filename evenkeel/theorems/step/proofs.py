"""Formulas and proofs of the claims about one admission step, as data.

Each function builds its sympy objects when called, so that listing claims stays fast.
"""

from typing import TYPE_CHECKING

from theory.proof import Identity, Inequality, Lemma, Setting, Step

if TYPE_CHECKING:
    import sympy


def _sides() -> "tuple[sympy.Symbol, ...]":
    """The symbols ``G``, ``a``, ``b``, ``Imb``."""
    import sympy as sp

    return (
        *sp.symbols("G a b", positive=True, integer=True),
        sp.Symbol("Imb", nonnegative=True, integer=True),
    )


def objective_formula() -> "sympy.Basic":
    """Formula of [step.objective]."""
    import sympy as sp

    G, g = sp.symbols("G g", positive=True, integer=True)
    M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
    return sp.Eq(G * M - sp.Sum(L[g], (g, 1, G)), sp.Sum(M - L[g], (g, 1, G)))


def objective_proof() -> tuple[Step, ...]:
    """Proof of [step.objective]."""
    import sympy as sp

    G, g = sp.symbols("G g", positive=True, integer=True)
    M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
    return (
        Identity(
            "The imbalance is the sum of the gaps below the largest load",
            G * M - sp.Sum(L[g], (g, 1, G)),
            sp.Sum(M, (g, 1, G)) - sp.Sum(L[g], (g, 1, G)),
        ),
        Lemma(
            "everything enters",
            "If |pool| <= sum c every request is admitted, so sum L = sum l + sum pool for every "
            "assignment, and minimising G*M - sum L is minimising M.",
        ),
        Lemma(
            "the subset matters",
            "l = (3, 0), c = (0, 1), pool {1, 4}: admitting 1 gives M = 3 and imbalance 2, "
            "admitting 4 gives M = 4 and imbalance 1.  The smallest maximum is not optimal.",
        ),
    )


def full_refill_gap_formula() -> "sympy.Basic":
    """Formula of [step.full-refill-gap]."""
    import sympy as sp

    G, a, b, imb = _sides()
    return sp.Le(imb, (G - 1) * (b - a))


def _swap(of: str, low: str) -> tuple[Step, Step]:
    """The exchange argument: moving ``d < D`` of load downhill lowers the sum of squares."""
    import sympy as sp

    d, e = sp.symbols("d e", positive=True)
    low_load = sp.Symbol("L_l", nonnegative=True)
    D = d + e
    change = (low_load + D - d) ** 2 + (low_load + d) ** 2 - (low_load + D) ** 2 - low_load**2
    return (
        Identity(
            f"Moving d of load from {of} to {low}, D apart, changes the sum of squares by "
            "-2 d (D - d)",
            change,
            -2 * d * (D - d),
        ),
        Inequality("which is negative for 0 < d < D = d + e", change, sp.Integer(0), 2 * d * e),
    )


def full_refill_gap_proof() -> tuple[Step, ...]:
    """Proof of [step.full-refill-gap]."""
    import sympy as sp

    G = sp.Symbol("n", nonnegative=True, integer=True) + 1
    a, D, r = sp.symbols("a D r", nonnegative=True)
    M = a + D
    return (
        Setting(
            "Take any G*B requests of the pool and, of the finitely many partitions into G groups "
            "of B, one whose loads have the smallest sum of squares."
        ),
        Lemma(
            "a pair to swap",
            "Suppose loads L_h and L_l differ by D = L_h - L_l > b - a.  Both groups have B "
            "requests, so some x on h and y on l have x > y; d = x - y <= b - a < D.",
        ),
        *_swap("h", "l"),
        Lemma(
            "contradiction",
            "Swapping x and y keeps the groups of size B and lowers the smallest sum of squares; "
            "so max - min <= b - a.",
        ),
        Inequality(
            "One worker has no gap and the G-1 others at most D = max - min: with "
            "sum L = M + (G-1)(M - D) + r, r >= 0, the imbalance is at most (G-1) D",
            sp.expand(G * M - (M + (G - 1) * (M - D) + r)),
            (G - 1) * D,
            r,
        ),
        Lemma("conclusion", "The optimum is at most this partition's: (G-1)(b-a)."),
    )


def full_refill_tight_formula() -> "sympy.Basic":
    """Formula of [step.full-refill-tight]."""
    import sympy as sp

    G, a, b, imb = _sides()
    return sp.Eq(imb, (G - 1) * (b - a))


def full_refill_tight_proof() -> tuple[Step, ...]:
    """Proof of [step.full-refill-tight]."""
    import sympy as sp

    G, a, b, _ = _sides()
    B = sp.Symbol("B", positive=True, integer=True)
    return (
        Lemma(
            "no choice",
            "With exactly G*B requests all are admitted, B to each worker; the worker of the one "
            "b has load b + (B-1) a and every other worker B a.",
        ),
        Identity(
            "So every assignment has the imbalance of the bound",
            G * (b + (B - 1) * a) - (b + (G * B - 1) * a),
            (G - 1) * (b - a),
        ),
    )


def waterfill_formula() -> "sympy.Basic":
    """Formula of [step.waterfill]."""
    import sympy as sp

    G, g, b = sp.symbols("G g b", positive=True, integer=True)
    M = sp.Symbol("M", nonnegative=True, integer=True)
    load, free = sp.IndexedBase("l"), sp.IndexedBase("c")
    gap = sp.Max(0, M - load[g] - free[g] * b)
    return sp.Eq(sp.Symbol("Imb", nonnegative=True, integer=True), sp.Sum(gap, (g, 1, G)))


def clipped_grows() -> tuple[Step, Step]:
    """``(M - t)^+`` does not fall as ``M`` grows by ``d``: above ``t`` by x, and below it by x."""
    import sympy as sp

    x, d = sp.symbols("x d", nonnegative=True)
    return (
        Inequality(
            "(M - t)^+ does not decrease in M: where M = t + x, it grows by d as M does",
            sp.Max(0, x),
            sp.Max(0, x + d),
            d,
        ),
        Inequality(
            "and where M = t - x, from 0", sp.Max(0, -x), sp.Max(0, d - x), sp.Max(0, d - x)
        ),
    )


def waterfill_proof() -> tuple[Step, ...]:
    """Proof of [step.waterfill]."""
    import sympy as sp

    load, top, r, d = sp.symbols("L t r d", nonnegative=True)
    a, c, q, width, rest = sp.symbols("a c q w rho", nonnegative=True, integer=True)
    level, most = sp.symbols("M u", real=True)
    return (
        Lemma(
            "reachable loads",
            "From c_g requests of integer sizes in [a, b], each size available often enough, "
            "worker g reaches exactly the integers of [l_g + c_g a, l_g + c_g b], whatever the "
            "others take: write the excess over c_g a as q w + rho, w = b - a, 0 <= rho < w, and "
            "take q requests of size b, one of size a + rho and the others of size a.",
        ),
        Identity(
            "Their sum is as it should be",
            q * (a + width) + (a + rest) + (c - q - 1) * a,
            c * a + (q * width + rest),
        ),
        Lemma(
            "level",
            "Every admission has M >= M* = max_g (l_g + c_g a), for each worker must be filled.",
        ),
        Inequality(
            "A worker's gap below M is at least M - (l_g + c_g b): with L_g = l_g + c_g b - r and "
            "t = M - l_g - c_g b, it is t + r",
            top,
            top + r,
            r,
        ),
        Inequality("and never negative, as L_g <= M = L_g + d", load, load + d, d),
        Lemma(
            "lower side",
            "So the imbalance is at least sum_g (M - l_g - c_g b)^+, with M >= M*.",
        ),
        *clipped_grows(),
        Lemma(
            "upper side",
            "L_g = min(M*, l_g + c_g b) is reachable, because M* >= l_g + c_g a; its maximum is "
            "M*, attained where M* is.",
        ),
        Identity(
            "Its gaps, with u = l_g + c_g b, are those of the lower side at M*",
            level - sp.Min(level, most),
            sp.Max(0, level - most),
        ),
    )


def waterfill_admitted_disproof() -> tuple[Step, ...]:
    """Disproof of [step.waterfill-admitted]."""
    import sympy as sp

    level, x, y = sp.symbols("M L_1 L_2", nonnegative=True)
    return (
        Setting(
            "Loads (0, 0), slots (1, 1), a = b = 1, pool {1}: U = min(1, 2) = 1, and the pool "
            "holds one copy of every size in [1, 1]."
        ),
        Identity(
            "The closed form with M* = max (0 + 1) = 1 is 0",
            sp.Subs(2 * sp.Max(0, level - 1), level, 1),
            sp.Integer(0),
        ),
        Identity(
            "The one request must be admitted, to either worker; the loads 1 and 0 leave 1",
            sp.Subs(2 * sp.Max(x, y) - x - y, (x, y), (1, 0)),
            sp.Integer(1),
        ),
    )


def lower_bound_formula() -> "sympy.Basic":
    """Formula of [step.lower-bound]."""
    import sympy as sp

    G, g = sp.symbols("G g", positive=True, integer=True)
    LB = sp.Symbol("LB", nonnegative=True, integer=True)
    load, free = sp.IndexedBase("l"), sp.IndexedBase("c")
    largest = sp.Function("S_max")
    gap = sp.Max(0, LB - load[g] - largest(free[g]))
    return sp.Ge(sp.Symbol("Imb", nonnegative=True, integer=True), sp.Sum(gap, (g, 1, G)))


def lower_bound_proof() -> tuple[Step, ...]:
    """Proof of [step.lower-bound]."""
    import sympy as sp

    n, m, r = sp.symbols("n m r", nonnegative=True)
    total, mine, spare, admitted = sp.symbols("C c_g K U", nonnegative=True, integer=True)
    return (
        Lemma(
            "forced requests",
            "The other workers take at most C - c_g of the U requests, C = sum c, so worker g "
            "takes at least U - (C - c_g), of total size at least S^min of that many.",
        ),
        Identity(
            "which is c_g - K, with K = C - U",
            sp.Subs(admitted - (total - mine), admitted, total - spare),
            mine - spare,
        ),
        Inequality(
            "The largest load is at least the mean: sum L = (n+1) M - r for n+1 workers, r >= 0",
            (n + 1) * m - r,
            (n + 1) * m,
            r,
        ),
        Lemma(
            "level",
            "sum L >= sum l + S^min_U, and M is an integer; with the forced requests M >= LB.",
        ),
        Lemma(
            "gaps",
            "Worker g ends at most at l_g + S^max_{c_g} and at most at M, so its gap is at least "
            "(M - l_g - S^max_{c_g})^+, with M >= LB.",
        ),
        *clipped_grows(),
        Lemma("sum", "So it is at least (LB - l_g - S^max_{c_g})^+; sum over g [step.objective]."),
    )


def lattice_formula() -> "sympy.Basic":
    """Formula of [step.lattice]."""
    import sympy as sp

    LB, q, M = sp.symbols("LB q M", nonnegative=True, integer=True)
    least = sp.Function("min")(sp.Function("R")(M), sp.And(sp.Le(LB, M), sp.Lt(M, LB + q)))
    return sp.Ge(sp.Symbol("Imb", nonnegative=True, integer=True), least)


def lattice_proof() -> tuple[Step, ...]:
    """Proof of [step.lattice]."""
    import sympy as sp

    q = sp.Symbol("q", positive=True, integer=True)
    n, k = sp.symbols("n k", integer=True)
    j, r, M, load = sp.symbols("j r M l_g", nonnegative=True, integer=True)
    return (
        Lemma(
            "every slot is filled",
            "Worker g takes c_g requests of sizes v + q k_i, so L_g = l_g + c_g v + q k with "
            "k = sum k_i.  Let M - l_g - c_g v = q n + r with 0 <= r < q.",
        ),
        Identity("Its gap M - L_g has the residue r as well", q * n + r - q * k, q * (n - k) + r),
        Inequality(
            "and is not negative, so n - k = j >= 0 and it is at least r", r, q * j + r, q * j
        ),
        Lemma(
            "gaps",
            "A worker without free slots has the gap M - l_g.  Summed over g the gaps are the "
            "imbalance [step.objective].",
        ),
        Identity("At M + q the residues are the same", q * n + r + q, q * (n + 1) + r),
        Inequality(
            "and the gaps of full workers larger, so R(M + q) >= R(M)", M - load, M + q - load, q
        ),
        Lemma("one period", "M >= LB, so R(M) is at least the least of R over LB to LB + q - 1."),
    )


def lexicographic_proof() -> tuple[Step, ...]:
    """Proof of [step.lexicographic]."""
    import sympy as sp

    x, y = sp.symbols("L_1 L_2", nonnegative=True)
    imbalance = 2 * sp.Max(x, y) - x - y
    return (
        Lemma(
            "total order",
            "The last component of the key is the assignment itself, so two different "
            "assignments have different keys, and a finite set has one smallest.",
        ),
        Lemma(
            "ties are real",
            "l = (0, 0), c = (1, 1), pool {1, 1, 2, 2}: the admissions {1},{1} and {2},{2} have "
            "the loads (1, 1) and (2, 2), so M = 1 and M = 2.",
        ),
        Identity("Imbalance of the first", sp.Subs(imbalance, (x, y), (1, 1)), sp.Integer(0)),
        Identity("and of the second", sp.Subs(imbalance, (x, y), (2, 2)), sp.Integer(0)),
    )


def lp_formula() -> "sympy.Basic":
    """Formula of [step.lp-closed-form]."""
    import sympy as sp

    W = sp.Symbol("W")
    h, T, C = sp.Function("h"), sp.Function("T"), sp.Function("C")
    return sp.Eq(sp.Symbol("Imb_LP", nonnegative=True), sp.Function("max_W")(h(W) - T(C(W))))


def lp_proof() -> tuple[Step, ...]:
    """Proof of [step.lp-closed-form]."""
    return (
        Lemma(
            "reachable vectors",
            "Let A_g be the size that worker g takes fractionally.  Rearrangement gives the "
            "maximum of sum lambda_g A_g for any weights: largest sizes to the largest positive "
            "weights, smallest to the most negative ones.  That is the greedy maximum over the "
            "generalised polymatroid beta((C(W)-K)^+) <= A(W) <= T(C(W)), all W: same support "
            "function, same set.",
        ),
        Lemma(
            "slots that stay empty",
            "If K > 0 all n items are placed, and the lower side is the upper side of the "
            "complement: with k slots outside W, C(W) - K = n - k and sum v - T(k) = beta(n - k).",
        ),
        Lemma(
            "feasible M",
            "A generalised polymatroid meets A <= h, h_g = M - l_g, iff beta((C(W)-K)^+) <= h(W) "
            "for all W.  The least such M is max_W (l(W) + beta((C(W)-K)^+)) / |W|.",
        ),
        Lemma(
            "deficit",
            "The largest A(V) under A <= h is min_W h(V-W) + T(C(W)); so the smallest "
            "h(V) - A(V) at that M is max_W (h(W) - T(C(W))), which does not decrease in M.",
        ),
        Lemma(
            "prefixes",
            "beta(x - K)^+ is convex and T concave, so both maxima over W are maxima of a convex "
            "function of (C(W), h(W)), hence at a vertex of the zonotope of the points (c_g, h_g): "
            "a prefix in the order of h_g / c_g, ascending for the first, descending for the "
            "second.  Sorting costs O(G log G).",
        ),
    )


def gap_condition_formula() -> "sympy.Basic":
    """Formula of [step.gap-condition]."""
    import sympy as sp

    names = "L_p L_q l_p l_q c_p c_q"
    after_p, after_q, lp, lq, cp, cq = sp.symbols(names, nonnegative=True, integer=True)
    s = sp.Symbol("s_max", positive=True, integer=True)
    return sp.Implies(lp - lq <= s * (1 - sp.Max(0, cp - cq)), after_p - after_q <= s)


def gap_condition_proof() -> tuple[Step, ...]:
    """Proof of [step.gap-condition]."""
    import sympy as sp

    s, k, r, u, v = sp.symbols("s k r u v", nonnegative=True)
    before = s * (1 - k) - r
    return (
        Setting(
            "Of the optima take the one with the smallest (M, sum L^2).  Let p have the largest "
            "and q the smallest load after admission, and suppose D = L_p - L_q > s_max."
        ),
        *_swap("p", "q"),
        Lemma(
            "order",
            "So no request on p is larger than one on q (swapping them, d <= s_max < D, keeps the "
            "sum, raises neither M nor the imbalance and lowers the sum of squares), and q has no "
            "slot left, or p took nothing (moving a request of p there does the same).",
        ),
        Inequality(
            "If p took nothing, D <= l_p - l_q = s_max (1 - k) - r <= s_max, k = (c_p - c_q)^+",
            before,
            s,
            s * k + r,
        ),
        Inequality(
            "Otherwise q took c_q requests; pair them with requests of p, none larger (together "
            "u smaller); the at most k others of p are at most s_max each (together v less): "
            "D = s_max (1 - k) - r - u + k s_max - v <= s_max",
            sp.expand(before - u + k * s - v),
            s,
            r + u + v,
        ),
        Lemma("contradiction", "Either way D <= s_max."),
    )
