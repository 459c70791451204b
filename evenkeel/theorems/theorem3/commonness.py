"""Where the recursions need a common drift, full slots and equal slots, and what does without."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, combinations_with_replacement, pairwise, product
from typing import Any

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import QUARTER, THOUSANDTH, Case, Cases, Exact, near, without
from evenkeel.theorems.balance_frontier.criterion import refill_optimum
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.theorem2.recursion import largest_optimal_spread
from theory.disproof import gap_at, violated
from theory.formal.record import Theorem
from theory.formulas.departures import Departures
from theory.formulas.step import spacing_cost
from theory.proof import Identity, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp

REST = (
    Assumption.RICH_POOL,
    Assumption.STICKY,
    Assumption.BOUNDED_SIZES,
    Assumption.MYOPIC,
    Assumption.EXACT_STEP,
)
SPREAD = "max L - min L after an optimal step (load)"

Request = tuple[int, int, bool]  # its load, what it grows by, whether it then departs


@dataclass(frozen=True, slots=True)
class State:
    """A measured step: the requests of each worker, what becomes of them, and the slots."""

    workers: tuple[tuple[Request, ...], ...]
    slots: tuple[int, ...]

    @property
    def step(self) -> Departures:
        """What departs, and the refill."""
        rows = [[load for load, _, _ in worker] for worker in self.workers]
        growth = [[grown for _, grown, _ in worker] for worker in self.workers]
        gone = [[out for _, _, out in worker] for worker in self.workers]
        return Departures(rows, gone, growth, self.slots)

    @property
    def is_common(self) -> bool:
        """Whether all requests grow by the same amount."""
        return len({grown for worker in self.workers for _, grown, _ in worker}) <= 1

    @property
    def is_full(self) -> bool:
        """Whether every slot is occupied."""
        return tuple(map(len, self.workers)) == self.slots

    @property
    def weight(self) -> tuple[int, ...]:
        """Order of size: slots, then all loads and growths, then departures and growths."""
        flat = list(chain.from_iterable(self.workers))
        load, grown, gone = (sum(request[column] for request in flat) for column in range(3))
        return sum(self.slots), load + grown, gone, grown

    def witness(self, a: int, b: int, p: Fraction) -> dict[str, Any]:
        """The state and its refill, JSON-ready; a request is (load, growth, whether it departs)."""
        return {"requests": self.workers, "slots": self.slots, "sizes": [a, b], "p": str(p)}


def states(slots: tuple[int, ...], top: int, growths: Iterable[int]) -> Iterator[State]:
    """Every state with loads up to ``top``, growths of that list, empty slots and departures."""
    requests = list(product(range(1, top + 1), growths, (False, True)))
    rows = (
        [row for n in range(B + 1) for row in combinations_with_replacement(requests, n)]
        for B in slots
    )
    for workers in product(*rows):
        # Neighbours of as many slots are interchangeable.
        if all(
            one[1] <= two[1] or one[0] != two[0]
            for one, two in pairwise(zip(slots, workers, strict=True))
        ):
            yield State(workers, slots)


def _carried_formula() -> "sp.Basic":
    """``V' <= ((1-p) V + N - B p (b-a))^+`` of [geometric.recursion]."""
    V, N, B, p, a, b = sp.symbols("V N B p a b", positive=True)
    return at_most("V_next", sp.Max(0, (1 - p) * V + N - B * p * (b - a)))


def _search(trial: Trial, found: Iterable[State], fails: Callable[[State], bool]) -> Finding:
    """The smallest step above [geometric.recursion] without an assumption.

    Parameters
    ----------
    trial : Trial
        The run, with the shares ``p``.
    found : iterable of State
        Where to search.
    fails : callable
        Whether a state fails the assumption; the others are the control.
    """
    every = sorted(found, key=lambda state: state.weight)

    def steps(failing: bool) -> Iterator[Case]:
        for state, d, p in product(every, (0, 1), trial["p"]):
            if fails(state) is failing:
                step, a, b = state.step, 1, 1 + d
                spread = largest_optimal_spread(step.refilled(a), step.refilled(b))
                yield spread, step.spread_bound(a, b, p), partial(state.witness, a, b, p)

    return without(
        trial,
        "<=",
        steps(failing=True),
        steps(failing=False),
        f"steps from {len(every):,} states, rich pools of sizes 1 or 1..2, smallest first",
    )


def _share() -> "tuple[sp.Symbol, sp.Expr]":
    """``z > 0`` and ``p = 1 / (1 + z)``, which runs through (0, 1)."""
    z = sp.Symbol("z", positive=True)
    return z, 1 / (1 + z)


def _excess(p: "sp.Expr", *loads: int) -> "sp.Expr":
    """``N`` where each worker has one request of that load, which stays, and all sizes are 1.

    An empty worker counts like a load of 1.
    """
    ws = sp.symbols(f"w_1:{len(loads) + 1}", positive=True)
    stays = [p * (w - 1) for w in ws]
    return sp.Subs(sp.Max(*(-y for y in stays)) + sp.Max(*stays), ws, loads)


@claim(
    "drift.own-growth",
    "upper",
    assumptions=(Assumption.FULL_SLOTS, *REST),
    requires=("geometric.recursion",),
    holds=False,
    answers=("A3",),
    drops=(
        Dropped("geometric.recursion", "common drift"),
        Dropped("drift.bfio-upper", "common drift"),
    ),
)
class OwnGrowth:
    """The recursion when each request grows by its own amount.

    [geometric.recursion] and [drift.bfio-upper] hold for growths that differ between requests.
    False: two workers with a slot each and requests of size 1, of which one grows by 1 and none
    departs, have V = Imb = 0 and V' = Imb' = 1, where both allow p < 1, from size 1 alone and from
    sizes 1 and 2. What fails is the step from the loads with their growth back to those before it:
    V and Imb of the two are the same only if every worker grows by the same.
    """

    def formula(self) -> "sp.Basic":
        return _carried_formula()

    def proof(self) -> tuple[Step, ...]:
        z, p = _share()
        return (
            Setting(
                "The recursion is one of loads with their growth; that V and Imb are those before "
                "it is spread_of_all_grown in theory/formal/Spread.v.  Let G = 2, B = 1, two "
                "requests of load 1, all sizes 1; one grows by 1, none departs."
            ),
            Identity(
                "What fails: V of the grown loads 1 and 2 is not V of the loads, but 1 more",
                gap_at(1, 2),
                gap_at(1, 1) + 1,
            ),
            Identity(
                "X = -p (w - 1) is at most 0 and Y = p (w - 1) at most p, so N = p",
                _excess(p, 1, 2),
                1 / (1 + z),
            ),
            violated(
                "No slot is free, so V' is V of the grown loads; it is allowed N = p",
                self.formula(),
                {"V_next": gap_at(1, 2), "V": 0, "N": p, "B": 1, "a": 1, "b": 1, "p": p},
                z / (1 + z),
            ),
        )

    @evidence(
        measures=SPREAD,
        plants=(
            Variant("within 1.25 times the bound", QUARTER),
            Variant("one request alone grows", fault="one-grows"),
        ),
        systems=(((1, 1), 3), ((1, 1, 1), 2), ((2, 2), 2)),
        growths=(0, 1),
        p=(Fraction(1, 2),),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step above the recursion, over all loads that an
        admission can reach, common growths as control; one refutes it.
        """

        def several_grow(state: State) -> bool:
            grown = [more for worker in state.workers for _, more, _ in worker if more]
            return trial.fault("one-grows") and len(grown) > 1 and not state.is_common

        found = (
            state
            for slots, top in trial["systems"]
            for state in states(slots, top, trial["growths"])
            if state.is_full and not several_grow(state)
        )
        return _search(trial, found, lambda state: not state.is_common)


def _common_states(trial: Trial) -> Iterator[State]:
    """The states of the trial's systems in which all requests grow by the same amount."""
    for (slots, top), growth in product(trial["systems"], trial["growths"]):
        yield from states(slots, top, (growth,))


@claim(
    "drift.empty-slots",
    "upper",
    assumptions=(Assumption.COMMON_DRIFT, *REST),
    requires=("geometric.recursion",),
    holds=False,
    drops=(Dropped("geometric.recursion", "full slots"),),
)
class EmptySlots:
    """The recursion when slots were empty before.

    [geometric.recursion] holds where slots were empty at the measured step and the admission fills
    all of them. False: one request of load 1 that grows by 2 and stays, an empty worker beside it,
    a slot each, all sizes 1: V = Imb = 1 and V' = Imb' = 2, where 1 + p is allowed. Two steps fail:
    a worker of n requests grows by n d, and each empty slot that is given size x adds (1-p) x to
    the load that its worker can reach. The two make up for each other where the growth d is itself
    a size, a <= d <= b [drift.uncommon].
    """

    def formula(self) -> "sp.Basic":
        return _carried_formula()

    def proof(self) -> tuple[Step, ...]:
        z, p = _share()
        e, x, B = sp.symbols("e x B", positive=True)
        load, left, share = sp.symbols("L D p", real=True)
        return (
            Setting(
                "The load with every free slot given size x is refilled in "
                "theory/formal/Recursion.v, for as many requests as slots.  With e of B slots "
                "empty, L the load of the B - e requests, growth included, D = "
                "sum (w - x) over those that depart and Y = p (L - (B-e) x) - D, a worker whose "
                "free slots are all given size x ends with the load L - D + e x."
            ),
            Identity(
                "What fails: that is (1-p) L + p B x + Y only without the first term",
                load - left + e * x,
                (1 - share) * e * x
                + ((1 - share) * load + share * B * x + share * (load - (B - e) * x) - left),
            ),
            Setting(
                "G = 2, B = 1, a request of load 1 that grows by 2 and stays, an empty worker, all "
                "sizes 1.  X = -2p and 0, Y = 2p and 0."
            ),
            Identity("so N = 2p", _excess(p, 3, 1), 2 / (1 + z)),
            violated(
                "The loads are 3 and, once the slot is filled, 1: V' = 2 is above 1 + p",
                self.formula(),
                {
                    "V_next": gap_at(3, 1),
                    "V": gap_at(1, 0),
                    "N": 2 / (1 + z),
                    "B": 1,
                    "a": 1,
                    "b": 1,
                    "p": p,
                },
                z / (1 + z),
            ),
        )

    @evidence(
        measures=SPREAD,
        plants=(
            Variant("within 1.25 times the bound", QUARTER),
            Variant("no growth, so that only what enters differs", fault="no-growth"),
            Variant("one slot is empty", fault="one-slot"),
        ),
        systems=(((1, 1), 3), ((1, 1, 1), 2), ((2, 2), 2)),
        growths=(0, 1, 2, 3),
        p=(Fraction(1, 2),),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step above the recursion, over all loads that an
        admission can reach, full slots as control; one refutes it.
        """

        def spared(state: State) -> bool:
            grown = sum(more for worker in state.workers for _, more, _ in worker)
            empty = sum(state.slots) - sum(map(len, state.workers))
            return (trial.fault("no-growth") and grown > 0) or (
                trial.fault("one-slot") and empty > 1
            )

        found = (state for state in _common_states(trial) if not spared(state))
        return _search(trial, found, lambda state: not state.is_full)


@claim(
    "drift.unequal-slots",
    "upper",
    assumptions=(Assumption.COMMON_DRIFT, Assumption.FULL_SLOTS, *REST),
    requires=("geometric.recursion",),
    holds=False,
    drops=(Dropped("geometric.recursion", "equal numbers of slots"),),
)
class UnequalSlots:
    """The recursion when workers differ in their slots.

    [geometric.recursion] holds, with B the smallest number of slots, for workers that have
    different numbers of them. False: one slot and two slots, all of them with requests of size 1
    that stay and do not grow: V = Imb = V' = Imb' = 1, where 1 - p is allowed. What fails is that
    the difference of what two workers can reach has p B (b-a) in it and no more of B; with a growth
    d so does the step to loads with their growth, as B d differs.
    """

    def formula(self) -> "sp.Basic":
        return _carried_formula()

    def proof(self) -> tuple[Step, ...]:
        z, p = _share()
        a, b, B, C = sp.symbols("a b B C", positive=True)
        one, two, X, Y, share = sp.symbols("L_1 L_2 X Y p", real=True)
        return (
            Setting(
                "Worker 2, of C slots, all given size a, ends with the load (1-p) L_2 + p C a + Y, "
                "and worker 1, of B slots, given b, with (1-p) L_1 + p B b - X."
            ),
            Identity(
                "What fails: the first exceeds the second by p a (C - B) more than for C = B",
                ((1 - share) * two + share * C * a + Y) - ((1 - share) * one + share * B * b - X),
                ((1 - share) * (two - one) + X + Y - B * share * (b - a)) + share * a * (C - B),
            ),
            Setting(
                "One slot and two slots, three requests of load 1 that stay and do not grow, all "
                "sizes 1: all w - 1 are 0, so X, Y and N are."
            ),
            violated(
                "No slot is free, the loads stay 1 and 2, and V' = 1 is above 1 - p",
                self.formula(),
                {
                    "V_next": gap_at(1, 2),
                    "V": gap_at(1, 2),
                    "N": 0,
                    "B": 1,
                    "a": 1,
                    "b": 1,
                    "p": p,
                },
                1 / (1 + z),
            ),
        )

    @evidence(
        measures=SPREAD,
        plants=(
            Variant("within 1.25 times the bound", QUARTER),
            Variant("everything departs", fault="all-depart"),
            Variant("balanced loads", fault="balanced"),
        ),
        systems=(((1, 1), 3), ((1, 2), 3), ((1, 1, 2), 2), ((2, 2), 2)),
        growths=(0, 1),
        p=(Fraction(1, 2),),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step above the recursion, over all loads that an
        admission can reach, equal numbers of slots as control; one refutes it.
        """

        def spared(state: State) -> bool:
            stays = not all(gone for worker in state.workers for _, _, gone in worker)
            return (trial.fault("all-depart") and stays) or (
                trial.fault("balanced") and state.step.spread > 0
            )

        found = (state for state in _common_states(trial) if state.is_full and not spared(state))
        return _search(trial, found, lambda state: len(set(state.slots)) > 1)


@claim(
    "drift.uncommon",
    "upper",
    assumptions=(Assumption.STICKY, Assumption.BOUNDED_SIZES, Assumption.MYOPIC),
    requires=("geometric.recursion", "step.spacing", "threshold.converse"),
    answers=("A3",),
    coq=Theorem("uncommon_growth", "Commonness.v"),
)
class Uncommon:
    """The recursion without a common growth, full slots or equal slots.

    Worker g has B_g slots, e_g of them empty at the measured step and none after the admission; its
    requests grow by Gamma_g in all, each by its own whole amount. Let Gamma_g(s) = Gamma_g + s e_g,
    and V, Imb, X, Y, N as in [geometric.recursion] over the requests that are there, p in [0, 1].
    From a rich pool of sizes in [a, b] an optimal step has V' <= ((1-p) (V + max Gamma(a) - min
    Gamma(b)) + N - p (b min B - a max B))^+ and Imb' <= (1-p) Imb + sum_g ((1-p) (max Gamma(a) -
    Gamma_g(b)) + X_g + max Y - p (b B_g - a max B))^+, and from any pool with as many copies of a
    and of b = a + delta > a as slots are free an Imb' of at most S of [step.spacing] more. Whatever
    is admitted, of sizes in [a, b], V' >= N - p (b max B - a min B) - (1-p) (V + max Gamma(b) - min
    Gamma(a)). So with B full slots each, growths in [0, d] add to V only what they differ by in sum
    between workers, at most B d; and with B slots each, however many are empty, a common growth in
    [a, b] adds nothing: at drift 1 and a = 1 slots need not be full.
    """

    def formula(self) -> "sp.Basic":
        V, N, p, a, b = sp.symbols("V N p a b", positive=True)
        upper, lower = sp.symbols("Gamma(a)_max Gamma(b)_min", positive=True)
        most, least = sp.symbols("B_max B_min", positive=True)
        kept = (1 - p) * (V + upper - lower) + N - p * (b * least - a * most)
        return at_most("V_next", sp.Max(0, kept))

    @evidence(
        measures=SPREAD,
        plants=(
            near("spread", 1 / THOUSANDTH),
            near("imbalance", 1 / THOUSANDTH),
            near("two sizes", 1 / THOUSANDTH),
            near("any admission"),
            near("growths", 1 / THOUSANDTH),
            Variant("a common growth of b + 1", fault="beyond"),
            Variant("a common growth of a - 1", fault="below"),
            Variant("own growth left out", fault="no-growth"),
            Variant("empty slots left out", fault="no-empty"),
            Variant("the smallest number of slots throughout", fault="least-slots"),
        ),
        systems=(((1, 1), 2), ((1, 2), 1), ((2, 2), 1), ((1, 1, 1), 1)),
        growths=(0, 1, 2),
        sizes=((1, 1), (1, 3), (2, 3)),
        p=(Fraction(1, 3), Fraction(1)),
        standard={"systems": (((1, 1), 4), ((1, 2), 2), ((2, 2), 1), ((1, 1, 1), 2))},
    )
    def check(self, trial: Trial) -> Finding:
        """All of these inequalities in exact arithmetic for every small state with growths of its
        own, empty slots and unequal workers, against the enumerated optima and all loads that can
        be reached; one step outside refutes it.
        """
        cases = Cases("<=")
        found = (
            state
            for slots, top in trial["systems"]
            for state in states(slots, top, trial["growths"])
        )
        for state, (a, b), p in product(found, trial["sizes"], trial["p"]):
            if any(
                cases.add(computed, claimed, partial(state.witness, a, b, p), what)
                for computed, claimed, what in _inequalities(trial, state, a, b, p)
            ):
                break
        systems = "; ".join(f"{slots}, loads <= {top}" for slots, top in trial["systems"])
        sizes = ", ".join(f"{a}..{b}" for a, b in trial["sizes"])
        return cases.finding(
            trial,
            f"every state with slots {systems}, each request growing by one of {trial['growths']}, "
            f"and every departure; sizes {sizes}, p in {', '.join(map(str, trial['p']))}",
        )


def _inequalities(
    trial: Trial, state: State, a: int, b: int, p: Fraction
) -> Iterator[tuple[Exact, Exact, str]]:
    """The two sides of each inequality of [drift.uncommon], the smaller one first, and its name."""
    step, slots, zero = state.step, state.slots, Fraction(0)
    low, high = step.gains(a), step.gains(b)
    if trial.fault("no-growth") or trial.fault("no-empty"):
        own = step.gains(0)  # the growth alone
        low, high = (
            tuple(
                gained - g if trial.fault("no-growth") else g
                for gained, g in zip(gains, own, strict=True)
            )
            for gains in (low, high)
        )
    if trial.fault("least-slots"):
        slots = (min(slots),) * len(slots)
    X, Y, V = step.X(b, p), max(step.Y(a, p)), step.spread
    optimum = partial(refill_optimum, step.kept, step.free)
    lowest, highest = step.refilled(a), step.refilled(b)

    spread = (
        (1 - p) * (V + max(low) - min(high)) + max(X) + Y - p * (b * min(slots) - a * max(slots))
    )
    yield (
        largest_optimal_spread(lowest, highest),
        max(zero, spread) * trial.scale_of("spread"),
        "",
    )
    lacking = sum(
        max(zero, (1 - p) * (max(low) - gained) + x + Y - p * (b * B - a * max(slots)))
        for gained, x, B in zip(high, X, slots, strict=True)
    )
    bound = (1 - p) * step.imbalance + lacking
    yield optimum(range(a, b + 1)), bound * trial.scale_of("imbalance"), "imbalance"
    if a < b:
        spacing = spacing_cost(len(slots), b - a)
        yield (
            optimum((a, b)),
            (bound + spacing) * trial.scale_of("two sizes"),
            "imbalance from two sizes",
        )
    least = (
        max(X) + Y - p * (b * max(slots) - a * min(slots)) - (1 - p) * (V + max(high) - min(low))
    )
    yield (
        least * trial.scale_of("any admission"),
        max(0, max(lowest) - min(highest)),
        "what every admission leaves, against the smallest spread that can be reached",
    )
    if len(set(state.slots)) == 1:
        if state.is_full:
            own, most = step.gains(0), max(d for row in state.workers for _, d, _ in row)
            yield max(own) - min(own), state.slots[0] * most * trial.scale_of("growths"), "growths"
        inside = range(a - trial.fault("below"), b + trial.fault("beyond") + 1)
        if state.is_common and all(d in inside for row in state.workers for _, d, _ in row):
            yield max(low) - min(high), 0, "a common growth, with empty slots"
