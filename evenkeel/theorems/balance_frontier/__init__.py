"""The balance threshold: where Theorem 2 bites."""

FAMILY = "threshold"
ORDER = ("criterion", "probabilities", "frontier", "converse", "any_policy", "window", "two_sided")
