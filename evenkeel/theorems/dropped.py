"""Each theorem with each of its assumptions dropped: which claim decides what is left.

The answer is not stated here.  It is the verdict of that claim's check: refuted, with a witness,
means that the assumption is needed; a verdict that held means that the statement stands without
it.  For a claim that states the failure itself it is the other way round.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dropped:
    """A theorem without one of its assumptions.

    Parameters
    ----------
    theorem : str
        The theorem, in a few words.
    label : str
        Claim that states it with all its assumptions.
    assumption : str
        What is dropped.
    decided_by : str
        Claim that says what becomes of it.
    states_failure : bool
        Whether that claim states that the theorem fails, rather than what is left of it.
    """

    theorem: str
    label: str
    assumption: str
    decided_by: str
    states_failure: bool = False


_T1 = "Theorem 1, BF-IO side", "warmup.bfio-upper"
_STEP = "One step with a rich pool", "step.waterfill"
_GAP = "Gap of an optimal step", "step.gap-condition"
_T2 = "Theorem 2, ratio", "geometric.iir"
_T2_FCFS = "Theorem 2, FCFS side", "geometric.fcfs-lower"
_T3 = "Theorem 3, ratio", "drift.iir"
_ANY = "No online policy is perfect", "threshold.any-policy"
_WORK = "Total work is the same for every policy", "energy.work-invariance"
_SAVING = "Floor of the energy saving", "energy.saving-sharp"
_AHEAD = "BF-IO(H) against BF-IO(0)", "limits.look-ahead"

DROPPED: tuple[Dropped, ...] = (
    Dropped(*_T1, "overloaded pool", "limits.overloaded"),
    Dropped(*_T1, "equal output lengths", "limits.equal-lengths"),
    Dropped(*_T1, "equal numbers of slots", "limits.equal-slots"),
    Dropped(*_T1, "bounded sizes", "limits.bounded-sizes"),
    Dropped(*_T1, "optimal steps", "limits.exact-step"),
    Dropped(*_T1, "work conservation", "limits.work-conservation"),
    Dropped(*_T1, "one pool for all (immediate dispatch instead)", "limits.immediate-dispatch"),
    Dropped(*_T1, "common drift", "limits.common-drift"),
    Dropped(*_T1, "non-negative drift", "limits.nonnegative-drift"),
    Dropped(*_T1, "iid sizes", "limits.iid"),
    Dropped(*_T1, "no look-ahead", "limits.myopic"),
    Dropped(*_STEP, "rich pool (the paper's pool condition instead)", "limits.pool-condition"),
    Dropped(*_GAP, "honest tie-breaks", "limits.ties"),
    Dropped(*_GAP, "the condition on loads and slots", "step.gap-naive"),
    Dropped(*_GAP, "a single step (along a run instead)", "step.gap-persists"),
    Dropped(*_T2, "control authority (all G and B instead)", "geometric.iir-static"),
    Dropped(*_T2, "the expectation (each instance instead)", "iir.per-instance"),
    Dropped(*_T2_FCFS, "constant drift (any common drift instead)", "drift.fcfs-lower"),
    Dropped(*_T3, "language models (drift 0 and other drifts instead)", "universal.bsp"),
    Dropped(*_T3, "common drift", "universal.nonmonotone", states_failure=True),
    Dropped(*_ANY, "stickiness", "limits.stickiness"),
    Dropped(*_ANY, "hidden output lengths", "limits.hidden-lengths"),
    Dropped(*_WORK, "constant drift", "energy.work-any-drift"),
    Dropped(*_SAVING, "no step overhead", "energy.saving-overhead"),
    Dropped(*_AHEAD, "the expectation (each backlog instead)", "limits.look-ahead"),
    Dropped(*_AHEAD, "right predictions", "limits.prediction-error"),
)
