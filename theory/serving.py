"""Systems as people have them: what may differ from the model, and by how much.

:class:`theory.model.System` is what the theorems speak of.  A :class:`ServingSystem` is one with
some of the following beside: workers that differ, a budget of KV tokens, queues of the workers,
prefills that are held back, a cost of each request, several tokens a step.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from theory.budget import about, afford
from theory.model import INT_LIMIT, InputError, Requests, System


@dataclass(frozen=True, slots=True)
class ServingSystem(System):
    """A barrier-synchronised system that need not be that of the model.

    Parameters
    ----------
    workers, slots, drift, step_overhead_s, seconds_per_token
        See :class:`theory.model.System`; ``slots`` is the largest of ``slots_of``, if that is
        given.
    slots_of : tuple of int
        Slots of each worker; empty if all have ``slots``.
    slowness : tuple of int
        What a token costs each worker, in the cost that takes ``seconds_per_token``; empty for 1.
        Where half of the workers are two thirds as fast as the others: 3 and 2.
    request_cost : int
        What a request costs in a step beside its tokens, in tokens.  A step takes
        ``C + t_l max_g slowness_g (L_g + request_cost n_g)`` with ``n_g`` requests on worker ``g``.
    kv_budget : tuple of int
        Tokens that each worker may hold; empty for no limit.
    reserve : int, optional
        Tokens that are set aside for the growth of each request when it is admitted, so that the
        budget is never passed; every request must grow by no more.  If it is not given, a request
        is admitted where its size fits, and a worker that has grown beyond its budget preempts: the
        request that it admitted last goes back to wait, with its tokens, until the rest fits.
    tokens_per_step : int
        Output tokens of each request in a step, at most; the last step of a request may have
        fewer.  The drift is that of one token.
    queues : bool
        Whether a request is sent to a worker at once, to wait in the queue there, first in first
        out.  A policy then sends each request when it arrives; it is not asked again.
    admit_every : int
        Requests are admitted at step 0 and every so many steps alone, on all workers alike.
    hold : int
        Admissions are held back until every worker with a free slot can have one, for at most so
        many steps in a row.

    Raises
    ------
    InputError
        If a field is out of its range.

    Examples
    --------
    >>> system = ServingSystem(2, 4, slots_of=(4, 2), slowness=(2, 3))
    >>> system.capacity, system.departures
    (6, ('slots differ', 'speeds differ'))
    >>> ServingSystem(2, 4).departures
    ()
    """

    slots_of: tuple[int, ...] = ()
    slowness: tuple[int, ...] = ()
    request_cost: int = 0
    kv_budget: tuple[int, ...] = ()
    reserve: int | None = None
    tokens_per_step: int = 1
    queues: bool = False
    admit_every: int = 1
    hold: int = 0

    def __post_init__(self) -> None:
        System.__post_init__(self)
        for name, least in (("slots_of", 1), ("slowness", 1), ("kv_budget", 1)):
            values = getattr(self, name)
            if values and (
                len(values) != self.workers or not all(_is_integer(v, least) for v in values)
            ):
                raise InputError(
                    f"{name} must hold an integer >= {least} for each of {self.workers} workers, "
                    f"below 2^62, got {reprlib.repr(values)}"
                )
        if not isinstance(self.queues, bool):
            raise InputError(f"queues must be true or false, got {self.queues!r}")
        for name, least in (
            ("request_cost", 0),
            ("tokens_per_step", 1),
            ("admit_every", 1),
            ("hold", 0),
        ):
            if not _is_integer(getattr(self, name), least):
                raise InputError(
                    f"{name} must be an integer >= {least} and below 2^62, "
                    f"got {getattr(self, name)!r}"
                )
        if self.reserve is not None and not (_is_integer(self.reserve, 0) and self.kv_budget):
            raise InputError(
                f"reserve must be an integer >= 0 beside a kv_budget and below 2^62, "
                f"got {self.reserve!r}"
            )
        if self.slots_of and max(self.slots_of) != self.slots:
            raise InputError(
                f"slots must be the largest of slots_of = {self.slots_of}, got {self.slots}"
            )

    @property
    def capacity(self) -> int:
        """Number of slots in the whole system."""
        return sum(self.slots_of) or self.workers * self.slots

    @property
    def departures(self) -> tuple[str, ...]:
        """In what the system is not that of the model, in a few words each."""
        return tuple(
            text
            for text, departs in (
                ("slots differ", len(set(self.slots_of)) > 1),
                ("speeds differ", len(set(self.slowness)) > 1 or max(self.slowness, default=1) > 1),
                ("a request costs beside its tokens", self.request_cost > 0),
                ("tokens have a budget", bool(self.kv_budget)),
                ("a step has several tokens", self.tokens_per_step > 1),
                ("workers have queues", self.queues),
                ("admissions are held back", self.admit_every > 1 or self.hold > 0),
            )
            if departs
        )

    @property
    def other_costs(self) -> tuple[str, ...]:
        """Of the departures those that change what a request costs, in a few words each.

        The others restrict who can start when and where, and no more: what is served is then a
        schedule of the model, one that leaves slots empty, unless a budget preempts.

        Examples
        --------
        >>> ServingSystem(2, 4, slots_of=(4, 2), queues=True, request_cost=3).other_costs
        ('a request costs beside its tokens',)
        """
        several = "a step has several tokens"
        costs = ("speeds differ", "a request costs beside its tokens", several)
        return tuple(text for text in self.departures if text in costs)

    @classmethod
    def of(cls, system: System) -> "ServingSystem":
        """The system itself, or as one that departs from the model in nothing."""
        if isinstance(system, cls):
            return system
        return cls(
            system.workers,
            system.slots,
            system.drift,
            system.step_overhead_s,
            system.seconds_per_token,
        )

    @classmethod
    def with_fields(cls, system: System, given: Mapping[str, Any]) -> System:
        """A system with some of the fields beside, as options and files give them.

        Parameters
        ----------
        system : System
            One of the model, returned as it is if nothing is given.
        given : mapping
            Names of fields to numbers, lists of numbers, or truth values; one budget is that of
            every worker, and ``slots`` follows ``slots_of``.

        Raises
        ------
        InputError
            If there is no such field, or a value is out of its range.

        Examples
        --------
        >>> found = ServingSystem.with_fields(System(2, 4), {"kv_budget": 900, "queues": True})
        >>> found.kv_budget, found.departures
        ((900, 900), ('tokens have a budget', 'workers have queues'))
        """
        if not given:
            return system
        found: dict[str, Any] = {}
        for name, value in given.items():
            if name not in FIELDS:
                raise InputError(f"a system has no {name!r}; it has: {', '.join(FIELDS)}")
            if FIELDS[name] == ():
                many = list(value) if isinstance(value, list | tuple) else [value]
                afford(
                    f"{about(system.workers)} workers of a budget each",
                    "use fewer",
                    memory=_BYTES * system.workers,
                )
                found[name] = tuple(many * system.workers if _for_all(name, many) else many)
            else:
                found[name] = value
        slots_of = found.get("slots_of", ())
        whole = all(_is_integer(slots, 1) for slots in slots_of)
        slots = max(slots_of) if slots_of and whole else system.slots
        rest = (system.drift, system.step_overhead_s, system.seconds_per_token)
        return cls(system.workers, slots, *rest, **found)

    def steps_of(self, length: int) -> int:
        """Steps in which a request has so many output tokens."""
        return -(-length // self.tokens_per_step)

    def check(self, requests: Requests) -> None:
        """See that every request can be served.

        Raises
        ------
        InputError
            If one would never fit a worker's budget, or grow by more than is set aside for it.
        """
        if not self.kv_budget:
            return
        least, growth = min(self.kv_budget), max(self.drift) * self.tokens_per_step
        rows = zip(requests.prefill.tolist(), requests.decode.tolist(), strict=True)
        for i, (size, length) in enumerate(rows):
            most = growth * (self.steps_of(length) - 1)
            if self.reserve is not None and most > self.reserve:
                raise InputError(
                    f"request {i} may grow by {most} tokens, and reserve = {self.reserve}"
                )
            if size + (most if self.reserve is None else self.reserve) > least:
                raise InputError(
                    f"request {i} of {size} tokens that may grow by {most} does not fit a worker "
                    f"of {least}"
                )


# Bytes of memory for a number of each worker, a list of which Python looks through one by one.
_BYTES = 800

# What a serving system has beside the fields of a system, with the value that departs in nothing.
FIELDS: dict[str, Any] = {
    field.name: field.default
    for field in fields(ServingSystem)
    if field.name not in {plain.name for plain in fields(System)}
}


def departures_of(system: System) -> tuple[str, ...]:
    """In what a system is not that of the model, in a few words each."""
    return system.departures if isinstance(system, ServingSystem) else ()


def model_note(system: System) -> tuple[str, ...]:
    """What a report says of a run on a system that is not of the model, if it is none."""
    if not (found := departures_of(system)):
        return ()
    return (
        f"not a system of the model ({', '.join(found)}): no claim speaks of it; loads are what "
        "the steps cost",
    )


def _for_all(name: str, values: list[Any]) -> bool:
    return name == "kv_budget" and len(values) == 1


def _is_integer(value: object, least: int) -> bool:
    return (
        isinstance(value, int | np.integer)
        and not isinstance(value, bool)
        and least <= int(value) < INT_LIMIT
    )
