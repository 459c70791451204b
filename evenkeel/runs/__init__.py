"""Long runs: what is performed, where, and what is kept of it."""
