"""The rules of serving engines against their formulas, on single steps and in whole runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_integers
from solvers.policies.protocol import DECLARED, InFlight, StepView
from solvers.policies.registry import POLICIES, policy
from solvers.simulation.engine import simulate
from tests.noted import noted
from tests.oracles.engine_rules import PLAIN
from theory.model import Requests, System

SNAPSHOTS = [
    name for name in PLAIN if name.startswith(("vllm_", "sglang")) and "ascend" not in name
]


def made(name, seed, **options):
    """The rule and its definition."""
    spec = ":".join([name, ",".join(f"{k}={v}" for k, v in options.items())]) if options else name
    rule, definition = policy(spec, seed), PLAIN[name](**options)
    definition.seed = seed
    return rule, definition


@st.composite
def views(draw, workers, first, clock):
    """A step with requests in flight, some of them perhaps in the queues of their workers."""
    queues, slots = draw(st.booleans()), draw(st.integers(1, 4))
    rows = []
    for g in range(workers):
        for _ in range(draw(st.integers(0, slots))):
            size, age = draw(st.integers(1, 20)), draw(st.integers(1, 5))
            waits = queues and draw(st.booleans())
            rows.append((len(rows), g, size, 0 if waits else age, waits))
    pool = draw(small_integers(1, 20, 1, 8))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    request, worker, size, age, waits = columns
    total = [int(np.sum(worker == g)) for g in range(workers)]
    queued = [int(np.sum(waits[worker == g])) for g in range(workers)]
    if queues:
        slots = max(total) + len(pool)
    free = np.array([slots - count for count in total])
    if not free.any():
        slots, free = slots + 1, free + 1
    budget = draw(st.none() | small_integers(10, 60, workers))
    grouped = draw(st.none() | small_integers(0, 2, len(pool)))
    at = np.arange(first, first + len(pool))
    return StepView(
        step=clock[0],
        slots=slots,
        loads=np.array([int(np.sum((size + age)[worker == g])) for g in range(workers)]),
        free=free,
        pool=np.array(pool),
        waited=np.zeros(len(pool), dtype=np.int64),
        now_s=clock[1],
        request=at,
        group=None if grouped is None else np.array(grouped),
        in_flight=InFlight(request, worker, size, age, waits.astype(bool)),
        budget=None if budget is None else np.array(budget),
        queued=np.array(queued) if queues else None,
        queued_tokens=(
            np.array([int(np.sum((size * waits)[worker == g])) for g in range(workers)])
            if queues
            else None
        ),
    )


@st.composite
def histories(draw):
    """Some steps one after the other; the requests of each are new ones."""
    workers, step, now = draw(st.integers(1, 4)), 0, 0.0
    found = []
    for k in range(draw(st.integers(1, 4))):
        found.append(draw(views(workers, 100 + 10 * k, (step, now))))
        step += draw(st.integers(1, 3))
        now += draw(st.sampled_from([0.0, 0.01, 0.03125, 0.25]))
    return found


def agree(rule, definition, steps):
    for step in steps:
        assert rule.admit(step).tolist() == definition.admit(step).tolist()


@settings(max_examples=60)
@given(steps=histories(), seed=st.integers(0, 2**64))
def test_a_rule_decides_as_its_formula(steps, seed):
    for name in noted(PLAIN):
        agree(*made(name, seed), steps)


@settings(max_examples=40)
@given(
    steps=histories(),
    every=st.integers(1, 4),
    every_ms=st.sampled_from([0, 25, 200]),
    clients=st.integers(1, 3),
)
def test_old_snapshots_and_several_front_ends_decide_as_defined(steps, every, every_ms, clients):
    for name in noted(SNAPSHOTS):
        options = {"every": every, "every_ms": every_ms}
        if name.startswith("vllm"):
            options["clients"] = clients
        agree(*made(name, 0, **options), steps)


class Named:
    """A definition as a policy of its own, so that an engine can run it."""

    sees_in_flight = True

    def __init__(self, inner):
        self.name, self.admit = "definition", inner.admit


@pytest.mark.parametrize("name", PLAIN)
def test_a_run_by_a_rule_is_the_run_by_its_formula(name):
    rng = np.random.default_rng(5)
    arrival = np.cumsum(rng.exponential(0.3, 150))
    requests = Requests(
        rng.integers(1, 40, 150), rng.integers(1, 9, 150), arrival, rng.integers(0, 5, 150)
    )
    system = System(3, 4, step_overhead_s=0.05, seconds_per_token=0.002)
    rule, definition = made(name, 3)
    runs = [simulate(system, requests, which) for which in (rule, Named(definition))]
    np.testing.assert_array_equal(runs[0].worker, runs[1].worker)
    np.testing.assert_array_equal(runs[0].start_step, runs[1].start_step)


def test_every_rule_of_an_engine_has_version_source_and_formula():
    rules = {kind.name: DECLARED[kind].rule for kind in POLICIES.values()}
    assert set(PLAIN) <= {name for name, rule in rules.items() if rule is not None}
    for name, rule in rules.items():
        if name.startswith(("vllm", "sglang", "trtllm", "atom", "llmd", "tpu")):
            assert rule is not None, name
            assert rule.engine
            assert rule.formula
            assert any(word in rule.source for word in (".py", ".go", "from a description"))
