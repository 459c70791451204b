"""Proof steps of the energy claims, as data for :mod:`theory.proof`.

Symbols as in :mod:`theory.formulas.energy_symbols`, with ``e = delta = 1 - gamma``.  With a step
overhead, ``W`` and ``I`` stand for the usage with overhead.  This module imports sympy: it is
loaded when a proof is asked for.
"""

import sympy
from sympy import Symbol

from theory.formulas import energy_symbols as claimed
from theory.formulas.energy import (
    Usage,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_sharp,
)
from theory.formulas.energy_symbols import (
    BASE,
    LINEAR,
    POWER,
    RUN,
    E,
    I,
    W,
    d,
    e,
    eta,
    eta1,
    p,
    saving,
)
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Step

m = Symbol("m", positive=True)
u = Symbol("u", nonnegative=True)
v = Symbol("v", positive=True)
share = sympy.sin(Symbol("x", real=True)) ** 2  # any number between 0 and 1
rest = sympy.cos(Symbol("x", real=True)) ** 2  # and what is left of 1
r = Symbol("r", nonnegative=True)
t = Symbol("t", nonnegative=True)


def _power_against_line() -> tuple[Step, ...]:
    """``u <= u^gamma <= 1 - gamma (1 - u)``, the right side for every ``u >= 0``."""
    gap = (1 - e) * v + e - v ** (1 - e)
    return (
        Inequality(
            "With u = 1/(1+r), 0 < u <= 1: log u <= gamma log u",
            -sympy.log(1 + r),
            -(1 - e) * sympy.log(1 + r),
            e * sympy.log(1 + r),
        ),
        Lemma(
            "exp increases",
            "Hence u <= u^gamma for 0 < u <= 1; at u = 0 both sides are 0.",
        ),
        Identity(
            "The gap h(v) = gamma v + 1 - gamma - v^gamma has h'(v) = gamma (1 - v^-(1-gamma))",
            sympy.Derivative(gap, v),
            (1 - e) * (1 - v ** (-e)),
        ),
        Identity("h(1) = 0", sympy.Subs(gap, v, 1), sympy.Integer(0)),
        Lemma(
            "sign of h'",
            "v^-(1-gamma) >= 1 for v <= 1 and <= 1 for v >= 1, as 1 - gamma >= 0: h falls up to "
            "v = 1 and rises after it, so h >= h(1) = 0 for v > 0, and h(0) = 1 - gamma >= 0.",
        ),
    )


def sandwich() -> tuple[Step, ...]:
    """Steps of [energy.sandwich]."""
    line = 1 - (1 - e) * (1 - u)
    return (
        *_power_against_line(),
        Identity(
            "A worker draws at least m (P_idle + dP u) in a step of length m (its length in load "
            "units, overhead included), of which m u is busy",
            m * (p + d * u),
            energy_floor(POWER, Usage(m * u, m * (1 - u))),
        ),
        Identity(
            "and at most m (P_idle + dP (1 - gamma (1 - u)))",
            m * (p + d * line),
            energy_tangent(POWER, Usage(m * u, m * (1 - u))),
        ),
        Lemma(
            "summation",
            "Both sides are linear in busy and idle time; summed over workers and steps, sum m u "
            "= W and sum m (1 - u) = I: E lies a share sin(x)^2 of the way from the lower line to "
            "the upper one, which is (1 - gamma) dP I away.",
        ),
        Conclusion(
            "Both lines",
            claimed.sandwich(),
            {E: energy_floor(POWER, RUN) + e * d * I * share},
            (e * d * I * share, e * d * I * rest),
        ),
    )


def envelope() -> tuple[Step, ...]:
    """Steps of [energy.envelope]."""
    f = I / (W + I)
    mean = Symbol("mean", positive=True)
    return (
        Identity(
            "Lower side: T (P_idle + dP (1 - f)) is the lower side of the sandwich",
            (W + I) * (p + d * (1 - f)),
            energy_floor(POWER, Usage(W, I)),
        ),
        *_power_against_line(),
        Identity(
            "Scaled by mean^gamma at v = u/mean: the tangent of u^gamma at the mean",
            mean ** (1 - e) * ((1 - e) * (v / mean) + e),
            mean ** (1 - e) + (1 - e) * mean ** (-e) * (v - mean),
        ),
        Lemma(
            "Jensen",
            "Weigh each worker-step by its share m/T of worker-time: the weights sum to 1 and the "
            "weighted mean of u is W/T = 1 - f, so the linear terms cancel and the weighted mean "
            "of u^gamma is at most (1 - f)^gamma.  (If 1 - f = 0 every u is 0.)",
        ),
        Identity(
            "It is at most the sandwich's: T (P_idle + dP (gamma v + 1 - gamma)) with v = 1 - f is "
            "the tangent side, and h(v) >= 0",
            (W + I) * (p + d * ((1 - e) * W / (W + I) + e)),
            energy_tangent(POWER, Usage(W, I)),
        ),
        Conclusion(
            "With (1 - f)^gamma = 1 - f + r, r >= 0, energies lie between the lower line and T "
            "(P_idle + dP (1 - f)^gamma), a share sin(x)^2 of the way",
            claimed.envelope(),
            {
                (W / (W + I)) ** (1 - e): W / (W + I) + r,
                E: energy_floor(POWER, RUN) + d * (W + I) * r * share,
            },
            (d * (W + I) * r * share, d * (W + I) * r * rest),
        ),
    )


def envelope_workers() -> tuple[Step, ...]:
    """Steps of [energy.envelope-workers]."""
    G = Symbol("G", integer=True, positive=True)
    T = Symbol("T", positive=True)
    f = Symbol("f", nonnegative=True)
    others = T * (G - 1) / G
    return (
        Lemma(
            "the fullest worker",
            "In every step some worker has u = 1; these worker-steps are a share 1/G of all "
            "worker-time T, because all workers spend the same time in a step.",
        ),
        Identity(
            "The other worker-time T (G-1)/G holds all the idle time f T, so its mean utilisation "
            "is 1 - f G/(G-1)",
            (others - f * T) / others,
            1 - f * G / (G - 1),
        ),
        Lemma(
            "Jensen",
            "As in [energy.envelope], on the other worker-time alone: the mean of u^gamma is at "
            "most v^gamma, with equality where all of it has u = v.",
        ),
    )


def overhead() -> tuple[Step, ...]:
    """Steps of [energy.overhead]."""
    G, M, c, J = (Symbol(name, positive=True) for name in ("G", "M", "c", "J"))
    mean = (G * M - J) / (G * M)
    busy, idle = G * (c + M) * mean, G * (c + M) * (1 - mean)
    return (
        Identity(
            "A step of length c + M with mean utilisation (G M - J)/(G M) is busy for W_k + c S_k",
            busy,
            (G * M - J) + c * (G * mean),
        ),
        Identity("and idle for J + c (G - S_k)", idle, J + c * (G - G * mean)),
        Identity(
            "Lower side of this step minus a balanced step of the same work and overhead: "
            "J (P_idle - dP c / M)",
            energy_floor(POWER, Usage(busy, idle)) - (p + d) * (G * c + G * M - J),
            J * (p - d * c / M),
        ),
        Identity("where S_k = G - J/M, between 1 and G", G * mean, G - J / M),
    )


def saving_overhead() -> tuple[Step, ...]:
    """Steps of [energy.saving-overhead]."""
    low, high = Symbol("low", positive=True), Symbol("high", positive=True)
    x, y = Symbol("x", nonnegative=True), Symbol("y", nonnegative=True)
    return (
        Lemma(
            "energies",
            "By [energy.overhead] each energy lies between the two sides of its usage: the floor, "
            "and the envelope, which is at most the tangent side.",
        ),
        Inequality(
            "Floors: E1 = high - x and E0 = low + y, with high an upper side of E1 and low the "
            "lower side of E0",
            1 - high / low,
            1 - (high - x) / (low + y),
            (high * y + low * x) / (low * (low + y)),
        ),
        Inequality(
            "Cap: E1 = low + x and E0 = high, with low the lower side of E1 and high + y an upper "
            "side of E0",
            1 - (low + x) / high,
            1 - low / (high + y),
            (low * y + x * high + x * y) / (high * (high + y)),
        ),
    )


def overhead_lowers() -> tuple[Step, ...]:
    """Steps of [energy.overhead-lowers]."""
    c, A0, A1, E0, E1, N0 = (
        Symbol(name, positive=True) for name in ("c", "A0", "A1", "E0", "E1", "GK0")
    )
    N1, P = Symbol("GK1", positive=True), p + d
    y, z = Symbol("y", nonnegative=True), Symbol("z", nonnegative=True)
    return (
        Identity(
            "With overhead c the energies are E + c A, A the sum of P(u) over worker-steps: the "
            "saving falls by",
            (1 - E1 / E0) - (1 - (E1 + c * A1) / (E0 + c * A0)),
            c * (A1 * E0 - A0 * E1) / (E0 * (E0 + c * A0)),
        ),
        Identity(
            "Between an overhead r and a larger one the same numerator decides",
            A1 * (E0 + r * A0) - A0 * (E1 + r * A1),
            A1 * E0 - A0 * E1,
        ),
        Lemma(
            "two bounds",
            "A balanced run has E1 = P_max W and A1 = P_max GK1.  The baseline has E0 = P_max W + "
            "y, y >= 0 [energy.sandwich], and A0 = P_max GK0 / (1 + t), t >= 0, as P(u) <= P_max; "
            "and GK1 = GK0 + z, z >= 0.",
        ),
        Conclusion(
            "so the numerator is not negative",
            claimed.overhead_lowers(),
            {E0: P * W + y, A0: P * N0 / (1 + t), N1: N0 + z},
            (
                P
                * c
                * (N0 * y + z * (P * W + y) + P * W * N0 * t / (1 + t))
                / ((P * W + y) * (P * W + y + c * P * N0 / (1 + t))),
            ),
        ),
    )


def busy_fraction() -> tuple[Step, ...]:
    """Steps of [energy.gamma]: the busy-fraction reading."""
    return (
        Identity(
            "P_max for a fraction u of the step and P_idle for the rest averages to P_idle + dP u",
            u * (p + d) + (1 - u) * p,
            p + d * u,
        ),
        Identity(
            "This is gamma = 1: the upper line of the sandwich there",
            sympy.Subs(energy_tangent(POWER, RUN), e, 0),
            energy_floor(LINEAR, RUN),
        ),
        Conclusion(
            "Both lines are one, so the saving is the sharp floor, and the cap as well",
            claimed.busy_fraction(),
        ),
    )


def sensitivity() -> tuple[Step, ...]:
    """Steps of [energy.sensitivity]."""
    cap = saving_cap(POWER, BASE, claimed.BALANCED)
    drawn = p * (1 + eta) + d * (1 + eta) ** e
    slope = (p + d) * d * (1 + eta) ** e * sympy.log(1 + eta) / drawn**2
    return (
        Identity(
            "The sharp floor at perfect balance, which holds no gamma",
            saving_sharp(POWER, BASE, claimed.BALANCED),
            p * eta / (p + d + p * eta),
        ),
        Identity("The cap's slope in e = 1 - gamma", sympy.Derivative(cap, e), slope),
        Computation(
            "At 40 % idle and 100/400 W the cap is 35.0 %, 22.5 % and 14.3 % for gamma 0.21, 0.7 "
            "and 1 (balls), the floor 1/7",
            _caps_at_40,
        ),
        Conclusion(
            "The floor has no slope, the cap's is not negative in e, its ends are the floor and "
            "the idle share",
            claimed.sensitivity(),
            {},
            (slope,),
        ),
    )


def _caps_at_40() -> bool:
    """The numbers of [energy.sensitivity], each to half a unit of its last digit."""
    from fractions import Fraction

    from flint import arb, ctx

    from theory.laws.fcfs_expectation import to_ball

    with ctx.workprec(128):
        stretch, held = arb(5) / 3, []
        for gamma, text in (("0.21", "0.350"), ("0.7", "0.225"), ("1", "0.143")):
            drawn = 100 * stretch + 300 * stretch ** (1 - to_ball(Fraction(gamma)))
            away = abs(1 - 400 / drawn - to_ball(Fraction(text)))
            held.append(bool(away < to_ball(Fraction(1, 2000))))
    return all(held)


def hardware() -> tuple[Step, ...]:
    """Steps of [energy.hardware]."""
    return (
        Identity(
            "For 100/400 W P_idle/D is 10/(40 - 30 gamma): 2/5 at gamma 0.5, 10/13 at 0.9",
            sympy.Integer(100) / (100 + (1 - v) * 300),
            10 / (40 - 30 * v),
        ),
        Conclusion("Its partial derivatives", claimed.hardware()),
    )


def throughput() -> tuple[Step, ...]:
    """Steps of [energy.throughput]."""
    b, a1, b1 = (Symbol(name, positive=True) for name in ("b0", "a1", "b1"))
    return (
        Inequality(
            "With overhead c the times are a + c b (a = W + I, b = G K).  If b0/b1 <= a0/a1 "
            "(a0/a1 = b0/b1 + r), the ratio is at most a0/a1",
            (a1 * (b / b1 + r) + b) / (a1 + b1),
            b / b1 + r,
            r * b1 / (a1 + b1),
        ),
        Inequality(
            "and at least b0/b1",
            b / b1,
            (a1 * (b / b1 + r) + b) / (a1 + b1),
            a1 * r / (a1 + b1),
        ),
        Lemma(
            "mediant",
            "Exchanging the roles of a and b gives the other order: the speed-up always lies "
            "between the ratio of steps K0/K1 and the ratio (1 + eta0)/(1 + eta1).",
        ),
        Conclusion(
            "Without overhead G time / t_l = W + I: the ratio of times at equal work",
            claimed.throughput(),
            {Symbol("speed_up"): (W + W * eta) / (W + W * eta1)},
        ),
    )


def work_invariance() -> tuple[Step, ...]:
    """Steps of [energy.work-invariance]."""
    return (
        Lemma(
            "conservation",
            "Every request is served to completion on one worker, so it adds its own work to the "
            "total, wherever and whenever it runs.",
        ),
        Conclusion("A request of size s and length o, growing by dl a step", claimed.work()),
    )


def oldest_first() -> tuple[Step, ...]:
    """Steps of [energy.work-oldest-first]."""
    k, o, start = (Symbol(name, positive=True, integer=True) for name in ("k", "o", "start"))
    size = Symbol("s", positive=True)
    D = sympy.Function("D")
    return (
        Lemma(
            "induction over steps",
            "The number of free slots in the whole system depends only on which requests are "
            "active, not where.  If two such policies have started the same requests at the same "
            "steps so far, the same ones depart, the same number of slots is free, and the same "
            "oldest requests are admitted.",
        ),
        Identity(
            "A request that starts at a given step does the same work wherever it runs: its load "
            "at step k is s + D(k) - D(start), D the cumulative drift",
            sympy.Sum(size + D(k) - D(start), (k, start, start + o - 1)),
            sympy.Sum(D(k), (k, start, start + o - 1)) + o * (size - D(start)),
        ),
    )


def any_power() -> tuple[Step, ...]:
    """Steps of [energy.any-power]."""
    P = p + d
    return (
        Lemma(
            "two bounds",
            "Summed over worker-steps u P_max <= P(u) gives E1 = P_max W + r, r >= 0, and P(u) <= "
            "P_max gives E0 = P_max (W + I0) / (1 + t), t >= 0.",
        ),
        Conclusion(
            "The saving 1 - E1/E0 is at most the idle share",
            claimed.any_power(),
            {saving: 1 - (P * W + r) * (1 + t) / (P * (W + I))},
            ((r + t * (P * W + r)) / (P * (W + I)),),
        ),
    )
