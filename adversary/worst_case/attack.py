"""Attacks on a policy: the worst instance of a bounded class, exactly where that is affordable.

An attack goes portion by portion, each of which is a
:class:`~adversary.worst_case.exhaustive.Tally` that can be stored, so that nothing is lost when it
is interrupted.  Then its instance is shrunk.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from adversary.instances.small_runs import SMALL_POLICIES
from adversary.instances.space import Instance, Space
from adversary.witnesses.gallery import OPTIMUM, Witness, replay_witness
from adversary.worst_case.exhaustive import (
    Tally,
    describe,
    enumerated,
    enumerated_slowly,
    fcfs_enumerated,
    vertices,
)
from adversary.worst_case.objectives import (
    RunObjective,
    average_imbalance,
    optimum_ratio,
    relative_imbalance,
)
from adversary.worst_case.search import METHODS, search
from adversary.worst_case.shrink import shrink
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import MOST_ASSIGNMENTS
from theory.budget import BY_PYTHON, about, afford, power
from theory.files import decoded, read
from theory.model import INT_LIMIT, InputError

# Evaluations of one round of a search; the next starts anew.
ROUND = 2000

# A compiled enumeration is this much cheaper than an evaluation by the engine.
COMPILED = 100


@dataclass(frozen=True, slots=True)
class Attack:
    """What is attacked, where, and with how much.

    Parameters
    ----------
    space : Space
        The class.
    policy : str
        A policy of the engine, ``module:attribute``, or ``"bfio_exact"``.
    against : str, optional
        Maximise the ratio to this policy's average imbalance, or to the least of any
        work-conserving schedule for ``"optimum"``; without it the average imbalance itself.
    method : str
        ``"exact"``, a method of :mod:`adversary.worst_case.search`, or ``"auto"``: exact if the
        budget allows it, else ``"climb"``.
    budget : int
        Evaluations.  An enumeration that is compiled may have :data:`COMPILED` times as many.
    seed : int
        Of the search, and of policies that draw.

    Raises
    ------
    InputError
        If the method is unknown, the budget below 1, or an exact attack is not affordable.
    """

    space: Space
    policy: str
    against: str | None = None
    method: str = "auto"
    budget: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("auto", "exact", *METHODS):
            raise InputError(f"no method {self.method!r}; known: auto, exact, {', '.join(METHODS)}")
        if self.budget < 1:
            raise InputError(f"budget must be an integer >= 1, got {self.budget}")
        if self.method == "exact" and self.cost > self.budget:
            raise InputError(
                f"an exact attack costs {about(self.cost)} evaluations, more than the budget of "
                f"{self.budget:,}: make the class smaller, or the budget larger"
            )
        if not self.is_exact:
            afford(
                f"a search of {about(self.budget)} evaluations",
                "use a smaller budget",
                steps=BY_PYTHON * self.budget,
            )
        waiting = min(self.space.pool_limit, self.space.requests)
        steps = self.space.requests * self.space.decode_max // self.space.system.capacity
        steps += self.space.decode_max
        afford(
            f"one run of up to {about(steps)} steps with {about(self.space.requests)} requests on "
            f"{about(self.space.workers)} workers",
            "use fewer requests, fewer workers or shorter lengths",
            memory=8 * (5 * self.space.requests + 6 * self.space.workers),
            steps=BY_PYTHON * steps * (self.space.requests + self.space.workers),
        )
        exact_steps = "bfio_exact" in (self.policy, self.against)
        if exact_steps and power(self.space.workers + 1, waiting) > MOST_ASSIGNMENTS:
            raise InputError(f"exact steps with {waiting} waiting requests are out of reach")

    @property
    def ends_decide(self) -> bool:
        """Whether it is enough to look at the smallest and largest sizes [fcfs.vertex]."""
        return self.policy == "fcfs" and self.against is None and self.space.order == "any"

    @property
    def is_compiled(self) -> bool:
        """Whether whole portions of the class are enumerated in compiled code."""
        return self.policy in SMALL_POLICIES and self.against in (None, *SMALL_POLICIES)

    @property
    def instances(self) -> int:
        """How many lists of requests an exact attack goes through."""
        return vertices(self.space) if self.ends_decide else self.space.size

    @property
    def cost(self) -> int:
        """What an exact attack costs, in evaluations by the engine."""
        return -(-self.instances // COMPILED) if self.is_compiled else self.instances

    @property
    def is_exact(self) -> bool:
        """Whether the class is enumerated."""
        return self.method == "exact" or (self.method == "auto" and self.cost <= self.budget)

    @property
    def total(self) -> int:
        """Instances that will have been looked at in the end, at most."""
        return self.instances if self.is_exact else self.budget

    @property
    def objective(self) -> RunObjective:
        """What is maximised."""
        if self.against is None:
            return average_imbalance(self.policy)
        if self.against == OPTIMUM:
            return optimum_ratio(self.policy)
        return relative_imbalance(self.policy, self.against)

    @property
    def objective_text(self) -> str:
        """What is maximised, in words."""
        text = f"AvgImb({self.policy})"
        return text if self.against is None else f"{text} / AvgImb({self.against})"

    @property
    def domain(self) -> str:
        """The class, its size, and how it is looked at."""
        text = f"{describe(self.space)}: {about(self.space.size)} request lists"
        if self.space.order == "sorted":
            text += " in sorted order"
        if not self.is_exact:
            return f"{text}, searched ({self.search_method}, {self.budget:,} evaluations)"
        through = f"their {about(self.instances)} vertices" if self.ends_decide else "all"
        return f"{text}, {through} enumerated"

    @property
    def search_method(self) -> str:
        """The method where the class is not enumerated."""
        return "climb" if self.method in ("auto", "exact") else self.method

    def portions(self, tally: Tally | None = None) -> Iterator[Tally]:
        """The attack from where a tally stands; the last tally has no cursor."""
        if tally is not None and tally.cursor is None:
            yield tally
        elif not self.is_exact:
            yield from self._searched(tally or Tally(cursor=(0,)))
        elif self.ends_decide:
            yield from fcfs_enumerated(self.space, tally)
        elif self.is_compiled:
            yield from enumerated(self.space, self.policy, self.against, tally)
        else:
            yield from enumerated_slowly(self.space, self.objective, tally)

    def _searched(self, total: Tally) -> Iterator[Tally]:
        """Rounds of a search, each with a seed of its own."""
        while total.cursor is not None:
            number = total.cursor[0]
            left = self.budget - number * ROUND
            budget = min(ROUND, left)
            found = search(
                self.objective, self.space, self.search_method, budget=budget,
                seed=self.seed + number,
            )  # fmt: skip
            vector: tuple[int, ...] = ()
            if found.instance is not None:
                requests = found.instance.requests
                vector = (*requests.prefill.tolist(), *requests.decode.tolist())
            over = left <= ROUND or found.value == math.inf
            total = total.joined(
                Tally(
                    found.value,
                    vector,
                    found.evaluations,
                    int(found.value is not None),
                    0,
                    None if over else (number + 1,),
                )
            )
            yield total

    def refuse_foreign_tally(self, tally: Tally) -> None:
        """Refuse a tally that this attack cannot have come to.

        Raises
        ------
        InputError
            If its cursor points nowhere, or its instance has another value.
        """
        space = self.space
        sizes = space.size_max - space.size_min + 1
        digits, low, high = 1, 0, self.total
        if self.is_exact and self.ends_decide:
            digits, low, high = space.requests, 1, space.decode_max
        elif self.is_exact and self.is_compiled:
            digits, low, high = space.requests, 0, sizes * space.decode_max - 1
        if tally.cursor is not None and not (
            len(tally.cursor) == digits and all(low <= at <= high for at in tally.cursor)
        ):
            raise InputError("its cursor points nowhere")
        if tally.vector and len(tally.vector) != 2 * space.requests:
            raise InputError("its instance has another number of requests")
        instance = self.instance(tally)
        if tally.value != (None if instance is None else self.objective(instance)):
            raise InputError("its instance has another value")

    def instance(self, tally: Tally) -> Instance | None:
        """The worst instance of a tally; None before the first."""
        return self.space.build(np.array(tally.vector, dtype=np.int64)) if tally.vector else None

    def shrunk(self, tally: Tally) -> Instance | None:
        """The worst instance, made smaller while the objective stays as large; None if it is 0.

        Raises
        ------
        InputError
            If the policy does not do the same again on the same instance.
        """
        instance, worst = self.instance(tally), tally.value
        if instance is None or not worst:
            return None
        again = self.objective(instance)
        if again != worst:
            raise InputError(
                f"{self.objective_text} is {text_of(worst)} and then {text_of(again)} on one "
                "instance: only a policy that decides the same again can be attacked"
            )

        def as_bad(smaller: Instance) -> bool:
            value = self.objective(smaller)
            return value is not None and value >= worst

        return shrink(instance, as_bad)

    def _claim(self, tally: Tally) -> str | None:
        """The claim that the worst instance refutes or attains; None where there is none."""
        space, (policy, against) = self.space, (self.policy, self.against)
        if (policy, against) == ("bfio_exact", "fcfs"):
            return "iir.per-instance" if tally.value is not None and tally.value > 1 else None
        capacity = space.workers * space.slots
        refill = space.requests == capacity <= space.pool_limit and space.decode_max == 1
        if not self.is_exact or against is not None or not refill:
            return None
        return {"fcfs": "fcfs.worst-case", "bfio_exact": "step.full-refill-tight"}.get(policy)

    def witness(self, name: str, instance: Instance, tally: Tally) -> Witness:
        """The shrunk instance for a gallery, with what replaying it gives."""
        looked = "exact" if self.is_exact else f"{self.search_method} from seed {self.seed}"
        policies = [self.policy]
        if self.against is not None:
            policies.append(self.against)
        blank = Witness(
            name,
            self._claim(tally),
            f"{self.objective_text} reaches {text_of(self.objective(instance))}.",
            f"attack, {looked}, over {self.domain}; then shrunk",
            instance,
            dict.fromkeys(policies),
        )
        return replace(blank, expected=replay_witness(blank))


def beside(instance: Instance, policies: Iterable[str]) -> dict[str, tuple[Fraction, int]]:
    """Average imbalance and longest wait in steps of each policy on one instance."""
    runs = {
        name: simulate_reference(instance.system, instance.requests, name, pool=instance.pool)
        for name in policies
    }
    return {
        name: (run.total.avg_imbalance, int(run.waiting_steps.max())) for name, run in runs.items()
    }


def text_of(value: Any) -> str:
    """A value as an exact text."""
    return "nothing" if value is None else "infinity" if value == math.inf else str(value)


_Count = Annotated[int, msgspec.Meta(ge=0, lt=INT_LIMIT)]


class _Tally(msgspec.Struct, forbid_unknown_fields=True):
    """A tally in a file."""

    value: str | None
    vector: tuple[_Count, ...]
    instances: _Count
    maximisers: _Count
    excluded: _Count
    cursor: tuple[_Count, ...] | None


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    """An unfinished attack in a file; ``code`` is the digest of what it runs."""

    attack: dict[str, Any]
    code: str
    tally: _Tally


def stored(attack: Attack, tally: Tally, code: str) -> dict[str, Any]:
    """An unfinished attack, JSON-ready; ``code`` is the digest of what it runs."""
    value = None if tally.value is None else str(tally.value)
    return {"attack": asdict(attack), "code": code, "tally": {**asdict(tally), "value": value}}


def restored(attack: Attack, path: Path, code: str) -> Tally | None:
    """The tally of a stored attack; None if it is damaged, or of another attack or other code."""
    try:
        found = read(path, _Stored)
    except InputError:
        return None
    if (
        found.attack != decoded(msgspec.json.encode(asdict(attack)), dict[str, Any])
        or found.code != code
    ):
        return None
    try:
        value = found.tally.value
        exact = None if value is None else math.inf if value == "inf" else Fraction(value[:1000])
        tally = Tally(
            exact,
            found.tally.vector,
            found.tally.instances,
            found.tally.maximisers,
            found.tally.excluded,
            found.tally.cursor,
        )
        attack.refuse_foreign_tally(tally)
    except (ArithmeticError, ValueError):
        return None
    return tally
