"""The worst backlogs for FCFS."""

from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from adversary.workloads.families import workload
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import TENTH, THOUSANDTH, Cases, near, weighed
from evenkeel.findings.verdicts import BFIO, BUSIEST, JSQ, planted_policy
from evenkeel.theorems.registry import Assumption, claim
from solvers.simulation.engine import simulate
from theory.formal.record import Theorem
from theory.formulas.fcfs import worst_imbalance
from theory.formulas.step import full_refill_bound
from theory.model import Requests, System
from theory.proof import Computation, Identity, Inequality, Lemma, Step
from theory.relations import equal
from theory.symbolic import sp

REFILL = (Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.BOUNDED_SIZES)


def _refill_imbalance(system: System, policy: str, sizes: tuple[int, ...]) -> int:
    """Imbalance of a full refill with requests of these sizes in this order."""
    return simulate(system, Requests(sizes, [1] * len(sizes)), policy).total.imbalance


@claim(
    "fcfs.worst-case",
    "equality",
    assumptions=REFILL,
    requires=("step.full-refill-gap", "step.full-refill-tight"),
    coq=Theorem("fcfs_worst_case", "Refill.v"),
)
class WorstCase:
    """Worst arrival order after a full refill.

    Full refill from a pool of at least G B requests with sizes in [a, b]: the largest imbalance of
    FCFS is (G-1) B (b-a), attained when the first worker is sent all the b's. That of BF-IO is
    (G-1)(b-a) [step.full-refill-tight], both with a pool of exactly G B, so the first is B times
    the second.
    """

    def formula(self) -> "sp.Basic":
        G, B, a, b = sp.symbols("G B a b", positive=True, integer=True)
        return sp.Eq(sp.Symbol("sup Imb(FCFS)"), B * full_refill_bound(G, a, b))

    def proof(self) -> tuple[Step, ...]:
        n = sp.Symbol("n", nonnegative=True, integer=True)  # G - 1
        B, a, d = sp.symbols("B a d", positive=True)
        below, above = sp.symbols("x y", nonnegative=True)
        largest, others = B * (a + d) - below, n * B * a + above
        return (
            Lemma(
                "bounds of the loads",
                "Each worker gets B requests in [a, b]: the largest load is at most B b and the "
                "sum of the G-1 other loads at least (G-1) B a.",
            ),
            Inequality(
                "With d = b-a, M = B b - x and the others' sum (G-1) B a + y, the imbalance "
                "(G-1) M - sum of others is at most (G-1) B d",
                n * largest - others,
                n * B * d,
                n * below + above,
            ),
            Identity(
                "Attained: one worker with B b's, the others with B a's",
                (n + 1) * B * (a + d) - (B * (a + d) + n * B * a),
                n * B * d,
            ),
            Identity(
                "Ratio of the suprema of FCFS and BF-IO, for G - 1 = n + 1 >= 1 and d > 0",
                sp.UnevaluatedExpr((n + 1) * B * d) / sp.UnevaluatedExpr((n + 1) * d),
                B,
            ),
        )

    @evidence(
        measures="largest imbalance of FCFS after a full refill (load)",
        plants=(
            near("all orders"),
            near("all orders", 1 / THOUSANDTH),
            near("larger system"),
            near("BF-IO"),
            Variant("B^(3/2) in place of B", exponent=Fraction(1, 2)),
            BFIO,
        ),
        standard={"grid": ((1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (4, 1)), "b": 4},
        grid=((1, 2), (2, 1), (2, 2), (3, 1), (2, 3)),
        b=3,
    )
    def check(self, trial: Trial) -> Finding:
        """All arrival orders of a finite domain by enumeration, and the extremal order run through
        the engine under FCFS and BF-IO; a larger imbalance, or a supremum not attained, refutes it.
        """
        policy, b, orders = planted_policy(trial, "fcfs"), trial["b"], 0
        cases = Cases("==")
        for workers, slots in trial["grid"]:
            imbalance = partial(_refill_imbalance, System(workers, slots), policy)
            worst = max(product(range(1, b + 1), repeat=workers * slots), key=imbalance)
            orders += b ** (workers * slots)
            claimed = worst_imbalance(workers, slots, 1, b) * trial.scale_of("all orders")
            witness = partial(dict[str, Any], G=workers, B=slots, sizes=worst, policy=policy)
            if cases.add(imbalance(worst), claimed * trial.stretch(slots), witness):
                return cases.finding(trial, f"all {b}^{workers * slots} orders of a full refill")
        workers, slots, a, b = 16, 24, 3, 1000
        shape = {"workers": workers, "slots": slots, "a": a, "b": b, "length": 1}
        unbalanced, balanced = (
            simulate(
                System(workers, slots), workload(name, workers * slots, 0, **shape), rule
            ).total.imbalance
            for name, rule in (("fcfs-worst", policy), ("refill-tight", "bfio"))
        )
        witness = partial(dict[str, Any], G=workers, B=slots, a=a, b=b, bfio=balanced)
        claimed = worst_imbalance(workers, slots, a, b) * trial.scale_of("larger system")
        tight = full_refill_bound(workers, a, b) * trial.scale_of("BF-IO")
        if not cases.add(unbalanced, claimed, witness):
            cases.add(balanced, tight, witness, "BF-IO")
        ratio = Fraction(unbalanced, balanced) if balanced else None
        return cases.finding(
            trial,
            f"the worst of all {orders} orders of full refills with sizes 1..{trial['b']}; "
            f"extremal orders at G = {workers}, B = {slots}",
            details={"ratio of the suprema": str(ratio), "B": slots},
        )


def _largest(
    system: System,
    lengths: tuple[int, ...],
    arrivals: tuple[float, ...] | None,
    b: int,
    vertices: tuple[int, int],
    policy: str,
) -> tuple[int, int, tuple[int, ...]]:
    """Largest total imbalance over sizes 1..b off the vertices and at them; where the first is."""
    inside = at_vertex = -1
    where: tuple[int, ...] = ()
    for sizes in product(range(1, b + 1), repeat=len(lengths)):
        total = simulate(system, Requests(sizes, lengths, arrivals), policy).total.imbalance
        if all(s in vertices for s in sizes):
            at_vertex = max(at_vertex, total)
        elif total > inside:
            inside, where = total, sizes
    return inside, at_vertex, where


@claim(
    "fcfs.vertex",
    "equality",
    assumptions=(
        Assumption.BACKLOG,
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.STICKY,
    ),
)
class Vertex:
    """The worst sizes are the extreme ones.

    For a backlog with fixed output lengths and order the total imbalance of FCFS is a convex
    function of the sizes, so its maximum over sizes in [a, b]^N is attained with every size in {a,
    b}. With timed arrivals it is not [fcfs.vertex-timed].
    """

    def formula(self) -> "sp.Basic":
        return equal("max_Imb_box", "max_Imb_vertices")

    def proof(self) -> tuple[Step, ...]:
        w = sp.Symbol("w", positive=True)  # weights of the two points, which sum to 1
        u, v, r = sp.symbols("u v r", nonnegative=True)
        G, m1, m2, s1, s2, f = sp.symbols("G M_1 M_2 S_1 S_2 f", real=True)
        return (
            Lemma(
                "placement does not depend on sizes",
                "Start steps and workers of FCFS are functions of the output lengths; so each load "
                "L_g(k) is an affine function of the sizes.",
            ),
            Inequality(
                "A load that is a mixture of M_1 - u and M_2 - v is at most the mixture of the "
                "maxima (weights w and r): the maximum of affine functions is convex",
                w * (m1 - u) + r * (m2 - v),
                w * m1 + r * m2,
                w * u + r * v,
            ),
            Identity(
                "So the imbalance is convex, too: the sum of the loads, S_1 and S_2, is affine",
                G * (w * m1 + r * m2) - (w * s1 + r * s2),
                w * (G * m1 - s1) + r * (G * m2 - s2),
            ),
            Inequality(
                "A mixture of the values f and f + u, weights w and r, is at most the larger",
                (w * f + r * (f + u)) / (w + r),
                f + u,
                w * u / (w + r),
            ),
            Lemma(
                "vertices",
                "The total imbalance, a sum of G max L - sum L over steps, is convex in the "
                "sizes.  Along an edge of the box [a, b]^N, one size varied, it is thus at most "
                "its value at one of the ends; N times, at a vertex.",
            ),
        )

    @evidence(
        measures="largest total imbalance of FCFS at interior sizes (load)",
        plants=(
            near("", 1 / THOUSANDTH),
            Variant("sizes in {a, b-1} in place of {a, b}", fault="inner-vertex"),
            BUSIEST,
            BFIO,
        ),
        standard={"sizes": 4, "longest": 3},
        n=4,
        sizes=3,
        longest=2,
    )
    def check(self, trial: Trial) -> Finding:
        """Every size vector and every vector of output lengths of a finite domain: the maximum over
        all equals the maximum over the vertices. A larger interior value refutes it. Under BF-IO
        interior sizes can be worse; that is planted.
        """
        system, policy = System(2, 1), planted_policy(trial, "fcfs")
        n, b, longest = trial["n"], trial["sizes"], trial["longest"]
        vertices = (1, b - int(trial.fault("inner-vertex")))
        cases = Cases("<=")
        for lengths in product(range(1, longest + 1), repeat=n):
            inside, at_vertex, sizes = _largest(system, lengths, None, b, vertices, policy)
            witness = partial(dict[str, Any], sizes=sizes, lengths=lengths, policy=policy)
            if cases.add(inside, at_vertex * trial.scale, witness):
                break
        return cases.finding(
            trial,
            f"vectors of lengths 1..{longest}, for each all sizes 1..{b} of a backlog with G = 2, "
            f"B = 1, N = {n}",
        )


def _alone(*loads: int) -> "sp.Expr":
    """Total imbalance of steps with one busy worker of two, unevaluated."""
    j = sp.Symbol("j", integer=True, positive=True)
    load = sp.Function("M")
    total = sp.Sum(2 * load(j) - load(j), (j, 1, len(loads))).doit()
    return sp.Subs(total, [load(i) for i in range(1, len(loads) + 1)], loads)


def _timed(sizes: tuple[int, ...]) -> int:
    """Total imbalance of two workers with one slot under FCFS, lengths 1, 2, 1, C = 0, t_l = 1.

    Arrivals at 0, 1.5 and 4.5, counted in halves of a unit of load.
    """
    arrivals, lengths = (0, 3, 9), (1, 2, 1)
    active: list[list[int]] = []
    now = first = total = 0
    while first < 3 or active:
        if not active:
            now = max(now, arrivals[first])
        while first < 3 and len(active) < 2 and arrivals[first] <= now:
            active.append([sizes[first], lengths[first]])
            first += 1
        loads = [load for load, _ in active]
        total += 2 * max(loads) - sum(loads)
        now += 2 * max(loads)
        active = [[load + 1, left - 1] for load, left in active if left > 1]
    return total


@claim(
    "fcfs.vertex-timed",
    "equality",
    assumptions=(Assumption.BOUNDED_SIZES, Assumption.COMMON_DRIFT, Assumption.STICKY),
    requires=("fcfs.vertex",),
    holds=False,
)
class VertexTimed:
    """The worst sizes are the extreme ones, with timed arrivals too.

    For fixed output lengths and fixed arrival times the maximum of the total imbalance of FCFS over
    sizes in [a, b]^N is attained with every size in {a, b}. False: the sizes set when a step ends,
    and so who has arrived by the next. G = 2, B = 1, drift 1, C = 0 and t_l = 1, lengths (1, 2, 1),
    arrivals 0, 1.5, 4.5, sizes in [1, 3]: (2, 2, 3) gives 10, the best vertex (3, 3, 1) gives 9.
    """

    def formula(self) -> "sp.Basic":
        return equal("max_Imb_box", "max_Imb_vertices")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "sizes (2, 2, 3)",
                "The first step lasts from 0 to 2, the second request starts at 2 with loads 2, "
                "then 3, until 7; the third, which arrived at 4.5 within the step from 4 to 7, "
                "starts at 7.  Every step has one busy worker: loads 2, 2, 3, 3.",
            ),
            Identity("Its imbalance, 2 M - M at each step", _alone(2, 2, 3, 3), sp.Integer(10)),
            Computation(
                "The best of the eight vertices of [1, 3]^3 gives 9, stepped through by hand in "
                "integers (times in halves)",
                lambda: (
                    max(_timed(sizes) for sizes in product((1, 3), repeat=3)) == 9
                    and _timed((2, 2, 3)) == 10
                ),
            ),
        )

    @evidence(
        measures="largest total imbalance of FCFS at interior sizes (load)",
        plants=(near("", TENTH), JSQ),
        b=3,
    )
    def check(self, trial: Trial) -> Finding:
        """Every size vector of that instance in [1, 3]^3, run through the engine; a larger interior
        value refutes it.
        """
        # In units of t_l a step lasts as long as its largest load: C = 0.
        system = System(2, 1, step_overhead_s=0.0, seconds_per_token=1.0)
        lengths, arrivals, b = (1, 2, 1), (0.0, 1.5, 4.5), trial["b"]
        policy = planted_policy(trial, "fcfs")
        inside, at_vertex, sizes = _largest(system, lengths, arrivals, b, (1, b), policy)
        claimed = at_vertex * trial.scale
        return weighed(
            inside > claimed,
            False,
            inside,
            "<=",
            claimed,
            f"all sizes 1..{b} with lengths {lengths} and arrivals {arrivals}, G = 2, B = 1, C = "
            "0, t_l = 1 s, drift 1",
            {
                "workers": 2,
                "slots": 1,
                "seconds_per_token": 1.0,
                "prefill": sizes,
                "decode": lengths,
                "arrival": arrivals,
            },
        )
