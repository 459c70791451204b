"""Disproofs of false statements about energy, work and the saving, as :mod:`theory.disproofs`."""

from theory.proof import Identity, Inequality, Lemma, Step


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
