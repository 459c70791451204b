"""Lower bounds of a step's imbalance: linear relaxation, spacing of sizes, caps of slots."""
