"""Steps for the online algorithm: a first assignment, local moves, local search."""
