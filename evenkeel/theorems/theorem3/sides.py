"""The two sides of Theorem 3: FCFS from below, BF-IO from above."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from adversary.workloads.families import workload, workload_names
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, refuted, stands, weighed
from evenkeel.findings.verdicts import BFIO, planted_policy
from evenkeel.theorems.fcfs.law import exact_mean, simulated
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.theorem2.along_runs import Shared
from evenkeel.theorems.theorem2.rare_sizes import WITNESS, range_proof, rare_size_finding
from evenkeel.theorems.theorem2.runs import DRIFTS as RUN_DRIFTS
from evenkeel.theorems.theorem2.runs import family_run, rare_size_run, sample_trace_run
from evenkeel.theorems.theorem2.sides import (
    RUN_PLANTS,
    TWO_SIZES_PLANTS,
    bfio_upper_proof,
    two_sizes,
    two_sizes_along,
    two_sizes_domain,
    two_sizes_formula,
)
from solvers.simulation.engine import simulate
from theory.formal.record import Theorem
from theory.formulas.fcfs import explicit_bound
from theory.formulas.ratio import bfio_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot
from theory.model import Requests, System
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Step
from theory.relations import at_most
from theory.symbolic import sp


def _work(size: "sp.Expr", length: "sp.Expr", drift: "sp.Expr") -> "sp.Expr":
    """Work of one request under constant drift, as in :meth:`theory.model.Requests.work`."""
    return length * size + drift * length * (length - 1) / 2


@claim(
    "drift.work",
    "equality",
    assumptions=(Assumption.SAME_REQUESTS, Assumption.STICKY, Assumption.COMMON_DRIFT),
    answers=("state", "fact 7"),
)
class Work:
    """Total work is the same for every policy only under constant drift.

    Under constant drift d the total work of a run that serves every request is sum_i (o_i s_i + d
    o_i (o_i - 1)/2), whatever the policy. Under a calendar drift that is not constant it depends on
    when requests start, so two policies can do different work on the same requests, and savings of
    energy are not comparable as they stand.
    """

    def formula(self) -> "sp.Basic":
        s, o = sp.IndexedBase("s"), sp.IndexedBase("o")
        i, n = sp.symbols("i N", integer=True)
        d = sp.Symbol("d", nonnegative=True)
        return sp.Eq(sp.Symbol("W"), sp.Sum(_work(s[i], o[i], d), (i, 1, n)))

    def proof(self) -> tuple[Step, ...]:
        s, o = sp.IndexedBase("s"), sp.IndexedBase("o")
        i, n = sp.symbols("i N", integer=True)
        d, size = sp.symbols("d s", nonnegative=True)
        length, j = sp.symbols("o j", positive=True, integer=True)
        return (
            Lemma(
                "exchange the sums",
                "W = sum_k sum_g L_g(k) adds every request's load at each of its o steps, on "
                "whatever worker and at whatever steps they are.",
            ),
            Identity(
                "A request's work under constant drift",
                sp.Sum(size + d * (j - 1), (j, 1, length)),
                _work(size, length, d),
            ),
            Computation(
                "With drift (3, 0, 1) a request of size s and length 2 works s + (s + 3) if it "
                "starts at step 0, and s + (s + 0) at step 1: s = 1 gives 5 and 2",
                lambda: [1 + (1 + grown) for grown in (3, 0)] == [5, 2],
            ),
            Conclusion(
                "Summed over the requests",
                self.formula(),
                {sp.Symbol("W"): sp.Sum(_work(s[i], o[i], d), (i, 1, n))},
            ),
        )

    @evidence(
        measures="total work of a run (load x steps)",
        plants=(
            Variant("work x1.001", Fraction(1001, 1000)),
            Variant("ages off by one", fault="age-off-by-one"),
            Variant("constant drift where it should vary", fault="constant"),
        ),
        standard={"runs": 40},
        runs=6,
        n=200,
    )
    def check(self, trial: Trial) -> Finding:
        """Runs of every built-in policy on seeded requests under constant drifts 0, 1 and 4, whose
        work must equal the formula; and under drift (3,0,1), where two policies must differ. A
        difference in the first, or none in the second, refutes it.
        """
        policies = ["fcfs", "round_robin", "jsq", "least_loaded", "lpt", "always_busiest", "bfio"]
        policies.extend(trial.users())
        cases, shifted = Cases("=="), int(trial.fault("age-off-by-one"))
        for run, constant in product(range(trial["runs"]), (0, 1, 4)):
            requests = workload("uniform", trial["n"], trial.seed * 10**6 + run, b=50, p=0.1)
            expected = requests.work(constant) + shifted * constant * int(requests.decode.sum())
            for policy in policies:
                total = simulate(System(3, 4, (constant,)), requests, policy).total.work
                witness = partial(
                    dict[str, Any], policy=policy, drift=constant, seed=trial.seed, run=run
                )
                if cases.add(total, expected * trial.scale, witness):
                    return cases.finding(trial, f"work of {policy} under drift {constant}, exact")
        # Sizes 1 and 9: BF-IO starts them in another order than FCFS, at other phases of the drift.
        requests = Requests([9, 1, 9, 1, 1, 9], [2, 3, 1, 2, 1, 4])
        varying = (1,) if trial.fault("constant") else (3, 0, 1)
        works = {
            policy: simulate(System(2, 1, varying), requests, policy).total.work
            for policy in ("fcfs", "bfio", "always_busiest")
        }
        if len(set(works.values())) == 1:
            return refuted(
                works["bfio"],
                "~",
                works["fcfs"],
                f"drift {varying}: all policies did the same work",
                {"works": works, "sizes": requests.prefill.tolist()},
            )
        return cases.finding(
            trial,
            f"runs of {len(policies)} policies under constant drifts 0, 1, 4, exact; different "
            "work under drift (3, 0, 1)",
            details={"work under drift (3, 0, 1)": works},
        )


HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)

DRIFTS = ((0,), (1,), (3, 0, 1), (0, 0, 5))
FAIR = Law.uniform(1, 2)


def _dependent_lengths() -> Finding:
    """Short requests large, long ones small: growth evens the loads out."""
    s, o, counts = [3, 1], [1, 9], [3, 1]
    moving, still = (
        expected_imbalance(joint_slot(s, o, counts=counts, step=1, drift=drift), 2, 1).imbalance
        for drift in ((2,), (0,))
    )
    return weighed(
        moving.upper < still.lower,
        False,
        moving.lower,
        ">=",
        still.lower,
        "G = 2, B = 1, step 1, exact",
        {"pairs": list(zip(s, o, strict=True)), "counts": counts, "drift": [2]},
    )


@claim(
    "drift.fcfs-lower",
    "lower",
    source="paper, Theorem 3 (order); statement: evenkeel",
    version="v1, v2",
    assumptions=HYPOTHESES,
    requires=("fcfs.exact", "fcfs.log-growth"),
    answers=("T3",),
    drops=(Dropped("geometric.fcfs-lower", "constant drift (any common drift instead)"),),
)
class FcfsLower:
    """Common drift never helps FCFS.

    Output lengths independent of sizes: for every common non-negative drift and at every step,
    E[Imb(FCFS)] is at least its exact value without drift, X = s; so whatever bounds that value
    below, as [fcfs.pairing] and [fcfs.lower] do, serves for every drift. By [fcfs.log-growth], with
    the kurtosis kappa of the sizes, G >= 2, B >= k = floor(log2 G) and n = floor(B/k): E[Imb(FCFS)]
    >= G k sigma_s sqrt(n / (6 + (kappa-3)/n)) for every drift.
    """

    def formula(self) -> "sp.Basic":
        return sp.Ge(
            sp.Symbol("E[Imb(FCFS, drift)]", positive=True),
            sp.Symbol("E[Imb(FCFS, no drift)]", positive=True),
        )

    def proof(self) -> tuple[Step, ...]:
        G, largest, total, y = sp.symbols("G M S y", positive=True)
        w1, w2, u, v = sp.symbols("w_1 w_2 u v", nonnegative=True)
        m1, m2 = sp.symbols("M_1 M_2", real=True)
        return (
            Lemma(
                "independence",
                "A load is L_g = S_g + Y_g, S_g the sum of the B sizes on the worker and Y_g that "
                "of their growths.  Ages depend on output lengths alone, which are independent of "
                "the sizes; so Y is independent of S, and the Y_g are iid with some mean y.",
            ),
            Inequality(
                "The maximum is convex: a mixture of loads, M_1 - u and M_2 - v on any one worker, "
                "is at most the mixture of the maxima",
                w1 * (m1 - u) + w2 * (m2 - v),
                w1 * m1 + w2 * m2,
                w1 * u + w2 * v,
            ),
            Lemma(
                "Jensen, given the sizes",
                "E[max_g (S_g + Y_g) | S] >= max_g (S_g + E[Y_g | S]) = max_g S_g + y.",
            ),
            Identity(
                "Adding y to every load leaves the imbalance unchanged",
                G * (largest + y) - (total + G * y),
                G * largest - total,
            ),
            Inequality(
                "So, with E[max_g L_g | S] = M + y + u: the expected imbalance given the sizes is "
                "at least that of the sizes alone",
                G * largest - total,
                G * (largest + y + u) - (total + G * y),
                G * u,
            ),
            Lemma(
                "the law of the sizes",
                "The sizes in the slots are iid from the law of s at every step, as they do not "
                "influence how long a request stays; so the right side is E[Imb] with X = s.",
            ),
        )

    @evidence(
        measures="mean imbalance of FCFS under drift (load)",
        plants=(
            Variant("value without drift x1.001", Fraction(1001, 1000), side="still"),
            Variant("explicit bound x1.001", Fraction(1001, 1000), side="explicit"),
            Variant("exact mean under drift x1.2", Fraction(6, 5), side="mean"),
            Variant("exact mean under drift x0.85", Fraction(17, 20), side="mean"),
            Variant("sizes that depend on lengths", fault="dependent-lengths"),
            Variant("drift left out of the formula", fault="no-drift"),
            BFIO,
        ),
        standard={"systems": ((2, 1), (3, 4), (16, 8), (64, 72)), "runs": 300},
        systems=((2, 1), (3, 4), (16, 8)),
        runs=120,
        steps=18,
    )
    def check(self, trial: Trial) -> Finding:
        """Exact enclosures for drifts 0, 1, (3,0,1), (0,0,5), at steps of the start-up and at every
        phase of stationarity, over a grid of (G, B, p), and simulated FCFS under a drift of period
        3 against the exact value; an enclosure below the value without drift, or below the explicit
        bound, which sizes 1 or 2 attain without drift at G = 2, B = 1, or a mean outside its
        interval, refutes it.
        """
        if trial.fault("dependent-lengths"):
            return _dependent_lengths()
        sizes, points = Law.uniform(1, 12), 0
        closest: tuple[Fraction, float, float] | None = None
        chances = Fraction(1, 2), Fraction(1, 10), Fraction(1)
        factor = trial.scale_of("explicit")
        attained = expected_imbalance(FAIR, 2, 1).imbalance
        if attained.upper < (least := explicit_bound(FAIR, 2, 1) * factor):
            where = {"G": 2, "B": 1, "sizes": [1, 2], "drift": [0]}
            return refuted(attained.value, ">=", float(least), "explicit bound", where)
        for (workers, slots), p, moving_by in product(trial["systems"], chances, DRIFTS):
            exact = expected_imbalance(sizes, workers, slots).imbalance.lower
            still = exact * trial.scale_of("still")
            whens = [{"step": k} for k in (0, 1, 2, 9)]
            whens += [{"phase": phase} for phase in range(len(moving_by))]
            for when in whens:
                law = geometric_slot(sizes, p, drift=moving_by, **when)
                moving = expected_imbalance(law, workers, slots).imbalance
                points += 1
                where = {"G": workers, "B": slots, "p": str(p), "drift": moving_by, **when}
                if moving.upper < still:
                    return refuted(moving.value, ">=", float(still), "exact enclosures", where)
                if moving.upper < (least := explicit_bound(sizes, workers, slots) * factor):
                    return refuted(moving.value, ">=", float(least), "explicit bound", where)
                if moving_by != (0,) and (closest is None or moving.lower / still < closest[0]):
                    closest = moving.lower / still, moving.value, float(still)
        assert closest is not None
        system, runs, steps = System(4, 6, (3, 0, 1)), trial["runs"], trial["steps"]
        model = replace(system, drift=(0,)) if trial.fault("no-drift") else system
        policy = planted_policy(trial, "fcfs")
        mean = simulated(system, policy, 1, 12, 0.2, steps, runs, trial.seed)
        claimed = exact_mean(model, 1, 12, 0.2, steps) * float(trial.scale_of("mean"))
        domain = (
            f"{points} exact enclosures, drifts {DRIFTS}; {runs} runs of {steps} steps under drift "
            "(3, 0, 1)"
        )
        if claimed not in mean:
            return refuted(
                mean.value,
                "==",
                claimed,
                domain,
                {"G": 4, "B": 6, "p": "1/5", "drift": system.drift, "seed": trial.seed},
                interval=mean.interval,
            )
        return stands(
            trial,
            closest[1],
            ">=",
            closest[2],
            domain,
            details={"simulated": mean.value, "exact": claimed, "interval": mean.interval},
        )


@claim(
    "drift.bfio-upper",
    "upper",
    source="paper, Theorem 3; hypothesis and constants: evenkeel",
    version="v1, v2",
    assumptions=(
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.FULL_SLOTS,
        Assumption.STICKY,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("step.spacing",),
    recovered=False,
    answers=("T3",),
    coq=Theorem("two_size_recursion", "Recursion.v"),
)
class BfioUpper:
    """BF-IO side of Theorem 3, by two sizes that the pool really offers.

    All slots are full, so a common growth adds the same to every worker: the bound of
    [geometric.bfio-upper] holds along every run, whatever the common drift and the departures. If
    the pool always holds at least as many copies of two sizes x and x + delta, delta >= 1, as slots
    are free, then at each step an optimal step has, for any p in (0, 1], Imb' <= (1-p) Imb + S +
    sum_g (X_g + max_h Y_h - B p delta)^+ with S = ((G-1)(delta-1) + gcd(G, delta) - 1)/2, and with
    the loads w that have grown as the drift says; so over K >= 1 steps AvgImb(BF-IO) <= (S + F)/p +
    Imb_0/(p K), F the average of that sum. At drift 0 departing loads are sizes:
    [threshold.replacement].
    """

    def formula(self) -> "sp.Basic":
        return two_sizes_formula()

    def proof(self) -> tuple[Step, ...]:
        return bfio_upper_proof()

    @evidence(
        measures="imbalance after an optimal step (load)",
        plants=(*TWO_SIZES_PLANTS, *RUN_PLANTS),
        systems=((2, 2, 3), (3, 1, 4)),
        x=(1, 2),
        delta=(1, 2),
        p=(Fraction(2, 5),),
        families=("uniform", "two-point", "burst-like", "longbench-like"),
        steps=100,
        standard={
            "systems": ((2, 2, 4), (3, 1, 6)),
            "delta": (1, 2, 4),
            "families": None,
            "steps": 200,
        },
        paper={"steps": 3000},
    )
    def check(self, trial: Trial) -> Finding:
        """The inequality of the step in exact arithmetic, for growths 0, 1 and 3 and every
        departure pattern of small systems, against the enumerated optimum from the smallest such
        pool; and at every step of runs of BF-IO under drifts 0, 1 and (3, 0, 1), on workload
        families, with a rare size, and on the sample trace, while the pool holds two sizes. One
        step above it refutes it.
        """
        domain = f"growth 0, 1 or 3; {two_sizes_domain(trial)}"
        return two_sizes_along(trial, two_sizes(trial, (0, 1, 3)), _runs(trial), domain)


def _runs(trial: Trial) -> Iterator[Shared]:
    seed, steps = trial.seed, trial["steps"]
    for drift in RUN_DRIFTS:
        yield family_run("two-point", 2, 1, drift, seed, steps, b=3)
        for name in trial["families"] or workload_names():
            yield family_run(name, 4, 4, drift, seed, steps)
        yield rare_size_run(16, 32, drift, seed, steps)
        yield sample_trace_run(8, 16, drift, steps)


@claim(
    "drift.bfio-upper-range",
    "upper",
    source="paper, Theorem 3",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.POOL_CONDITION),
    requires=("geometric.bfio-upper-range",),
    recovered=False,
    holds=False,
    answers=("T3",),
)
class BfioUpperRange:
    """BF-IO side of Theorem 3, on the range of the sizes alone.

    E[AvgImb(BF-IO)] <= (G-1) (s_max + max drift / p) for any common drift, wherever the pool
    condition holds and B p (b-a)^2 >= 8 m ln G. The rare size of [geometric.bfio-upper-range] fakes
    the range here too: at drift 1 every online policy has more than fifty times as much there.
    """

    def formula(self) -> "sp.Basic":
        G, s_max, growth, p = sp.symbols("G s_max delta_max p", positive=True)
        return at_most("E_Imb_BFIO", bfio_bound(G, s_max + growth / p))

    def proof(self) -> tuple[Step, ...]:
        return range_proof()

    @evidence(
        measures="least mean imbalance of any online policy (load)",
        plants=(
            Variant("with a constant of 1.25", Fraction(5, 4)),
            Variant("with a constant of 50", Fraction(50)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The lower bound of [geometric.bfio-upper-range], drift 1, in exact enclosures; above the
        claimed side it refutes it, without any simulation.
        """
        bound = bfio_bound(WITNESS.G, WITNESS.b + 1 / WITNESS.p)
        return rare_size_finding(trial, bound * trial.scale)
