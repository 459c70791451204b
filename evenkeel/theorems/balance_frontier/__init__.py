"""The balance threshold: where Theorem 2 bites."""
