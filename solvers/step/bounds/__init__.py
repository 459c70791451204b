"""Lower bounds of a step's imbalance: linear relaxation, caps of slots, few slots, lattice."""
