"""What the checks of expectations share: common planted faults, and the verdict of a proof."""

from fractions import Fraction

from evenkeel.evidence import Trial, Variant, Verdict
from theory.claims import claim
from theory.proof import stands

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


def proof_stands(label: str) -> bool:
    """Whether the claim's proof is more than words, and sympy confirms what it computes.

    The steps of a claim that is registered as false are its disproof: they never vouch for it.
    """
    entry = claim(label)
    return entry.holds and stands(entry.steps)


def held(label: str, strongest: Verdict = Verdict.PROVED) -> Verdict:
    """The verdict of a check that found nothing against a claim with a proof."""
    return strongest if proof_stands(label) else Verdict.INCONCLUSIVE


def weighed(refuted: bool, supported: bool) -> Verdict:
    """The verdict of a statistical check: what speaks against a claim weighs more."""
    if refuted:
        return Verdict.REFUTED
    return Verdict.SUPPORTED if supported else Verdict.INCONCLUSIVE
