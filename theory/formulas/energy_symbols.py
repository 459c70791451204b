"""The symbols of the energy claims.

``p = P_idle`` and ``e = delta = 1 - gamma`` (non-negative), ``d = dP = P_max - P_idle``
(positive: at constant power all bounds are one number), busy time ``W`` and idle time ``I`` in load
units, ``eta`` and ``eta1`` their ratios in the baseline and in the improved run.  With a step
overhead, ``W`` and ``I`` stand for the usage with overhead.  Where a waiting worker has a power of
its own, ``P_max = P_w + dP``.  Importing this imports sympy: claims
reach it through :data:`theory.symbolic.es`.
"""

import sympy
from sympy import Rational, Symbol

from theory.formulas.energy import Constants, Usage

p = Symbol("P_idle", nonnegative=True)
d = Symbol("dP", positive=True)
e = Symbol("delta", nonnegative=True)
W = Symbol("W", positive=True)
I = Symbol("I", nonnegative=True)  # noqa: E741
eta = Symbol("eta", nonnegative=True)
eta1 = Symbol("eta1", nonnegative=True)
E = Symbol("E", nonnegative=True)
saving = Symbol("saving", real=True)

POWER = Constants(p, p + d, 1 - e)
RUN = Usage(W, I)
BASE, NEW = Usage(sympy.Integer(1), eta), Usage(sympy.Integer(1), eta1)
BALANCED = Usage(sympy.Integer(1), sympy.Integer(0))
A100 = Constants(sympy.Integer(100), sympy.Integer(400), Rational(7, 10))
LINEAR = Constants(p, p + d, sympy.Integer(1))
TOP, D = p + d, p + e * d

# A waiting worker's power P_w = P_idle + q, and the worker-time Z without work.
extra = Symbol("q", nonnegative=True)
Z = Symbol("Z", nonnegative=True)
APART = Constants(p, p + extra + d, 1 - e, wait_w=p + extra)
RUN_APART = Usage(W, I, Z)

# Further quantities of proofs.
m = Symbol("m", positive=True)
u = Symbol("u", nonnegative=True)
v = Symbol("v", positive=True)
share = sympy.sin(Symbol("x", real=True)) ** 2  # any number between 0 and 1
rest = sympy.cos(Symbol("x", real=True)) ** 2  # and what is left of 1
r = Symbol("r", nonnegative=True)
t = Symbol("t", nonnegative=True)
