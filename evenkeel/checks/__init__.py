"""The checks of the claims.

A family of claims is checked by the module that bears the name of its theory module; where that
would be too long, it imports other modules that declare the rest of its checks.  Every check
decides in ints, fractions or balls wherever it can, and its planted false variants are declared
beside it.  The types are in :mod:`evenkeel.evidence.check`.

Modules that declare no check hold what several share: exact comparisons (``cases``) and sampled
ones (``sampling``, ``intervals``), whole domains of small steps (``small_steps``), replicated runs
(``replications``, ``replay``), load histories and their energies (``load_energy``,
``run_pairs``), common faults and the verdict of a proof (``verdicts``, ``peeking``).
"""
