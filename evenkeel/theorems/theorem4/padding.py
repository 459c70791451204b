"""Energy where every rank computes on padding up to the largest load."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from adversary.instances.load_histories import Loads
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Comparison, broken, near, stands
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem4.any_power import LAWS
from evenkeel.theorems.theorem4.load_histories import (
    OVERHEADS,
    Simulated,
    paired_policies,
    runs,
    usage_of,
    written_runs,
)
from evenkeel.theorems.theorem4.pairs import SAVED
from theory.formal.record import Theorem
from theory.formulas.energy import Usage, energy_padded, saving_padded, usage
from theory.proof import Conclusion, Identity, Lemma, Setting, Step
from theory.symbolic import es, sp


def _padded(loads: Loads) -> Loads:
    """What the ranks execute: in every step each as much as the fullest one."""
    return tuple((max(step),) * len(step) for step in loads)


def _half_padded(loads: Loads) -> Loads:
    """Half way to the fullest one."""
    return tuple(tuple((max(step) + load) // 2 for load in step) for step in loads)


def _padded_with_work(loads: Loads) -> Loads:
    """The ranks with work alone."""
    return tuple(tuple(max(step) if load else 0 for load in step) for step in loads)


def _energy(loads: Loads, overhead: Fraction, law: Any) -> Fraction:
    """``sum (c + M) P(u)`` in units of ``P_max``, by definition, for a law in fractions."""
    return sum(
        (
            (overhead + max(step)) * law(Fraction(load, max(step)))
            for step in loads
            for load in step
        ),
        Fraction(0),
    )


@claim(
    "energy.padding",
    "equality",
    assumptions=(Assumption.SOME_WORK, Assumption.BACKLOG),
    requires=("energy.any-power", "energy.work-invariance"),
    coq=Theorem("energy_padding", "Padding.v"),
)
class Padding:
    """Where ranks compute on padding, balance saves energy as it saves time.

    If in every step each of G ranks executes the token count M(k) of the largest, with work or
    without, a run executes G sum_k M(k) = W + I tokens, W of them its own, and draws E = P_max G
    sum_k (c + M(k)), that of u = 1 throughout, for every power law with P(1) = P_max > 0. So
    between two runs on G ranks 1 - E1/E0 is exactly the fall of sum_k (c + M(k)), as a share; for
    equal work and C = 0 it is (I0 - I1)/(W + I0), at perfect balance f, the cap of
    [energy.any-power].
    """

    def formula(self) -> "sp.Basic":
        left = sp.Symbol("I1", nonnegative=True)
        return sp.Eq(es.saving, saving_padded(es.RUN, Usage(es.W, left)))

    def proof(self) -> tuple[Step, ...]:
        G, c, K, top = (sp.Symbol(name, positive=True) for name in ("G", "c", "K", "sum M"))
        S = sp.Symbol("S", nonnegative=True)
        full, left = sp.Symbol("P_max", positive=True), sp.Symbol("I1", nonnegative=True)
        before, after = (energy_padded(full, run) for run in (es.RUN, Usage(es.W, left)))
        return (
            Setting(
                "sum M is the sum of the largest loads over the K steps, S the sum of utilisations "
                "of the loads as they are.  Each rank executes the largest load: together W + I = "
                "G sum M tokens a run, at u = 1 and P_max.",
                {es.I: G * top - es.W},
            ),
            Identity(
                "Over the steps that is P_max G (c K + sum M): P_max times busy and idle time, "
                "the overhead included",
                full * G * (c * K + top),
                energy_padded(full, usage(es.W, G * top - es.W, c, G * K, S)),
            ),
            Lemma(
                "equal work",
                "Both runs serve the same requests under constant drift: one W "
                "[energy.work-invariance].",
            ),
            Conclusion("The saving at C = 0", self.formula(), {es.saving: 1 - after / before}),
        )

    @evidence(
        measures=SAVED,
        plants=(
            near("energy"),
            near("saving"),
            near("at equal work"),
            near("tokens"),
            Variant("padded half way", fault="half"),
            Variant("ranks without work execute nothing", fault="with-work"),
            Variant("overhead left out", fault="no-overhead"),
            Variant("the fall of the imbalance over the work", fault="eta"),
        ),
        seeds=3,
        standard={"seeds": 30},
    )
    def check(self, trial: Trial) -> Finding:
        """Simulated runs of the same backlogs under several policies, their loads padded, and the
        energy of the padded loads by definition under seven power laws, with and without overhead,
        in fractions; an energy, a saving or a token count that differs refutes it.
        """
        compared, largest = 0, Comparison(True, Fraction(0), "==", Fraction(0))
        policies = paired_policies(trial)
        for seed in range(trial.seed, trial.seed + trial["seeds"]):
            for group in runs(seed, policies):
                for (name, law), c in product(LAWS.items(), OVERHEADS):
                    found = list(_compared(trial, group, law, c))
                    compared += len(found)
                    witness = {**written_runs(*group), "power law": name, "overhead": str(c)}
                    if failed := broken(found, "exact", witness):
                        return failed
                    largest = max(largest, *(one for one in found if one.what == "saving"))
        return stands(
            trial,
            largest.computed,
            "==",
            largest.claimed,
            f"{compared:,} energies, savings and token counts of simulated runs under {len(LAWS)} "
            "power laws, exact; the largest saving is shown",
        )


def _compared(
    trial: Trial, group: Sequence[Simulated], law: Any, overhead: Fraction
) -> Iterator[Comparison]:
    """Every run of a group, and every pair of the first with another."""
    pad = _padded
    if trial.fault("half"):
        pad = _half_padded
    if trial.fault("with-work"):
        pad = _padded_with_work
    seen = Fraction(0) if trial.fault("no-overhead") else overhead
    energies = [_energy(pad(run.history.loads), overhead, law) for run in group]
    for run, energy in zip(group, energies, strict=True):
        used, total = usage_of(run.history.loads, seen), run.result.total
        claimed = energy_padded(Fraction(1), used) * trial.scale_of("energy")
        yield Comparison(energy == claimed, energy, "==", claimed, "energy over P_max")
        executed = sum(map(sum, pad(run.history.loads)))
        tokens = (total.work + total.imbalance) * trial.scale_of("tokens")
        yield Comparison(executed == tokens, executed, "==", tokens, "tokens executed")
    base = group[0]
    for run, energy in zip(group[1:], energies[1:], strict=True):
        saving = 1 - energy / energies[0]
        before, after = (
            seen * len(each.history.loads) + each.result.total.sum_max for each in (base, run)
        )
        fall = (before - after) / Fraction(before) * trial.scale_of("saving")
        yield Comparison(saving == fall, saving, "==", fall, "saving")
        if overhead == 0:
            fallen = base.history.imbalance - run.history.imbalance
            whole = base.history.work + (0 if trial.fault("eta") else base.history.imbalance)
            exactly = Fraction(fallen, whole) * trial.scale_of("at equal work")
            yield Comparison(saving == exactly, saving, "==", exactly, "saving at equal work")
