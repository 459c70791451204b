"""The statements that evenkeel answers for, row by row, and the claims that answer each.

The rows are what is known of the paper: its model and theorems, its experiments, its follow-up, and
the facts known about them.  A row without a claim, or a claim of the paper's that no row names,
fails a test.
"""

from dataclasses import dataclass


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
    labels : tuple of str
        The claims that answer it, the most direct one first.
    """

    name: str
    source: str
    text: str
    labels: tuple[str, ...]


_PAPER = "arXiv 2601.17855"
_FOLLOW_UP = "arXiv 2605.06113"
_KNOWN = "known about it"

ROWS = (
    Row(
        "state",
        _PAPER,
        "loads are prompts plus one common, deterministic drift; requests are sticky",
        (
            "drift.work",
            "energy.work-invariance",
            "limits.stickiness",
            "limits.common-drift",
            "limits.nonnegative-drift",
        ),
    ),
    Row(
        "step",
        _PAPER,
        "a step lasts C + t_l max L; imbalance is G max - sum",
        ("step.objective", "energy.overhead", "energy.throughput"),
    ),
    Row(
        "admission",
        _PAPER,
        "a central pool; every step fills min(waiting, free) slots",
        ("step.objective", "limits.work-conservation", "limits.immediate-dispatch"),
    ),
    Row(
        "BF-IO(H)",
        _PAPER,
        "an integer program of predicted imbalances over a window of H + 1 steps",
        (
            "step.lexicographic",
            "limits.exact-step",
            "limits.look-ahead",
            "limits.prediction-error",
        ),
    ),
    Row(
        "A1",
        _PAPER,
        "overloaded: the pool fills every slot even after any one length class is removed",
        (
            "limits.overloaded",
            "limits.pool-condition",
            "limits.pool-condition-refill",
            "warmup.spare-request",
        ),
    ),
    Row("A2", _PAPER, "prompts iid and bounded by s_max", ("limits.bounded-sizes",)),
    Row(
        "A3",
        _PAPER,
        "outputs equal (T1) or geometric (T2), common drift (T3)",
        ("limits.equal-lengths", "limits.hidden-lengths", "limits.common-drift"),
    ),
    Row(
        "A4",
        _PAPER,
        "asymptotic in B, with sqrt(G) = o(B) up to logarithms",
        ("geometric.iir-static", "threshold.t2-static", "fcfs.constant-uniform"),
    ),
    Row(
        "T1",
        _PAPER,
        "equal lengths: IIR >= c kappa0 sqrt(B log G) G/(G-1)",
        ("warmup.iir", "warmup.fcfs-lower", "fcfs.lower", "warmup.bfio-upper", "warmup.vacuity"),
    ),
    Row(
        "T2",
        _PAPER,
        "geometric lengths: IIR = Omega(sqrt(B log G))",
        (
            "geometric.iir",
            "geometric.fcfs-lower",
            "geometric.bfio-upper",
            "geometric.bfio-upper-range",
            "geometric.iir-range",
            "geometric.bfio-constant",
            "geometric.vacuity",
            "scaling.fcfs-slots",
            "scaling.iir-slots",
            "scaling.iir-workers",
            "scaling.iir-frontier",
            "scaling.iir-frontier-exponent",
            "scaling.iir-workers-frontier",
            "threshold.t2-static",
        ),
    ),
    Row(
        "T3",
        _PAPER,
        "the same order for any common bounded non-negative drift",
        (
            "drift.iir",
            "drift.fcfs-lower",
            "drift.bfio-upper",
            "drift.bfio-upper-range",
            "drift.bfio-constant",
        ),
    ),
    Row(
        "T4",
        _PAPER,
        "the guaranteed saving tends to P_idle/D, 52.6 % for 100/400 W and gamma 0.7",
        (
            "energy.limit-paper",
            "energy.saving-paper",
            "energy.exceed-52",
            "energy.limit-is-a-cap",
            "energy.sandwich",
        ),
    ),
    Row("E1", _PAPER, "the barrier idles 40 % in a production trace", ("waste.idle40",)),
    Row(
        "E2",
        _PAPER,
        "BurstGPT, G = 32: throughput +14 %, TPOT -13 %, energy -3.3 %, imbalance 17 times lower",
        (
            "experiment.energy3-lookahead",
            "experiment.throughput-lookahead",
            "experiment.latency-lookahead",
            "experiment.imbalance17-lookahead",
            "experiment.energy3",
            "experiment.throughput",
            "experiment.latency",
            "experiment.imbalance17",
            "experiment.consistency-overhead",
        ),
    ),
    Row(
        "E3",
        _PAPER,
        "LongBench-v2, G = 256: energy -28.2 %, throughput +92 %",
        (
            "experiment.energy28-lookahead",
            "experiment.throughput92-lookahead",
            "experiment.energy28",
            "experiment.throughput92",
            "experiment.consistency",
        ),
    ),
    Row(
        "E4",
        _PAPER,
        "gains grow with G and B; a moderate H is best",
        (
            "experiment.scale",
            "experiment.scale-slots",
            "experiment.lookahead",
            "experiment.lookahead-saving",
        ),
    ),
    Row(
        "E5",
        _PAPER,
        "A100: 100 W idle, 400 W at most, gamma 0.7",
        ("experiment.power-model", "energy.gamma", "energy.hardware"),
    ),
    Row("discussion", _PAPER, "the principle holds for any barrier system", ("universal.bsp",)),
    Row(
        "BR-0",
        _FOLLOW_UP,
        "the score S - G (S - m_g)^+ is minus the change of G max - sum",
        ("balanceroute.score-identity", "balanceroute.telescopes", "balanceroute.greedy"),
    ),
    Row(
        "BR-H",
        _FOLLOW_UP,
        "a discounted score over a window; H = 0 with (1, G) is BR-0",
        ("balanceroute.brh-reduces", "balanceroute.fixed-beta"),
    ),
    Row(
        "BR imbalance",
        _FOLLOW_UP,
        "its imbalance is max - min",
        ("balanceroute.gap-and-imbalance",),
    ),
    Row(
        "BR results",
        _FOLLOW_UP,
        "throughput at G = 8, gains at G = 4, 8, 16, dispatch latency",
        (
            "balanceroute.gain-arithmetic",
            "balanceroute.throughput",
            "balanceroute.gain-scaling",
            "balanceroute.dispatch-latency",
            "balanceroute.beats-baselines",
            "balanceroute.lookahead-gain",
        ),
    ),
    Row(
        "BR ties",
        "an independent re-implementation",
        "ties sent 43 % of requests to worker 0 until broken by load",
        ("balanceroute.ties", "balanceroute.ties-share"),
    ),
    Row("fact 1", _KNOWN, "size-blind rules equal FCFS in law", ("fcfs.size-blind",)),
    Row(
        "fact 2",
        _KNOWN,
        "effective constants, the largest c, Berry-Esseen's share, where T1 says nothing",
        (
            "fcfs.effective-constant",
            "fcfs.constant",
            "fcfs.gaussian",
            "fcfs.berry-esseen-share",
            "warmup.vacuity",
        ),
    ),
    Row(
        "fact 3",
        _KNOWN,
        "T2 fails below a frontier of the order log G / (p^3 (s_max - s_min)^2)",
        (
            "threshold.any-policy",
            "threshold.t2-myopic",
            "threshold.t2-static",
            "threshold.frontier",
        ),
    ),
    Row(
        "fact 4",
        _KNOWN,
        "what 40 % idle allows, what 28 % and 52 % need, and that 52.6 % is no cap",
        (
            "energy.cap",
            "energy.saving-28",
            "energy.reach",
            "energy.exceed-52",
            "energy.limit-sharp",
            "energy.limit-is-a-cap",
            "energy.vanishing",
        ),
    ),
    Row(
        "fact 5",
        _KNOWN,
        "gamma = 0.7 is an assumption; measured curves give 0.02 to 0.26",
        ("energy.gamma", "experiment.power-model"),
    ),
    Row(
        "fact 6",
        _KNOWN,
        "the speed-up is (1 + eta_FCFS)/(1 + eta_BFIO); a fixed C dilutes it",
        ("energy.throughput", "energy.overhead-dilutes"),
    ),
    Row(
        "fact 7",
        _KNOWN,
        "sum_j w_i(j) = o s + o(o-1)/2: total work is the same for every policy",
        ("energy.work-invariance", "drift.work", "energy.work-any-drift"),
    ),
    Row(
        "fact 8",
        _KNOWN,
        "BF-IO abandons arrival order",
        ("experiment.starvation", "experiment.bounded-waiting"),
    ),
    Row(
        "fact 9",
        _KNOWN,
        "geometric lengths fit no public trace well",
        ("geometric.outputs-fit",),
    ),
)
