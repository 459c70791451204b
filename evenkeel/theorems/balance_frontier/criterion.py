"""When a rich pool can make the loads equal: the criterion and its cost."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, combinations_with_replacement, product
from math import comb

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases, Witness
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import affordable, rich_steps, witness_of
from solvers.step.exact.brute_force import exact_step, search_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.rebalancing import can_rebalance
from theory.formulas.step import criterion_violation
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import equal
from theory.symbolic import sp

Rows = tuple[tuple[int, ...], ...]


def _left(rows: Rows) -> Iterator[tuple[Rows, list[int]]]:
    """Loads of the departing requests, and what is left on each worker after growth by 1."""
    departing = ([c for k in range(len(row) + 1) for c in combinations(row, k)] for row in rows)
    for gone in product(*departing):
        yield (
            gone,
            [
                sum(row) + len(row) - sum(out) - len(out)
                for row, out in zip(rows, gone, strict=True)
            ],
        )


def _departures(trial: Trial, top: int) -> Iterator[tuple[Rows, Rows, list[int]]]:
    """Balanced states of two workers, and every pattern of departures.

    Yields the rows of loads at the measured step, and what :func:`_left` yields of them.
    """
    B = trial["B"]
    affordable(comb(top + B - 1, B) ** 2 * 4**B, "departure patterns")
    rows = list(combinations_with_replacement(range(1, top + 1), B))
    for one, two in combinations_with_replacement(rows, 2):
        if sum(one) == sum(two):
            for gone, kept in _left((one, two)):
                yield (one, two), gone, kept


@cache
def enumerated_optimum(
    loads: tuple[int, ...], free: tuple[int, ...], sizes: tuple[int, ...]
) -> int:
    """Optimal imbalance of a step that fills every slot, by trying all assignments."""
    # The search itself, without its limit on assignments: copies of a size are interchangeable.
    problem = StepProblem(loads, free, sizes)
    return problem.objective(search_step(problem))


def refill_optimum(
    kept: Sequence[int], free: Sequence[int], offered: Iterable[int], copies: int | None = None
) -> int:
    """Optimal imbalance of a refill, by trying all assignments.

    Parameters
    ----------
    kept, free : sequence of int
        What is left on each worker, and its free slots.
    offered : iterable of int
        The sizes in the pool.
    copies : int, optional
        Of each; as many as slots are free by default, the smallest pool that never runs out of one.
    """
    sizes = tuple(size for size in offered for _ in range(sum(free) if copies is None else copies))
    low = min(kept)
    return enumerated_optimum(tuple(x - low for x in kept), tuple(free), sizes)


@claim(
    "threshold.rich",
    "equality",
    assumptions=(
        Assumption.FULL_SLOTS,
        Assumption.RICH_POOL,
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("step.waterfill",),
    coq=Theorem("threshold_rich", "Departures.v"),
)
class Rich:
    """The imbalance of the step after a balanced one.

    Rich pool, common drift, every slot occupied. After a perfectly balanced step the next optimal
    step has Imb = sum_g (X_g - min_h Y_h)^+, X_g the sum of w - b and Y_g that of w - a over the
    requests that departed on worker g, w their loads with the growth of the step included. So it is
    perfectly balanced again iff max X <= min Y.
    """

    def formula(self) -> "sp.Basic":
        G, g = sp.symbols("G g", positive=True, integer=True)
        X, least = sp.IndexedBase("X", real=True), sp.Symbol("Y_min", real=True)
        return sp.Eq(sp.Symbol("Imb"), sp.Sum(sp.Max(0, X[g] - least), (g, 1, G)))

    def proof(self) -> tuple[Step, ...]:
        G, g = sp.symbols("G g", positive=True, integer=True)
        X, least = sp.IndexedBase("X", real=True), sp.Symbol("Y_min", real=True)
        level, W, c, a, b = sp.symbols("Lambda W c_g a b", nonnegative=True)
        return (
            Setting(
                "All slots are full and grow alike, so after growth every worker has the same "
                "load Lambda; worker g loses c_g departing requests of total load W, so l_g = "
                "Lambda - W, X_g = W - c_g b and Y_g = W - c_g a."
            ),
            Identity(
                "The least load after refilling, l_g + c_g a, is Lambda - Y_g",
                sp.UnevaluatedExpr(level - W) + c * a,
                level - sp.UnevaluatedExpr(W - c * a),
            ),
            Identity(
                "and the largest, l_g + c_g b, is Lambda - X_g",
                sp.UnevaluatedExpr(level - W) + c * b,
                level - sp.UnevaluatedExpr(W - c * b),
            ),
            Conclusion(
                "By [step.waterfill] Imb = sum_g (M - l_g - c_g b)^+, M = max_g (l_g + c_g a) = "
                "Lambda - min Y",
                self.formula(),
                {sp.Symbol("Imb"): sp.Sum(sp.Max(0, (level - least) - (level - X[g])), (g, 1, G))},
            ),
        )

    @evidence(
        measures="imbalance of the optimal step (load)",
        B=2,
        top=5,
        size=3,
        standard={"top": 7, "size": 4},
        paper={"B": 3, "top": 6, "size": 3},
        plants=(
            Variant("imbalance x1.1", Fraction(11, 10)),
            Variant("imbalance x0.9", Fraction(9, 10)),
            Variant("the criterion is X < Y", fault="strict"),
            Variant("growth of the step left out", fault="no-growth"),
            Variant("one copy of each size in the pool", fault="one-copy"),
            Variant("the total of departing loads alone", fault="totals"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Every departure pattern of small balanced systems, the imbalance and the criterion each
        against the enumerated optimum; one disagreement refutes it.
        """
        copies = 1 if trial.fault("one-copy") else None

        def steps() -> Iterator[Case]:
            for rows, gone, kept in _departures(trial, trial["top"]):
                grown = [[w + (not trial.fault("no-growth")) for w in out] for out in gone]
                for a, b in combinations_with_replacement(range(1, trial["size"] + 1), 2):
                    if copies and sum(map(len, gone)) > b - a + 1:
                        continue
                    optimum = refill_optimum(kept, list(map(len, gone)), range(a, b + 1), copies)
                    X, Y = ([sum(w - s for w in out) for out in grown] for s in (b, a))
                    balanced = can_rebalance(grown, a, b)
                    if trial.fault("totals"):
                        balanced = sum(grown[0]) == sum(grown[1])
                    elif trial.fault("strict"):
                        balanced = max(X) < min(Y)
                    witness: Witness = partial(dict, loads=rows, departed=gone, a=a, b=b)
                    yield optimum, sum(max(0, x - min(Y)) for x in X) * trial.scale, witness
                    yield int(optimum == 0), int(balanced), witness

        cases = Cases("==")
        cases.extend(steps())
        return cases.finding(
            trial,
            f"imbalance, and whether it is 0, at G = 2, B = {trial['B']}, all balanced states with "
            f"loads <= {trial['top']}, all departures, 1 <= a <= b <= {trial['size']}",
        )


@claim(
    "threshold.rich-any-slots",
    "equality",
    assumptions=(
        Assumption.RICH_POOL,
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("threshold.rich",),
    holds=False,
)
class RichAnySlots:
    """When the step after a balanced one can be balanced, with empty slots.

    Rich pool, common drift. After a perfectly balanced step the next optimal step is perfectly
    balanced iff max X <= min Y, whether every slot was occupied or not. A slot that was empty must
    be filled, though nothing departs: G = B = 2, drift 1, sizes in [2, 3], loads {6} and {3, 3}:
    the criterion compares 0 with 0 and the optimum is 1. Nor do [threshold.replacement] and
    [threshold.sufficient] hold there.
    """

    def formula(self) -> "sp.Basic":
        X, Y = sp.symbols("X_max Y_min", integer=True)
        return sp.Equivalent(sp.Eq(sp.Symbol("Imb"), 0), sp.Le(X, Y))

    def proof(self) -> tuple[Step, ...]:

        def optimum() -> bool:
            """All that can enter the one empty slot: loads 7 + s and 8."""
            return min(2 * max(7 + s, 8) - (7 + s) - 8 for s in (2, 3)) == 1

        return (
            Setting(
                "G = B = 2, drift 1, sizes 2 or 3, loads {6} and {3, 3}, balanced; nothing "
                "departs, so all X and Y are 0 and the criterion holds."
            ),
            Computation("The empty slot must be filled, by 2 or by 3: at best Imb = 1", optimum),
        )

    @evidence(
        no_near_factor="an identity or an equivalence, without a constant",
        measures="whether the optimal step is balanced (0 or 1)",
        top=6,
        size=3,
        plants=(
            Variant("the criterion suffices", fault="suffices"),
            Variant("balance where nothing departs", fault="nothing-departs"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The criterion against the enumerated optimum, for every balanced state with empty slots
        and every departure pattern of small systems; one disagreement refutes it.
        """
        top, size = trial["top"], trial["size"]
        states = [
            row for k in (1, 2) for row in combinations_with_replacement(range(1, top + 1), k)
        ]

        def steps() -> Iterator[Case]:
            for rows in product(states, repeat=2):
                if sum(rows[0]) != sum(rows[1]) or len(rows[0]) == len(rows[1]) == 2:
                    continue
                for (gone, kept), (a, b) in product(
                    _left(rows), combinations_with_replacement(range(1, size + 1), 2)
                ):
                    claimed = can_rebalance([[w + 1 for w in out] for out in gone], a, b)
                    if (
                        min(map(min, rows)) < a
                        or (trial.fault("suffices") and not claimed)
                        or (trial.fault("nothing-departs") and any(gone))
                    ):
                        continue
                    # A worker of two slots fills all that is empty.
                    free = [2 - len(row) + len(out) for row, out in zip(rows, gone, strict=True)]
                    optimum = refill_optimum(kept, free, range(a, b + 1))
                    witness: Witness = partial(dict, loads=rows, departed=gone, a=a, b=b)
                    yield int(optimum == 0), int(claimed), witness

        cases = Cases("==")
        cases.extend(steps())
        return cases.finding(
            trial,
            "up to the first disagreement at G = B = 2, balanced states with an empty slot and "
            f"loads <= {top}, all departures, 1 <= a <= b <= {trial['size']}; 1 stands for "
            "perfect balance",
            strongest=Verdict.INCONCLUSIVE,
        )


@claim(
    "threshold.cost",
    "upper",
    assumptions=(Assumption.RICH_POOL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
    requires=("step.waterfill",),
)
class Cost:
    """What is lost when balance is out of reach.

    Rich pool. With v = (max_g (l_g + c_g a) - min_g (l_g + c_g b))^+, which is 0 iff balance can be
    perfect, the optimal imbalance lies in [v, (G-1) v]; both ends are attained.
    """

    def formula(self) -> "sp.Basic":
        G = sp.Symbol("G", positive=True, integer=True)
        v, imb = sp.symbols("v Imb", nonnegative=True, integer=True)
        return sp.And(sp.Le(v, imb), sp.Le(imb, (G - 1) * v))

    def proof(self) -> tuple[Step, ...]:
        n = sp.Symbol("n", nonnegative=True, integer=True)
        v, r, u, e = sp.symbols("v r u e", nonnegative=True)
        load, c, a, d = sp.symbols("l_g c_g a d", nonnegative=True)
        level, least = sp.symbols("M y", real=True)
        return (
            Lemma(
                "terms",
                "By [step.waterfill] the optimum is the sum of the terms (M - l_g - c_g b)^+, M = "
                "max_g (l_g + c_g a).  Let y be the smallest l_g + c_g b; then v = (M - y)^+.",
            ),
            Identity(
                "A worker at y + e has, for v = M - y > 0, the term (v - e)^+",
                sp.Subs(sp.Max(0, level - (least + e)), level, least + v),
                sp.Max(0, v - e),
            ),
            Inequality("which is at most v", sp.Max(0, v - e), v, sp.Min(v, e)),
            Identity(
                "The worker of M = l + c a, b = a + d, has none",
                sp.Subs(sp.Max(0, level - load - c * (a + d)), level, load + c * a),
                sp.Integer(0),
            ),
            Lemma(
                "two workers",
                "If v > 0 the worker at y, with the term v, and that of M are two; the n = G - 2 "
                "others have terms that sum to r >= 0 and to n v - u, u >= 0.",
            ),
            Inequality("Lower side", v, v + r, r),
            Inequality("Upper side", sp.expand(v + n * v - u), (n + 1) * v, u),
        )

    @evidence(
        measures="optimal imbalance (load)",
        G=3,
        load=4,
        free=2,
        slots=3,
        size=3,
        standard={"load": 8, "slots": 4},
        plants=(
            Variant("v x1.1", Fraction(11, 10), side="lower"),
            Variant("(G-1) v x0.9", Fraction(9, 10), side="upper"),
            Variant("G - 2 in place of G - 1", fault="workers"),
            Variant("one copy of each size in the pool", fault="one-copy"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """All loads and free slots of a finite domain; an optimum outside refutes it."""
        cases, low, high = Cases("<="), 0, 0
        for problem, a, b in rich_steps(trial):
            loads, free = problem.loads.tolist(), problem.free.tolist()
            violation, witness = criterion_violation(loads, free, a, b), witness_of(problem)
            optimum = problem.objective(exact_step(problem))
            most = (problem.workers - 1 - trial.fault("workers")) * violation
            low += violation == optimum > 0
            high += most == optimum > 0
            sides = (
                (violation * trial.scale_of("lower"), optimum, witness),
                (optimum, most * trial.scale_of("upper"), witness),
            )
            if cases.extend(sides):
                break
        return cases.finding(
            trial,
            f"both sides for all steps with G <= {trial['G']}, loads <= {trial['load']}, free "
            f"slots <= {trial['free']} (sum <= {trial['slots']}), 1 <= a <= b <= {trial['size']}",
            details={"lower side attained": low, "upper side attained": high},
        )


@claim(
    "threshold.replacement",
    "equality",
    assumptions=(
        Assumption.FULL_SLOTS,
        Assumption.RICH_POOL,
        Assumption.BOUNDED_SIZES,
        Assumption.COMMON_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("threshold.rich",),
    coq=Theorem("threshold_replacement", "Departures.v"),
)
class Replacement:
    """Balance is kept for free while departing loads are admissible sizes.

    Rich pool, every slot occupied. After a perfectly balanced step, if every request that departs
    has a load w <= b, growth included, the next optimal step is perfectly balanced again, whatever
    the numbers of departures: only requests that have grown by more than b - s can break perfect
    balance.
    """

    def formula(self) -> "sp.Basic":
        return equal("Imb", "0")

    def proof(self) -> tuple[Step, ...]:
        a, b = sp.symbols("a b", positive=True)
        x, y = sp.symbols("x y", nonnegative=True)
        G, g = sp.symbols("G g", positive=True, integer=True)
        below, above = sp.IndexedBase("x", nonnegative=True), sp.Symbol("y", nonnegative=True)
        return (
            Inequality("A load w = b - x has w - b <= 0", (b - x) - b, sp.Integer(0), x),
            Inequality("A load w = a + y has w - a >= 0", sp.Integer(0), (a + y) - a, y),
            Lemma(
                "separated by zero",
                "Loads never fall below the size, so a <= w <= b for all that depart, and X_g = "
                "-x_g <= 0 <= min Y = y.  In words, each request is replaced by one of its own "
                "load.",
            ),
            Conclusion(
                "By [threshold.rich] Imb = sum_g (X_g - min Y)^+",
                self.formula(),
                {sp.Symbol("Imb", positive=True): sp.Sum(sp.Max(0, -below[g] - above), (g, 1, G))},
            ),
        )

    @evidence(
        no_near_factor="an identity or an equivalence, without a constant",
        measures="imbalance of the optimal step (load)",
        B=2,
        size=4,
        standard={"size": 5},
        plants=(
            Variant("departing loads up to b + 1", fault="older"),
            Variant("growth of the step left out", fault="no-growth"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Every departure pattern of small balanced systems with loads in [a, b]; a positive
        optimal imbalance refutes it.
        """
        b, cases = trial["size"], Cases("==")
        above = trial.fault("older") or trial.fault("no-growth")
        cases.extend(
            (
                refill_optimum(kept, list(map(len, gone)), range(a, b + 1)),
                0,
                partial(dict, loads=rows, departed=gone, a=a, b=b),
            )
            for rows, gone, kept in _departures(trial, b + above)
            if max((w + 1 for out in gone for w in out), default=1) <= b + above
            for a in range(1, min(map(min, rows)) + 1)
        )
        return cases.finding(
            trial,
            f"G = 2, B = {trial['B']}, b = {b}, all a, all balanced states with every slot "
            "occupied, all departures of loads at most b after growth",
        )
