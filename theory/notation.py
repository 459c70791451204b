"""What the symbols of formulas and proofs stand for.

Only symbols that mean the same wherever they occur; what is local to one step is explained by
the text of that step.
"""

EVERYWHERE = {
    "G": "workers",
    "B": "slots of a worker",
    "a": "smallest size",
    "b": "largest size",
    "s_max": "largest size",
    "p": "parameter of geometric output lengths",
    "sigma_s": "standard deviation of the sizes",
    "sigma_X": "standard deviation of a slot's load",
    "kappa_0": "sigma_s / s_max",
    "Imb": "imbalance, G max L - sum L",
    "E[Imb]": "expected imbalance of FCFS",
    "E[Imb(FCFS)]": "expected imbalance of FCFS",
    "E[AvgImb(FCFS)]": "expected imbalance of FCFS, averaged over steps",
    "E[AvgImb(BF-IO)]": "expected imbalance of BF-IO, averaged over steps",
    "Imb(BF-IO)": "imbalance of BF-IO",
    "IIR": "E[AvgImb(FCFS)] / E[AvgImb(BF-IO)]",
    "E_Imb_FCFS": "expected imbalance of FCFS",
    "E_Imb_BFIO": "expected imbalance of BF-IO",
    "AvgImb_FCFS": "imbalance of FCFS, averaged over steps",
    "AvgImb_BFIO": "imbalance of BF-IO, averaged over steps",
    "gap": "max L - min L",
    "exponent": "fitted exponent of IIR, in B or in G as stated",
    "exponent_E": "fitted exponent of E_max(G) G/(G-1) in G",
    "constant": "the ratio stated, in each of the systems",
    "c_1": "lower end of the stated interval of a system",
    "c_2": "upper end of the stated interval of a system",
    "P_lost": "probability that perfect balance is lost in a step",
    "W_0": "total work of one policy",
    "W_1": "total work of another",
    "c": "the paper's constant, not recovered",
    "T_2": "Theorem 2's lower bound of IIR",
    "B_1": "slots above which the bound says more",
}

IN_FAMILY = {
    "energy": {
        "P_idle": "power of an idle worker; of one without work, where P_w stands beside it",
        "P_w": "power of a worker that waits at the barrier",
        "q": "P_w - P_idle",
        "Z": "worker-time without work",
        "I1": "total imbalance of the improved run",
        "P_max": "power of a busy worker",
        "dP": "P_max - P_idle, or P_max - P_w where P_w stands beside it",
        "delta": "1 - gamma",
        "W": "total work: busy time in load units",
        "I": "total imbalance: idle time in load units",
        "E": "energy in units of t_l",
        "eta": "imbalance over work, I / W, of the baseline",
        "eta1": "imbalance over work of the improved run",
        "saving": "1 - E1 / E0",
        "c": "fixed overhead of a step in load units, C / t_l",
    },
    "warmup": {
        "k": "floor(log2 G)",
        "n": "floor(B/k)",
        "kappa": "kurtosis of the sizes",
    },
    "step": {
        "M": "largest load",
        "l": "loads before admission",
        "c": "free slots",
        "L": "loads after admission",
        "LB": "lower bound of the largest load",
        "c_least": "least c such that Imb <= c (b - a) for all pools of the statement",
        "Imb_worst": "largest optimum over the pools of the statement",
        "T": "largest load with the smaller size in every free slot",
        "delta": "spacing of two sizes that the pool offers",
    },
    "balanceroute": {"m": "margin of the worker, M - L_g", "S": "size of the routed requests"},
    "geometric": {
        "delta": "spacing of two sizes that the pool offers",
        "F": "average of sum_g (X_g + max Y - B p delta)^+ over the K steps",
        "K": "steps",
        "E_D": "mean of sum_g (X_g + max Y - B p delta)^+ for given loads",
        "s": "bound of the squared distances of the loads from the two sizes, on two workers",
        "r": "bound of the distances of the loads from the two sizes",
        "V_0": "max L - min L at the start",
        "Imb_0": "imbalance at the start",
        "mu_4": "fourth central moment of a slot's load",
        "mu_4(s)": "fourth central moment of the sizes",
    },
    "threshold": {
        "E_N": "mean of max_g X_g + max_h Y_h over the steps before the last",
        "AvgImb": "imbalance of any policy, averaged over the steps 0 to K",
        "K": "steps after the first",
        "X": "sum of w - b over the requests that departed on a worker",
        "Y_min": "smallest sum of w - a over the requests that departed on a worker",
        "X_max": "largest X",
    },
    "vacuity": {"T": "lower bound of IIR", "r": "ratio to exceed", "w": "BF-IO's bound / (G-1)"},
    "fcfs": {
        "sigma": "standard deviation of a slot's load",
        "mu_4": "fourth central moment of a slot's load",
        "E[X]": "mean load of a slot",
        "theta": "mean load of a slot in stationarity",
        "theta_2": "second moment of the load of a slot in stationarity",
    },
}


IN_FAMILY["drift"] = IN_FAMILY["geometric"] | {
    "V": "max L - min L at the measured step",
    "V_next": "max L - min L after the next admission",
    "N": "max_g X_g + max_h Y_h",
    "B_min": "smallest number of slots of a worker",
    "B_max": "largest number of slots of a worker",
    "Gamma(a)_max": "most that a worker grows by, its empty slots given size a",
    "Gamma(b)_min": "least that a worker grows by, its empty slots given size b",
}


def meaning(family: str, symbol: str) -> str | None:
    """What a symbol stands for in the claims of that family, or None where its step says it."""
    return IN_FAMILY.get(family, {}).get(symbol) or EVERYWHERE.get(symbol)
