"""Floor 3: instances.

Random workload families, readers for real traces, exact worst cases and searches for bad
instances, attacks on policies, Hypothesis strategies, the gallery of witnesses and certificates.
Imports :mod:`solvers` and :mod:`theory` only.
"""
