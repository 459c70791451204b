"""Lower bounds of a step's imbalance, from the relaxation to nested windows."""
