"""The numbers that the paper reports of E2 and E3, and the checks that measure them again."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adversary.paired_runs import (
    E2,
    E3,
    HORIZONS,
    Stretch,
    log10_imbalance_ratio,
    saving,
    throughput_gain,
    time_per_token_drop,
)
from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import weighed
from evenkeel.theorems.experiments.paired_runs import (
    SEEDS,
    SHARED,
    Measure,
    compare,
    seeds_of,
    setting_of,
)
from theory.relations import at_least
from theory.reported import REPORTED
from theory.symbolic import sp

SETTINGS = {"E2": E2, "E3": E3}

# Over how many seeds BF-IO looks ahead as far as the paper's policy.
AHEAD_SEEDS: dict[str, dict[str, Any]] = {
    "E2": {"seeds": 32, "standard": {"seeds": 48}, "paper": {"seeds": 128}},
    "E3": {"seeds": 18, "standard": {"seeds": 36}, "paper": {"seeds": 64}},
}

MYOPIC = """Re-run at H = 0 over several seeds, up to the last admission, where the paper's metrics
stop; an interval of the mean below the reported number refutes it. That number is one run of a
policy that looks ahead: a refutation says that the myopic policy does not account for it."""

AHEAD = """Re-run over several seeds, the steps solved to near optimality; an interval of the mean
below the reported number refutes it for this solver and these lengths. The paper's own run is one,
of a greedy policy that discounts later steps, on a sample that is not public. Marked true or false
after looking at runs."""

# False versions: the nearest that the spread of the runs lets a check tell from the number, ...
LESS = Variant("0.98 times the reported number", Fraction(49, 50))
HALF_MORE = Variant("half more than the reported number", Fraction(3, 2))
DOUBLED = Variant("twice the reported number", Fraction(2))
# ... and other policies.
JSQ = Variant("JSQ in place of BF-IO", policy="jsq")
LEAST = Variant("least loaded in place of BF-IO", policy="least_loaded")


@dataclass(frozen=True, slots=True)
class Reported:
    """What BF-IO changes against FCFS in an experiment, by one measure, as the paper reports it.

    Parameters
    ----------
    experiment, quantity : str
        Where :data:`theory.reported.REPORTED` holds the number.
    measure : callable
        The same change in a pair of runs.
    symbol : str
        The change in the formula of a claim.
    measures : str
        The change in words, with its unit.
    """

    experiment: str
    quantity: str
    measure: Measure
    symbol: str
    measures: str

    @property
    def value(self) -> Fraction:
        """The reported number."""
        return REPORTED[self.experiment][self.quantity]

    @property
    def in_logarithms(self) -> bool:
        """Whether the measure is a logarithm: decided as one, and shown as a geometric mean."""
        return self.measure is log10_imbalance_ratio

    def formula(self) -> "sp.Basic":
        """The change is at least the reported number."""
        return at_least(self.symbol, str(self.value))

    def held_against(self, trial: Trial, horizon: int = 0, *, completed: bool = False) -> Finding:
        """Whether the mean over the trial's seeds is at least the reported number.

        Parameters
        ----------
        trial : Trial
            The run; its false versions may exchange the two runs (``exchanged``).
        horizon : int
            How far BF-IO looks ahead.
        completed : bool
            Compare the completed runs; by default those up to the last admission.
        """
        setting = SETTINGS[self.experiment]
        policy = trial.policy_or(f"bfio:horizon={horizon}" if horizon else "bfio")

        def measure(base: Stretch, new: Stretch) -> float:
            return self.measure(*((new, base) if trial.fault("exchanged") else (base, new)))

        both = compare(setting, policy, seeds_of(trial), measure)
        here = both.completed if completed else both.window
        low, value, high, window, whole = (
            10**x if self.in_logarithms else x
            for x in (here.low, here.value, here.high, both.window.value, both.completed.value)
        )
        ends = {"to the last admission": window, "completed": whole}
        spread = {"standard deviation of one run": here.deviation}
        claimed = float(self.value * trial.scale)
        return weighed(
            high < claimed,
            low >= claimed,
            value,
            ">=",
            claimed,
            f"{policy}{'' if horizon else ' at H = 0'}, {trial['seeds']} seeds, "
            f"{setting.workload}, G = {setting.workers}, B = {setting.slots}: {window:.3g} up to "
            f"the last admission (where the paper stops; unequal work), {whole:.3g} for the same "
            f"requests completed{', geometric means' * self.in_logarithms}",
            setting_of(setting) | {"policy": policy, **ends},
            interval=(low, high),
            details=ends if self.in_logarithms else ends | spread,
        )

    def check(self, *plants: Variant, ahead: bool = False) -> Callable[[object, Trial], Finding]:
        """The method ``check`` of a claim that a re-run reaches the number.

        Parameters
        ----------
        *plants : Variant
            The false versions that it must catch.
        ahead : bool
            Whether BF-IO looks ahead as far as the paper's policy; by default it is myopic.
        """

        def check(_claim: object, trial: Trial) -> Finding:
            return self.held_against(trial, HORIZONS[self.experiment] if ahead else 0)

        check.__doc__ = AHEAD if ahead else MYOPIC
        seeds = AHEAD_SEEDS[self.experiment] if ahead else SEEDS
        declare = evidence(measures=self.measures, shares=SHARED, plants=plants, **seeds)
        return declare(check)


_SAVED = "energy saved up to the last admission (share)"
_GAIN = "relative gain of throughput up to the last admission"

E2_ENERGY = Reported("E2", "energy", saving, "saving", _SAVED)
E2_THROUGHPUT = Reported("E2", "throughput", throughput_gain, "gain", _GAIN)
E2_LATENCY = Reported(
    "E2",
    "time per token",
    time_per_token_drop,
    "drop",
    "relative drop of the mean time per output token",
)
E2_IMBALANCE = Reported(
    "E2",
    "imbalance",
    log10_imbalance_ratio,
    "AvgImb_FCFS / AvgImb_BFIO",
    "mean imbalance of FCFS over that of BF-IO (ratio)",
)
E3_ENERGY = Reported("E3", "energy", saving, "saving", _SAVED)
E3_THROUGHPUT = Reported("E3", "throughput", throughput_gain, "gain", _GAIN)
