"""Transitions of runs: what is recovered of them, and what is held along them."""

from fractions import Fraction
from functools import cache
from itertools import islice, product

import numpy as np
import pytest

from adversary.workloads.families import workload
from adversary.workloads.traces import read_trace
from evenkeel.findings.check import Trial, Variant, Verdict
from evenkeel.findings.scoreboard import Cases
from evenkeel.theorems.registry import checks
from evenkeel.theorems.theorem2.along_runs import (
    BLIND,
    EMPTY,
    IMBALANCE_ABOVE,
    ONE_SIZE,
    POOR,
    SPREAD_ABOVE,
    SPREAD_BELOW,
    TWO_SIZES_ABOVE,
    Along,
    path_of,
    rich_path,
)
from evenkeel.theorems.theorem2.runs import DRIFTS, family_run, rare_size_run, trace_run
from solvers.policies.bfio import BFIO
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from solvers.simulation.rich_pool import rich_pool_run
from solvers.step.exact.brute_force import assignments, exact_step
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from theory.formulas.departures import Departures
from theory.formulas.step import spacing_cost, waterfill_optimum
from theory.model import InputError, Requests, System, imbalance

HALF = Fraction(1, 2)


class Watched(BFIO):
    """BF-IO that writes down what it sees and how good its steps are."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def admit(self, view):
        solution = solve_step(view.problem)
        self.seen[view.step] = (
            view.loads.tolist(),
            view.free.tolist(),
            view.pool.tolist(),
            solution.gap,
        )
        return super().admit(view)


def rows_at(run, k):
    """Loads of the requests of each worker at step k, which of them depart, and their growth."""
    drift = run.system.drift
    rows, gone = [[] for _ in range(run.system.workers)], [[] for _ in range(run.system.workers)]
    for s, o, g, start in zip(
        run.requests.prefill.tolist(),
        run.requests.decode.tolist(),
        run.worker.tolist(),
        run.start_step.tolist(),
        strict=True,
    ):
        if start <= k < start + o:
            rows[g].append(s + sum(drift[j % len(drift)] for j in range(start, k)))
            gone[g].append(start + o == k + 1)
    return rows, gone, drift[k % len(drift)]


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize(("G", "B", "b", "p"), [(2, 1, 3, 0.5), (3, 2, 9, 0.3), (4, 3, 4, 0.2)])
def test_a_run_is_recovered_request_by_request(G, B, b, p, drift):
    policy = Watched()
    requests = workload("uniform", 30 * G * B, 5, b=b, p=p)
    run = simulate_reference(System(G, B, drift), requests, policy, pool=3 * G * B, history=True)
    path = path_of(run, "a test")
    full = run.overloaded.steps
    assert path.loads.tolist() == run.loads[:full].tolist()
    assert len(path.pools) == len(path.entered) == len(path.gaps) == full - 1
    assert path.empty == run.total.steps - full
    for k in range(full - 1):
        rows, gone, growth = rows_at(run, k)
        step = Departures(rows, gone, growth)
        assert (path.held[k] - path.released[k]).tolist() == list(step.kept)
        assert path.gone[k].tolist() == list(step.free)
        assert path.held[k].tolist() == [sum(row) + B * growth for row in rows]
        assert imbalance(path.loads[k]) == step.imbalance
        pool, free = path.pools[k], sum(step.free)
        if free == 0:
            assert k + 1 not in policy.seen
            assert path.gaps[k] == 0
            continue
        loads, slots, waiting, gap = policy.seen[k + 1]
        assert (loads, slots) == (list(step.kept), list(step.free))
        enough = [x for x in sorted(set(waiting)) if waiting.count(x) >= free]
        assert (pool.least, pool.largest) == (min(waiting), max(waiting))
        assert set(pool.offered) <= set(enough)
        assert len(pool.offered) == min(4, len(enough))
        assert pool.rich == (enough == list(range(min(waiting), max(waiting) + 1)))
        assert path.gaps[k] == gap
        admitted = run.requests.prefill[run.start_step == k + 1].tolist()
        assert path.entered[k] == (min(admitted), max(admitted))
        # The inequalities by the other code, in fractions and request by request.
        a, e = pool.least, pool.largest
        for q in (Fraction(1, 3), Fraction(1)):
            assert SPREAD_ABOVE.sides(path, k, q)[1] == step.spread_bound(a, e, q)
            assert IMBALANCE_ABOVE.sides(path, k, q)[1] == step.imbalance_bound(a, e, q)
            low, high = path.entered[k]
            least = step.excess(low, high, q) - B * q * (high - low) - (1 - q) * step.spread
            assert SPREAD_BELOW.sides(path, k, q)[1] == least
            if len(pool.offered) > 1:
                best = min(
                    step.imbalance_bound(x, y, q) + spacing_cost(G, y - x)
                    for x, y in product(pool.offered, repeat=2)
                    if x < y
                )
                assert TWO_SIZES_ABOVE.sides(path, k, q)[1] == best


def test_the_engine_and_the_reference_give_the_same_transitions():
    requests, system = workload("two-point", 300, 2, a=1, b=7, p=0.2), System(3, 4, (3, 0, 1))
    one = path_of(simulate(system, requests, "bfio", pool=40), "", 60)
    two = path_of(simulate_reference(system, requests, "bfio", pool=40), "", 60)
    for name in ("loads", "held", "released", "gone"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()
    assert (one.pools, one.entered, one.gaps) == (two.pools, two.entered, two.gaps)
    assert len(one.loads) == 60


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_rich_run_is_water_filling(drift):
    G, B, p, (a, b) = 3, 4, Fraction(1, 4), (2, 4)
    path = rich_path(G, B, p, (a, b), drift, 7, 50)
    if drift == (1,):
        run = rich_pool_run(G, B, 0.25, (a, b), np.random.default_rng(7))
        assert path.loads.tolist() == [loads.tolist() for loads in islice(run, 51)]
    for k in range(50):
        assert (path.held[k] - path.loads[k]).tolist() == [B * drift[k % len(drift)]] * G
        kept = (path.held[k] - path.released[k]).tolist()
        optimum, _ = waterfill_optimum(kept, path.gone[k].tolist(), a, b)
        assert imbalance(path.loads[k + 1]) == optimum


def held(paths, inequality, relation="<=", **planted):
    trial = Trial("geometric.recursion", {}, variant=Variant("", **planted) if planted else None)
    cases = Cases(relation)
    along = Along(trial, cases)
    along.hold("side", inequality, [(path, (HALF,)) for path in paths])
    return cases, along.details["side"], along.domain("before")


def test_a_transition_by_hand():
    # G = 2, B = 1, drift 0: sizes 3 and 1, then 1 and 2 wait.  The 3 departs, V = 2.
    run = simulate(System(2, 1, (0,)), Requests([3, 1, 2, 1], [1, 3, 2, 3]), "bfio", pool=2)
    path = path_of(run, "by hand")
    assert path.loads[:2].tolist() == [[3, 1], [1, 1]]
    [pool, *_] = path.pools
    assert (pool.least, pool.largest, pool.rich, pool.offered) == (1, 2, True, (1, 2))
    # X at 2: (1/2)(3 - 2) = 1/2 and -(1/2)(1 - 2) = 1/2; Y at 1: -(1/2)(3 - 1) = -1 and 0; N = 1/2.
    assert SPREAD_ABOVE.sides(path, 0, HALF) == (0, 1 + HALF - HALF)
    assert IMBALANCE_ABOVE.sides(path, 0, HALF) == (0, 1)
    # Size 1 entered: X at 1 is (1/2) 2 = 1 and 0, Y -1 and 0; N = 1, less (1/2) V.
    assert path.entered[0] == (1, 1)
    assert SPREAD_BELOW.sides(path, 0, HALF) == (0, 0)


def test_what_is_not_applicable_is_counted_and_no_pass():
    system = System(2, 2)
    requests = workload("uniform", 60, 1, b=9, p=0.4)
    blind = path_of(simulate(system, requests, "fcfs", pool=4), "fcfs")
    cases, details, words = held([blind], TWO_SIZES_ABOVE)
    assert (cases.count, details["steps"]) == (0, 0)
    assert details["not applicable"] == {BLIND: len(blind.pools), EMPTY: blind.empty}
    assert f"{len(blind.pools):,} ({BLIND})" in words
    # A policy that solves nothing is held from below all the same.
    cases, details, _ = held([blind], SPREAD_BELOW, ">=")
    assert details["steps"] == cases.count == len(blind.pools)
    assert not cases.violated
    poor = path_of(simulate(system, requests, "bfio", pool=4), "bfio")
    _, details, _ = held([poor], SPREAD_ABOVE)
    assert details["not applicable"][POOR] == sum(not pool.rich for pool in poor.pools) > 0
    _, details, _ = held([poor], TWO_SIZES_ABOVE)
    few = sum(len(pool.offered) < 2 for pool in poor.pools)
    assert details["not applicable"][ONE_SIZE] == few > 0
    # Never a full step, so no transition.
    short = path_of(simulate(system, Requests([1], [3]), "bfio"), "short")
    cases, details, _ = held([short], SPREAD_ABOVE)
    assert cases.count == 0
    assert details["not applicable"] == {EMPTY: 2}


def test_a_gap_is_allowed_for_and_said():
    path, shares = family_run("longbench-like", 4, 4, (1,), 0, 60)
    assert max(path.gaps) > 0
    _, details, words = held([path], TWO_SIZES_ABOVE)
    counted = [
        gap for gap, pool in zip(path.gaps, path.pools, strict=True) if len(pool.offered) > 1
    ]
    assert details["with a gap"] == sum(gap > 0 for gap in counted)
    assert details["largest gap"] == max(counted)
    assert shares == (Fraction(1, 10), HALF)
    assert ("with a gap of at most" in words) == (max(counted) > 0)


def test_a_gap_allows_for_the_spread_of_any_admission_from_a_rich_pool():
    """V' is at most that of an optimal step plus what the imbalance exceeds the optimum by."""
    attained = 0
    for loads, free in product([(0, 1), (0, 3), (2, 0), (0, 1, 2)], [(1, 1), (2, 1), (1, 1, 1)]):
        if len(loads) != len(free):
            continue
        sizes = [x for x in (1, 2) for _ in range(sum(free))]
        problem = StepProblem(loads, free, sizes)
        best = problem.loads_after(exact_step(problem))
        for choice in assignments(problem):
            after = problem.loads_after(np.array(choice))
            gap = imbalance(after) - imbalance(best)
            spread = int(after.max() - after.min())
            assert spread <= int(best.max() - best.min()) + gap
            attained += gap > 0 and spread == int(best.max() - best.min()) + gap
    assert attained > 0


def test_a_false_version_is_caught_on_a_run_and_shown():
    path = rich_path(2, 1, HALF, (1, 3), (1,), 0, 100)
    cases, details, _ = held([path], SPREAD_ABOVE)
    assert not cases.violated
    assert details["largest share of the bound"] == 1
    cases, _, _ = held([path], SPREAD_ABOVE, scale=Fraction(999, 1000), side="side")
    assert cases.violated
    finding = cases.finding(Trial("geometric.recursion", {}, variant=Variant("")), "a run")
    assert finding.verdict is Verdict.REFUTED
    k = finding.witness["step"] - 1
    assert finding.witness["loads before"] == path.loads[k].tolist()
    one, two = finding.witness["loads after"]
    assert finding.computed == abs(one - two) > finding.claimed
    late, _, _ = held([path], SPREAD_ABOVE, fault="late")
    assert late.violated


def test_arrival_times_are_refused():
    run = simulate(System(1, 1), Requests([1, 1], [1, 1], [0.0, 1.0]), "fcfs")
    with pytest.raises(InputError, match="backlog"):
        path_of(run, "timed")


def test_loads_beyond_the_integers_are_refused():
    path = rich_path(2, 1, HALF, (1, 2), (0,), 0, 3)
    cases = Cases("<=")
    along = Along(Trial("geometric.recursion", {}), cases)
    with pytest.raises(InputError, match="too large for these shares"):
        along.hold("side", SPREAD_ABOVE, [(path, (Fraction(1, 2**62),))])


def test_bfio_runs_out_of_the_scarcer_size():
    """With a pool of as many requests as slots one of two equally common sizes is soon gone."""
    whole, _ = rare_size_run(16, 32, (1,), 0, 100)
    assert all({1, 2} <= set(pool.offered) for pool in whole.pools)
    rng = np.random.default_rng(0)
    sizes, lengths = rng.choice([1, 2], 6000), rng.geometric(0.05, 6000)
    run = simulate(System(16, 32), Requests(sizes, lengths), "bfio", pool=512)
    pools = path_of(run, "a short pool", 100).pools
    assert sum(len(pool.offered) < 2 for pool in pools) > 50


@pytest.mark.parametrize(
    "label",
    ["geometric.recursion", "geometric.bfio-upper", "drift.bfio-upper", "threshold.converse"],
)
def test_a_check_says_what_it_held_along_runs(label):
    check = checks()[label]
    finding = check.run(check.trial(steps=40))
    sides = [side for side in finding.details if "along runs" in side]
    assert len(sides) == 1 + (label == "geometric.recursion")
    for side in sides:
        says = finding.details[side]
        assert says["steps"] > 500
        assert 0 < says["with departures"] <= says["steps"]
        assert says["largest share of the bound"] == 1
        assert f"{side}: {says['steps']:,} steps of {says['runs']} runs" in finding.domain
        assert "not applicable: " in finding.domain


def test_a_users_policy_is_held_from_below():
    check = checks()["threshold.converse"]
    finding = check.hold(check.trial(policy="power_of_two", steps=30))
    assert finding.verdict.held
    assert finding.details["along runs"]["runs"] == 5


VIDUR = (
    "vidur-arxiv-summarization/arxiv_summarization_stats_llama2_tokenizer_filtered_v2"
    ".first20000.csv.gz"
)


read_once = cache(read_trace)  # three laws of growth are held along each


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize(
    "file",
    [
        "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz",
        "azure-2023-code/AzureLLMInferenceTrace_code.csv.gz",
        "mooncake-conversation/conversation_trace.jsonl.gz",
        "mooncake-synthetic/synthetic_trace.jsonl.gz",
        VIDUR,
    ],
)
def test_public_traces(traces, file, drift):
    trace = read_once(traces / file)
    path, shares = trace_run(trace, 8, 16, drift, 300)
    for inequality, relation in (
        (TWO_SIZES_ABOVE, "<="),
        (SPREAD_ABOVE, "<="),
        (IMBALANCE_ABOVE, "<="),
        (SPREAD_BELOW, ">="),
    ):
        cases = Cases(relation)
        along = Along(Trial("drift.bfio-upper", {}), cases)
        along.hold("along runs", inequality, [(path, shares)])
        assert not cases.violated
        if inequality not in (SPREAD_ABOVE, IMBALANCE_ABOVE):
            assert along.details["along runs"]["with departures"] > 0


NEAR = Fraction(99, 100)


def falsified(name, carried=1, deviations=1, authority=1, spacing=1):
    """An inequality with factors on its constants, put together here."""

    def sides(path, k, p):
        G, B, q = path.loads.shape[1], path.slots, p.denominator
        V, imb = path.spreads[k], imbalance(path.loads[k])
        pool = path.pools[k]
        if name == "below":
            a, b = path.entered[k]
        elif name == "two sizes":
            a, b = pool.offered[0], pool.offered[-1]
        else:
            a, b = pool.least, pool.largest
        X, Y = path.X(k, b, p), [-x for x in path.X(k, a, p)]
        reach = B * p * (b - a) * authority
        excess = Fraction(max(X) + max(Y), q) * deviations
        if name == "spread":
            return path.spreads[k + 1], max(0, (1 - p) * V * carried + excess - reach)
        if name == "below":
            return path.spreads[k + 1], excess - reach - (1 - p) * V * carried
        lost = sum(max(0, Fraction(x + max(Y), q) - reach) for x in X) * deviations
        cost = spacing_cost(G, b - a) * spacing if name == "two sizes" else 0
        return imbalance(path.loads[k + 1]), (1 - p) * imb * carried + lost + cost

    silent = {"below": SPREAD_BELOW, "two sizes": TWO_SIZES_ABOVE}
    return silent.get(name, SPREAD_ABOVE)._replace(sides=sides)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        *((name, {"carried": NEAR}) for name in ("spread", "imbalance", "two sizes", "below")),
        *((name, {"deviations": NEAR}) for name in ("spread", "imbalance", "two sizes")),
        *((name, {"authority": 1 / NEAR}) for name in ("spread", "imbalance", "two sizes")),
        ("two sizes", {"spacing": NEAR}),
        ("below", {"deviations": 1 / NEAR}),
        ("below", {"authority": NEAR}),
    ],
)
def test_every_constant_is_needed_along_runs(name, factors):
    """Each off by a hundredth is broken at some step with departures, and as stated none is."""
    paths = [
        rich_path(2, 1, HALF, (1, 3), (1,), 0, 200),
        rich_path(3, 2, HALF, (1, 3), (1,), 0, 200),
    ]
    for b in (2, 3):
        paths.append(family_run("two-point", 2, 1, (3, 0, 1), 0, 300, b=b)[0])
    relation = ">=" if name == "below" else "<="
    cases, _, _ = held(paths, falsified(name), relation)
    assert cases.count > 300
    assert not cases.violated
    cases, _, _ = held(paths, falsified(name, **factors), relation)
    assert cases.violated
