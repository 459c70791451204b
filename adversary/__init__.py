"""Floor 3: instances.

Random workload families, readers for real traces, searches for bad instances, Hypothesis
strategies and the gallery of witnesses.  Imports :mod:`solvers` and :mod:`theory` only.
"""
