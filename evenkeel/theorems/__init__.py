"""Claims: one room a family, with what is stated, its proofs, and its checks."""
