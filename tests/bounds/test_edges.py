"""Every settled claim at its edges: it holds there, or a stated assumption excludes the instance.

The edges are no requests, timed arrivals, a step overhead, one worker, one slot, equal sizes, no
drift, a drift that changes, an eviction, and devices without idle power, with power in proportion
or without any slope.  A claim about steps meets every small step, one about runs every small run,
one about energy every load history on every device: the gate says which of its assumptions the
instance violates, and where there is none both sides are computed here, by trying every admission
or straight from the definition.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, pairwise, permutations, product
from math import gcd, inf, prod

import pytest

from adversary.workloads.trace_statistics import lengths_of
from evenkeel.findings.check import Verdict
from evenkeel.findings.gate import Subject, loads_of, unmet
from evenkeel.theorems.registry import Assumption, checks, claim_of, claims
from solvers.policies.exact_bfio import ExactBFIO
from solvers.schedule.problem import OfflineProblem, Rule
from solvers.schedule.solve import solve_offline
from solvers.simulation.reference import simulate_reference
from solvers.simulation.result import RunResult
from solvers.step.problem import StepProblem
from theory.formulas import geometric, vacuity
from theory.formulas.fcfs import explicit_bound
from theory.formulas.ratio import certified_ratio, first_formula_slots, iir_enclosure
from theory.formulas.tilting import tilting_bounds
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.order_statistics import berry_esseen_bound, effective_constant, pairing_bound
from theory.laws.tournament import tournament_bound
from theory.model import InputError, Requests, System
from theory.power import PowerModel

# What a claim says of one instance: computed side, relation, claimed side.
Line = tuple[Fraction | int | float, str, Fraction | int | float]
Says = Callable[[Subject], Iterator[Line]]


def holds(line: Line) -> bool:
    computed, relation, claimed = line
    # Sums of at most a hundred powers: 1e-12 is far above their rounding.
    near = 1e-12 * max(1, abs(claimed)) if isinstance(computed + claimed, float) else 0
    return {
        "<=": computed <= claimed + near,
        ">=": computed >= claimed - near,
        "==": abs(computed - claimed) <= near,
    }[relation]


# --- one step ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class StepEdge:
    name: str
    subject: Subject


def _step(name, loads, free, pool, sizes, slots=None) -> StepEdge:
    return StepEdge(name, Subject(StepProblem(loads, free, pool), slots, sizes=sizes))


STEPS = [
    _step("an empty pool", [0, 1], [1, 1], [], (1, 3)),
    _step("an empty pool, a full refill", [0, 0], [2, 2], [], (1, 3)),
    _step("no free slot", [3, 1], [0, 0], [1, 2], (1, 2)),
    _step("no free slot and no request", [2, 2], [0, 0], [], (2, 2)),
    _step("one worker", [2], [2], [1, 3, 3], (1, 3)),
    _step("one worker, a full refill", [0], [3], [1, 1, 2, 3], (1, 3)),
    _step("one worker, a rich pool", [4], [1], [1, 2], (1, 2)),
    _step("one slot each", [0, 0, 0], [1, 1, 1], [1, 2, 3], (1, 3)),
    _step("one slot each, rich", [1, 0], [1, 1], [1, 1, 2, 2], (1, 2)),
    _step("equal sizes", [1, 4], [2, 1], [3, 3, 3], (3, 3)),
    _step("equal sizes, a full refill", [0, 0], [2, 2], [2] * 4, (2, 2)),
    _step("two requests to spare", [0, 0], [1, 1], [1, 2, 2, 3], (1, 3)),
    _step("equal sizes, too few", [0, 0], [1, 1], [1], (1, 1)),
    _step("fewer requests than slots", [0, 2, 1], [1, 1, 1], [3, 1], (1, 3)),
    _step("fewer requests than slots, a full refill", [0, 0], [2, 2], [1, 3, 1], (1, 3)),
    _step("unequal numbers of slots", [0, 0], [1, 2], [1, 1, 1, 2], (1, 2)),
    _step("unequal numbers of slots, said", [0, 0], [1, 2], [1, 1, 1, 2], (1, 2), slots=2),
    _step("sizes outside the interval", [0, 0], [1, 1], [1, 9], (1, 3)),
    _step("a rare large size", [0, 0], [2, 2], [1, 1, 1, 1, 9], (1, 9)),
    _step("a worker far ahead", [20, 0], [0, 2], [1, 2, 2], (1, 2)),
    _step("a full worker", [0, 1], [0, 1], [2], (1, 2)),
    _step("all loads zero", [0, 0], [1, 1], [2, 5], (2, 5)),
    _step("two sizes, three apart", [0, 1, 2], [1, 1, 1], [1, 1, 1, 4, 4, 4], (1, 4)),
]


def admissions(problem: StepProblem) -> set[tuple[int, ...]]:
    """Loads after every work-conserving admission, by trying all of them."""
    loads, free, pool = (x.tolist() for x in (problem.loads, problem.free, problem.pool))
    count = min(len(pool), sum(free))
    places = [g for g, slots in enumerate(free) for _ in range(slots)]
    found = set()
    for chosen in set(combinations(range(len(pool)), count)):
        for slots in set(permutations(places, count)):
            after = list(loads)
            for i, g in zip(chosen, slots, strict=True):
                after[g] += pool[i]
            found.add(tuple(after))
    return found


def imb(loads) -> int:
    return len(loads) * max(loads) - sum(loads)


def best(problem: StepProblem) -> tuple[int, ...]:
    """Loads of the optimum that BF-IO is defined by: imbalance, largest load, sum of squares."""
    return min(admissions(problem), key=lambda x: (imb(x), max(x), sum(y * y for y in x)))


def parts(subject: Subject):
    problem = subject.problem
    loads, free, pool = (x.tolist() for x in (problem.loads, problem.free, problem.pool))
    return problem, loads, free, sorted(pool), *subject.sizes


def objective(subject):
    problem, loads, free, pool, _, _ = parts(subject)
    after = admissions(problem)
    for x in after:
        yield imb(x), "==", sum(max(x) - y for y in x)
    if len(pool) <= sum(free):
        for x in after:
            yield sum(x), "==", sum(loads) + sum(pool)
        yield imb(best(problem)), "==", imb(min(after, key=max))


def full_refill_gap(subject):
    problem, _, _, _, a, b = parts(subject)
    chosen = best(problem)
    yield max(chosen) - min(chosen), "<=", b - a
    yield imb(chosen), "<=", (problem.workers - 1) * (b - a)


def full_refill_tight(subject):
    problem, _, free, _, a, b = parts(subject)
    workers, slots = problem.workers, max(1, *free) if free else 1
    extremal = StepProblem([0] * workers, [slots] * workers, [b] + [a] * (workers * slots - 1))
    yield imb(best(extremal)), "==", (workers - 1) * (b - a)


def waterfill(subject):
    problem, loads, free, _, a, b = parts(subject)
    level = max(x + c * a for x, c in zip(loads, free, strict=True))
    value = sum(max(0, level - x - c * b) for x, c in zip(loads, free, strict=True))
    yield imb(best(problem)), "==", value
    yield min(max(x) for x in admissions(problem) if imb(x) == value), "==", level


def spacing(subject):
    problem, loads, free, pool, _, _ = parts(subject)
    for x, y in combinations([x for x in sorted(set(pool)) if pool.count(x) >= sum(free)], 2):
        top = max(load + c * x for load, c in zip(loads, free, strict=True))
        rich = sum(max(0, top - load - c * y) for load, c in zip(loads, free, strict=True))
        # The worst residues, each at its best level.
        cost = max(
            min(sum((e - r) % (y - x) for r in residues) for e in range(y - x))
            for residues in product(range(y - x), repeat=len(loads))
        )
        yield imb(best(problem)), "<=", rich + cost


def prefix_bound(problem, loads, free, pool) -> int:
    admitted = min(len(pool), sum(free))
    spare = sum(free) - admitted
    least = max(x + sum(pool[: max(0, c - spare)]) for x, c in zip(loads, free, strict=True))
    return max(least, -(-(sum(loads) + sum(pool[:admitted])) // problem.workers))


def lower_bound(subject):
    problem, loads, free, pool, _, _ = parts(subject)
    bound = prefix_bound(problem, loads, free, pool)
    largest = pool[::-1]
    value = sum(max(0, bound - x - sum(largest[:c])) for x, c in zip(loads, free, strict=True))
    for x in admissions(problem):
        yield max(x), ">=", bound
        yield imb(x), ">=", value


def lattice(subject):
    problem, loads, free, pool, _, _ = parts(subject)
    if not pool:
        return
    v, q = pool[0], max(1, gcd(*(size - pool[0] for size in pool)))
    bound = prefix_bound(problem, loads, free, pool)

    def residues(level: int) -> int:
        return sum(
            (level - x - c * v) % q if c else level - x for x, c in zip(loads, free, strict=True)
        )

    least = min(residues(level) for level in range(bound, bound + q))
    for x in admissions(problem):
        yield imb(x), ">=", residues(max(x))
        yield imb(x), ">=", least


def lexicographic(subject):
    # Admissions with the same loads differ in the order of requests, which is a total order.
    problem = subject.problem
    keys = [(imb(x), max(x), sum(y * y for y in x), x) for x in admissions(problem)]
    yield sum(key == min(keys) for key in keys), "==", 1


def lp_closed_form(subject):
    from theory.formulas.step import lp_optimum

    problem, loads, free, pool, _, _ = parts(subject)
    value, level = lp_optimum(loads, free, pool)
    yield value, "==", relaxed(problem)[0]
    yield level, "<=", max(best(problem))
    yield value, "<=", imb(best(problem))


def relaxed(problem) -> tuple[float, float]:
    """Value of the linear relaxation by another program: scipy's."""
    from scipy.optimize import linprog

    loads, free, pool = (x.tolist() for x in (problem.loads, problem.free, problem.pool))
    n, workers = len(pool), problem.workers
    count = min(n, sum(free))
    cost = [-s for s in pool for _ in range(workers)] + [workers]
    rows, rights = [], []
    for i in range(n):
        rows.append([float(j // workers == i) for j in range(n * workers)] + [0])
        rights.append(1)
    for g in range(workers):
        rows.append([float(j % workers == g) for j in range(n * workers)] + [0])
        rights.append(free[g])
        rows.append(
            [pool[j // workers] * float(j % workers == g) for j in range(n * workers)] + [-1]
        )
        rights.append(-loads[g])
    equal = [[1.0] * (n * workers) + [0]]
    found = linprog(cost, rows, rights, equal, [count], bounds=(0, None))
    assert found.status == 0
    return found.fun - sum(loads), found.x[-1]


def gap_condition(subject):
    problem, loads, free, pool, _, b = parts(subject)
    b = max([b, *pool])  # the statement takes any upper bound of the sizes
    pairs = permutations(range(problem.workers), 2)
    meets = all(loads[p] - loads[q] <= b * (1 - max(0, free[p] - free[q])) for p, q in pairs)
    if meets:
        chosen = best(problem)
        yield max(chosen) - min(chosen), "<=", b


def score_identity(subject):
    _, loads, _, pool, _, _ = parts(subject)
    for g, size in product(range(len(loads)), [*pool, 1, 7]):
        margin = max(loads) - loads[g]
        after = [x + size * (h == g) for h, x in enumerate(loads)]
        score = size - len(loads) * max(0, size - margin)
        yield imb(after) - imb(loads), "==", -score


def brh_reduces(subject):
    _, loads, _, pool, _, _ = parts(subject)
    for discount, size in product((Fraction(1, 2), Fraction(99, 100)), [*pool, 3]):
        # The window: the loads now, and a step on with the same margins.
        for horizon in (0, 2):
            score = sum(
                discount**h * (size - len(loads) * max(0, size - (max(loads) - loads[0])))
                for h in range(horizon + 1)
            )
            change = imb([loads[0] + size, *loads[1:]]) - imb(loads)
            yield score, "==", -change * sum(discount**h for h in range(horizon + 1))


def telescopes(subject):
    problem, loads, _, _, _, _ = parts(subject)
    for x in admissions(problem):
        # In one step from the loads before to those after: the scores add up to the fall.
        total, now = 0, list(loads)
        for g, y in enumerate(x):
            size = y - now[g]
            total += size - len(now) * max(0, size - (max(now) - now[g]))
            now[g] = y
        yield total, "==", imb(loads) - imb(x)


def gap_and_imbalance(subject):
    for x in admissions(subject.problem):
        gap = max(x) - min(x)
        yield gap, "<=", imb(x)
        yield imb(x), "<=", (len(x) - 1) * gap


def threshold_cost(subject):
    problem, loads, free, _, a, b = parts(subject)
    ends = list(zip(loads, free, strict=True))
    v = max(0, max(x + c * a for x, c in ends) - min(x + c * b for x, c in ends))
    yield imb(best(problem)), ">=", v
    yield imb(best(problem)), "<=", (problem.workers - 1) * v


def spare_request(subject):
    problem, _, free, pool, a, b = parts(subject)
    G = problem.workers
    if len(pool) > sum(free):
        yield G * imb(best(problem)), "<=", (G - 1) ** 2 * (b - a)


def longer_pool(subject):
    problem, _, free, pool, a, b = parts(subject)
    G = problem.workers
    shares = (len(pool) - sum(free)) // (G - 1) + 1 if G > 1 else 1
    yield shares * imb(best(problem)), "<=", (G - 1) * (b - a)


def worst_order(subject):
    """FCFS places without looking at sizes, so any admission may be the one that it makes."""
    problem, _, free, _, a, b = parts(subject)
    for x in admissions(problem):
        yield imb(x), "<=", (problem.workers - 1) * max(free) * (b - a)


STEP_CLAIMS: dict[str, Says] = {
    "step.spare-request": spare_request,
    "step.pool-condition-refill": spare_request,
    "step.longer-pool": longer_pool,
    "fcfs.worst-case": worst_order,
    "step.objective": objective,
    "step.full-refill-gap": full_refill_gap,
    "step.full-refill-tight": full_refill_tight,
    "step.waterfill": waterfill,
    "step.spacing": spacing,
    "step.lower-bound": lower_bound,
    "step.lattice": lattice,
    "step.lexicographic": lexicographic,
    "step.lp-closed-form": lp_closed_form,
    "step.gap-condition": gap_condition,
    "threshold.cost": threshold_cost,
    "balanceroute.score-identity": score_identity,
    "balanceroute.brh-reduces": brh_reduces,
    "balanceroute.telescopes": telescopes,
    "balanceroute.gap-and-imbalance": gap_and_imbalance,
}


def held_or_excluded(label: str, subject: Subject, says: Says) -> bool:
    """Whether the claim holds on the instance; False if an assumption excludes it."""
    if unmet(claim_of(label), subject):
        return False
    for line in says(subject):
        assert holds(line), f"{label}: {line}"
    return True


@pytest.mark.parametrize("label", STEP_CLAIMS)
@pytest.mark.parametrize("edge", STEPS, ids=lambda edge: edge.name)
def test_a_claim_about_a_step_at_an_edge(label: str, edge: StepEdge) -> None:
    held_or_excluded(label, edge.subject, STEP_CLAIMS[label])


@pytest.mark.parametrize("label", STEP_CLAIMS)
def test_some_edge_lies_inside_the_claim(label: str) -> None:
    assert any(held_or_excluded(label, edge.subject, STEP_CLAIMS[label]) for edge in STEPS)


# --- runs --------------------------------------------------------------------------------------


def _run(requests, system, policy="fcfs", *, exact=True, sizes=None, baseline="fcfs") -> Subject:
    run = simulate_reference(system, requests, policy, history=True)
    other = simulate_reference(system, requests, baseline, history=True)
    if sizes is None and len(requests):
        sizes = int(requests.prefill.min()), int(requests.prefill.max())
    return Subject(run=run, baseline=other, sizes=sizes, exact=exact)


def _system(workers, slots, drift=(1,), overhead=0.0) -> System:
    return System(workers, slots, drift, step_overhead_s=overhead, seconds_per_token=1.0)


def _evicted() -> Subject:
    """A load that falls: what a worker held of the cache is gone at the second step."""
    subject = _run(Requests([2, 2, 3, 3], [3, 3, 1, 1]), _system(2, 1))
    loads = subject.run.loads.copy()
    loads[1, 0] -= 2
    return replace(subject, run=replace(subject.run, loads=loads))


def _held_back() -> Subject:
    """Everything a step later than it could be, as under a limit on what a worker may hold."""
    subject = _run(Requests([2, 1, 1], [1, 2, 1]), _system(2, 1))
    run = subject.run
    late = replace(
        run, start_step=run.start_step + 1, total=replace(run.total, steps=run.total.steps + 1)
    )
    return replace(subject, run=replace(late, loads=loads_of(late)))


BACKLOG = Requests([4, 1, 3, 1, 2, 1], [1, 3, 2, 1, 1, 2])
EQUAL = Requests([4, 1, 3, 1, 2, 1, 1, 1], [2] * 8)
RUNS: dict[str, Callable[[], Subject]] = {
    "no requests": partial(_run, Requests([], []), _system(2, 2)),
    "one request": partial(_run, Requests([3], [2]), _system(2, 2)),
    "a backlog": partial(_run, BACKLOG, _system(2, 2)),
    "a backlog, exact steps": partial(_run, BACKLOG, _system(2, 1), ExactBFIO()),
    "equal lengths": partial(_run, EQUAL, _system(2, 2), ExactBFIO()),
    "equal lengths, fcfs": partial(_run, EQUAL, _system(2, 2), exact=False),
    "one worker": partial(_run, BACKLOG, _system(1, 2), ExactBFIO()),
    "one slot": partial(_run, EQUAL, _system(3, 1), ExactBFIO()),
    "equal sizes": partial(_run, Requests([2] * 6, [1, 2, 1, 3, 1, 1]), _system(2, 1), ExactBFIO()),
    "equal sizes and lengths": partial(
        _run, Requests([2] * 8, [2] * 8), _system(2, 2), ExactBFIO()
    ),
    "no drift": partial(_run, BACKLOG, _system(2, 2, (0,)), ExactBFIO()),
    "a drift that changes": partial(_run, BACKLOG, _system(2, 1, (3, 0, 1)), ExactBFIO()),
    "a drift that changes, equal lengths": partial(
        _run, EQUAL, _system(2, 2, (3, 0, 1)), ExactBFIO()
    ),
    "an overhead": partial(_run, BACKLOG, _system(2, 1, overhead=50.0), ExactBFIO()),
    "an overhead, one worker, no imbalance": partial(
        _run, Requests([1] * 10, [1] * 9 + [3]), _system(1, 3, overhead=100.0)
    ),
    "timed, three in turn": partial(
        _run, Requests([2, 2, 3], [1, 2, 1], [0.0, 1.5, 4.5]), _system(2, 1)
    ),
    "timed, a drift that changes": partial(
        _run,
        Requests([2, 3, 1, 2], [3, 3, 2, 2], [0.0, 0.0, 0.0, 3.5]),
        _system(2, 2, (3, 0, 1)),
        "jsq",
    ),
    "timed, a gap": partial(
        _run, Requests([1, 1, 1], [1, 1, 2], [0.0, 10.0, 10.0]), _system(2, 2), "jsq"
    ),
    "timed, far apart": partial(_run, Requests([1, 2], [1, 1], [0.0, 10.0]), _system(2, 1)),
    "an eviction": _evicted,
    "held back": _held_back,
}


@cache
def run_at(edge: str) -> Subject:
    """The run at an edge."""
    return RUNS[edge]()


def rerun(subject: Subject, policy, **changed) -> RunResult:
    return simulate_reference(
        replace(subject.run.system, **changed), subject.run.requests, policy, history=True
    )


def refill_rounds(subject):
    """Every step of a run of equal lengths while all slots are full."""
    run, (a, b) = subject.run, subject.sizes
    for loads in run.loads[: run.overloaded.steps].tolist():
        yield imb(loads), "<=", (run.system.workers - 1) * (b - a)


def vertex(subject):
    run = subject.run
    low, high = subject.sizes or (1, 1)

    def total(sizes) -> int:
        requests = Requests(sizes, run.requests.decode, run.requests.arrival)
        return simulate_reference(run.system, requests, "fcfs").total.imbalance

    n = len(run.requests)
    if n <= 8:
        mine = simulate_reference(run.system, run.requests, "fcfs").total.imbalance
        yield mine, "<=", max(total(sizes) for sizes in product((low, high), repeat=n))


def work_invariance(subject):
    run = subject.run
    drift = run.system.drift[0]
    rows = zip(run.requests.prefill.tolist(), run.requests.decode.tolist(), strict=True)
    yield int(run.loads.sum()), "==", sum(o * s + drift * o * (o - 1) // 2 for s, o in rows)


def drift_work(subject):
    # Its second sentence says what becomes of it under a drift that changes.
    if subject.run.system.has_constant_drift:
        yield from work_invariance(subject)


def work_oldest_first(subject):
    works = [rerun(subject, name).total.work for name in ("fcfs", "jsq", "round_robin")]
    yield works[1], "==", works[0]
    yield works[2], "==", works[0]


def throughput(subject):
    policies = "fcfs", "jsq", ExactBFIO()
    for first, second in permutations(policies, 2):
        runs = [rerun(subject, policy) for policy in (first, second)]
        work = runs[0].total.work
        if work == 0:
            continue
        etas = [Fraction(run.total.imbalance, work) for run in runs]
        identity = (1 + etas[0]) / (1 + etas[1])
        times = [Fraction(run.time_s) for run in runs]
        if subject.run.system.step_overhead_s == 0:
            yield times[0] / times[1], "==", identity
        steps = Fraction(runs[0].total.steps, runs[1].total.steps)
        yield times[0] / times[1], ">=", min(steps, identity)
        yield times[0] / times[1], "<=", max(steps, identity)


def any_policy(subject):
    """The pathwise part, on the steps at which every slot is full."""
    run, (a, b) = subject.run, subject.sizes
    if run.system.drift != (1,):
        return
    for k, loads in enumerate(run.loads[: run.overloaded.steps].tolist()):
        ages = [0] * run.system.workers
        for g, start, o in zip(
            run.worker.tolist(), run.start_step.tolist(), run.requests.decode.tolist(), strict=True
        ):
            if start <= k < start + o:
                ages[g] += k - start
        bound = imb(ages) - (run.system.workers - 1) * run.system.slots * (b - a)
        yield imb(loads), ">=", bound


def ladder(subject):
    run = subject.run
    if not 0 < len(run.requests) <= 6 or run.requests.arrival is not None:
        return
    requests = run.requests
    rungs = [
        solve_offline(OfflineProblem(run.system, requests, rule, conserving)).totals
        for rule, conserving in (
            (Rule.MIGRATING, False),
            (Rule.PAUSING, False),
            (Rule.STICKY, False),
            (Rule.STICKY, True),
        )
    ]
    rungs += [min((rerun(subject, p).total for p in ("fcfs", "jsq")), key=lambda t: t.sum_max)]
    for lower, upper in pairwise(rungs):
        yield lower.sum_max, "<=", upper.sum_max
        yield lower.imbalance, "<=", upper.imbalance
    yield rungs[0].sum_max * run.system.workers, ">=", rungs[0].work


RUN_CLAIMS: dict[str, Says] = {
    "warmup.bfio-upper": refill_rounds,
    "limits.iid": refill_rounds,
    "fcfs.vertex": vertex,
    "energy.work-invariance": work_invariance,
    "drift.work": drift_work,
    "energy.work-oldest-first": work_oldest_first,
    "energy.throughput": throughput,
    "threshold.any-policy": any_policy,
    "offline.ladder": ladder,
}


@pytest.mark.parametrize("label", RUN_CLAIMS)
@pytest.mark.parametrize("edge", RUNS)
def test_a_claim_about_runs_at_an_edge(label: str, edge: str) -> None:
    held_or_excluded(label, run_at(edge), RUN_CLAIMS[label])


@pytest.mark.parametrize("label", RUN_CLAIMS)
def test_some_run_lies_inside_the_claim(label: str) -> None:
    assert any(held_or_excluded(label, run_at(edge), RUN_CLAIMS[label]) for edge in RUNS)


# --- energy ------------------------------------------------------------------------------------

POWERS = {
    "the paper's": PowerModel(100.0, 400.0, 0.7),
    "no idle power": PowerModel(0.0, 400.0, 0.7),
    "in proportion": PowerModel(100.0, 400.0, 1.0),
    "no idle power, in proportion": PowerModel(0.0, 400.0, 1.0),
    "flat": PowerModel(400.0, 400.0, 0.7),
    "flat, in proportion": PowerModel(400.0, 400.0, 1.0),
}


@dataclass(frozen=True)
class Use:
    """A run in load units: worker-time, busy and idle time with the overhead, energy."""

    time: float
    busy: float
    idle: float
    energy: float
    steps: int
    work: int
    imbalance: int


def use(run: RunResult, power: PowerModel) -> Use:
    """Straight from the history of loads and the definition of power."""
    c = run.system.step_overhead_s / run.system.seconds_per_token
    rows = run.loads.tolist()
    shares = [(c + max(row), [x / max(1, *row) for x in row]) for row in rows]
    return Use(
        sum(length * len(u) for length, u in shares),
        sum(length * sum(u) for length, u in shares),
        sum(length * sum(1 - x for x in u) for length, u in shares),
        sum(length * sum(power.power(x) for x in u) for length, u in shares),
        len(rows),
        sum(map(sum, rows)),
        sum(map(imb, rows)),
    )


def uses(subject: Subject) -> tuple[Use, Use, PowerModel]:
    return use(subject.baseline, subject.power), use(subject.run, subject.power), subject.power


def sandwich(subject):
    for now in uses(subject)[:2]:
        p = subject.power
        yield now.energy, ">=", p.max_w * now.busy + p.idle_w * now.idle
        yield now.energy, "<=", p.max_w * now.busy + p.waste_w * now.idle


def envelope(subject):
    for now in uses(subject)[:2]:
        if now.time:
            p, f = subject.power, now.idle / now.time
            yield now.energy, ">=", now.time * (p.idle_w + p.dynamic_w * (1 - f))
            yield now.energy, "<=", now.time * (p.idle_w + p.dynamic_w * (1 - f) ** p.gamma)


def envelope_workers(subject):
    G = subject.run.system.workers
    for now in uses(subject)[:2]:
        if now.time and G >= 2:
            p = subject.power
            v = max(0.0, 1 - now.idle / now.time * G / (G - 1))
            share = 1 / G + (1 - 1 / G) * v**p.gamma
            yield now.energy, "<=", now.time * (p.idle_w + p.dynamic_w * share)


def saving_floors(subject):
    base, new, p = uses(subject)
    if base.work == 0:
        return
    saving = 1 - new.energy / base.energy
    eta, left = base.imbalance / base.work, new.imbalance / new.work
    numerator = p.idle_w * eta - p.waste_w * left
    yield saving, ">=", numerator / (p.max_w + p.idle_w * eta)
    if numerator >= 0:
        yield saving, ">=", numerator / (p.max_w + p.waste_w * eta)


def saving_paper(subject):
    base, new, p = uses(subject)
    if base.work and base.imbalance and p.idle_w * base.imbalance >= p.waste_w * new.imbalance:
        eta, left = base.imbalance / base.work, new.imbalance / new.work
        form = (p.idle_w * eta - p.waste_w * left) / (p.max_w + p.waste_w * eta)
        yield 1 - new.energy / base.energy, ">=", form


def sharp_dominates(subject):
    base, new, p = uses(subject)
    if base.work:
        eta, left = base.imbalance / base.work, new.imbalance / new.work
        numerator = p.idle_w * eta - p.waste_w * left
        sharp = numerator / (p.max_w + p.idle_w * eta)
        paper = numerator / (p.max_w + p.waste_w * eta)
        yield sharp, ">=" if numerator >= 0 else "<=", paper


def saving_envelope(subject):
    base, new, p = uses(subject)
    if base.work:
        saving = 1 - new.energy / base.energy
        eta, left = base.imbalance / base.work, new.imbalance / new.work

        def upper(x: float) -> float:
            return p.idle_w * (1 + x) + p.dynamic_w * (1 + x) ** (1 - p.gamma)

        yield saving, ">=", 1 - upper(left) / (p.max_w + p.idle_w * eta)
        yield saving, "<=", 1 - (p.max_w + p.idle_w * left) / upper(eta)


def cap(subject):
    base, new, p = uses(subject)
    if base.work:
        saving, eta = 1 - new.energy / base.energy, base.imbalance / base.work
        upper = p.idle_w * (1 + eta) + p.dynamic_w * (1 + eta) ** (1 - p.gamma)
        yield saving, "<=", p.waste_w * eta / (p.max_w + p.waste_w * eta)
        yield saving, "<=", 1 - p.max_w / upper
        yield saving, "<=", eta / (1 + eta)


def saving_overhead(subject):
    base, new, p = uses(subject)
    if base.energy:
        saving = 1 - new.energy / base.energy

        def upper(now: Use) -> float:
            f = now.idle / now.time
            return now.time * (p.idle_w + p.dynamic_w * (1 - f) ** p.gamma)

        def lower(now: Use) -> float:
            return p.max_w * now.busy + p.idle_w * now.idle

        yield saving, ">=", 1 - upper(new) / lower(base)
        yield saving, "<=", 1 - lower(new) / upper(base)
        yield saving, ">=", 1 - (p.max_w * new.busy + p.waste_w * new.idle) / lower(base)


def overhead_lowers(subject):
    """The improved run of the claim: perfectly balanced, in as many steps as the baseline."""
    base, _, p = uses(subject)
    if base.work == 0:
        return
    G, last = subject.run.system.workers, inf
    for overhead in (0.0, 1.0, 10.0, 1000.0):
        system = replace(subject.baseline.system, step_overhead_s=overhead)
        now = use(replace(subject.baseline, system=system), p)
        balanced = p.max_w * (base.work + overhead * G * base.steps)
        saving = 1 - balanced / now.energy
        yield saving, "<=", last
        last = saving


def limit_paper(subject):
    p = subject.power
    limit = p.idle_w / p.waste_w
    for eta in (1e-3, 1.0, 40.0, 1e6):
        form = p.idle_w * eta / (p.max_w + p.waste_w * eta)
        yield form, "<=", limit
        yield limit - form, "==", p.idle_w * p.max_w / (p.waste_w * (p.max_w + p.waste_w * eta))


def limit_sharp(subject):
    p = subject.power
    yield p.idle_w * 1e15 / (p.max_w + p.idle_w * 1e15), ">=", 1 - 1e-9
    if p.waste_w > p.idle_w:
        eta = p.max_w / (p.waste_w - p.idle_w)
        yield p.idle_w * eta / (p.max_w + p.idle_w * eta), "==", p.idle_w / p.waste_w


def sensitivity(subject):
    p = subject.power
    for eta in (0.0, 0.5, 2.0):
        x, floor = 1 + eta, p.idle_w * eta / (p.max_w + p.idle_w * eta)
        caps = [
            1 - p.max_w / (p.idle_w * x + p.dynamic_w * x ** (1 - gamma))
            for gamma in (1e-9, 0.2, 0.7, 1.0)
        ]
        for larger, smaller in pairwise(caps):
            yield smaller, "<=", larger
        yield caps[-1], "==", floor
        yield abs(caps[0] - eta / x), "<=", 1e-6


def any_power(subject):
    base, _, p = uses(subject)
    if base.work:
        # Any law between proportional and full: here the device's own, lifted to that.
        def energy(run: RunResult) -> float:
            rows = run.loads.tolist()
            return sum(
                max(row) * max(x / max(1, *row) * p.max_w, p.power(x / max(1, *row)))
                for row in rows
                for x in row
            )

        saving = 1 - energy(subject.run) / energy(subject.baseline)
        yield saving, "<=", base.imbalance / (base.work + base.imbalance)


def apart(p: PowerModel) -> list[PowerModel]:
    """The device with a waiting worker at the idle power, half way, and at full power."""
    return [replace(p, wait_w=p.idle_w + k * (p.max_w - p.idle_w) / 2) for k in range(3)]


def wait_power(subject):
    for p, run in product(apart(subject.power), (subject.run, subject.baseline)):
        now, one = use(run, p), use(run, replace(p, idle_w=p.wait_w))
        c = run.system.step_overhead_s / run.system.seconds_per_token
        unspent = (p.wait_w - p.idle_w) * sum(
            (c + max(row)) * row.count(0) for row in run.loads.tolist()
        )
        yield now.energy, "==", one.energy - unspent
        dynamic = p.max_w - p.wait_w
        waste = p.wait_w + (1 - p.gamma) * dynamic
        yield now.energy, ">=", p.max_w * now.busy + p.wait_w * now.idle - unspent
        yield now.energy, "<=", p.max_w * now.busy + waste * now.idle - unspent
        if now.time:
            varying = dynamic * (1 - now.idle / now.time) ** p.gamma
            yield now.energy, "<=", now.time * (p.wait_w + varying) - unspent


def wait_raises(subject):
    base, _, _ = uses(subject)
    if base.work:
        x, gamma = 1 + base.imbalance / base.work, subject.power.gamma
        bounds = []
        for p in apart(subject.power):
            waste = p.wait_w + (1 - gamma) * (p.max_w - p.wait_w)
            drawn = (
                p.max_w + p.wait_w * (x - 1),
                p.wait_w * x + (p.max_w - p.wait_w) * x ** (1 - gamma),
                p.max_w + waste * (x - 1),
            )
            bounds.append([1 - p.max_w / energy for energy in drawn])
        for less, more in pairwise(bounds):
            for a, b in zip(less, more, strict=True):
                yield a, "<=", b
        for bound in bounds[-1]:
            yield bound, "==", 1 - 1 / x


def any_power_floor(subject):
    base, _, _ = uses(subject)
    if base.work:
        f = base.imbalance / (base.work + base.imbalance)
        for p in apart(subject.power):
            least = f * p.wait_w / (p.max_w * (1 - f) + p.wait_w * f)
            yield 1 - p.max_w * base.work / use(subject.baseline, p).energy, ">=", least
            straight = use(subject.baseline, replace(p, gamma=1.0)).energy
            yield 1 - p.max_w * base.work / straight, "==", least


def padding(subject):
    runs = [run.loads.tolist() for run in (subject.baseline, subject.run)]
    top = subject.power.max_w
    for c in (0.0, 1.0, 100.0):
        before, after = (
            sum((c + max(row)) * subject.power.power(1.0) for row in rows for _ in row)
            for rows in runs
        )
        spans = [sum(c + max(row) for row in rows) for rows in runs]
        yield before, "==", top * spans[0] * subject.run.system.workers
        yield 1 - after / before, "==", 1 - spans[1] / spans[0]
        if c == 0 and sum(map(sum, runs[0])) == sum(map(sum, runs[1])):
            lost = [sum(map(imb, rows)) for rows in runs]
            whole = sum(map(sum, runs[0])) + lost[0]
            yield 1 - after / before, "==", (lost[0] - lost[1]) / whole


ENERGY_CLAIMS: dict[str, Says] = {
    "energy.any-power": any_power,
    "energy.any-power-floor": any_power_floor,
    "energy.padding": padding,
    "energy.wait-power": wait_power,
    "energy.wait-raises": wait_raises,
    "energy.sandwich": sandwich,
    "energy.envelope": envelope,
    "energy.envelope-workers": envelope_workers,
    "energy.overhead": envelope,
    "energy.saving-overhead": saving_overhead,
    "energy.overhead-lowers": overhead_lowers,
    "energy.saving-paper": saving_paper,
    "energy.saving-sharp": saving_floors,
    "energy.sharp-dominates": sharp_dominates,
    "energy.saving-envelope": saving_envelope,
    "energy.cap": cap,
    "energy.limit-paper": limit_paper,
    "energy.limit-sharp": limit_sharp,
    "energy.sensitivity": sensitivity,
}


@pytest.mark.parametrize("label", ENERGY_CLAIMS)
@pytest.mark.parametrize("power", POWERS)
def test_a_claim_about_energy_at_an_edge(label: str, power: str) -> None:
    inside = [
        held_or_excluded(label, replace(run_at(edge), power=POWERS[power]), ENERGY_CLAIMS[label])
        for edge in RUNS
    ]
    assert any(inside) or Assumption.IDLE_POWER in claim_of(label).assumptions


# --- laws --------------------------------------------------------------------------------------

LAWS = {
    "two sizes": Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)}),
    "equal sizes": Law.of({3: 1}),
    "a rare size": Law.of({1: Fraction(99, 100), 5: Fraction(1, 100)}),
    "three sizes": Law.of({1: Fraction(1, 4), 2: Fraction(1, 4), 4: Fraction(1, 2)}),
}
SHAPES = [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)]


def exact_imbalance(law: Law, workers: int, slots: int) -> Fraction:
    """``E[Imb]`` of independent loads by trying every outcome."""
    points = [(law.offset + i, Fraction(w, law.scale)) for i, w in enumerate(law.weights) if w]
    total = Fraction(0)
    for outcome in product(points, repeat=workers * slots):
        chance = prod(p for _, p in outcome)
        sizes = [x for x, _ in outcome]
        loads = [sum(sizes[g * slots : (g + 1) * slots]) for g in range(workers)]
        total += chance * imb(loads)
    return total


@pytest.mark.parametrize(("workers", "slots"), SHAPES)
@pytest.mark.parametrize("name", LAWS)
def test_expectations_and_their_bounds_at_an_edge(name: str, workers: int, slots: int) -> None:
    """[fcfs.exact], its lower bounds, [warmup.fcfs-lower], [warmup.theorem-1]."""
    law, truth = LAWS[name], exact_imbalance(LAWS[name], workers, slots)
    found = expected_imbalance(law, workers, slots).imbalance
    assert found.lower <= truth <= found.upper
    assert found.upper - found.lower <= Fraction(1, 10**9)
    assert berry_esseen_bound(law, workers, slots) <= truth
    degenerate = workers == 1 or name == "equal sizes"
    assert (truth == 0) == degenerate
    assert pairing_bound(law, workers, slots) <= truth
    if workers > 1:
        assert tournament_bound(law, workers, slots, most=2) <= truth
    if degenerate:
        with pytest.raises(InputError, match="need G >= 2"):
            explicit_bound(law, workers, slots)
        with pytest.raises(InputError, match="needs G >= 2"):
            tilting_bounds(law, workers, slots)
        # 0/0 is named, never computed.
        with pytest.raises(InputError, match="at least 2 workers"):
            certified_ratio(law, workers, slots)
        with pytest.raises(InputError, match="at least 2 workers"):
            effective_constant(law, workers, slots)
    else:
        assert explicit_bound(law, workers, slots) <= truth
        low, high = tilting_bounds(law, workers, slots)
        assert low <= truth <= high
        gap = (workers - 1) * (law.bound - law.offset)
        ratio = certified_ratio(law, workers, slots)
        assert ratio.lower <= truth / gap <= ratio.upper


HALF, ONE = Fraction(1, 2), Fraction(1)

# What has no value: by name, never 0/0.
NAMELESS: dict[str, Callable[[], object]] = {
    "Theorem 1, one worker": lambda: iir_enclosure(1, 1, Fraction(1, 16), 1, ONE),
    "Theorem 1, no spread": lambda: first_formula_slots(2, 1, Fraction(0), ONE),
    "Theorem 1's edge, one worker": lambda: first_formula_slots(1, 1, Fraction(1, 16), ONE),
    "Theorem 2, one worker": lambda: iir_enclosure(
        1, 1, geometric.slot_variance(LAWS["two sizes"], HALF), 2 * LAWS["two sizes"].bound, ONE
    ),
    "Theorem 2's edge, one worker": lambda: first_formula_slots(
        1, 2, geometric.slot_variance(LAWS["two sizes"], HALF).upper, ONE
    ),
    "Theorem 2's edge, no spread": lambda: first_formula_slots(
        2, 1, geometric.slot_variance(LAWS["equal sizes"], ONE).upper, ONE
    ),
    "the frontier of equal sizes": lambda: geometric.frontier_slots(2, 0.5, 0),
    "the frontier's edge, equal sizes": lambda: geometric.edge_slots(2, 0.5, 0),
    "a break-even without idle power": lambda: vacuity.break_even(POWERS["no idle power"]),
    "the map of equal sizes": lambda: lengths_of("alike", Requests([3, 3], [1, 2])),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_what_has_no_value_at_an_edge_is_named(name: str) -> None:
    with pytest.raises(InputError):
        NAMELESS[name]()


# --- the rest: by their own checks, or outside --------------------------------------------------

# Statements about laws, and about systems that they name, have no instance to hold them against;
# their checks take the edges of the parameters that they have.
BY_CHECK = (
    "warmup.fcfs-lower",
    "warmup.theorem-1",
    "fcfs.exact",
    "fcfs.size-blind",
    "fcfs.stationary",
    "fcfs.slot-moments",
    "fcfs.moments",
    "geometric.fcfs-lower",
    "geometric.bfio-upper",
    "geometric.recursion",
    "geometric.expected",
    "geometric.deviations-tail",
    "drift.fcfs-lower",
    "drift.bfio-upper",
    "drift.uncommon",
    "threshold.rich",
    "threshold.replacement",
    "threshold.converse",
    "energy.vanishing",
    "balanceroute.ties",
    "universal.nonmonotone",
    "limits.nonnegative-drift",
    "limits.myopic",
)

_BOTH = "both sides are functions of (G, B, law), held above where they are 0 or not defined"
_NAMED = "the statement names the systems, laws or devices that it is about"
OUTSIDE = {
    "warmup.vacuity": _NAMED,
    "fcfs.lower": _BOTH,
    "fcfs.pairing": _BOTH,
    "fcfs.superadditive": _BOTH,
    "fcfs.log-growth": _BOTH,
    "fcfs.tournament": _BOTH,
    "fcfs.bound-shares": _NAMED,
    "fcfs.constant-range": _BOTH,
    "fcfs.few-slots": _BOTH,
    "fcfs.tilting": _BOTH,
    "fcfs.gaussian": "normals for every G >= 2",
    "fcfs.constant": "a limit for every G >= 2 and sigma > 0",
    "fcfs.constant-of-law": _NAMED,
    "fcfs.effective-constant": _NAMED,
    "fcfs.berry-esseen-share": _NAMED,
    "geometric.vacuity": _NAMED,
    "geometric.fcfs-log-growth": _BOTH,
    "scaling.fcfs-slots": _NAMED,
    "scaling.fcfs-workers": _NAMED,
    "scaling.iir-refill": _NAMED,
    "scaling.two-size-refill": "its check runs through G = 2..5 and B = 1..3 with every number",
    "threshold.sufficient": "probabilities of states with every slot full",
    "threshold.stationary": "probabilities of states with every slot full",
    "threshold.window": "means over coins, held against every online policy of small systems",
    "geometric.theorem-2": "means over coins and ages; what has no value is refused by name",
    "energy.hardware": _NAMED,
    "energy.reach": _NAMED,
    "energy.exceed-52": _NAMED,
    "energy.saving-28": _NAMED,
    "vacuity.edge": "an identity for w, sigma, c, B > 0 and G >= 2",
    "vacuity.certified": _NAMED,
    "vacuity.explicit": _NAMED,
    "vacuity.theorem-2": _NAMED,
    "vacuity.energy": _NAMED,
    "vacuity.saving-limit": _BOTH,
    "vacuity.saving-map": _NAMED,
    "balanceroute.gain-arithmetic": _NAMED,
    "waste.idle40": _NAMED,
    "experiment.consistency": _NAMED,
    "experiment.starvation-unbounded": _NAMED,
    "offline.price-workers": _NAMED,
    "offline.price-pauses": _NAMED,
    "offline.price-conserving": _NAMED,
    "offline.price-online": _NAMED,
    "step.pool-condition-widths": _NAMED,
}
COVERED = {*STEP_CLAIMS, *RUN_CLAIMS, *ENERGY_CLAIMS, *BY_CHECK, *OUTSIDE}


# Edges of what is no single number: one worker, one slot, equal sizes, no gap, no growth, all
# requests leaving at once, the least that is drawn.
OTHER_EDGES: dict[str, tuple[dict[str, object], ...]] = {
    "fcfs.slot-moments": ({"random": 0}, {"random": 1}),
    "geometric.bfio-upper": (
        {"systems": ((1, 1, 1), (1, 1, 2), (2, 1, 2))},
        {"delta": (0,)},
        {"p": (Fraction(1),)},
    ),
    "geometric.recursion": (
        {"systems": ((1, 1, 2), (2, 1, 2))},
        {"d": (0,)},
        {"p": (Fraction(1),)},
    ),
    "geometric.expected": (
        {"systems": ((1, 1, 1), (1, 1, 2), (2, 1, 1))},
        {"delta": (0,)},
        {"p": (Fraction(1),)},
    ),
    "geometric.deviations-tail": (
        {"systems": ((1, 1, 1), (2, 1, 1))},
        {"sizes": ((1, 1),)},
        {"p": (Fraction(1),)},
    ),
    "drift.fcfs-lower": ({"systems": ((1, 1),)}, {"systems": ((2, 1),)}),
    "drift.bfio-upper": (
        {"systems": ((1, 1, 2), (2, 1, 2))},
        {"delta": (0,)},
        {"p": (Fraction(1),)},
    ),
    "drift.uncommon": (
        {"systems": (((1,), 1), ((1, 1), 1))},
        {"sizes": ((1, 1),)},
        {"growths": (0,)},
    ),
    "threshold.converse": (
        {"systems": ((1, 1, 2), (2, 1, 2))},
        {"d": (0,)},
        {"p": (Fraction(1),)},
    ),
    "energy.vanishing": ({"largest": 1},),
    "universal.nonmonotone": ({"workers": 1}, {"slots": 1}, {"size": 1}),
    "limits.nonnegative-drift": ({"size": 1}, {"length": 1}),
    "limits.myopic": ({"window": 1}, {"runs": 1}),
}


def _edges() -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    for label in BY_CHECK:
        defaults = checks()[label].defaults
        least = {"G": 1, "B": 1, "b": defaults.get("a", 1)}
        found += [
            (label, {name: value})
            for name, value in least.items()
            if isinstance(defaults.get(name), int)
        ]
        found += [(label, edge) for edge in OTHER_EDGES.get(label, ())]
    return found


@pytest.mark.parametrize(
    ("label", "edge"),
    _edges(),
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_check_answers_at_the_edge_of_its_parameters(label: str, edge: dict[str, object]) -> None:
    check = checks()[label]
    try:
        finding = check.run(check.trial(**edge))
    except InputError:
        return  # refused by name
    decides_nothing = (Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE)
    assert finding.verdict.held or finding.verdict in decides_nothing, finding


def test_every_check_has_an_edge() -> None:
    assert {label for label, _ in _edges()} == set(BY_CHECK)


def test_no_claim_is_in_two_tables() -> None:
    tables = (STEP_CLAIMS, RUN_CLAIMS, ENERGY_CLAIMS, BY_CHECK, OUTSIDE)
    assert len(COVERED) == sum(map(len, tables))
    assert {label for label in COVERED if label not in claims()} == set()
