"""Claims of the family ``energy``: bounds of the energy, of the saving, and what they reach.

Formulas are in :mod:`theory.formulas.energy` and :mod:`theory.formulas.energy_inversions`, the same
as sympy relations in :mod:`theory.formulas.energy_symbols`, proofs in
:mod:`evenkeel.theorems.theorem4.proofs` and :mod:`evenkeel.theorems.theorem4.saving_proofs`.  ``E``
is the energy drawn in the steps of a run (gaps in which nobody is served are no steps), ``W`` and
``I`` its busy and idle worker-time in units of load: total work and total imbalance where ``C =
0``, and [energy.overhead] says what else.
 ``T = W + I``, ``f = I/T``, ``eta = I/W``; index 0 is the baseline and 1 the improved run; ``alpha
= I0/I1``. Powers are ``P_idle``, ``P_max > 0``, ``dP = P_max - P_idle`` and ``D = P_idle + (1 -
gamma) dP``.
"""

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.theorem4 import disproofs as energy_disproofs
from evenkeel.theorems.theorem4.saving_statements import OURS, PAIR, SAVING_CLAIMS, T4, later
from theory.formal.record import Theorem
from theory.relations import at_least, at_most, both, equal

RUN = (Assumption.POWER_LAW,)

_LOADS = (
    "Energies of adversarial load histories (utilisations 0 and 1, equal, two levels, random, and "
    "those of real runs) in ball arithmetic, with and without overhead"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "energy.sandwich",
        "Energy lies between two straight lines in the imbalance",
        f"{T4}, energy bounds",
        "v2",
        "upper",
        "P_max W + P_idle I <= E <= P_max W + D I for the steps of every run, W and I its busy and "
        "idle worker-time (total work and imbalance where C = 0).  The left side is attained where "
        "every utilisation is 0 or 1 (and for gamma = 1), the right side only where nothing idles "
        "(or gamma = 1, or P_idle = P_max).",
        RUN,
        f"{_LOADS}; one energy certainly outside refutes it.",
        later("symbols", "sandwich"),
        later("proofs", "sandwich"),
        coq=Theorem("energy_sandwich", "Energy.v"),
    ),
    Claim(
        "energy.envelope",
        "The sharper upper side, from Jensen's inequality",
        *OURS,
        "upper",
        "T (P_idle + dP (1 - f)) <= E <= T (P_idle + dP (1 - f)^gamma), T > 0 the worker-time and "
        "f its idle share.  The left side is that of the sandwich; the right side is at most the "
        "sandwich's and is approached by equal utilisations as G grows.",
        RUN,
        f"{_LOADS}; one energy certainly outside refutes it.",
        later("symbols", "envelope"),
        later("proofs", "envelope"),
        ("energy.sandwich",),
        coq=Theorem("energy_envelope", "Energy.v"),
    ),
    Claim(
        "energy.envelope-workers",
        "The largest energy of G devices with a given idle share",
        *OURS,
        "upper",
        "For G >= 2, T > 0 and a load in every step, E <= T (P_idle + dP (1/G + (1 - 1/G) "
        "v^gamma)), v = 1 - f G/(G-1): the "
        "fullest worker of a step has u = 1.  Attained, for every G >= 2 and every v from 0 to 1, "
        "by one full worker and all the others at u = v.",
        RUN,
        f"{_LOADS}; an energy certainly above refutes it, and so does a history with all others "
        "at u = v whose energy differs from it.",
        later("symbols", "envelope_workers"),
        later("proofs", "envelope_workers"),
        ("energy.envelope",),
        coq=Theorem("energy_envelope_workers", "EnvelopeWorkers.v"),
    ),
    Claim(
        "energy.overhead",
        "A fixed step overhead, in every formula",
        *OURS,
        "upper",
        "With overhead c = C/t_l (in load units) the sandwich and the envelope hold with W + cS "
        "for W and I + c(GK - S) for I, S the sum of utilisations.  At perfect balance, equal "
        "work, equal worker-steps and the baseline at its lower side the energy falls by sum_k "
        "Imb(k) (P_idle - dP c/M(k)): for P_idle > 0 and a baseline that idles that is positive "
        "where every M(k) > c dP/P_idle, and it is negative for some runs elsewhere.",
        PAIR,
        f"{_LOADS}; one energy certainly outside refutes it, and so does a pair whose difference "
        "is not the stated sum.",
        later("symbols", "overhead"),
        later("proofs", "overhead"),
        ("energy.sandwich", "energy.envelope"),
        coq=Theorem("energy_overhead", "Energy.v"),
    ),
    Claim(
        "energy.overhead-dilutes",
        "An overhead only dilutes the saving",
        *OURS,
        "lower",
        "Perfect balance in the same number of steps never costs energy, whatever the overhead.",
        PAIR,
        "Load histories with a large overhead; a balanced run that certainly draws more energy "
        "refutes it: balanced workers draw P_max through the whole overhead.",
        at_least("saving", "0"),
        energy_disproofs.overhead_dilutes,
        ("energy.overhead",),
        holds=False,
    ),
    Claim(
        "energy.saving-overhead",
        "The sharp floor, the best floor and the best cap, with a step overhead",
        *OURS,
        "lower",
        "With busy time W + cS and idle time I + c(GK - S) of each run, S its sum of utilisations "
        "and W > 0, 1 - E1/E0 is at least the sharp floor and the best floor and at most the best "
        "cap of these usages (lower over upper side and upper over lower side of the energies), "
        "for every overhead c >= 0, whatever the two works.",
        (Assumption.POWER_LAW,),
        "Pairs of adversarial load histories of equal work, and pairs of real runs, with overheads "
        "from small to dominant, in ball arithmetic; a saving certainly outside refutes it.",
        later("symbols", "saving_overhead"),
        later("proofs", "saving_overhead"),
        ("energy.overhead", "energy.saving-envelope"),
        coq=Theorem("energy_saving_overhead", "Overhead.v"),
    ),
    Claim(
        "energy.overhead-lowers",
        "In no fewer worker-steps an overhead never raises the saving of perfect balance",
        *OURS,
        "upper",
        "At equal work, if the improved run is perfectly balanced and takes at least as many "
        "worker-steps as the baseline, 1 - E1/E0 does not rise with the overhead: with any "
        "overhead it is at most the envelope's cap at C = 0, and at most the idle share f at C = "
        "0.",
        PAIR,
        "Savings over adversarial load histories along a growing overhead, in ball arithmetic; one "
        "that certainly rises refutes it.",
        later("symbols", "overhead_lowers"),
        later("proofs", "overhead_lowers"),
        ("energy.overhead", "energy.cap"),
        coq=Theorem("energy_overhead_lowers", "Overhead.v"),
    ),
    Claim(
        "energy.throughput",
        "The speed-up is an identity",
        "evenkeel",
        "ours",
        "equality",
        "For two backlogs served on the same workers: without overhead the ratio of durations, and "
        "of throughputs, is (1+eta0)/(1+eta1); 40 % idle allows at most 5/3.  With overhead it "
        "lies between K0/K1 and that ratio; for I0 >= I1 it is at most that ratio exactly if K0/K1 "
        "is.",
        (
            Assumption.SAME_REQUESTS,
            Assumption.CONSTANT_DRIFT,
            Assumption.STICKY,
            Assumption.BACKLOG,
        ),
        "Durations of real runs recomputed from loads in fractions, with and without overhead; a "
        "ratio outside refutes it.",
        later("symbols", "throughput"),
        later("proofs", "throughput"),
        ("energy.work-invariance",),
        coq=Theorem("energy_throughput", "Throughput.v"),
    ),
    Claim(
        "energy.throughput-timed",
        "The speed-up is that identity for timed arrivals, too",
        *OURS,
        "equality",
        "Without overhead the ratio of durations is (1+eta0)/(1+eta1), whenever the requests "
        "arrive.",
        (Assumption.SAME_REQUESTS, Assumption.CONSTANT_DRIFT, Assumption.STICKY),
        "Runs of FCFS and JSQ with a gap in which nobody is served: it is part of both durations "
        "and of neither imbalance; a ratio that differs refutes it.",
        later("symbols", "throughput"),
        energy_disproofs.throughput_timed,
        ("energy.throughput",),
        holds=False,
    ),
    Claim(
        "energy.saving-timed",
        "The sharp floor holds for the energy of the whole time, gaps included",
        *OURS,
        "lower",
        "The sharp floor holds whenever the requests arrive, for the energy until the last one "
        "departs, with P_idle drawn while there is nothing to serve.",
        (
            Assumption.POWER_LAW,
            Assumption.SAME_REQUESTS,
            Assumption.CONSTANT_DRIFT,
            Assumption.STICKY,
            Assumption.SOME_WORK,
            Assumption.NO_OVERHEAD,
        ),
        "Runs of FCFS and BF-IO that end together after a gap: who is done early idles for "
        "longer; a saving below the floor refutes it.",
        later("symbols", "sharp_floor"),
        energy_disproofs.saving_timed,
        ("energy.saving-sharp",),
        holds=False,
    ),
    Claim(
        "energy.work-invariance",
        "Total work does not depend on the policy",
        "paper, model",
        "v1, v2",
        "equality",
        "A request contributes sum_j w_i(j) = o s + o(o-1)/2 (drift 1; o s + dl o(o-1)/2 for "
        "constant drift dl), so all policies that serve the same requests to completion have the "
        "same total work W.",
        (Assumption.SAME_REQUESTS, Assumption.CONSTANT_DRIFT, Assumption.STICKY),
        "Work measured from the loads of runs under several policies against the formula, in "
        "ints; one difference refutes it.",
        later("symbols", "work"),
        later("proofs", "work_invariance"),
        coq=Theorem("energy_work_invariance", "Work.v"),
    ),
    Claim(
        "energy.work-any-drift",
        "Total work is policy-invariant under any common drift",
        *OURS,
        "equality",
        "All policies that serve the same requests to completion have the same total work, for "
        "every common non-negative drift sequence (the setting of Theorem 3).",
        (Assumption.SAME_REQUESTS, Assumption.COMMON_DRIFT, Assumption.STICKY),
        "Runs of FCFS and BF-IO under a drift that changes from step to step; two different totals "
        "refute it, and with it every comparison of their energies at equal work outside constant "
        "drift.",
        equal("W_1", "W_0"),
        energy_disproofs.work_any_drift,
        ("energy.work-invariance",),
        holds=False,
    ),
    Claim(
        "energy.work-oldest-first",
        "Rules that admit the oldest requests share the total work under any drift",
        *OURS,
        "equality",
        "All policies that serve a backlog and admit the oldest waiting requests, wherever they "
        "place them (FCFS, round robin, JSQ, least loaded, ...), start every request at the same "
        "step, so their total work W is the same for every common drift sequence.",
        (
            Assumption.BACKLOG,
            Assumption.SAME_REQUESTS,
            Assumption.COMMON_DRIFT,
            Assumption.STICKY,
            Assumption.WORK_CONSERVING,
        ),
        "Start steps and work of runs of five such policies under drifts that change from step to "
        "step, in ints; one difference refutes it.",
        equal("W_1", "W_0"),
        later("proofs", "oldest_first"),
        ("energy.work-invariance",),
    ),
    Claim(
        "energy.work-oldest-first-timed",
        "They share the total work for timed arrivals, too",
        *OURS,
        "equality",
        "All policies that admit the oldest waiting requests have the same total work W for every "
        "common drift sequence, whenever the requests arrive.",
        (
            Assumption.SAME_REQUESTS,
            Assumption.COMMON_DRIFT,
            Assumption.STICKY,
            Assumption.WORK_CONSERVING,
        ),
        "FCFS and JSQ on four requests, one of which arrives late: how long the steps last decides "
        "at which step it is there; two different totals refute it.",
        equal("W_1", "W_0"),
        energy_disproofs.work_oldest_first_timed,
        ("energy.work-oldest-first",),
        holds=False,
    ),
    Claim(
        "energy.gamma",
        "Measured exponents are far below 0.7, or exactly 1",
        "paper, experiment E5",
        "v2",
        "empirical",
        "With u the relative throughput of a serving configuration the fitted exponent has median "
        "0.21 on H100 (quartiles 0.18 and 0.26, 31 sweeps), 0.12 on B200 (0.07 and 0.26, 36 "
        "sweeps) and 0.02 to 0.04 on A100 (4 sweeps); all 71 lie between 0.0007 and 0.686, below "
        "0.7.  With u the busy fraction of a step (P_idle while waiting, P_max while working) "
        "gamma is 1 exactly, both sides of the sandwich meet and the saving is P_idle (eta0 - "
        "eta1)/(P_max + P_idle eta0), the sharp floor.",
        (Assumption.POWER_LAW,),
        "The carried table of fits; the exponent refitted from measured medians; the identity at "
        "gamma = 1 in fractions.  A quartile or a fit that differs refutes it.",
        later("symbols", "busy_fraction"),
        later("proofs", "busy_fraction"),
        ("energy.sandwich",),
    ),
    Claim(
        "energy.sensitivity",
        "The assumed exponent moves what is possible, never what is guaranteed",
        *OURS,
        "equality",
        "At perfect balance and for P_idle < P_max the sharp floor does not depend on gamma, and "
        "the cap does not rise with gamma: from the idle share itself (gamma to 0) it falls to the "
        "sharp floor (gamma = 1).  At 40 % idle and 100/400 W the floor is 1/7 = 14.3 % and the "
        "cap 35.0 % for gamma 0.21, the H100's median measured exponent, 22.5 % for the assumed "
        "0.7, and 14.3 % for 1.",
        (Assumption.POWER_LAW, Assumption.SAME_REQUESTS, Assumption.NO_OVERHEAD),
        "Caps in ball arithmetic along a grid of exponents for every device, the stated numbers, "
        "and sympy's partial derivatives against the closed ones; one in the wrong order, or a "
        "digit or slope that differs, refutes it.",
        later("symbols", "sensitivity"),
        later("proofs", "sensitivity"),
        ("energy.gamma", "energy.cap"),
    ),
    Claim(
        "energy.hardware",
        "The limit belongs to the constants, not to the method",
        "paper, experiment E5; devices: evenkeel",
        "ours",
        "equality",
        "P_idle/D is 52.6 % for the paper's constants, and for no other device of the catalogue.  "
        "With gamma 0.7 it is 27.0 % to 43.4 % for the idle powers of V100 to GB200, 45.5 % and "
        "51.6 % for MI300X (bare and loaded) and 74.6 % for TPU v4's smallest power; with measured "
        "exponents it is 22.9 % to 28.6 %.  For 100/400 W, gamma 0.5 to 0.9 moves it from 40 % to "
        "76.9 %.",
        (Assumption.POWER_LAW,),
        "Exact fractions for every device of the catalogue, and sympy's partial derivatives "
        "against the closed ones; a device outside its stated range refutes it.",
        later("symbols", "hardware"),
        later("proofs", "hardware"),
        ("energy.limit-paper",),
    ),
    Claim(
        "energy.limit-range",
        "27 % to 45 % for current devices",
        *OURS,
        "equality",
        "With gamma 0.7 the limit P_idle/D lies between 27 % and 45 % for the published idle "
        "power of every current device.",
        (Assumption.POWER_LAW,),
        "Exact fractions for every device of the catalogue at gamma 0.7, the paper's own constants "
        "aside; a device outside refutes it.",
        both(at_least("P_idle / D", "27/100"), at_most("P_idle / D", "9/20")),
        energy_disproofs.limit_range,
        ("energy.hardware",),
        holds=False,
    ),
    *SAVING_CLAIMS,
)
