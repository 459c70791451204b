"""Floor 4: the figures.

One module a figure, in rooms by what they show: a generator decorated with
:func:`paper_figures.figure.table` computes a small table with computed and theoretical values side
by side, and a function decorated with :func:`paper_figures.figure.figure` draws it.  Imports
:mod:`adversary`, :mod:`solvers` and :mod:`theory` only.
"""
