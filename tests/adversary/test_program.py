"""Two independent exact methods agree on random small classes, and find what is known."""

import math
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

from adversary.instances.space import Space, StepSpace
from adversary.worst_case.exhaustive import fcfs_worst_case, worst_case, worst_step
from adversary.worst_case.objectives import step_imbalance
from solvers import checker
from tests.oracles.worst_case_milp import bfio_by_program, fcfs_by_program, step_by_program
from theory.model import InputError


def fcfs_classes(count, seed):
    """Classes of at most 8 lists of lengths, so of at most 8 programs."""
    rng = np.random.default_rng(seed)
    while count:
        G, B, N, length = (int(x) for x in rng.integers((1, 1, 1, 1), (4, 3, 5, 3)))
        low, width = (int(x) for x in rng.integers((1, 0), (4, 4)))
        pool = int(rng.integers(1, G * B + 2))
        drift = ((1,), (0,), (2, 0, 1))[int(rng.integers(3))]
        if length**N <= 8:
            count -= 1
            yield Space(G, B, N, low + width, low, length, pool=pool, drift=drift)


def step_classes(count, seed):
    rng = np.random.default_rng(seed)
    while count:
        G, n, size, free, load = (int(x) for x in rng.integers((1, 1, 1, 1, 0), (4, 5, 5, 3, 3)))
        low, least = int(rng.integers(1, size + 1)), int(rng.integers(0, free + 1))
        space = StepSpace(G, n, size, low, free, least, load, fewer=bool(rng.integers(2)))
        if space.size <= 3000:
            count -= 1
            yield space


def agree(fcfs, steps, seed):
    for space in fcfs_classes(fcfs, seed):
        assert fcfs_by_program(space).value == fcfs_worst_case(space).value, space
    for space in step_classes(steps, seed):
        assert step_by_program(space).value == worst_step(space, step_imbalance)[0], space


def test_programs_and_enumerations_agree():
    agree(25, 25, 0)


@pytest.mark.slow
def test_programs_and_enumerations_agree_on_many_classes():
    agree(200, 200, 1)


def run_classes(count, seed):
    """Classes of two workers with up to 4 requests, of both one step and several."""
    rng = np.random.default_rng(seed)
    while count:
        B, N, length, width = (int(x) for x in rng.integers((1, 1, 1, 0), (3, 5, 4, 4)))
        low, pool = int(rng.integers(1, 4)), int(rng.integers(1, 2 * B + 2))
        drift = ((1,), (0,), (2, 0, 1))[int(rng.integers(3))]
        if length**N <= 16 and min(N, pool) < 4:
            count -= 1
            yield Space(2, B, N, low + width, low, length, pool=pool, drift=drift)


def histories_agree(count, seed):
    cuts = several = 0
    for space in run_classes(count, seed):
        solved = bfio_by_program(space)
        assert solved.value == worst_case(space, "bfio_exact").value, space
        cuts += solved.cuts
        several += space.decode_max > 1 and solved.value > 0
    # Both the constraints and runs of several steps have mattered.
    assert cuts > count / 10
    assert several > count / 4


def test_histories_and_enumerations_agree_on_runs_of_bfio():
    histories_agree(12, 0)


@pytest.mark.slow
def test_histories_and_enumerations_agree_on_200_runs_of_bfio():
    histories_agree(200, 1)


def test_histories_do_not_care_how_many_sizes_there_are():
    """[step.full-refill-tight] among 10^24 lists; several steps with sizes to a thousand."""
    solved = bfio_by_program(Space(2, 2, 4, 10**6))
    assert solved.value == 10**6 - 1
    space = Space(2, 1, 3, 1000, decode_max=2)
    # As far as the enumeration reaches the maximum is linear in the largest size; it stays so.
    reached = [worst_case(Space(2, 1, 3, b, decode_max=2), "bfio_exact").value for b in (5, 6, 7)]
    steps = {y - x for x, y in pairwise(reached)}
    assert len(steps) == 1
    assert bfio_by_program(space).value == reached[0] + 995 * steps.pop()


def by_the_checker(space, policy, against):
    """Maximum over the class by the checker's own simulation, which shares no code."""
    best = None
    kinds = product(range(space.size_min, space.size_max + 1), range(1, space.decode_max + 1))
    shape = space.workers, space.slots, space.pool_limit, space.drift
    for requests in product(list(kinds), repeat=space.requests):
        top, bottom = checker.play(policy, *shape, requests)
        if against:
            other, steps = checker.play(against, *shape, requests)
            top, bottom = top * steps, bottom * other
        if top or bottom:
            value = Fraction(top, bottom) if bottom else math.inf
            best = value if best is None else max(best, value)
    return best


def test_runs_of_both_policies_agree_with_the_checker_on_200_classes():
    rng = np.random.default_rng(4)
    done = 0
    while done < 200:
        G, B, N, length, width = (int(x) for x in rng.integers((1, 1, 1, 1, 0), (4, 3, 4, 4, 3)))
        low = int(rng.integers(1, 4))
        pool = int(rng.integers(1, G * B + 2))
        drift = ((1,), (0,), (0, 3))[int(rng.integers(3))]
        space = Space(G, B, N, low + width, low, length, pool=pool, drift=drift)
        if space.size > 100:
            continue
        policy = ("fcfs", "bfio_exact")[done % 2]
        against = (None, None, "fcfs", "bfio_exact")[done % 4]
        expected = by_the_checker(space, policy, against)
        if expected is not None:
            assert worst_case(space, policy, against).value == expected, space
            done += 1


@pytest.mark.parametrize(("G", "B", "a", "b"), [(2, 2, 1, 4), (3, 1, 2, 7), (2, 3, 1, 5)])
def test_closed_forms_by_program(G, B, a, b):
    """[fcfs.worst-case] and [step.full-refill-tight], unaided."""
    assert fcfs_by_program(Space(G, B, G * B, b, a)).value == (G - 1) * B * (b - a)
    refill = StepSpace(G, G * B, b, a, free_max=B, free_min=B)
    solved = step_by_program(refill)
    assert solved.value == (G - 1) * (b - a)
    assert solved.cuts > 0


def test_refusals():
    with pytest.raises(InputError, match="every arrival order"):
        fcfs_by_program(Space(2, 1, 2, 2, order="sorted"))
    with pytest.raises(InputError, match="two workers"):
        bfio_by_program(Space(3, 1, 2, 2))
    with pytest.raises(InputError, match="59,049 programs, more than 10,000"):
        fcfs_by_program(Space(2, 2, 10, 4, decode_max=3))
