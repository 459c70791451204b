"""The claims: one folder a family, one class a claim."""

ORDER = (
    "step",
    "theorem1",
    "fcfs",
    "theorem2",
    "theorem3",
    "scaling",
    "balance_frontier",
    "theorem4",
    "vacuity",
    "balanceroute",
    "experiments",
    "offline",
    "dropped_assumptions",
)
