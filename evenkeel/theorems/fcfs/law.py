"""The law of the loads under rules that do not look at sizes."""

from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from adversary.paired_runs import departed_loads
from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import TENTH, near, refuted, sampled_mean
from evenkeel.findings.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.findings.verdicts import AGED, BFIO, BUSIEST, DEPARTED, planted_policy
from evenkeel.theorems.fcfs.peeking import Peeking
from evenkeel.theorems.registry import Assumption, claim
from solvers.policies.protocol import Policy
from solvers.simulation.engine import simulate
from theory.formulas.geometric import age_moments
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot
from theory.model import Requests, System
from theory.proof import Identity, Lemma, Step
from theory.relations import equal
from theory.symbolic import sp

EXPECTATION = (Assumption.OVERLOADED, Assumption.IID, Assumption.COMMON_DRIFT, Assumption.STICKY)

# Joint laws of (s, o) for enumeration, as (pairs, counts): sizes that depend on the lengths.
TINY_LAWS = (
    (((1, 1), (4, 2), (2, 3)), (2, 1, 1)),
    (((3, 2), (1, 1)), (1, 3)),
)


def _policy(rule: str, peek: bool, requests: Requests) -> str | Policy:
    """The rule by name, or the planted policy that is told the hidden lengths."""
    return Peeking(requests) if peek else rule


@cache
def simulated(
    system: System,
    rule: str,
    a: int,
    b: int,
    p: float,
    steps: int,
    runs: int,
    seed: int,
    peek: bool = False,
) -> Mean:
    """Mean imbalance over the first steps of replicated runs, sizes uniform on a..b."""
    n = requests_to_overload(system, steps, p=p)
    samples = []
    for run in range(runs):
        requests = workload("uniform", n, seed * 10**6 + run, a=a, b=b, p=p)
        chosen = _policy(rule, peek, requests)
        result = overloaded_run(system, requests, chosen, steps, seed=run)
        samples.append(float(imbalances(first_steps(result, steps)).mean()))
    return Mean.of(samples)


@cache
def exact_mean(system: System, a: int, b: int, p: float, steps: int) -> float:
    """Exact expected imbalance of FCFS in the same runs."""
    sizes, chance = Law.uniform(a, b), Fraction(str(p))
    laws = (geometric_slot(sizes, chance, step=k, drift=system.drift) for k in range(steps))
    found = (expected_imbalance(law, system.workers, system.slots) for law in laws)
    return sum(at_step.imbalance.value for at_step in found) / steps


PEEKS = Variant("a policy that peeks at the output lengths", fault="peek")


@cache
def _every_sequence(
    system: System, rule: str, law: tuple[Any, Any], steps: int, departed: bool, peek: bool
) -> tuple[list[Fraction], int]:
    """Mean imbalance of each step over every sequence of requests, weighed exactly."""
    pairs, counts = law
    n = system.capacity * steps
    totals, sequences = [0] * steps, 0
    for choice in product(range(len(pairs)), repeat=n):
        s, o = zip(*(pairs[i] for i in choice), strict=True)
        requests = Requests(s, o)
        result = simulate(system, requests, _policy(rule, peek, requests), history=True)
        loads = departed_loads(result) if departed else result.loads
        assert loads is not None
        weight = int(np.prod([counts[i] for i in choice], dtype=object))
        for k, imbalance in enumerate(imbalances(loads)[:steps].tolist()):
            totals[k] += weight * imbalance
        sequences += 1
    scale = sum(counts) ** n
    return [Fraction(total, scale) for total in totals], sequences


@claim("fcfs.exact", "equality", assumptions=EXPECTATION)
class Exact:
    """Expected imbalance of FCFS without sampling.

    FCFS with iid (s, o) of finite mean and a pool that surely fills every free slot up to step k
    after a cold start, integer sizes: the GB slot loads are iid copies of X = s + D_k - D_(k-A),
    with P(s, A=t) = u_(k-t) P(s, o>t), u the renewal probabilities of the output lengths and D the
    cumulative drift; for geometric(p) lengths A is geometric, cut at k. Hence E[Imb_k] = G (sum_x
    (1 - F(x)^G) - B E[X]) with F the distribution function of the sum of B copies. The law as k
    grows is [fcfs.stationary].
    """

    def formula(self) -> "sp.Basic":
        G, B = sp.symbols("G B", positive=True, integer=True)
        x = sp.Symbol("x", nonnegative=True, integer=True)
        F, mean, imb = sp.Function("F"), sp.Symbol("E[X]"), sp.Symbol("E[Imb]")
        return sp.Eq(imb, G * (sp.Sum(1 - F(x) ** G, (x, 0, sp.oo)) - B * mean))

    def proof(self) -> tuple[Step, ...]:
        p, q = sp.symbols("p q", positive=True)
        k = sp.Symbol("k", positive=True, integer=True)
        t = sp.Symbol("t", nonnegative=True, integer=True)
        # Closed forms of the three geometric sums, with q = 1 - p; the first is telescoping.
        mean = q / (1 - q)
        return (
            Lemma(
                "slots are independent renewal processes",
                "FCFS sends the next request of the queue to a slot that is free; which slot is "
                "free depends on earlier output lengths only, as the pool surely fills every one. "
                " So the successive requests of a slot are iid copies of (s, o), independent "
                "between slots, and each slot, never empty, renews at the sums of its output "
                "lengths.",
            ),
            Lemma(
                "age at step k",
                "The request in a slot at step k was admitted at k-t and lives on with probability "
                "u_(k-t) P(s, o>t); its load is s plus the drift of the t steps since.",
            ),
            Lemma(
                "geometric lengths",
                "For geometric(p) lengths u_j = p for j >= 1 and u_0 = 1, so P(A=t) = p q^t for t "
                "< k and P(A=k) = q^k.",
            ),
            Identity(
                "The cut geometric ages have total probability one",
                p * sp.Sum((1 - p) ** t, (t, 0, k - 1)) + (1 - p) ** k,
                sp.Integer(1),
            ),
            Identity(
                "The stationary age has variance (1-p)/p^2",
                (q * (1 + q) / (1 - q) ** 2 - mean**2).subs(q, 1 - p),
                age_moments(p)[0],
            ),
            Lemma(
                "tail sum",
                "The loads L_1..L_G are iid with distribution function F and non-negative, so "
                "E[max] = sum_(x>=0) P(max > x) = sum_(x>=0) (1 - F(x)^G); and E[sum L] = G B "
                "E[X].",
            ),
        )

    @evidence(
        measures="mean imbalance of FCFS over the steps of a run (load)",
        plants=(
            near("sequences"),
            near("runs", TENTH),
            near("runs", 1 / TENTH),
            DEPARTED,
            AGED,
            BUSIEST,
            PEEKS,
        ),
        standard={"runs": 400, "steps": 60, "deep": 3},
        G=16,
        B=4,
        p=0.3,
        a=1,
        b=30,
        runs=120,
        steps=30,
        deep=2,
    )
    def check(self, trial: Trial) -> Finding:
        """Every sequence of requests of a tiny system, weighed in exact rationals, against the
        formula at every step; then seeded runs of the engine, whose mean imbalance must have the
        exact value within its interval. Any difference in the first, or a value outside the
        interval in the second, refutes it.
        """
        sequences = 0
        shift, policy = int(trial.fault("age-off-by-one")), planted_policy(trial, "fcfs")
        departed, peek = trial.fault("departed-loads"), trial.fault("peek")
        for (pairs, counts), drift in product(TINY_LAWS, ((1,), (2, 0))):
            depth = trial["deep"] if len(pairs) > 2 else trial["deep"] + 1
            # With one slot a worker, who gets which request makes no difference; with two it does.
            for slots, steps in ((1, depth), *(((2, 2),) if len(pairs) == 2 else ())):
                means, number = _every_sequence(
                    System(2, slots, drift), policy, (pairs, counts), steps, departed, peek
                )
                sequences += number
                s, o = zip(*pairs, strict=True)
                for k, mean in enumerate(means):
                    slot = joint_slot(s, o, counts=counts, step=k + shift, drift=drift)
                    expected = expected_imbalance(slot, 2, slots).imbalance.lower
                    expected *= trial.scale_of("sequences")
                    if mean != expected:
                        return refuted(
                            mean,
                            "==",
                            expected,
                            f"all sequences of requests of G = 2, B = {slots}, exact rationals",
                            {"pairs": pairs, "counts": counts, "drift": drift, "step": k},
                        )
        system = System(trial["G"], trial["B"])
        common = tuple(trial[name] for name in ("a", "b", "p", "steps"))
        return sampled_mean(
            trial,
            simulated(system, policy, *common, trial["runs"], trial.seed, peek),
            exact_mean(system, *common) * float(trial.scale_of("runs")),
            f"exact over {sequences} sequences of requests (G = 2, B = 1 and 2, two joint laws, "
            f"drifts 1 and 2,0); {trial['runs']} runs of {trial['steps']} steps at G = "
            f"{system.workers}, B = {system.slots}",
            {"params": dict(trial.params), "seed": trial.seed},
        )


@claim(
    "fcfs.size-blind",
    "equality",
    assumptions=EXPECTATION,
    requires=("fcfs.exact",),
    answers=("fact 1",),
)
class SizeBlind:
    """All rules that place a request before seeing its size are equal in law.

    With iid requests and a pool that surely fills every slot, any rule that takes requests in
    arrival order and fixes the worker of each without looking at its size, its output length or
    those behind it has at every step the same law of the loads as FCFS, up to the numbering of
    workers, so the same expected imbalance. This covers round robin and JSQ by count, and also the
    load-aware least_loaded and power_of_two: when no slot may stay empty, knowing the loads without
    choosing the request gains nothing.
    """

    def formula(self) -> "sp.Basic":
        return equal("E_Imb_rule", "E_Imb_FCFS")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "optional skipping (Doob)",
                "Fill the free slots one request at a time.  Which slot the next request goes to "
                "is a function of the requests before it, so its (s, o), drawn from the same law, "
                "is independent of that choice and of everything before.  The successive requests "
                "of the slots are therefore independent draws, in whatever order the rule fills "
                "them.",
            ),
            Lemma(
                "same slots",
                "As the pool fills every slot, each slot is refilled at the step after a "
                "departure under any such rule; so all GB slots are the independent renewal "
                "processes of FCFS, and the loads, sums over the B slots of a worker, have the "
                "same law.",
            ),
        )

    @evidence(
        measures="mean imbalance of the rule farthest from exact FCFS (load)",
        plants=(
            near("sequences"),
            near("runs", TENTH),
            near("runs", 1 / TENTH),
            BUSIEST,
            Variant("lpt, which sees the sizes", policy="lpt"),
            BFIO,
            PEEKS,
        ),
        standard={"runs": 300, "steps": 40},
        G=16,
        B=4,
        p=0.3,
        b=100,
        steps=24,
        runs=80,
    )
    def check(self, trial: Trial) -> Finding:
        """Every sequence of requests of a tiny system under each rule, in exact rationals, then
        runs of larger ones, whose mean imbalance under each rule must have the exact one of FCFS
        within its interval; any difference in the first, or a value outside, refutes it.
        """
        rules = ("round_robin", "least_loaded", "power_of_two", planted_policy(trial, "jsq"))
        (pairs, counts), steps = TINY_LAWS[1], 2
        s, o = zip(*pairs, strict=True)
        expected = [
            expected_imbalance(joint_slot(s, o, counts=counts, step=k), 2, 2).imbalance.lower
            * trial.scale_of("sequences")
            for k in range(steps)
        ]
        sequences = 0
        for rule in rules:
            means, sequences = _every_sequence(
                System(2, 2), rule, (pairs, counts), steps, False, trial.fault("peek")
            )
            for k, (mean, value) in enumerate(zip(means, expected, strict=True)):
                if mean != value:
                    return refuted(
                        mean,
                        "==",
                        value,
                        "all sequences of requests of G = 2, B = 2, exact rationals",
                        {"rule": rule, "pairs": pairs, "counts": counts, "step": k},
                    )
        system = System(trial["G"], trial["B"])
        common = 1, trial["b"], trial["p"], trial["steps"]
        means_of = {
            rule: simulated(system, rule, *common, trial["runs"], trial.seed, trial.fault("peek"))
            for rule in rules
        }
        claimed = exact_mean(system, *common) * float(trial.scale_of("runs"))
        worst = max(
            rules,
            key=lambda rule: (claimed not in means_of[rule], abs(means_of[rule].value - claimed)),
        )
        return sampled_mean(
            trial,
            means_of[worst],
            claimed,
            f"exact over all {sequences} sequences of requests (G = B = 2) under "
            f"{', '.join(rules)}; {trial['runs']} runs of {trial['steps']} steps of each at "
            f"G = {system.workers}, B = {system.slots}, farthest {worst}",
            {"rule": worst, "params": dict(trial.params), "seed": trial.seed},
            details={f"interval under {rule}": mean.interval for rule, mean in means_of.items()},
        )
