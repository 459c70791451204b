"""Floor 2: the admission step and the engine.

The step problem with its exact integer programs, bounds and fast solver, the policies, the engine
that runs them, and certificates with the checker that stands alone.  Workloads come from
:mod:`adversary`; verdicts are given in :mod:`evenkeel`.  Imports :mod:`theory` only.
"""
