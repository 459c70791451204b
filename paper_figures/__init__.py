"""Floor 4: the figures.

One module a figure: ``data`` computes a small CSV with computed and theoretical values side by
side, ``draw`` turns that CSV into a picture.  Imports :mod:`adversary`, :mod:`solvers` and
:mod:`theory` only.
"""
