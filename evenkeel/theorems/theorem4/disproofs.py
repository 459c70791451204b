"""Disproofs of false statements about energy, work and the saving."""

from fractions import Fraction

from theory.proof import Computation, Identity, Inequality, Lemma, Setting, Step


def overhead_dilutes() -> tuple[Step, ...]:
    """Disproof of [energy.overhead-dilutes]."""
    import sympy as sp

    J, M, idle, span, c = (
        sp.Symbol(name, positive=True) for name in ("J", "M", "P_idle", "dP", "c")
    )
    return (
        Lemma(
            "what a step saves",
            "By [energy.overhead] perfect balance of a step of imbalance J, the baseline at its "
            "lower side, saves J (P_idle - dP c / M).",
        ),
        Identity(
            "At c = 2 M P_idle / dP it costs J P_idle",
            sp.Subs(J * (idle - span * c / M), c, 2 * M * idle / span),
            -J * idle,
        ),
    )


def work_any_drift() -> tuple[Step, ...]:
    """Disproof of [energy.work-any-drift]."""
    import sympy as sp

    s, grown, d = sp.symbols("s x d", positive=True)
    work = s + (s + grown)
    return (
        Lemma(
            "calendar drift",
            "Every active request grows by d after the first step and by 0 after the second.  A "
            "request of size s and length 2 starts at the first step or at the second.",
        ),
        Identity(
            "Started at the first step it does d more work",
            sp.Subs(work, grown, d) - sp.Subs(work, grown, 0),
            d,
        ),
    )


def paper_everywhere() -> tuple[Step, ...]:
    """Disproof of [energy.paper-everywhere]."""
    import sympy as sp

    n, P, idle, eta, waste = (
        sp.Symbol(x, positive=True) for x in ("n", "P_max", "P_idle", "eta", "x")
    )
    D = idle + waste
    return (
        Lemma(
            "a negative numerator",
            "Below alpha = D / P_idle the numerator P_idle eta - D eta1 = -n is negative.  A "
            "baseline at its lower side (utilisations 0 and 1) and a run near its upper side "
            "save -n / (P_max + P_idle eta), as closely as one likes for small gamma.",
        ),
        Inequality(
            "With D = P_idle + x that is below the paper's form, whose denominator is larger",
            -n / (P + idle * eta),
            -n / (P + D * eta),
            n * waste * eta / ((P + idle * eta) * (P + D * eta)),
        ),
    )


def limit_is_a_cap() -> tuple[Step, ...]:
    """Disproof of [energy.limit-is-a-cap]."""
    import sympy as sp

    eta = sp.Symbol("eta", positive=True)
    limit, saving = sp.Rational(10, 19), sp.Rational(31, 35)
    return (
        Lemma(
            "all load on one worker",
            "G = 32: every utilisation is 0 or 1 in the baseline, so its energy is at its lower "
            "side with eta = 31; the improved run is perfectly balanced.",
        ),
        Identity(
            "With 100/400 W the saving is exactly the sharp floor",
            sp.Subs(1 - 400 / (400 + 100 * eta), eta, 31),
            saving,
        ),
        Inequality("which is above 10/19", limit, saving, saving - limit),
    )


def limit_range() -> tuple[Step, ...]:
    """Disproof of [energy.limit-range]."""
    import sympy as sp

    idle, full = sp.symbols("P_idle P_max", positive=True)
    limit = idle / (idle + sp.Rational(3, 10) * (full - idle))
    return (
        Identity(
            "TPU v4 draws between 90 W and 192 W: with gamma 0.7 P_idle/D is",
            sp.Subs(limit, (idle, full), (90, 192)),
            sp.Rational(50, 67),
        ),
        Inequality(
            "which is above 45 %",
            sp.Rational(9, 20),
            sp.Rational(50, 67),
            sp.Rational(50, 67) - sp.Rational(9, 20),
        ),
    )


def limit_sharp_unpowered() -> tuple[Step, ...]:
    """Disproof of [energy.limit-sharp-unpowered]."""
    import sympy as sp

    eta, full = sp.symbols("eta P_max", positive=True)
    idle = sp.Symbol("P_idle", nonnegative=True)
    floor = idle * eta / (full + idle * eta)
    return (
        Identity("With P_idle = 0 the sharp floor is 0", sp.Subs(floor, idle, 0), sp.Integer(0)),
        Identity(
            "and so is its limit",
            sp.Limit(floor.subs(idle, 0), eta, sp.oo),
            sp.Integer(0),
        ),
    )


def cap_with_overhead() -> tuple[Step, ...]:
    """Disproof of [energy.cap-with-overhead]."""
    return (
        Setting(
            "G = 1, B = 3, ten requests of size 1, drift 1, C = 100 t_l: nine of length 1 and one "
            "of length 3, so W = 9 + (1 + 2 + 3) = 15, and one worker never idles."
        ),
        Computation(
            "With the long one last there are 6 steps, with the long one first 4: P_max (600 + 15) "
            "against P_max (400 + 15) saves 40/123 = 32.5 %, and the idle share is 0",
            lambda: 1 - Fraction(400 + 15, 600 + 15) == Fraction(40, 123) > 0,
        ),
    )


def any_power_convex() -> tuple[Step, ...]:
    """Disproof of [energy.any-power-convex]."""
    import sympy as sp

    full, work, u = sp.symbols("P_max W u", positive=True)
    return (
        Setting(
            "Two workers and P(u) = P_max u^2.  The baseline is perfectly balanced: f = 0 and E0 = "
            "P_max W.  The improved run has utilisations 1 and u, W = (1 + u) M."
        ),
        Identity(
            "It draws M (P_max + P_max u^2): at u = 1/2 five sixths of E0",
            sp.Subs(work / (1 + u) * (full + full * u**2), u, sp.Rational(1, 2)),
            sp.Rational(5, 6) * full * work,
        ),
    )


def throughput_timed() -> tuple[Step, ...]:
    """Disproof of [energy.throughput-timed]."""
    return (
        Setting(
            "G = B = 2, drift 1, t_l = 1, C = 0: requests of size 1 and lengths 1, 1, 2 arrive at "
            "0, 10 and 10.  FCFS puts the last two on one worker, JSQ on both: loads (1,0), (2,0), "
            "(2,0) against (1,0), (1,1), (0,2)."
        ),
        Computation(
            "Durations 10 + 2 + 2 = 14 and 10 + 1 + 2 = 13; W = 5, I0 = 5, I1 = 3: 14/13 is not "
            "(1 + 1)/(1 + 3/5) = 5/4",
            lambda: Fraction(10 + 2 + 2, 10 + 1 + 2) != (1 + Fraction(5, 5)) / (1 + Fraction(3, 5)),
        ),
    )


def saving_timed() -> tuple[Step, ...]:
    """Disproof of [energy.saving-timed]."""
    return (
        Setting(
            "G = 2, B = 1, drift 0, t_l = 1, C = 0, gamma = 1, 100 W idle and 400 W at full speed: "
            "requests of length 1 and sizes 3, 1, 3, 1 at 0, and two of size 1 at 100.  FCFS has "
            "loads (3,1), (3,1), (1,1), BF-IO (3,3), (1,1), (1,1): W = 10, I0 = 4, I1 = 0.  The "
            "last step ends at 101 under both."
        ),
        Computation(
            "At gamma = 1 the energy of the time T is G P_idle T + (P_max - P_idle) W: 0 saved",
            lambda: (
                2 * 100 * Fraction(100 + 1) + 300 * sum((3, 1, 3, 1, 1, 1))
                == 2 * 100 * Fraction(100 + 1) + 300 * sum((3, 3, 1, 1, 1, 1))
            ),
        ),
        Computation(
            "The sharp floor is (100 (4/10) - 0) / (400 + 100 (4/10)) = 1/11 > 0",
            lambda: 100 * Fraction(4, 10) / (400 + 100 * Fraction(4, 10)) == Fraction(1, 11),
        ),
    )


def work_oldest_first_timed() -> tuple[Step, ...]:
    """Disproof of [energy.work-oldest-first-timed]."""
    return (
        Setting(
            "G = B = 2, t_l = 1, C = 0, drift 3, 0, 1 from step to step: requests (size, length) "
            "(2, 3), (3, 3), (1, 2) from the start and (2, 2) from time 3.5.  The first step lasts "
            "5 under FCFS (2 + 3 on one worker) and 3 under JSQ (2 + 1 and 3), so the last request "
            "starts at the second step under FCFS and at the third under JSQ."
        ),
        Computation(
            "It grows by 0 there and by 1 here: (2,5,5) + (3,6,6) + (1,4) + (2,2) = 36 against 37",
            lambda: (
                (sum((2, 5, 5, 3, 6, 6, 1, 4)) + sum((2, 2)), sum((2, 5, 5, 3, 6, 6, 1, 4, 2, 3)))
                == (36, 37)
            ),
        ),
    )
