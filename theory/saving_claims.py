"""Claims of the family ``energy`` about the saving ``1 - E1/E0`` of one run over another.

Notation of :mod:`theory.energy`, where the list of the whole family is put together.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from theory import energy_disproofs
from theory.claims import Assumption, Claim

T4 = "paper, Theorem 4"
OURS = ("evenkeel", "ours")
PAIR = (Assumption.POWER_LAW, Assumption.SAME_REQUESTS, Assumption.CONSTANT_DRIFT)
AT_C0 = (*PAIR, Assumption.NO_OVERHEAD)


def later(module: str, name: str) -> Callable[[], Any]:
    """A function of a module of this folder that imports sympy, found when it is called."""

    def call() -> Any:
        return getattr(import_module(f"theory.{module}"), name)()

    return call


SAVING_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "energy.saving-paper",
        "The paper-shaped floor of the saving",
        f"{T4} (finite form as reconstructed)",
        "v2",
        "lower",
        "1 - E1/E0 >= (P_idle - D/alpha) / (P_max/eta + D), with alpha the ratio of total "
        "imbalances, wherever alpha >= D/P_idle (1.9 for 100/400 W, gamma 0.7), that is, wherever "
        "it is not negative.",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; one certainly smaller saving refutes it.",
        later("energy_formulas", "paper_floor"),
        later("saving_proofs", "saving_bounds"),
        ("energy.sandwich", "energy.work-invariance"),
    ),
    Claim(
        "energy.paper-everywhere",
        "Tempting: the paper-shaped floor holds at every alpha",
        *OURS,
        "lower",
        "1 - E1/E0 >= (P_idle - D/alpha) / (P_max/eta + D) for every alpha > 0.",
        AT_C0,
        "Pairs of load histories with alpha < D/P_idle; a saving certainly below the form refutes "
        "it.  Dividing a negative numerator by an upper bound of E0 does not give a floor.",
        later("energy_formulas", "paper_floor_everywhere"),
        energy_disproofs.paper_everywhere,
        ("energy.saving-paper",),
        holds=False,
    ),
    Claim(
        "energy.saving-sharp",
        "The sharp floor of the saving",
        *OURS,
        "lower",
        "1 - E1/E0 >= eta (P_idle - D/alpha) / (P_max + P_idle eta), for every alpha > 0.",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; one certainly smaller saving refutes it.",
        later("energy_formulas", "sharp_floor"),
        later("saving_proofs", "saving_bounds"),
        ("energy.sandwich", "energy.work-invariance"),
    ),
    Claim(
        "energy.sharp-dominates",
        "The sharp floor is never below the paper's where that says anything",
        *OURS,
        "lower",
        "For alpha >= D/P_idle the sharp floor is at least the paper-shaped one, strictly above "
        "it if eta > 0, gamma < 1, P_idle < P_max and alpha > D/P_idle.  For alpha < D/P_idle "
        "both are negative and the order is reversed.",
        AT_C0,
        "Exact fractions over a grid of devices, eta and alpha; one pair in the wrong order "
        "refutes it.",
        later("energy_formulas", "sharp_dominates"),
        later("saving_proofs", "saving_bounds"),
        ("energy.saving-paper", "energy.saving-sharp"),
    ),
    Claim(
        "energy.saving-envelope",
        "The best floor and the best cap from (W, I0, I1)",
        *OURS,
        "upper",
        "1 - (P_idle(1+eta1) + dP(1+eta1)^(1-gamma)) / (P_max + P_idle eta0) <= 1 - E1/E0 <= "
        "1 - (P_max + P_idle eta1) / (P_idle(1+eta0) + dP(1+eta0)^(1-gamma)); both sides are "
        "approached as G grows, so nothing sharper follows from W, I0 and I1.",
        AT_C0,
        "Pairs of adversarial load histories of equal work, and pairs of real runs, in ball "
        "arithmetic; a saving certainly outside refutes it, and so does a limit pair that stays "
        "away from a side.",
        later("energy_formulas", "best_bounds"),
        later("saving_proofs", "best_bounds"),
        ("energy.envelope-workers", "energy.work-invariance"),
    ),
    Claim(
        "energy.limit-paper",
        "The limit of the paper-shaped floor",
        T4,
        "v2",
        "limit",
        "As eta and alpha grow the paper-shaped floor rises to P_idle/D, 10/19 = 52.6 % for "
        "100/400 W and gamma 0.7, and never attains it.",
        AT_C0,
        "sympy's limit, exact fractions along growing eta and alpha, and the value 10/19; a value "
        "at or above the limit, or a different limit, refutes it.",
        later("energy_formulas", "limit_of_paper"),
        later("saving_proofs", "limit_paper"),
        ("energy.saving-paper",),
    ),
    Claim(
        "energy.limit-sharp",
        "The sharp floor has no such limit",
        *OURS,
        "limit",
        "At perfect balance the sharp floor tends to 100 % as eta grows; it passes P_idle/D at eta "
        "= P_max/(D - P_idle), 40/9 (81.6 % idle) for 100/400 W and gamma 0.7.  The limit 52.6 % "
        "is a property of a loose denominator, not of the saving.",
        AT_C0,
        "sympy's limit and exact fractions along growing eta; a value that stays below any number "
        "under 1 refutes it.",
        later("energy_formulas", "limit_of_sharp"),
        later("saving_proofs", "limit_sharp"),
        ("energy.saving-sharp",),
    ),
    Claim(
        "energy.limit-is-a-cap",
        "Tempting: no policy saves more than P_idle/D",
        *OURS,
        "upper",
        "1 - E1/E0 < P_idle/D for every pair of runs (52.6 % for 100/400 W and gamma 0.7).",
        AT_C0,
        "Load histories with a baseline idle share above 81.6 %; a saving certainly above the "
        "limit refutes it.",
        later("energy_formulas", "paper_limit_is_a_cap"),
        energy_disproofs.limit_is_a_cap,
        ("energy.limit-sharp",),
        holds=False,
    ),
    Claim(
        "energy.cap",
        "What a given idle share allows at most",
        "paper.md, fact 4; envelope: evenkeel",
        "ours",
        "upper",
        "A baseline with idle share f = eta/(1+eta) allows a saving of at most D eta/(P_max + D "
        "eta) (tangent), at most 1 - P_max/(P_idle(1+eta) + dP(1+eta)^(1-gamma)) (envelope, "
        "smaller), and at most f itself whatever the power law.  At f = 40 %, 100/400 W, gamma "
        "0.7: 19/79 = 24.05 % and 22.53 %.  A residual imbalance lowers each of them.",
        AT_C0,
        "Ball arithmetic at the stated numbers; adversarial pairs of load histories; a saving "
        "certainly above a cap refutes it.",
        later("energy_formulas", "caps"),
        later("saving_proofs", "caps"),
        ("energy.saving-envelope",),
    ),
    Claim(
        "energy.reach",
        "How much idle a given saving needs",
        "paper.md, fact 4; envelope: evenkeel",
        "ours",
        "equality",
        "For 100/400 W, gamma 0.7, at perfect balance: a saving of 28 % needs an idle share of at "
        "least 45.02 % (tangent) and 47.69 % (envelope), 28.2 % needs 45.26 % and 47.96 %, 52 % "
        "needs 69.52 % and 73.97 %.  The paper-shaped floor reaches 28 % at 70.53 % idle, 50 % at "
        "eta = 40 (97.56 % idle, G >= 41) and 52 % at eta = 520/3 (99.43 % idle).  As eta <= G-1, "
        "that takes G >= 175, and at G = 32 the form never exceeds 310/629 = 49.28 %.",
        AT_C0,
        "Exact inversion in fractions, and brackets verified in ball arithmetic; a digit that "
        "differs refutes it.",
        later("energy_formulas", "reach"),
        later("saving_proofs", "reach"),
        ("energy.cap", "energy.saving-paper"),
    ),
    Claim(
        "energy.exceed-52",
        '"The saving can exceed 52 %"',
        T4,
        "v2",
        "lower",
        "The guaranteed (paper-shaped) saving can exceed 52 % for 100/400 W and gamma 0.7.  It "
        "does at perfect balance exactly where eta > 520/3.",
        AT_C0,
        "Exact fractions: the region of (eta, G) where the form exceeds 13/25, and what it is "
        "worth at the idle shares that are observed; an empty region refutes it.",
        later("energy_formulas", "exceeds_52"),
        later("saving_proofs", "reach"),
        ("energy.reach",),
    ),
    Claim(
        "energy.saving-28",
        "Where a saving of 28 % is impossible, possible, guaranteed",
        *OURS,
        "equality",
        "For 100/400 W and gamma 0.7: below 47.69 % baseline idle no policy saves 28 %; from "
        "47.69 % to 60.87 % some runs do and some do not, even at perfect balance; from 14/23 = "
        "60.87 % on the sharp floor guarantees it at perfect balance, and from 70.53 % the "
        "paper-shaped one.",
        AT_C0,
        "Inversions in fractions and balls, with load histories on both sides of 28 % in the "
        "middle region; a history that saves 28 % below it, or fails to above it, refutes it.",
        later("energy_formulas", "caps"),
        later("saving_proofs", "caps"),
        ("energy.reach",),
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
        (*AT_C0, Assumption.EQUAL_LENGTHS, Assumption.BOUNDED_SIZES, Assumption.IID),
        "The cap from the exact expected imbalance of FCFS along growing B with G = B; a value "
        "above the bound refutes it, and so does a bound that does not fall.",
        later("energy_formulas", "vanishing"),
        later("saving_proofs", "vanishing"),
        ("energy.cap", "fcfs.exact"),
    ),
)
