"""Claims of the family ``energy`` about the saving ``1 - E1/E0`` of one run over another.

Notation of :mod:`evenkeel.theorems.theorem4.statements`, where the list of the whole family is put
together.  ``D/alpha`` is 0 where the improved run never idles.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.theorem4 import disproofs as energy_disproofs
from theory.formal.record import Theorem

T4 = "paper, Theorem 4"
OURS = ("evenkeel", "ours")
PAIR = (
    Assumption.POWER_LAW,
    Assumption.SAME_REQUESTS,
    Assumption.CONSTANT_DRIFT,
    Assumption.STICKY,
    # The energy is that of the steps; between timed arrivals workers idle outside of them.
    Assumption.BACKLOG,
    Assumption.SOME_WORK,
)
AT_C0 = (*PAIR, Assumption.NO_OVERHEAD)


# Modules that import sympy.
LATER = {
    "symbols": "theory.formulas.energy_symbols",
    "proofs": "evenkeel.theorems.theorem4.proofs",
    "saving_proofs": "evenkeel.theorems.theorem4.saving_proofs",
}


def later(module: str, name: str) -> Callable[[], Any]:
    """A function of one of these modules, found when it is called."""

    def call() -> Any:
        return getattr(import_module(LATER[module]), name)()

    return call


SAVING_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "energy.saving-paper",
        "The paper-shaped floor of the saving",
        f"{T4} (finite form as reconstructed)",
        "v2",
        "lower",
        "1 - E1/E0 >= (P_idle eta0 - D eta1) / (P_max + D eta0) wherever that is not negative.  "
        "For I0, I1, P_idle > 0 it is the paper's (P_idle - D/alpha) / (P_max/eta + D), with alpha "
        "= I0/I1 the ratio of total imbalances, and it holds for alpha >= D/P_idle (1.9 for "
        "100/400 W, gamma 0.7).",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; one certainly smaller saving refutes it.",
        later("symbols", "paper_floor"),
        later("saving_proofs", "paper_floor"),
        ("energy.sandwich", "energy.work-invariance"),
        coq=Theorem("energy_saving_paper", "Saving.v"),
    ),
    Claim(
        "energy.paper-everywhere",
        "The paper-shaped floor holds at every alpha",
        *OURS,
        "lower",
        "1 - E1/E0 >= (P_idle - D/alpha) / (P_max/eta + D) for every alpha > 0.",
        AT_C0,
        "Pairs of load histories with alpha < D/P_idle; a saving certainly below the form refutes "
        "it.  Dividing a negative numerator by an upper bound of E0 does not give a floor.",
        later("symbols", "paper_floor"),
        energy_disproofs.paper_everywhere,
        ("energy.saving-paper",),
        holds=False,
    ),
    Claim(
        "energy.saving-sharp",
        "The sharp floor of the saving",
        *OURS,
        "lower",
        "1 - E1/E0 >= (P_idle eta0 - D eta1) / (P_max + P_idle eta0), negative or not.  For I0, I1 "
        "> 0 it is eta (P_idle - D/alpha) / (P_max + P_idle eta), for every alpha = I0/I1.",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; one certainly smaller saving refutes it.",
        later("symbols", "sharp_floor"),
        later("saving_proofs", "sharp_floor"),
        ("energy.sandwich", "energy.work-invariance"),
        coq=Theorem("energy_saving_sharp", "Saving.v"),
    ),
    Claim(
        "energy.sharp-dominates",
        "The sharp floor is never below the paper's where that says anything",
        *OURS,
        "lower",
        "Where P_idle eta0 >= D eta1 (alpha >= D/P_idle) the sharp floor is at least the "
        "paper-shaped one, strictly above it if P_idle eta0 > D eta1, eta0 > 0, gamma < 1 and "
        "P_idle < P_max.  Where P_idle eta0 < D eta1 the order is reversed (the sharp floor is at "
        "most the paper-shaped one) and both are negative.",
        AT_C0,
        "Exact fractions over a grid of devices, eta0 and eta1; one pair in the wrong order "
        "refutes it.",
        later("symbols", "sharp_dominates"),
        later("saving_proofs", "sharp_dominates"),
        ("energy.saving-paper", "energy.saving-sharp"),
        coq=Theorem("energy_sharp_dominates", "Saving.v"),
    ),
    Claim(
        "energy.saving-envelope",
        "The best floor and the best cap from (W, I0, I1)",
        *OURS,
        "upper",
        "1 - (P_idle(1+eta1) + dP(1+eta1)^(1-gamma)) / (P_max + P_idle eta0) <= 1 - E1/E0 <= "
        "1 - (P_max + P_idle eta1) / (P_idle(1+eta0) + dP(1+eta0)^(1-gamma)); for all eta0 and "
        "eta1 both sides are approached as G grows, so nothing sharper follows from W, I0 and I1.",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; a saving certainly outside refutes it, and so does a limit pair that stays "
        "away from a side.",
        later("symbols", "best_bounds"),
        later("saving_proofs", "best_bounds"),
        ("energy.envelope-workers", "energy.work-invariance"),
        coq=Theorem(
            "energy_saving_envelope",
            "Saving.v",
            "that both sides are approached by two policies on the same requests as G grows",
        ),
    ),
    Claim(
        "energy.limit-paper",
        "The limit of the paper-shaped floor",
        T4,
        "v2",
        "limit",
        "The paper-shaped floor is below P_idle/D at every eta and alpha, perfect balance "
        "included; where it is not negative it does not fall with eta or alpha, and it tends to "
        "P_idle/D as both grow: 10/19 = 52.6 % for 100/400 W and gamma 0.7.",
        (*AT_C0, Assumption.IDLE_POWER),
        "sympy's limit, exact fractions along growing eta and alpha for every device that draws "
        "idle power, and the value 10/19; a value at or above the limit, or a different limit, "
        "refutes it.",
        later("symbols", "limit_of_paper"),
        later("saving_proofs", "limit_paper"),
        ("energy.saving-paper",),
        coq=Theorem("energy_limit_paper", "Saving.v"),
    ),
    Claim(
        "energy.limit-sharp",
        "The sharp floor has no such limit",
        *OURS,
        "limit",
        "At perfect balance the sharp floor tends to 100 % as eta grows.  If "
        "D > P_idle (gamma < 1 and P_idle < P_max) it is above P_idle/D "
        "exactly for eta > P_max/(D - P_idle): 40/9 (81.6 % idle) for 100/400 W and gamma 0.7.",
        (*AT_C0, Assumption.IDLE_POWER),
        "sympy's limit and exact fractions along growing eta for every device that draws idle "
        "power; a value that stays below any number under 1, or another crossing, refutes it.",
        later("symbols", "limit_of_sharp"),
        later("saving_proofs", "limit_sharp"),
        ("energy.saving-sharp",),
        coq=Theorem("energy_limit_sharp", "Saving.v"),
    ),
    Claim(
        "energy.limit-sharp-unpowered",
        "The sharp floor tends to 100 % whatever the power constants",
        *OURS,
        "limit",
        "At perfect balance the sharp floor tends to 100 % as eta grows, whatever P_idle >= 0.",
        AT_C0,
        "A device without idle power: its sharp floor is 0 at every eta, which refutes it.",
        later("symbols", "limit_of_sharp_unpowered"),
        energy_disproofs.limit_sharp_unpowered,
        ("energy.limit-sharp",),
        holds=False,
    ),
    Claim(
        "energy.limit-is-a-cap",
        "No policy saves more than P_idle/D",
        *OURS,
        "upper",
        "1 - E1/E0 < P_idle/D for every pair of runs (52.6 % for 100/400 W and gamma 0.7).",
        (*AT_C0, Assumption.IDLE_POWER),
        "Load histories with a baseline idle share above 81.6 %; a saving certainly above the "
        "limit refutes it.",
        later("symbols", "paper_limit_is_a_cap"),
        energy_disproofs.limit_is_a_cap,
        ("energy.limit-sharp",),
        holds=False,
    ),
    Claim(
        "energy.cap",
        "What a given idle share allows at most, without overhead and for this power law",
        "evenkeel",
        "ours",
        "upper",
        "At C = 0 a baseline with idle share f = eta/(1+eta) allows a saving of at most 1 - "
        "P_max/(P_idle(1+eta) + dP(1+eta)^(1-gamma)) (envelope), which is at most D eta/(P_max + D "
        "eta) (tangent) and at most f, for every P_idle, P_max and gamma.  At f = 40 %, 100/400 W, "
        "gamma 0.7: 19/79 = 24.05 % (tangent) and 22.53 % (envelope).  For P_idle > 0 a residual "
        "imbalance lowers each of them.",
        AT_C0,
        "Ball arithmetic at the stated numbers; adversarial pairs of load histories; a saving "
        "certainly above a cap refutes it.",
        later("symbols", "caps"),
        later("saving_proofs", "caps"),
        ("energy.saving-envelope",),
        coq=Theorem("energy_cap", "Saving.v"),
    ),
    Claim(
        "energy.cap-with-overhead",
        "The idle share caps the saving with an overhead, too",
        *OURS,
        "upper",
        "1 - E1/E0 <= f, the idle share of the baseline, whatever the overhead C of a step.",
        PAIR,
        "One worker, which never idles, and two orders of the same requests: the one that takes "
        "fewer steps pays fewer overheads and saves energy, which refutes it.",
        later("symbols", "any_power"),
        energy_disproofs.cap_with_overhead,
        ("energy.cap", "energy.overhead-lowers"),
        holds=False,
    ),
    Claim(
        "energy.any-power",
        "The idle share caps the saving for every power law between proportional and full",
        "evenkeel",
        "ours",
        "upper",
        "If all devices draw the same P(u) with u P_max <= P(u) <= P_max for 0 <= u <= 1 (P_idle "
        "and the "
        "power of waiting play no part), 1 - E1/E0 <= f = I0/(W + I0).  Perfect balance saves "
        "exactly f where waiting costs as much as working (P = P_max throughout).",
        (*(entry for entry in AT_C0 if entry is not Assumption.POWER_LAW),),
        "Pairs of adversarial load histories of equal work under seven power laws, some of them "
        "neither concave nor continuous, in fractions; a saving above f refutes it, and so does "
        "perfect balance at constant power that saves anything else.",
        later("symbols", "any_power"),
        later("proofs", "any_power"),
        ("energy.work-invariance",),
        coq=Theorem("energy_any_power", "AnyPower.v"),
    ),
    Claim(
        "energy.any-power-convex",
        "The idle share caps the saving for every power law",
        *OURS,
        "upper",
        "1 - E1/E0 <= f for every P(u) that rises from 0 to P_max.",
        (
            Assumption.SAME_REQUESTS,
            Assumption.CONSTANT_DRIFT,
            Assumption.STICKY,
            Assumption.NO_OVERHEAD,
        ),
        "A convex law, P = P_max u^2, and a perfectly balanced baseline: idling then saves energy, "
        "which refutes it.",
        later("symbols", "any_power"),
        energy_disproofs.any_power_convex,
        ("energy.any-power",),
        holds=False,
    ),
    Claim(
        "energy.reach",
        "How much idle a bound needs to reach a given saving, on 100/400 W and gamma 0.7",
        "evenkeel",
        "ours",
        "equality",
        "For 100/400 W, gamma 0.7 and C = 0, at perfect balance: the caps allow 28 % from an idle "
        "share of 45.02 % (tangent) and 47.70 % (envelope) on, 28.2 % from 45.27 % and 47.97 %, "
        "52 % from 69.52 % and 73.97 %, each rounded up.  The paper-shaped floor reaches 28 % at "
        "70.53 % idle, 50 % at "
        "eta = 40 (97.56 % idle, G >= 41) and 52 % at eta = 520/3 (99.43 % idle).  As eta <= G-1, "
        "that takes G >= 175, and at G = 32 the form never exceeds 310/629 = 49.28 %.  For any "
        "constants it reaches s > 0 at eta = s P_max/(P_idle - s D) if P_idle > s D, else nowhere.",
        AT_C0,
        "Exact inversion in fractions, and brackets verified in ball arithmetic; a digit that "
        "differs refutes it.",
        later("symbols", "reach"),
        later("saving_proofs", "reach"),
        ("energy.cap", "energy.saving-paper"),
    ),
    Claim(
        "energy.exceed-52",
        '"The saving can exceed 52 %", on 100/400 W and gamma 0.7',
        T4,
        "v2",
        "lower",
        "The guaranteed (paper-shaped) saving can exceed 52 % for 100/400 W, gamma 0.7 and C = 0.  "
        "It does at perfect balance exactly where eta > 520/3.",
        AT_C0,
        "Exact fractions: the region of (eta, G) where the form exceeds 13/25, and what it is "
        "worth at the idle shares that are observed; an empty region refutes it.",
        later("symbols", "exceeds_52"),
        later("saving_proofs", "exceed_52"),
        ("energy.reach",),
    ),
    Claim(
        "energy.saving-28",
        "Where 28 % is impossible, possible, guaranteed, on 100/400 W, gamma 0.7, C = 0",
        *OURS,
        "equality",
        "For 100/400 W, gamma 0.7 and C = 0, a waiting worker at 100 W: up to 47.69 % baseline "
        "idle no policy saves 28 %; from 47.70 % to below 14/23 = 60.87 % some perfectly balanced "
        "runs do and some do not, for all large G; from 14/23 on every perfectly balanced run does "
        "(sharp floor), and the paper-shaped floor says so from 280/397 = 70.53 % on.",
        AT_C0,
        "Inversions in fractions and balls, with load histories on both sides of 28 % in the "
        "middle region; a history that saves 28 % below it, or fails to above it, refutes it.",
        later("symbols", "thresholds_28"),
        later("saving_proofs", "saving_28"),
        ("energy.reach", "energy.saving-envelope"),
        coq=Theorem(
            "energy_saving_28",
            "Saving28.v",
            "that the runs between the two shares are of two policies on the same requests, for "
            "large G",
        ),
    ),
    Claim(
        "energy.vanishing",
        "In the theorems' own regime the guaranteed saving vanishes",
        *OURS,
        "limit",
        "Equal output lengths, sizes independent in [a, b], full refill: the saving in expected "
        "energy of any policy over FCFS is at most (D/P_max) (b-a)/E[X] sqrt(ln G / (2B)), which "
        "tends to 0 whenever ln G = o(B), so under the paper's sqrt(G) = o(B) (up to logarithms): "
        "the saving vanishes where the improvement ratio grows.",
        (
            *AT_C0,
            Assumption.OVERLOADED,
            Assumption.EQUAL_LENGTHS,
            Assumption.BOUNDED_SIZES,
            Assumption.IID,
        ),
        "The cap from the exact expected imbalance of FCFS for sizes 1 and 100 along G = B = 4, "
        "16, 64; a value above the bound refutes it, and so does a fall by less than a tenth.",
        later("symbols", "vanishing"),
        later("saving_proofs", "vanishing"),
        ("energy.cap", "fcfs.exact"),
    ),
)
