"""BalanceRoute, the follow-up."""

FAMILY = "balanceroute"
ORDER = ("score", "greedy", "reported")
