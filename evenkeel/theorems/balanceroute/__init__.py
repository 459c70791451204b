"""BalanceRoute, the follow-up."""
