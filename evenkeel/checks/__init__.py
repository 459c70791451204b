"""The checks, one module a family of claims, each mirroring the theory module of its name.

A check decides in ints, fractions or balls wherever it can; its planted false variants are
declared beside it.  The types are in :mod:`evenkeel.evidence`.
"""
