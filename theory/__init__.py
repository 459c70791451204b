"""Floor 1: definitions, claims, formulas and proofs.

Everything here is mathematics about the model: what a system, a request, an imbalance and a
power curve are, what is claimed about them, and closed forms and exact expectations.  Nothing
here solves an integer program, draws a random number or runs a simulation.  The statements that
Coq has checked are in ``formal``.  This folder imports no other folder of the project.
"""
