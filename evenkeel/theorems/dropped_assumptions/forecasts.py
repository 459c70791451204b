"""BF-IO against FCFS and against itself on single instances."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from adversary.instances.small_runs import backlog_imbalance, simulate_small
from adversary.instances.space import Instance
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.headline import Record, headline, says
from evenkeel.findings.scoreboard import Case, Cases
from evenkeel.theorems.offline.domains import witness_of_backlog
from evenkeel.theorems.registry import Assumption, Dropped, claim
from theory.disproof import imbalance_at, violated
from theory.model import Requests, System
from theory.proof import Identity, Lemma, Step
from theory.relations import at_most
from theory.symbolic import sp

Loads = tuple[int, int]
SYSTEM = System(2, 1)


def _total(*steps: Loads) -> "sp.Expr":
    """``sum_k (2 max L - sum L)`` over steps with these loads, unevaluated."""
    return sp.Add(*(imbalance_at(*loads) for loads in steps))


def _average(*steps: Loads) -> "sp.Expr":
    """``AvgImb`` of a run with these loads, unevaluated."""
    return _total(*steps) / len(steps)


def _compared(
    trial: Trial,
    stored: Iterable[Case],
    others: Iterable[tuple[Fraction, Fraction]],
    domain: str,
    more: str,
    less: str,
) -> Finding:
    """Two averages on stored backlogs, up to the first where the former is larger.

    The details count on how many of the others it is the larger and the smaller one; planted
    versions leave these out.
    """
    cases = Cases("<=")
    cases.extend((left, right * trial.scale, witness) for left, right, witness in stored)
    pairs = list(others) if trial.variant is None else []
    return cases.finding(
        trial,
        domain,
        details={more: sum(x > y for x, y in pairs), less: sum(x < y for x, y in pairs)},
        strongest=Verdict.INCONCLUSIVE,
    )


# FCFS is perfectly balanced throughout and BF-IO is not: (prefill, decode) on G = 2, B = 1.
IIR_WITNESS = (2, 2, 1, 1, 2), (1, 1, 1, 3, 2)


def _averages(*lists: Sequence[int]) -> tuple[Fraction, Fraction]:
    """``AvgImb`` of BF-IO with exact steps and of FCFS."""
    instance = Instance(SYSTEM, Requests(*lists), len(lists[0]))
    bfio, fcfs = (simulate_small(instance, name) for name in ("bfio_exact", "fcfs"))
    return bfio.avg_imbalance, fcfs.avg_imbalance


@claim(
    "iir.per-instance",
    "upper",
    source="a tempting reading of IIR >= 1",
    version="ours",
    assumptions=(
        Assumption.BACKLOG,
        Assumption.WORK_CONSERVING,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
        Assumption.SAME_REQUESTS,
    ),
    holds=False,
    drops=(Dropped("geometric.iir", "the expectation (each instance instead)"),),
)
class PerInstance:
    """BF-IO is no worse than FCFS on every instance.

    On every finite backlog AvgImb(BF-IO) <= AvgImb(FCFS). False, by any factor: on G = 2, B = 1,
    sizes (2, 2, 1, 1, 2), lengths (1, 1, 1, 3, 2), FCFS has no imbalance at any step and BF-IO has;
    and s = (4, 4, 5, 6), o = (3, 2, 3, 2) gives 12.5 times. Myopia and the drain do it: statements
    about IIR need long overloaded runs, in expectation.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_BFIO", "AvgImb_FCFS")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "FCFS",
                "G = 2, B = 1, sizes (2, 2, 1, 1, 2), lengths (1, 1, 1, 3, 2), growth 1.  In "
                "order: loads (2, 2); then (1, 1); the second 1 stays and has 2 beside the last "
                "request's 2; then both have 3 and depart.",
            ),
            Identity(
                "FCFS has no imbalance", _total((2, 2), (1, 1), (2, 2), (3, 3)), sp.Integer(0)
            ),
            Lemma(
                "BF-IO starts with the small ones",
                "Both (1, 1) and (2, 2) leave no imbalance, and of two optima BF-IO takes the "
                "smaller largest load [step.lexicographic].  The 1 of length 3 stays with loads "
                "2, 3; beside it come two requests of size 2 and length 1, as the oldest go first.",
            ),
            Lemma(
                "and ends alone",
                "At the fourth step only the request of size 2 and length 2 is left: (2, 0), (3, "
                "0).",
            ),
            Identity(
                "BF-IO averages 6/5",
                _average((1, 1), (2, 2), (3, 2), (2, 0), (3, 0)),
                sp.Rational(6, 5),
            ),
            violated(
                "which is more",
                at_most("AvgImb_BFIO", "AvgImb_FCFS"),
                {"AvgImb_BFIO": sp.Rational(6, 5), "AvgImb_FCFS": 0},
            ),
        )

    @evidence(
        measures="average imbalance of BF-IO, against that of FCFS (load)",
        requests=3,
        size=3,
        length=3,
        standard={"requests": 4, "size": 4},
        plants=(
            Variant("at most 1.25 times", Fraction(5, 4)),
            Variant("at most ten times", Fraction(10)),
            Variant("where FCFS has some imbalance", Fraction(5, 2), fault="positive"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact runs of both on a bounded class of instances; one where BF-IO averages more refutes
        it.
        """

        def stored() -> Iterator[Case]:
            for lists in (((4, 4, 5, 6), (3, 2, 3, 2)), IIR_WITNESS):
                bfio, fcfs = _averages(*lists)
                if fcfs or not trial.fault("positive"):
                    witness = witness_of_backlog(SYSTEM, Requests(*lists), pool=len(lists[0]))
                    yield bfio, fcfs, witness

        n = trial["requests"]
        kinds = list(product(range(1, trial["size"] + 1), range(1, trial["length"] + 1)))
        return _compared(
            trial,
            stored(),
            (_averages(*zip(*backlog, strict=True)) for backlog in product(kinds, repeat=n)),
            "the two stored backlogs, up to the first that decides; for the details all backlogs "
            f"of {n} requests on G = 2, B = 1, sizes <= {trial['size']}, lengths <= "
            f"{trial['length']}",
            "BF-IO averages more",
            "BF-IO averages less",
        )

    @headline("Is BF-IO better on every instance?", 9)
    def answer(self, entry: Record) -> str:
        details, ratio = entry["details"], Fraction(entry["computed"]) / Fraction(entry["claimed"])
        all_of = details["BF-IO averages more"] + details["BF-IO averages less"]
        return (
            f"{says(entry)}: on one backlog of {len(entry['witness']['prefill'])} requests it has "
            f"{float(ratio):g} times the imbalance of FCFS.  Of the small backlogs where they "
            f"differ it averages more on {details['BF-IO averages more']} of {all_of}."
        )


BACKLOGS = (
    Assumption.BACKLOG,
    Assumption.WORK_CONSERVING,
    Assumption.EXACT_STEP,
    Assumption.SAME_REQUESTS,
)

# Looking ahead loses: (prefill, decode, H) on G = 2, B = 1.
LOOK_AHEAD_WITNESS = (1, 1, 1, 2), (2, 1, 1, 1), 2


def _window(
    lists: Iterable[Sequence[int]], window: int, predicted: Sequence[int] | None = None
) -> Fraction:
    """``AvgImb`` of BF-IO with that window, which sees these output lengths (None: the true)."""
    sizes, lengths = lists
    return backlog_imbalance(sizes, lengths, SYSTEM.workers, SYSTEM.slots, window, predicted)


def _backlogs(trial: Trial) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Sizes and lengths of random backlogs of four requests."""
    rng = np.random.default_rng(trial.seed)
    for _ in range(trial["random"]):
        yield tuple(rng.integers(1, 6, 4).tolist()), tuple(rng.integers(1, 5, 4).tolist())


@claim(
    "limits.look-ahead",
    "upper",
    assumptions=BACKLOGS,
    holds=False,
    answers=("BF-IO(H)",),
    drops=(Dropped("limits.look-ahead", "the expectation (each backlog instead)"),),
)
class LookAhead:
    """Perfect look-ahead never hurts.

    BF-IO(H) that knows when active requests depart within its window of H steps averages no more
    imbalance than BF-IO(0), on every finite backlog. False: G = 2, B = 1, sizes (1, 1, 1, 2),
    lengths (2, 1, 1, 1), H = 2 has three times the imbalance.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_H", "AvgImb_0")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "first step",
                "G = 2, B = 1, sizes (1, 1, 1, 2), lengths (2, 1, 1, 1), growth 1.  With either "
                "window the only sums of 0 are those of two 1s, of which the oldest go: (1, 1).  "
                "At the second step the first request has load 2 and departs after it; 1 and 2 "
                "wait.",
            ),
            Identity("Now, the 2 beside it leaves nothing", _total((2, 2)), sp.Integer(0)),
            Identity("and the 1 leaves 1: H = 0 takes the 2", _total((2, 1)), sp.Integer(1)),
            Identity(
                "Over H = 2 more steps, in which nothing is admitted and the new one is taken to "
                "stay, the 2 leaves 7",
                _total((2, 2), (0, 3), (0, 4)),
                sp.Integer(7),
            ),
            Identity(
                "and the 1 leaves 6: the look-ahead takes the 1",
                _total((2, 1), (0, 2), (0, 3)),
                sp.Integer(6),
            ),
            Identity("H = 0 averages 1/3", _average((1, 1), (2, 2), (1, 0)), sp.Rational(1, 3)),
            violated(
                "H = 2 averages 1, three times that",
                at_most("AvgImb_H", "AvgImb_0"),
                {"AvgImb_H": _average((1, 1), (2, 1), (2, 0)), "AvgImb_0": sp.Rational(1, 3)},
            ),
        )

    @evidence(
        measures="average imbalance of BF-IO(2), against that of BF-IO(0) (load)",
        random=30,
        standard={"random": 1500},
        plants=(
            Variant("within 1.25 times", Fraction(5, 4)),
            Variant("within 2.5 times", Fraction(5, 2)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact runs of both on a bounded class in order of size; one where the look-ahead averages
        more refutes it.
        """
        *lists, H = LOOK_AHEAD_WITNESS
        witness = witness_of_backlog(SYSTEM, Requests(*lists), window=H)
        return _compared(
            trial,
            [(_window(lists, H), _window(lists, 0), witness)],
            ((_window(other, H), _window(other, 0)) for other in _backlogs(trial)),
            f"the stored backlog; {trial['random']} random ones of 4 requests for the details",
            "look-ahead averages more",
            "look-ahead averages less",
        )


# A wrong prediction loses: (prefill, decode, predicted) on G = 2, B = 1, H = 1.
PREDICTION_WITNESS = (2, 1, 4, 2), (3, 1, 3, 1), (1, 1, 3, 1)


@claim(
    "limits.prediction-error",
    "upper",
    assumptions=BACKLOGS,
    holds=False,
    answers=("BF-IO(H)",),
    drops=(Dropped("limits.look-ahead", "right predictions"),),
)
class PredictionError:
    """A wrong prediction costs no imbalance.

    BF-IO(1) whose predictions of departures are wrong for one request averages no more imbalance
    than with perfect predictions, on every finite backlog. False: G = 2, B = 1, sizes (2, 1, 4, 2),
    lengths (3, 1, 3, 1), the first predicted as 1.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_wrong", "AvgImb_perfect")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "first step",
                "G = 2, B = 1, H = 1, sizes (2, 1, 4, 2), lengths (3, 1, 3, 1), growth 1, the "
                "first length predicted as 1.  Only the two 2s leave nothing now and a step "
                "ahead: (2, 2).  At the second step the first request has load 3 and stays; 1 and "
                "4 wait.",
            ),
            Identity(
                "With perfect predictions the 4 leaves 2, now and a step ahead",
                _total((3, 4), (4, 5)),
                sp.Integer(2),
            ),
            Identity("and the 1 leaves 4: the 4 goes", _total((3, 1), (4, 2)), sp.Integer(4)),
            Identity(
                "Believed to depart, the first request is not there a step ahead: the 4 leaves 6",
                _total((3, 4), (0, 5)),
                sp.Integer(6),
            ),
            Identity("and the 1 leaves 4: the 1 goes", _total((3, 1), (0, 2)), sp.Integer(4)),
            Lemma(
                "the rest",
                "Perfect: the loads are (4, 5), then the first has left and the 1 stands beside "
                "6.  Wrong: the 4 comes when the first has load 4, and goes on alone with 5 and 6.",
            ),
            Identity(
                "Perfect predictions average 7/4",
                _average((2, 2), (3, 4), (4, 5), (1, 6)),
                sp.Rational(7, 4),
            ),
            violated(
                "The wrong one averages 13/5, which is more",
                at_most("AvgImb_wrong", "AvgImb_perfect"),
                {
                    "AvgImb_wrong": _average((2, 2), (3, 1), (4, 4), (0, 5), (0, 6)),
                    "AvgImb_perfect": sp.Rational(7, 4),
                },
            ),
        )

    @evidence(
        measures="average imbalance with a wrong prediction, against perfect ones (load)",
        random=30,
        standard={"random": 1500},
        plants=(
            Variant("within 1.1 times", Fraction(11, 10)),
            Variant("within 1.4 times", Fraction(7, 5)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact runs of both on a bounded class in order of size; one where the wrong prediction
        averages more refutes it.
        """
        *lists, wrong = PREDICTION_WITNESS
        witness = witness_of_backlog(SYSTEM, Requests(*lists), predicted=list(wrong))
        return _compared(
            trial,
            [(_window(lists, 1, wrong), _window(lists, 1), witness)],
            (
                (_window((s, o), 1, (o[0] % 4 + 1, *o[1:])), _window((s, o), 1))
                for s, o in _backlogs(trial)
            ),
            f"the stored backlog; {trial['random']} random ones of 4 requests for the details",
            "wrong predictions average more",
            "less",
        )
