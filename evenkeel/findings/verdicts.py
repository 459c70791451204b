"""What the checks of expectations share: common planted faults, and what a proof carries."""

from fractions import Fraction

from evenkeel.findings.check import Trial, Variant, Verdict
from evenkeel.theorems.registry import claim_of
from theory import proof
from theory.formal.record import is_checked

LARGER = Variant("claimed side x1.1", Fraction(11, 10))
SMALLER = Variant("claimed side x0.9", Fraction(9, 10))
HALVED = Variant("claimed side halved", Fraction(1, 2))
DEPARTED = Variant("loads taken after departures", fault="departed-loads")
AGED = Variant("ages off by one", fault="age-off-by-one")
BUSIEST = Variant("always_busiest in place of the policy", policy="always_busiest")
FCFS = Variant("fcfs in place of bfio", policy="fcfs")
JSQ = Variant("jsq in place of bfio", policy="jsq")
BFIO = Variant("bfio in place of the policy", policy="bfio")


def planted_policy(trial: Trial, default: str) -> str:
    """The planted policy; a user's policy does not stand in where the claim is about FCFS."""
    return trial.variant.policy if trial.variant and trial.variant.policy else default


def rung(label: str) -> Verdict | None:
    """The verdict that the claim's proof alone carries: machine-checked, proved, argued, or none.

    A theorem in Coq that covers the statement in part lifts nothing: the rest decides.  The steps
    of a claim that is registered as false are its disproof: they never vouch for it; and no proof
    carries a statement about measurements.
    """
    entry = claim_of(label)
    if not entry.holds or entry.kind == "empirical":
        return None
    if entry.coq and not entry.coq.without and is_checked(entry.coq):
        return Verdict.MACHINE_CHECKED
    found = proof.rung(entry.steps, entry.formula() if entry.formula else None)
    return Verdict(found.value) if found else None


def held(trial: Trial, strongest: Verdict = Verdict.MACHINE_CHECKED) -> Verdict:
    """The verdict of a check that found nothing against a claim with a proof.

    Parameters
    ----------
    trial : Trial
        The run; it knows its claim.
    strongest : Verdict
        The strongest verdict that the check's own evidence allows, whatever the proof.
    """
    ladder = list(Verdict)
    found = rung(trial.label)
    return max(found, strongest, key=ladder.index) if found else Verdict.INCONCLUSIVE
