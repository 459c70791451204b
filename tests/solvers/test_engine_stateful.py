"""The engine's state, step by step under decisions drawn at random, against a list of requests."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adversary.instances.strategies import small_integers
from solvers.simulation.loop_python import REQUEST, REVEALED, SIZE, until_decision
from solvers.simulation.state import NO_ROW, new_run
from theory.model import Requests, System

NOTHING = np.empty(0, dtype=np.int64)

# One step lasts 0.5 + 0.25 * (largest load) seconds: exact, so arrivals can meet it exactly.
CLOCK = {"step_overhead_s": 0.5, "seconds_per_token": 0.25}


class EngineMachine(RuleBasedStateMachine):
    """Carries out any valid decision in both, and compares all that can be seen."""

    @initialize(data=st.data())
    def start(self, data):
        self.system = System(
            data.draw(st.integers(1, 4)),
            data.draw(st.integers(1, 3)),
            tuple(data.draw(small_integers(0, 3, 1, 3))),
            **CLOCK,
        )
        n = data.draw(st.integers(0, 12))
        self.sizes = data.draw(small_integers(1, 9, n))
        self.lengths = data.draw(small_integers(1, 5, n))
        self.arrival = None
        self.limit = data.draw(st.integers(1, 6))
        if data.draw(st.booleans()):
            self.arrival = np.cumsum(data.draw(small_integers(0, 24, n))) / 4
            self.limit = n
        requests = Requests(self.sizes, self.lengths, self.arrival)
        self.run = new_run(self.system, requests, self.limit, np.empty(0), False)
        self.pool = np.empty((3, n), dtype=np.int64)
        # The model: numbers in the pool with their step of entry, and (number, worker, load, age)
        # of the requests that are being served.
        self.step, self.now = 0, 0.0
        self.waiting, self.active, self.done = [], [], {}
        self.work, self.sum_max = 0, 0
        self.begin()

    def begin(self):
        """Reveal, and go on through the steps at which nothing can be decided."""
        until_decision(self.run, self.pool, NOTHING, 10**6)
        while not self.over():
            self.reveal()
            if self.waiting and sum(self.free()):
                return
            self.finish_step()

    def over(self):
        return len(self.done) == len(self.sizes)

    def free(self):
        free = [self.system.slots] * self.system.workers
        for _, g, _, _ in self.active:
            free[g] -= 1
        return free

    def loads(self):
        loads = [0] * self.system.workers
        for _, g, load, _ in self.active:
            loads[g] += load
        return loads

    def reveal(self):
        shown = len(self.waiting) + len(self.active) + len(self.done)
        if self.arrival is not None and not self.waiting and not self.active:
            self.now = max(self.now, self.arrival[shown])
        while shown < len(self.sizes) and (
            len(self.waiting) < self.limit
            if self.arrival is None
            else self.arrival[shown] <= self.now
        ):
            self.waiting.append((shown, self.step))
            shown += 1

    def finish_step(self):
        self.work += sum(self.loads())
        self.sum_max += max(self.loads())
        self.now += 0.5 + 0.25 * max(self.loads())
        growth = self.system.drift[self.step % len(self.system.drift)]
        stay = []
        for i, g, load, age in self.active:
            if age + 1 == self.lengths[i]:
                self.done[i] = self.now
            else:
                stay.append((i, g, load + growth, age + 1))
        self.active = stay
        self.step += 1

    @precondition(lambda self: not self.over())
    @rule(data=st.data())
    def decide(self, data):
        free_slots = [g for g, free in enumerate(self.free()) for _ in range(free)]
        admitted = min(len(self.waiting), len(free_slots))
        order = data.draw(st.permutations(range(len(self.waiting))))[:admitted]
        slots = data.draw(st.permutations(free_slots))[:admitted]
        assignment = np.full(len(self.waiting), -1)
        assignment[order] = slots
        for at, g in zip(order, slots, strict=True):
            i = self.waiting[at][0]
            self.active.append((i, g, self.sizes[i], 0))
        self.waiting = [w for at, w in enumerate(self.waiting) if at not in order]
        # The engine stops at the start of the next step, and then looks for the next decision.
        assert until_decision(self.run, self.pool, assignment, self.step + 1)
        self.finish_step()
        self.begin()

    @precondition(lambda self: not self.over())
    @rule(data=st.data())
    def break_a_rule(self, data):
        """Spoil a valid decision: it must be refused and change nothing."""
        free_slots = [g for g, free in enumerate(self.free()) for _ in range(free)]
        assignment = np.full(len(self.waiting), -1)
        admitted = min(len(self.waiting), len(free_slots))
        assignment[:admitted] = free_slots[:admitted]
        at = data.draw(st.integers(0, len(assignment) - 1))
        full = [g for g, free in enumerate(self.free()) if free == list(assignment).count(g)]
        wrong = [-2, self.system.workers, 10**12, *full] + [-1] * int(assignment[at] >= 0)
        wrong = [g for g in wrong if g != assignment[at]]
        assignment[at] = data.draw(st.sampled_from(wrong))
        before = self.run.state.copy(), self.run.active.copy(), self.run.loads.copy()
        assert not until_decision(self.run, self.pool, assignment, self.step + 1)
        np.testing.assert_array_equal(self.run.state, before[0])
        np.testing.assert_array_equal(self.run.active, before[1])
        np.testing.assert_array_equal(self.run.loads, before[2])

    @precondition(lambda self: self.over())
    @rule()
    def nothing_is_left(self):
        before = self.run.state.copy()
        assert until_decision(self.run, self.pool, NOTHING, self.step + 5)
        np.testing.assert_array_equal(self.run.state, before)

    @invariant()
    def same_state(self):
        if not hasattr(self, "run"):
            return
        state = self.run.state[0]
        assert self.run.loads.tolist() == self.loads()
        assert self.run.free.tolist() == self.free()
        assert (state["step"], state["now_s"]) == (self.step, self.now)
        assert (state["work"], state["sum_max"]) == (self.work, self.sum_max)
        numbers, sizes, entered = (
            self.pool[row, : state["waiting"]].tolist() for row in (REQUEST, SIZE, REVEALED)
        )
        assert list(zip(numbers, entered, strict=True)) == self.waiting
        assert sizes == [self.sizes[i] for i, _ in self.waiting]
        assert bool(state["due"]) != self.over()

    @invariant()
    def conservation(self):
        """Every request is in one place: to come, waiting, on one worker, or done."""
        if not hasattr(self, "run"):
            return
        state, active = self.run.state[0], self.run.active
        assert state["active"] == len(self.active)
        assert state["revealed"] == len(self.waiting) + len(self.active) + len(self.done)
        rows = {}
        for first in self.run.bucket.tolist():
            at = first
            while at != NO_ROW:
                rows[int(active["request"][at])] = active[at]
                at = int(self.run.following[at])
        assert rows.keys() == {i for i, _, _, _ in self.active}
        for i, g, load, age in self.active:
            assert rows[i]["worker"] == self.run.worker[i] == g
            assert rows[i]["base"] + state["grown"] == load
            assert rows[i]["last_step"] == self.step - age + self.lengths[i] - 1
            assert self.run.start_step[i] == self.step - age
        for i, finish in self.done.items():
            assert self.run.finish_s[i] == finish


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(max_examples=200, stateful_step_count=20)
