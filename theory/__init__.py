"""Floor 1: definitions, formulas, exact expectations and the steps of proofs.

Everything here is mathematics about the model: what a system, a request, an imbalance and a
power curve are, closed forms and exact expectations.  Nothing here solves an integer program,
draws a random number or runs a simulation.  The theorems that Coq has checked are in ``formal``;
notation and conventions are in ``NOTES.md``.  This folder imports no other folder of the project.
"""
