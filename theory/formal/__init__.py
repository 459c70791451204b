"""Machine-checked proofs: the Coq sources, what they state, and the record of their check."""
