"""Formulas and proofs of the claims about FCFS, as data.

Each function builds its sympy objects when called, so that listing claims stays fast.
"""

from functools import cache
from itertools import product
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

    from theory.laws.law import Enclosure


def exact_formula() -> "sympy.Basic":
    """Formula of [fcfs.exact]."""
    import sympy as sp

    G, B = sp.symbols("G B", positive=True, integer=True)
    x = sp.Symbol("x", nonnegative=True, integer=True)
    F, mean, imb = sp.Function("F"), sp.Symbol("E[X]"), sp.Symbol("E[Imb]")
    return sp.Eq(imb, G * (sp.Sum(1 - F(x) ** G, (x, 0, sp.oo)) - B * mean))


def exact_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.exact]."""
    import sympy as sp

    p, q = sp.symbols("p q", positive=True)
    k = sp.Symbol("k", positive=True, integer=True)
    t = sp.Symbol("t", nonnegative=True, integer=True)
    # Closed forms of the three geometric sums, with q = 1 - p; the first is telescoping.
    mean = q / (1 - q)
    return (
        Lemma(
            "slots are independent renewal processes",
            "FCFS sends the next request of the queue to a slot that is free; which slot is free "
            "depends on earlier output lengths only, as the pool surely fills every one.  So the "
            "successive requests of a slot are iid copies of (s, o), independent between slots, "
            "and each slot, never empty, renews at the sums of its output lengths.",
        ),
        Lemma(
            "age at step k",
            "The request in a slot at step k was admitted at k-t and lives on with probability "
            "u_(k-t) P(s, o>t); its load is s plus the drift of the t steps since.",
        ),
        Lemma(
            "geometric lengths",
            "For geometric(p) lengths u_j = p for j >= 1 and u_0 = 1, so P(A=t) = p q^t for t < k "
            "and P(A=k) = q^k.",
        ),
        Identity(
            "The cut geometric ages have total probability one",
            p * sp.Sum((1 - p) ** t, (t, 0, k - 1)) + (1 - p) ** k,
            sp.Integer(1),
        ),
        Identity(
            "The stationary age has variance (1-p)/p^2",
            (q * (1 + q) / (1 - q) ** 2 - mean**2).subs(q, 1 - p),
            (1 - p) / p**2,
        ),
        Lemma(
            "tail sum",
            "The loads L_1..L_G are iid with distribution function F and non-negative, so "
            "E[max] = sum_(x>=0) P(max > x) = sum_(x>=0) (1 - F(x)^G); and E[sum L] = G B E[X].",
        ),
    )


def size_blind_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.size-blind]."""
    return (
        Lemma(
            "optional skipping (Doob)",
            "Fill the free slots one request at a time.  Which slot the next request goes to is a "
            "function of the requests before it, so its (s, o), drawn from the same law, is "
            "independent of that choice and of everything before.  The successive requests of "
            "the slots are therefore independent draws, in whatever order the rule fills them.",
        ),
        Lemma(
            "same slots",
            "As the pool fills every slot, each slot is refilled at the step after a departure "
            "under any such rule; so all GB slots are the independent renewal processes of FCFS, "
            "and the loads, sums over the B slots of a worker, have the same law.",
        ),
    )


def lower_formula() -> "sympy.Basic":
    """Formula of [fcfs.lower]."""
    import sympy as sp

    G, B, sigma = sp.symbols("G B sigma", positive=True)
    eps, x, cut = sp.symbols("epsilon x x_star", nonnegative=True)
    Phi, imb = sp.Function("Phi"), sp.Symbol("E[Imb]")
    gain = sp.Integral(1 - (Phi(x) + eps) ** G, (x, 0, cut))
    loss = (sp.Rational(1, 2) + eps) ** (G - 1) / 2
    return sp.Ge(imb, G * sigma * sp.sqrt(B) * (gain - loss))


def lower_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.lower]."""
    import sympy as sp

    z = sp.Symbol("z", real=True)
    return (
        Lemma(
            "Berry-Esseen (Shevtsova 2011)",
            "Z = (L - B EX)/(sigma sqrt(B)) has |F_Z - Phi| <= eps everywhere, with eps the "
            "smaller of 0.4748 rho/(sigma^3 sqrt(B)) and "
            "0.33554 (rho + 0.415 sigma^3)/(sigma^3 sqrt(B)).",
        ),
        Lemma(
            "split at zero",
            "E[max Z] = int_0^inf (1 - F_Z^G) - int_(-inf)^0 F_Z^G.  In the first integral "
            "F_Z <= Phi + eps up to x*, and the rest is not negative.",
        ),
        Lemma(
            "the negative half",
            "F_Z is non-decreasing, so on x < 0 F_Z^G <= F_Z(0)^(G-1) F_Z <= "
            "(1/2 + eps)^(G-1) F_Z, and int_(-inf)^0 F_Z = E[Z^-].",
        ),
        Identity(
            "E[Z] = 0 gives E[Z^-] = E|Z|/2, as z^- = (|z| - z)/2",
            sp.Max(0, -z),
            (sp.Abs(z) - z) / 2,
        ),
        Inequality(
            "and E[Z^2] = 1 gives E|Z| <= 1, so E[Z^-] <= 1/2",
            sp.Abs(z),
            (1 + z**2) / 2,
            (1 - sp.Abs(z)) ** 2 / 2,
        ),
    )


def pairing_formula() -> "sympy.Basic":
    """Formula of [fcfs.pairing]."""
    import sympy as sp

    G, B, sigma, mu4 = sp.symbols("G B sigma mu_4", positive=True)
    second = 2 * B * sigma**2
    fourth = B * (2 * mu4 + 6 * sigma**4) + 12 * B * (B - 1) * sigma**4
    return sp.Ge(sp.Symbol("E[Imb]"), G * second ** sp.Rational(3, 2) / (2 * sp.sqrt(fourth)))


def pairing_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.pairing]."""
    import sympy as sp

    B, sigma, mu4 = sp.symbols("B sigma mu_4", positive=True)
    x, y = sp.symbols("x y", real=True)
    moments = {1: sp.Symbol("m_1"), 2: sp.Symbol("m_2"), 3: sp.Symbol("m_3"), 4: mu4}
    d2, d4 = 2 * sigma**2, 2 * mu4 + 6 * sigma**4
    second, fourth = B * d2, B * d4 + 3 * B * (B - 1) * d2**2
    return (
        Lemma("more workers", "E[max of G] >= E[max of 2], because the maximum only grows."),
        Identity(
            "The larger of two is their mean plus half their distance",
            sp.Max(x, y),
            (x + y) / 2 + sp.Abs(x - y) / 2,
        ),
        Lemma(
            "Hoelder",
            "With S = L_1 - L_2, E[S^2] = E[|S|^(2/3) |S|^(4/3)] <= (E|S|)^(2/3) (E[S^4])^(1/3), "
            "so E|S| >= (E[S^2])^(3/2) / (E[S^4])^(1/2).",
        ),
        Identity(
            "Fourth moment of the difference of two copies, from their moments m_1 = 0, m_2 = "
            "sigma^2, m_3 and m_4 = mu_4",
            sp.Subs(_moment_of_difference(4, moments), (moments[1], moments[2]), (0, sigma**2)),
            d4,
        ),
        Identity(
            "B m_4 + 3 B (B-1) m_2^2 is the fourth moment of a sum of B independent symmetric "
            "terms: it is m_4 at B = 1, and one more term adds m_4 + 6 (B m_2) m_2",
            fourth.subs(B, B + 1) - fourth,
            d4 + 6 * (B * d2) * d2,
        ),
        Identity(
            "The bound over sigma sqrt(B), in units of sigma = 1, tends to 1/sqrt(6)",
            sp.Limit(
                (second ** sp.Rational(3, 2) / sp.sqrt(fourth) / 2 / (sigma * sp.sqrt(B))).subs(
                    sigma, 1
                ),
                B,
                sp.oo,
            ),
            1 / sp.sqrt(6),
        ),
    )


def _moment_of_difference(order: int, moments: "dict[int, sympy.Expr]") -> "sympy.Expr":
    """``E[(X - Y)^order]`` of two independent copies, from the central moments of one."""
    import sympy as sp

    x, y = sp.symbols("x y")
    table = {0: sp.Integer(1), **moments}
    terms = sp.Poly((x - y) ** order, x, y).terms()
    return sp.Add(*(c * table[i] * table[j] for (i, j), c in terms))


def superadditive_formula() -> "sympy.Basic":
    """Formula of [fcfs.superadditive]."""
    import sympy as sp

    g1, g2, b1, b2 = sp.symbols("G_1 G_2 B_1 B_2", positive=True, integer=True)
    M = sp.Function("M")
    return sp.Ge(M(g1 * g2, b1 + b2), M(g1, b1) + M(g2, b2))


def superadditive_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.superadditive]."""
    return (
        Setting(
            "Split every load into a first part, of B_1 copies, and a second, of B_2; put the "
            "G_1 G_2 workers in G_1 groups of G_2."
        ),
        Lemma(
            "the best second part of each group",
            "Take in each group a worker whose second part is largest.  The choice does not look "
            "at first parts, so those of the chosen are still G_1 independent sums of B_1 copies, "
            "independent of all second parts; and each chosen second part has the mean of the "
            "largest of G_2 sums of B_2 copies.",
        ),
        Lemma(
            "the best first part of the chosen",
            "Take of the chosen the one whose first part is largest.  Its group does not depend "
            "on second parts, so the mean of its load is E[max of G_1 first parts] + E[max of G_2 "
            "second parts], at most E[max of all loads].  Subtract (B_1 + B_2) E[X].",
        ),
        Lemma(
            "monotone",
            "The maximum is taken over more loads as G grows.  G_1 = 1 has M(1, B_1) = 0, so M "
            "does not fall in B either.",
        ),
    )


def log_growth_formula() -> "sympy.Basic":
    """Formula of [fcfs.log-growth]."""
    import sympy as sp

    imb, bound = _log_growth()
    return sp.Ge(imb, bound)


def _log_growth() -> "tuple[sympy.Symbol, sympy.Expr]":
    """``E[Imb]`` and its bound."""
    import sympy as sp

    G, k, n, sigma, kappa = sp.symbols("G k n sigma kappa", positive=True)
    return sp.Symbol("E[Imb]"), G * k * sigma * sp.sqrt(n / (6 + (kappa - 3) / n))


def log_growth_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.log-growth]."""
    import sympy as sp

    G, k, n, sigma, kappa = sp.symbols("G k n sigma kappa", positive=True)
    i, j, w, more, pair = sp.symbols("i j w x y", nonnegative=True)
    imb, bound = _log_growth()
    fourth = n * (2 * kappa * sigma**4 + 6 * sigma**4) + 12 * n * (n - 1) * sigma**4
    return (
        Lemma(
            "k doublings",
            "G >= 2^k and B >= k n, so M(G, B) >= M(2^k, k n) >= k M(2, n) [fcfs.superadditive].",
        ),
        Lemma(
            "two workers",
            "M(2, n) = E|L_1 - L_2|/2 is at least the bound of [fcfs.pairing] at G = 2, halved.",
        ),
        Identity(
            "which is sigma sqrt(n / (6 + (kappa-3)/n)), with mu_4 = kappa sigma^4 (squared)",
            (2 * n * sigma**2) ** 3 / (4 * fourth),
            sigma**2 * n / (6 + (kappa - 3) / n),
        ),
        Inequality(
            "n >= 1 and B <= k n + k - 1, so B <= n (2k-1): with n = 1 + i, k = 1 + j and "
            "B = k n + j - w",
            (1 + i) * (1 + j) + j - w,
            (1 + i) * (2 * (1 + j) - 1),
            i * j + w,
        ),
        Inequality(
            "and log2 G < k + 1, so B log2 G <= (9/4) n k^2, because",
            (2 * k - 1) * (k + 1),
            sp.Rational(9, 4) * k**2,
            (k / 2 - 1) ** 2,
        ),
        Lemma(
            "the constant of the order",
            "k sqrt(n) >= (2/3) sqrt(B log2 G), and 6 + (kappa-3)/n <= 3 + max(3, kappa); so the "
            "bound is at least (2/3) G sigma sqrt(B ln G) / sqrt(ln 2 (3 + max(3, kappa))).",
        ),
        Conclusion(
            "Together, with M(2, n) larger than its bound by y, and M(G, B) than k M(2, n) by x",
            sp.Ge(imb, bound),
            {imb: bound + G * (k * pair + more)},
            (G * (k * pair + more),),
        ),
    )


def gaussian_formula() -> "sympy.Basic":
    """Formula of [fcfs.gaussian]."""
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    middle = sp.Symbol("m_G", positive=True)
    return sp.And(
        sp.Le(sp.sqrt(sp.log(G)) / sp.sqrt(sp.pi * sp.log(2)), middle),
        sp.Le(middle, sp.sqrt(2 * sp.log(G))),
    )


def gaussian_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.gaussian]."""
    import sympy as sp

    t, x, rate = sp.symbols("t x l", positive=True)
    return (
        Identity(
            "E[max of 2 normals] = E|N(0,2)|/2 = 1/sqrt(pi): equality on the left at G = 2",
            largest_of_two(),
            sp.sqrt(sp.log(2)) / sp.sqrt(sp.pi * sp.log(2)),
        ),
        Computation(
            "For each G in 3..100 the rigorous integral of E[max] lies above sqrt(ln G/(pi ln 2))",
            _above_up_to_100,
        ),
        Lemma(
            "G from 100, first step",
            "With t = sqrt(ln G), E[max] >= t P(max > t) - E[max^-] >= "
            "t (1 - exp(-G Q(t))) - 2^(1-G)/sqrt(2 pi), and Q(t) >= t phi(t)/(1+t^2), so "
            "G Q(t) >= h(t) = exp(t^2/2) t/((1+t^2) sqrt(2 pi)).",
        ),
        Inequality(
            "h is increasing: its logarithmic derivative t + 1/t - 2t/(1+t^2) is not negative",
            sp.Integer(0),
            t + 1 / t - 2 * t / (1 + t**2),
            (1 + t**4) / (t * (1 + t**2)),
        ),
        Inequality(
            "At G = 100 and so beyond: 1 - exp(-h) - 2^(1-100) >= 0.78 > 0.678 > 1/sqrt(pi ln 2)",
            1 / sp.sqrt(sp.pi * sp.log(2)) + sp.Rational(2) ** -99,
            1 - sp.exp(-_tail_at_100()),
            1 - sp.exp(-_tail_at_100()) - 1 / sp.sqrt(sp.pi * sp.log(2)) - sp.Rational(2) ** -99,
        ),
        Lemma(
            "upper side",
            "By Jensen exp(l E[max]) <= E[sum_g exp(l Z_g)] = G exp(l^2/2) for every l > 0, so "
            "E[max] <= ln(G)/l + l/2.",
        ),
        Identity(
            "and l = sqrt(2 x), x = ln G, gives sqrt(2 ln G)",
            sp.Subs(x / rate + rate / 2, rate, sp.sqrt(2 * x)),
            sp.sqrt(2 * x),
        ),
        Lemma(
            "the limit of the ratio",
            "For every e in (0, 1) and t = (1-e) sqrt(2 ln G) the expected number G Q(t) of "
            "normals above t grows without bound, so E[max] >= t (1 - exp(-G Q(t))) - E[max^-] is "
            "asymptotically at least t.",
        ),
    )


@cache
def largest_of_normals(workers: int) -> "Enclosure":
    """Mean of the largest of ``G`` standard normals, integrated once."""
    from theory.laws.order_statistics import expected_max_of_normals

    return expected_max_of_normals(workers)


def _above_up_to_100() -> bool:
    """Whether ``E[max of G normals]^2 > ln G / (pi ln 2)`` for each G from 3 to 100, enclosed."""
    from flint import arb, ctx

    from theory.laws.fcfs_expectation import PRECISION, to_ball

    with ctx.workprec(PRECISION):
        scale = arb.pi() * arb(2).log()
        return all(
            to_ball(largest_of_normals(g).lower) ** 2 * scale > arb(g).log() for g in range(3, 101)
        )


def largest_of_two() -> "sympy.Expr":
    """Mean of the larger of two standard normals, as the integral of ``|N(0, 2)| / 2``."""
    import sympy as sp

    y = sp.Symbol("y", positive=True)
    return sp.Integral(y * sp.exp(-(y**2) / 4) / sp.sqrt(4 * sp.pi), (y, 0, sp.oo))


def _tail_at_100() -> "sympy.Expr":
    """``h(t)`` at ``t = sqrt(ln 100)``."""
    import sympy as sp

    t2 = sp.log(100)
    return sp.sqrt(100) * sp.sqrt(t2) / ((1 + t2) * sp.sqrt(2 * sp.pi))


def constant_formula() -> "sympy.Basic":
    """Formula of [fcfs.constant]."""
    import sympy as sp

    B = sp.Symbol("B", positive=True)
    c = sp.Function("c")
    return sp.Eq(sp.Limit(c(2, B), B, sp.oo), 1 / sp.sqrt(sp.pi * sp.log(2)))


def constant_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.constant]."""
    import sympy as sp

    return (
        Lemma(
            "central limit theorem",
            "(L_g - B EX)/(sigma sqrt(B)) are iid, converge in law to normals, and have second "
            "moment 1, so their maximum is uniformly integrable and its expectation converges.",
        ),
        Identity(
            "The limit at G = 2: (1/sqrt(pi))/sqrt(ln 2) = 1/sqrt(pi ln 2)",
            largest_of_two() / sp.sqrt(sp.log(2)),
            1 / sp.sqrt(sp.pi * sp.log(2)),
        ),
        Lemma("every other G", "By [fcfs.gaussian] the limit is larger for every G > 2."),
    )


def constant_uniform_proof() -> tuple[Step, ...]:
    """Disproof of [fcfs.constant-uniform]."""
    import sympy as sp

    q, d = sp.symbols("q d", positive=True)
    sigma2 = d**2 * q * (1 - q)
    # P(X1 != X2) = 2 q (1-q); the imbalance of two workers is |X1 - X2|.
    return (
        Identity(
            "Size a+d with probability q, else a, at G = 2 and B = 1: (E[Imb]/(G sigma))^2 "
            "= q(1-q), which tends to 0 with q",
            (sp.UnevaluatedExpr(2 * q * (1 - q) * d) / 2) ** 2 / sigma2,
            q * (1 - q),
        ),
        Lemma(
            "fixed B",
            "With sizes at most b, E[Imb]/G <= B (b - EX) for every G, while sqrt(ln G) grows "
            "without bound.",
        ),
    )


def worst_case_formula() -> "sympy.Basic":
    """Formula of [fcfs.worst-case]."""
    import sympy as sp

    G, B, a, b = sp.symbols("G B a b", positive=True, integer=True)
    return sp.Eq(sp.Symbol("sup Imb(FCFS)"), (G - 1) * B * (b - a))


def worst_case_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.worst-case]."""
    import sympy as sp

    n = sp.Symbol("n", nonnegative=True, integer=True)  # G - 1
    B, a, d = sp.symbols("B a d", positive=True)
    below, above = sp.symbols("x y", nonnegative=True)
    largest, others = B * (a + d) - below, n * B * a + above
    return (
        Lemma(
            "bounds of the loads",
            "Each worker gets B requests in [a, b]: the largest load is at most B b and the sum of "
            "the G-1 other loads at least (G-1) B a.",
        ),
        Inequality(
            "With d = b-a, M = B b - x and the others' sum (G-1) B a + y, the imbalance "
            "(G-1) M - sum of others is at most (G-1) B d",
            n * largest - others,
            n * B * d,
            n * below + above,
        ),
        Identity(
            "Attained: one worker with B b's, the others with B a's",
            (n + 1) * B * (a + d) - (B * (a + d) + n * B * a),
            n * B * d,
        ),
        Identity(
            "Ratio of the suprema of FCFS and BF-IO, for G - 1 = n + 1 >= 1 and d > 0",
            sp.UnevaluatedExpr((n + 1) * B * d) / sp.UnevaluatedExpr((n + 1) * d),
            B,
        ),
    )


def vertex_timed_disproof() -> tuple[Step, ...]:
    """Disproof of [fcfs.vertex-timed]."""
    import sympy as sp

    return (
        Lemma(
            "sizes (2, 2, 3)",
            "The first step lasts from 0 to 2, the second request starts at 2 with loads 2, then "
            "3, until 7; the third, which arrived at 4.5 within the step from 4 to 7, starts at "
            "7.  Every step has one busy worker: loads 2, 2, 3, 3.",
        ),
        Identity("Its imbalance, 2 M - M at each step", _alone(2, 2, 3, 3), sp.Integer(10)),
        Computation(
            "The best of the eight vertices of [1, 3]^3 gives 9, stepped through by hand in "
            "integers (times in halves)",
            lambda: (
                max(_timed(sizes) for sizes in product((1, 3), repeat=3)) == 9
                and _timed((2, 2, 3)) == 10
            ),
        ),
    )


def _alone(*loads: int) -> "sympy.Expr":
    """Total imbalance of steps with one busy worker of two, unevaluated."""
    import sympy as sp

    j = sp.Symbol("j", integer=True, positive=True)
    load = sp.Function("M")
    total = sp.Sum(2 * load(j) - load(j), (j, 1, len(loads))).doit()
    return sp.Subs(total, [load(i) for i in range(1, len(loads) + 1)], loads)


def _timed(sizes: tuple[int, ...]) -> int:
    """Total imbalance of two workers with one slot under FCFS, lengths 1, 2, 1, C = 0, t_l = 1.

    Arrivals at 0, 1.5 and 4.5, counted in halves of a unit of load.
    """
    arrivals, lengths = (0, 3, 9), (1, 2, 1)
    active: list[list[int]] = []
    now = first = total = 0
    while first < 3 or active:
        if not active:
            now = max(now, arrivals[first])
        while first < 3 and len(active) < 2 and arrivals[first] <= now:
            active.append([sizes[first], lengths[first]])
            first += 1
        loads = [load for load, _ in active]
        total += 2 * max(loads) - sum(loads)
        now += 2 * max(loads)
        active = [[load + 1, left - 1] for load, left in active if left > 1]
    return total


def vertex_proof() -> tuple[Step, ...]:
    """Proof of [fcfs.vertex]."""
    import sympy as sp

    w = sp.Symbol("w", positive=True)  # weights of the two points, which sum to 1
    u, v, r = sp.symbols("u v r", nonnegative=True)
    G, m1, m2, s1, s2, f = sp.symbols("G M_1 M_2 S_1 S_2 f", real=True)
    return (
        Lemma(
            "placement does not depend on sizes",
            "Start steps and workers of FCFS are functions of the output lengths; so each load "
            "L_g(k) is an affine function of the sizes.",
        ),
        Inequality(
            "A load that is a mixture of M_1 - u and M_2 - v is at most the mixture of the maxima "
            "(weights w and r): the maximum of affine functions is convex",
            w * (m1 - u) + r * (m2 - v),
            w * m1 + r * m2,
            w * u + r * v,
        ),
        Identity(
            "So the imbalance is convex, too: the sum of the loads, S_1 and S_2, is affine",
            G * (w * m1 + r * m2) - (w * s1 + r * s2),
            w * (G * m1 - s1) + r * (G * m2 - s2),
        ),
        Inequality(
            "A mixture of the values f and f + u, weights w and r, is at most the larger",
            (w * f + r * (f + u)) / (w + r),
            f + u,
            w * u / (w + r),
        ),
        Lemma(
            "vertices",
            "The total imbalance, a sum of G max L - sum L over steps, is convex in the sizes.  "
            "Along an edge of the box [a, b]^N, one size varied, it is thus at most its value at "
            "one of the ends; N times, at a vertex.",
        ),
    )
