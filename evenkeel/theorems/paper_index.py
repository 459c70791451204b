"""The statements that evenkeel answers for, row by row, and the claims that answer each.

The rows are what is known of the paper: its model and theorems, its experiments, its follow-up, and
the facts known about them.  Which rows a claim answers is said where the claim is defined; a row
without a claim, or a claim of the paper's that answers no row, fails a test.
"""

from dataclasses import dataclass

from evenkeel.theorems.registry import claims


@dataclass(frozen=True, slots=True)
class Row:
    """One statement of the paper, of its follow-up, or known about them.

    Parameters
    ----------
    name : str
        ``T1``, ``E3``, ``fact 4``, ...
    source : str
        Where it is stated.
    text : str
        What it says, in a line.
    """

    name: str
    source: str
    text: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The claims that answer it."""
        return tuple(label for label, entry in claims().items() if self.name in entry.answers)


_PAPER = "arXiv 2601.17855"
_FOLLOW_UP = "arXiv 2605.06113"
_KNOWN = "known about it"

ROWS = (
    Row(
        "state",
        _PAPER,
        "loads are prompts plus one common, deterministic drift; requests are sticky",
    ),
    Row("step", _PAPER, "a step lasts C + t_l max L; imbalance is G max - sum"),
    Row("admission", _PAPER, "a central pool; every step fills min(waiting, free) slots"),
    Row(
        "BF-IO(H)",
        _PAPER,
        "an integer program of predicted imbalances over a window of H + 1 steps",
    ),
    Row(
        "A1",
        _PAPER,
        "overloaded: the pool fills every slot even after any one length class is removed",
    ),
    Row("A2", _PAPER, "prompts iid and bounded by s_max"),
    Row("A3", _PAPER, "outputs equal (T1) or geometric (T2), common drift (T3)"),
    Row("A4", _PAPER, "asymptotic in B, with sqrt(G) = o(B) up to logarithms"),
    Row("T1", _PAPER, "equal lengths: IIR >= c kappa0 sqrt(B log G) G/(G-1)"),
    Row("T2", _PAPER, "geometric lengths: IIR = Omega(sqrt(B log G))"),
    Row("T3", _PAPER, "the same order for any common bounded non-negative drift"),
    Row(
        "T4", _PAPER, "the guaranteed saving tends to P_idle/D, 52.6 % for 100/400 W and gamma 0.7"
    ),
    Row("E1", _PAPER, "the barrier idles 40 % in a production trace"),
    Row(
        "E2",
        _PAPER,
        "BurstGPT, G = 32: throughput +14 %, TPOT -13 %, energy -3.3 %, imbalance 17 times lower",
    ),
    Row("E3", _PAPER, "LongBench-v2, G = 256: energy -28.2 %, throughput +92 %"),
    Row("E4", _PAPER, "gains grow with G and B; a moderate H is best"),
    Row("E5", _PAPER, "A100: 100 W idle, 400 W at most, gamma 0.7"),
    Row("discussion", _PAPER, "the principle holds for any barrier system"),
    Row("BR-0", _FOLLOW_UP, "the score S - G (S - m_g)^+ is minus the change of G max - sum"),
    Row("BR-H", _FOLLOW_UP, "a discounted score over a window; H = 0 with (1, G) is BR-0"),
    Row("BR imbalance", _FOLLOW_UP, "its imbalance is max - min"),
    Row("BR results", _FOLLOW_UP, "throughput at G = 8, gains at G = 4, 8, 16, dispatch latency"),
    Row(
        "BR ties",
        "an independent re-implementation",
        "ties sent 43 % of requests to worker 0 until broken by load",
    ),
    Row("fact 1", _KNOWN, "size-blind rules equal FCFS in law"),
    Row(
        "fact 2",
        _KNOWN,
        "effective constants, the largest c, Berry-Esseen's share, where T1 says nothing",
    ),
    Row("fact 3", _KNOWN, "T2 fails below a frontier of the order log G / (p^3 (s_max - s_min)^2)"),
    Row(
        "fact 4",
        _KNOWN,
        "what 40 % idle allows, what 28 % and 52 % need, and that 52.6 % is no cap",
    ),
    Row("fact 5", _KNOWN, "gamma = 0.7 is an assumption; measured curves give 0.02 to 0.26"),
    Row("fact 6", _KNOWN, "the speed-up is (1 + eta_FCFS)/(1 + eta_BFIO); a fixed C dilutes it"),
    Row("fact 7", _KNOWN, "sum_j w_i(j) = o s + o(o-1)/2: total work is the same for every policy"),
    Row("fact 8", _KNOWN, "BF-IO abandons arrival order"),
    Row("fact 9", _KNOWN, "geometric lengths fit no public trace well"),
)
