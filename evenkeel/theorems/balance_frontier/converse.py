"""What every policy leaves after the departures, whatever it admits."""

from collections.abc import Iterator
from fractions import Fraction

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.along_runs import LATE, SPREAD_BELOW, Along, Shared
from evenkeel.theorems.theorem2.recursion import SMALL, refills, refills_domain
from evenkeel.theorems.theorem2.runs import (
    DRIFTS,
    family_run,
    rare_size_run,
    rich_runs,
    sample_trace_run,
)
from theory.formal.record import Theorem
from theory.relations import at_least
from theory.symbolic import sp


@claim(
    "threshold.converse",
    "lower",
    assumptions=(
        Assumption.FULL_SLOTS,
        Assumption.COMMON_DRIFT,
        Assumption.STICKY,
        Assumption.WORK_CONSERVING,
        Assumption.BOUNDED_SIZES,
    ),
    requires=("geometric.recursion",),
    coq=Theorem("threshold_converse", "Spread.v"),
)
class Converse:
    """What no policy avoids, from the same departures.

    Every slot occupied, any common whole growth, any departures, and any admission that fills every
    free slot with sizes in [a, b], of a policy that may even know the future: with V, N and p in
    [0, 1] as in [geometric.recursion], V' >= N - B p (b-a) - (1-p) V. As Imb >= V, the average of
    Imb over the steps 0 to K is at least the sum over k < K of N_k - B p (b-a), divided by
    (2-p)(K+1); and so are the means over a law of finitely many runs. From above
    [geometric.recursion] has the same N - B p (b-a), for an optimal step from a rich pool.
    """

    def formula(self) -> "sp.Basic":
        return at_least("AvgImb", "(E_N - B * p * (b - a)) * K / ((2 - p) * (K + 1))")

    @evidence(
        measures="smallest max L - min L after any admission (load)",
        plants=(
            Variant("deviations x1.05", Fraction(21, 20), side="deviations"),
            Variant("authority x0.95", Fraction(19, 20), side="authority"),
            Variant("spread carried over x0.95", Fraction(19, 20), side="carried"),
            Variant("X taken at the smallest size", fault="smallest"),
            near("along runs"),
            LATE,
        ),
        **SMALL,
    )
    def check(self, trial: Trial) -> Finding:
        """The inequality of the step in exact arithmetic for every departure pattern of small
        systems, against the smallest spread of all loads between the lowest and the highest that
        each worker can get, and at every step of runs of several policies, or of the user's, under
        drifts 0, 1 and (3, 0, 1), with the sizes that entered; one step below refutes it.
        """
        cases = Cases(">=")
        factor = {side: trial.scale_of(side) for side in ("deviations", "authority", "carried")}
        for refill in refills(trial):
            step, p, excess = refill.step, refill.p, refill.excess
            if trial.fault("smallest"):
                excess += refill.authority
            claimed = (
                excess * factor["deviations"]
                - refill.authority * factor["authority"]
                - (1 - p) * step.spread * factor["carried"]
            )
            least = max(0, max(step.refilled(refill.a)) - min(step.refilled(refill.b)))
            if cases.add(least, claimed, refill.witness):
                break
        along = Along(trial, cases)
        along.hold("along runs", SPREAD_BELOW, _runs(trial))
        return cases.finding(trial, along.domain(refills_domain(trial)), details=along.details)


def _runs(trial: Trial) -> Iterator[Shared]:
    """Runs of several policies, or of the user's alone."""
    seed, steps = trial.seed, trial["steps"]
    policies = trial.users() or ("bfio", "fcfs", "least_loaded", "always_busiest")
    for policy in policies:
        for drift in DRIFTS:
            yield family_run("uniform", 4, 4, drift, seed, steps, policy, b=3)
        yield family_run("lognormal", 4, 4, (1,), seed, steps, policy)
        yield sample_trace_run(8, 16, (1,), steps, policy)
    if not trial.users():
        yield from rich_runs(seed, steps)
        yield rare_size_run(16, 32, (1,), seed, steps)
