"""Floors of the energy saving of one run over another."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

from flint import ctx

from adversary.instances.load_histories import equal_others, zero_one
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import TENTH, Comparison, broken, near, refuted, stands
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.load_histories import PAIRED
from evenkeel.theorems.theorem4.pairs import AT_C0, SAVED, Pair, hold_pairs, on_device
from evenkeel.theorems.theorem4.power_constants import (
    DEVICES,
    PRECISION,
    WASTE,
    ball_constants,
    per_work,
    seen,
)
from theory.formal.record import Theorem
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_floor,
    saving_paper,
    saving_sharp,
)
from theory.laws.fcfs_expectation import to_ball
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.symbolic import es, sp


def sharp_floor() -> "sp.Basic":
    """[energy.saving-sharp]."""
    return sp.Ge(es.saving, saving_sharp(es.POWER, es.BASE, es.NEW))


def paper_floor() -> "sp.Basic":
    """[energy.saving-paper], where ``P_idle eta >= D eta1``; [energy.paper-everywhere] without."""
    return sp.Ge(es.saving, saving_paper(es.POWER, es.BASE, es.NEW))


_ENERGIES = Lemma(
    "energies",
    "Per unit of work E0 lies between P_max + P_idle eta0 and P_max + D eta0, and E1 the same with "
    "eta1 [energy.sandwich]; both runs do the same work [energy.work-invariance].",
)


def _floor_says_something(pair: Pair) -> bool:
    """``alpha >= D/P_idle``, decided in fractions."""
    power = pair.exact
    return power.idle_w * pair.base.run.idle >= power.waste_w * pair.new.run.idle


FLOOR = near("floor")
AVERAGES = Variant("alpha from averages over unequal numbers of steps", fault="averages")


def _improved(trial: Trial, pair: Pair) -> Usage[Any]:
    """The improved run as the bound sees it; with planted averages, its imbalance a step."""
    if trial.fault("averages"):
        # alpha = AvgImb0/AvgImb1 = (I0/K0)/(I1/K1) in place of I0/I1.
        ratio = Fraction(len(pair.base.history.loads), len(pair.new.history.loads))
        return Usage(pair.new.balls.busy, pair.new.balls.idle * to_ball(ratio))
    return pair.new.balls


@claim(
    "energy.saving-paper",
    "lower",
    source="paper, Theorem 4 (finite form as reconstructed)",
    version="v2",
    assumptions=(Assumption.ANY_SCHEDULE, *AT_C0),
    requires=("energy.sandwich", "energy.work-invariance"),
    coq=Theorem("energy_saving_paper", "Saving.v"),
    answers=("T4",),
)
class SavingPaper:
    """The paper-shaped floor of the saving.

    1 - E1/E0 >= (P_idle eta0 - D eta1) / (P_max + D eta0) wherever that is not negative. For I0,
    I1, P_idle > 0 it is the paper's (P_idle - D/alpha) / (P_max/eta + D), with alpha = I0/I1 the
    ratio of total imbalances, and it holds for alpha >= D/P_idle (1.9 for 100/400 W, gamma 0.7).
    """

    def formula(self) -> "sp.Basic":
        return paper_floor()

    def proof(self) -> tuple[Step, ...]:
        N = sp.Symbol("N", nonnegative=True)
        return (
            _ENERGIES,
            Setting(
                "Let N = P_idle eta0 - D eta1, not negative by hypothesis; E0 = (P_max + D "
                "eta0)/(1 + t), and E0 - E1 = N + r, with r and t not negative."
            ),
            Conclusion(
                "N over the upper side of E0 is at most (E0 - E1)/E0",
                paper_floor(),
                {
                    es.saving: (N + es.r) * (1 + es.t) / (es.TOP + es.D * es.eta),
                    es.eta1: (es.p * es.eta - N) / es.D,
                },
                ((es.r * (1 + es.t) + N * es.t) / (es.TOP + es.D * es.eta),),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(FLOOR, WASTE, AVERAGES, Variant("eta x2", fault="double-eta")),
        **PAIRED,
    )
    def check(self, trial: Trial) -> Finding:
        """Pairs of adversarial load histories of equal work, and pairs of real runs, in ball
        arithmetic; one certainly smaller saving refutes it.
        """

        def bound(pair: Pair) -> Any:
            base, new = pair.base.balls, _improved(trial, pair)
            if trial.fault("double-eta"):
                base, new = Usage(base.busy, 2 * base.idle), Usage(new.busy, 2 * new.idle)
            return saving_paper(seen(trial, pair.power), base, new)

        return hold_pairs(trial, (("floor", ">=", bound),), _floor_says_something)


@claim(
    "energy.paper-everywhere",
    "lower",
    assumptions=AT_C0,
    requires=("energy.saving-paper",),
    holds=False,
)
class PaperEverywhere:
    """The paper-shaped floor holds at every alpha.

    1 - E1/E0 >= (P_idle - D/alpha) / (P_max/eta + D) for every alpha > 0.
    """

    def formula(self) -> "sp.Basic":
        return paper_floor()

    def proof(self) -> tuple[Step, ...]:
        n, P, idle, eta, waste = (
            sp.Symbol(x, positive=True) for x in ("n", "P_max", "P_idle", "eta", "x")
        )
        D = idle + waste
        return (
            Lemma(
                "a negative numerator",
                "Below alpha = D / P_idle the numerator P_idle eta - D eta1 = -n is negative.  A "
                "baseline at its lower side (utilisations 0 and 1) and a run near its upper side "
                "save -n / (P_max + P_idle eta), as closely as one likes for small gamma.",
            ),
            Inequality(
                "With D = P_idle + x that is below the paper's form, whose denominator is larger",
                -n / (P + idle * eta),
                -n / (P + D * eta),
                n * waste * eta / ((P + idle * eta) * (P + D * eta)),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            near("floor", TENTH),
            near("floor", Fraction(9, 10)),
        ),
        **PAIRED,
    )
    def check(self, trial: Trial) -> Finding:
        """Pairs of load histories with alpha < D/P_idle; a saving certainly below the form refutes
        it. Dividing a negative numerator by an upper bound of E0 does not give a floor.
        """

        def bound(pair: Pair) -> Any:
            return saving_paper(pair.power, pair.base.balls, pair.new.balls)

        return hold_pairs(
            trial,
            (("floor", ">=", bound),),
            found="a pair with alpha < D/P_idle, where the form is negative and no floor: it holds "
            "only for alpha >= D/P_idle [energy.saving-paper]",
        )


@claim(
    "energy.saving-sharp",
    "lower",
    assumptions=(Assumption.ANY_SCHEDULE, *AT_C0),
    requires=("energy.sandwich", "energy.work-invariance"),
    coq=Theorem("energy_saving_sharp", "Saving.v"),
)
class SavingSharp:
    """The sharp floor of the saving.

    1 - E1/E0 >= (P_idle eta0 - D eta1) / (P_max + P_idle eta0), negative or not. For I0, I1 > 0 it
    is eta (P_idle - D/alpha) / (P_max + P_idle eta), for every alpha = I0/I1.
    """

    def formula(self) -> "sp.Basic":
        return sharp_floor()

    def proof(self) -> tuple[Step, ...]:
        low, high = es.TOP + es.p * es.eta, es.TOP + es.D * es.eta1
        return (
            _ENERGIES,
            Conclusion(
                "With E0 = P_max + P_idle eta0 + r and E1 = P_max + D eta1 - t, for a numerator of "
                "either sign",
                sharp_floor(),
                {es.saving: 1 - (high - es.t) / (low + es.r)},
                ((high * es.r + low * es.t) / (low * (low + es.r)),),
            ),
        )

    @evidence(measures=SAVED, plants=(FLOOR, WASTE, AVERAGES), **PAIRED)
    def check(self, trial: Trial) -> Finding:
        """Pairs of adversarial load histories of equal work, and pairs of real runs, in ball
        arithmetic; one certainly smaller saving refutes it.
        """

        def bound(pair: Pair) -> Any:
            power = seen(trial, pair.power)
            return saving_sharp(power, pair.base.balls, _improved(trial, pair))

        return hold_pairs(trial, (("floor", ">=", bound),))


@claim(
    "energy.sharp-dominates",
    "lower",
    assumptions=AT_C0,
    requires=("energy.saving-paper", "energy.saving-sharp"),
    coq=Theorem("energy_sharp_dominates", "Saving.v"),
)
class SharpDominates:
    """The sharp floor is never below the paper's where that says anything.

    Where P_idle eta0 >= D eta1 (alpha >= D/P_idle, if P_idle, I1 > 0) the sharp floor is at least
    the paper-shaped one, strictly above it if P_idle eta0 > D eta1, eta0 > 0, gamma < 1 and P_idle
    < P_max. Where P_idle eta0 < D eta1 the order is reversed (the sharp floor is at most the
    paper-shaped one) and both are negative.
    """

    def formula(self) -> "sp.Basic":
        gained = es.p * es.eta - es.POWER.waste_w * es.eta1
        upper, lower = energy_tangent(es.POWER, es.BASE), energy_floor(es.POWER, es.BASE)
        return sp.Eq(
            saving_sharp(es.POWER, es.BASE, es.NEW) - saving_paper(es.POWER, es.BASE, es.NEW),
            gained * es.e * es.d * es.eta / (upper * lower),
            evaluate=False,
        )

    def proof(self) -> tuple[Step, ...]:
        return (
            Identity(
                "Both forms are one numerator over two denominators: the sharp one",
                saving_sharp(es.POWER, es.BASE, es.NEW),
                (es.p * es.eta - es.D * es.eta1) / (es.TOP + es.p * es.eta),
            ),
            Identity(
                "and the paper's, larger by (1 - gamma) dP eta",
                saving_paper(es.POWER, es.BASE, es.NEW),
                (es.p * es.eta - es.D * es.eta1) / (es.TOP + es.p * es.eta + es.e * es.d * es.eta),
            ),
            Conclusion(
                "The difference has the sign of the numerator, and is 0 only with it, with eta, "
                "with 1 - gamma or with dP",
                self.formula(),
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            Variant("paper-shaped form x1.001", Fraction(1001, 1000), side="order"),
            Variant(
                "paper-shaped form x1.001 below D/P_idle", Fraction(1001, 1000), side="reversed"
            ),
            Variant("negative up to 1.1 D/P_idle", Fraction(11, 10), side="negative"),
            Variant("strictly above for gamma = 1, too", fault="always-strict"),
            Variant("claimed at every alpha", fault="every-alpha"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact fractions over a grid of devices, eta0 and eta1; one pair in the wrong order
        refutes it.
        """
        grid = [Fraction(k, 20) for k in (0, 1, 3, 8, 13, 20, 40, 200, 4000)]
        order, backwards = trial.scale_of("order"), trial.scale_of("reversed")
        reach = trial.scale_of("negative")
        tightest: tuple[Fraction, Fraction, Fraction] | None = None
        compared = strict = reversed_order = 0
        for (device, power), eta0, eta1 in product(DEVICES, grid, grid):
            curved = power.gamma < 1 and power.idle_w < power.max_w
            base, new = per_work(eta0), per_work(eta1)
            sharp, paper = saving_sharp(power, base, new), saving_paper(power, base, new)
            gained, lost = power.idle_w * eta0, power.waste_w * eta1
            if gained >= lost or trial.fault("every-alpha"):
                compared += 1
                strict += sharp > paper
                must = gained > lost and eta0 > 0 and (curved or trial.fault("always-strict"))
                above = [
                    Comparison(sharp >= paper * order, sharp, ">=", paper * order),
                    Comparison(sharp > paper or not must, sharp, ">=", paper),
                ]
            else:
                reversed_order += 1
                most = paper * backwards
                above = [Comparison(sharp <= most, sharp, "<=", most)]
            if gained < lost * reach:
                above.append(Comparison(paper < 0, paper, "<=", Fraction(0)))
            if found := broken(
                above,
                "sharp floor against paper-shaped floor, exact",
                {"device": device, "eta0": str(eta0), "eta1": str(eta1)},
            ):
                return found
            if sharp > paper and (tightest is None or sharp - paper < tightest[0]):
                tightest = (sharp - paper, sharp, paper)
        return stands(
            trial,
            tightest[1] if tightest else None,
            ">=",
            tightest[2] if tightest else None,
            f"sharp floor against the paper-shaped one at {compared} grid points with alpha >= "
            f"D/P_idle ({strict} strict); at the {reversed_order} others both are negative and the "
            "order is reversed",
            details={"points": compared, "strict": strict, "reversed": reversed_order},
        )


APPROACHED = Fraction(56, 1000)

# Systems that approach the sides, and how near: with half of the devices' power at u = 1/2 the
# floor is missed by (338.7 - 310.8)/500 = 0.0558 over G + 1, the cap by less.
LARGE = (64, 512, 4096)


def _distances() -> dict[str, list[float]]:
    """Distances from floor and cap, paper's constants, of pairs that approach them as G grows."""
    device, exact = DEVICES[0]
    power, caps, floors = ball_constants(exact), [], []
    with ctx.workprec(PRECISION):
        for G in LARGE:
            extreme = on_device(zero_one(G, G // 2, 10), power)
            equal = on_device(equal_others(G, 10, 5), power)
            high = Pair(device, exact, power, equal, extreme).saving
            low = Pair(device, exact, power, extreme, equal).saving
            caps.append(float(saving_cap(power, equal.balls, extreme.balls) - high))
            floors.append(float(low - saving_floor(power, extreme.balls, equal.balls)))
    return {"cap": caps, "floor": floors}


@claim(
    "energy.saving-envelope",
    "upper",
    assumptions=(Assumption.ANY_SCHEDULE, *AT_C0),
    requires=("energy.envelope-workers", "energy.work-invariance"),
    coq=Theorem(
        "energy_saving_envelope",
        "Saving.v",
        "that both sides are approached by two policies on the same requests as G grows",
    ),
)
class SavingEnvelope:
    """The best floor and the best cap from (W, I0, I1).

    1 - (P_idle(1+eta1) + dP(1+eta1)^(1-gamma)) / (P_max + P_idle eta0) <= 1 - E1/E0 <= 1 - (P_max +
    P_idle eta1) / (P_idle(1+eta0) + dP(1+eta0)^(1-gamma)); for all eta0 and eta1 both sides are
    approached as G grows, so nothing sharper follows from W, I0 and I1.
    """

    def formula(self) -> "sp.Basic":
        return sp.And(
            sp.Ge(es.saving, saving_floor(es.POWER, es.BASE, es.NEW)),
            sp.Le(es.saving, saving_cap(es.POWER, es.BASE, es.NEW)),
        )

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("G", positive=True)
        f = sp.Symbol("f", nonnegative=True)
        low0, low1 = es.TOP + es.p * es.eta, es.TOP + es.p * es.eta1
        high0, high1 = low0 + es.d * es.r, low1 + es.d * es.t
        y, z = sp.Symbol("y", nonnegative=True), sp.Symbol("z", nonnegative=True)
        return (
            Identity(
                "Per unit of work the envelope's upper side is P_idle (1+eta) + dP "
                "(1+eta)^(1-gamma)",
                energy_envelope(es.POWER, es.BASE),
                es.p * (1 + es.eta) + es.d * (1 + es.eta) ** es.e,
            ),
            Identity(
                "The envelope is approached: with all but the fullest worker at the same "
                "utilisation [energy.envelope-workers], that utilisation tends to 1 - f as G grows",
                sp.Limit(1 - f * G / (G - 1), G, sp.oo),
                1 - f,
            ),
            Lemma(
                "independence",
                "The lower side is attained by utilisations 0 and 1.  The two runs choose their "
                "utilisations independently given eta0 and eta1, so floor and cap are both "
                "approached and neither can be improved without knowing more than (W, I0, I1).",
            ),
            Inequality(
                "Floor: E1 = high1/(1 + y) over E0 = low0 + z",
                1 - high1 / low0,
                1 - high1 / ((1 + y) * (low0 + z)),
                high1 * (z + y * (low0 + z)) / (low0 * (1 + y) * (low0 + z)),
            ),
            Inequality(
                "Cap: E1 = low1 + z over E0 = high0/(1 + y)",
                1 - (low1 + z) * (1 + y) / high0,
                1 - low1 / high0,
                (z + y * (low1 + z)) / high0,
            ),
        )

    @evidence(
        measures=SAVED,
        plants=(
            FLOOR,
            Variant("cap x1.001 where it is negative", Fraction(1001, 1000), side="cap"),
            Variant("limit pairs a twentieth nearer", Fraction(19, 20), side="approached"),
            AVERAGES,
            Variant("exponent gamma + 0.1 in the cap", fault="exponent"),
        ),
        **PAIRED,
    )
    def check(self, trial: Trial) -> Finding:
        """Pairs of adversarial load histories of equal work, and pairs of real runs, in ball
        arithmetic; a saving certainly outside refutes it, and so does a limit pair that stays away
        from a side.
        """
        shift = to_ball(Fraction(trial.fault("exponent"), 10))

        def cap(pair: Pair) -> Any:
            power = Constants(pair.power.idle_w, pair.power.max_w, pair.power.gamma + shift)
            return saving_cap(power, pair.base.balls, _improved(trial, pair))

        def floor(pair: Pair) -> Any:
            return saving_floor(pair.power, pair.base.balls, _improved(trial, pair))

        near = APPROACHED * trial.scale_of("approached")
        distances = _distances()
        farthest = max(G * d for far in distances.values() for G, d in zip(LARGE, far, strict=True))
        if farthest > near:
            return refuted(
                farthest,
                "<=",
                near,
                "G times the distance of a limit pair from its side",
                {"distances": distances},
            )
        finding = hold_pairs(trial, (("floor", ">=", floor), ("cap", "<=", cap)))
        if not finding.verdict.held:
            return finding
        return replace(
            finding,
            domain=finding.domain + f"; limit pairs within {float(APPROACHED):g}/G of both sides",
            details={**finding.details, "distances at G = 64, 512, 4096": distances},
        )
