"""Laws of one slot's load.

Under FCFS, and any rule that does not look at sizes, with a pool that never runs dry, the ``G*B``
slots are independent renewal processes, and a slot's load at step ``k`` is
``X = s + D_k - D_{k-A}`` with ``A`` the age of its request and ``D`` the cumulative drift
[fcfs.exact].  When all output lengths are equal, ``X = s`` up to a constant within a round, and
the law of the sizes is the law of the slot.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, log

import numpy as np
from numpy.typing import ArrayLike

from theory.laws.law import BITS, MAX_POINTS, Law
from theory.model import InputError

# Bits that an exact probability may need before it is rounded down to BITS.
EXACT_BITS = 4096


def growth(drift: Sequence[int], steps: int, phase: int = 0) -> list[int]:
    """``D_k - D_{k-t}`` for ``t = 0..steps``: growth of a request of age ``t`` at step ``k``.

    ``drift[k % n]`` is added at the end of step ``k``; only ``phase = k mod n`` matters.

    Raises
    ------
    InputError
        If the drift is empty or holds anything but integers ``>= 0``.

    Examples
    --------
    Growth 1 and 0 in turn.  At step 2 a request of age 1 has grown by ``drift[1] = 0``, one of
    age 2 by ``drift[0] = 1`` more:

    >>> growth((1, 0), 3, phase=2)
    [0, 0, 1, 1]
    """
    if not drift or any(not isinstance(d, int | np.integer) or d < 0 for d in drift):
        raise InputError(f"drift must be a non-empty list of integers >= 0, got {drift!r}")
    total, sums, n = 0, [0], len(drift)
    for t in range(1, steps + 1):
        total += drift[(phase - t) % n]
        sums.append(total)
    return sums


def _grown(weights: Sequence[int], scale: int, values: Sequence[int], excess: Fraction) -> Law:
    """The law of the growth, given the weight of each age and the growth at that age."""
    points = values[-1] + 1
    if points > MAX_POINTS:
        raise InputError(f"the drift reaches {values[-1]}: coarsen the sizes and the drift")
    mass = [0] * points
    for value, w in zip(values, weights, strict=True):
        mass[value] += w
    return Law(0, tuple(mass), scale, values[-1], excess)


def geometric_slot(
    sizes: Law,
    p: Fraction,
    *,
    step: int | None = None,
    drift: Sequence[int] = (1,),
    phase: int = 0,
) -> Law:
    """Load of one slot when output lengths are geometric(``p``), independent of the sizes.

    Parameters
    ----------
    sizes : Law
        Law of the prefill sizes.
    p : Fraction
        ``P(o = j) = p (1-p)^(j-1)``, ``0 < p <= 1``.
    step : int, optional
        Step ``k`` counted from a cold start; None for stationarity.
    drift : sequence of int
        Common calendar drift, repeated periodically; constant by default.
    phase : int
        In stationarity, the position in the drift's period.

    Returns
    -------
    Law
        Exact when ``k`` is small enough for ``p^k`` to be kept as a fraction of moderate size;
        otherwise rounded down to ``2^-80``, the infinite tail capped where it is below that.

    Raises
    ------
    InputError
        If ``p`` or ``step`` is out of range, or the support does not fit in memory.

    Notes
    -----
    ``P(A = t) = p q^t`` for ``t < k`` and ``P(A = k) = q^k`` with ``q = 1 - p``: the age is
    geometric, cut at the cold start.  Source: [fcfs.exact].

    Examples
    --------
    One step after a cold start, half of the requests have departed and half have grown by 1:

    >>> law = geometric_slot(Law.of({5: 1}), Fraction(1, 2), step=1)
    >>> law.offset, law.weights, law.scale
    (5, (1, 1), 2)
    """
    p = Fraction(p)
    if not 0 < p <= 1:
        raise InputError(f"p must lie in (0, 1], got {p}")
    if step is not None and step < 0:
        raise InputError(f"step must be >= 0, got {step}")
    if p == 1:
        return sizes.plus(_grown([1], 1, growth(drift, 0), Fraction(0)))
    q = 1 - p
    # Beyond this age the remaining probability is below 2^-BITS.
    cap = int(BITS * log(2) / -log(float(q))) + 1
    last = cap if step is None else min(step, cap)
    finite = step is not None and step <= cap
    exact = finite and last * q.denominator.bit_length() <= EXACT_BITS
    if exact:
        n, d = q.numerator, q.denominator
        ages = [(d - n) * n**t * d ** (last - 1 - t) for t in range(last)] + [n**last]
        scale = d**last
    else:
        scale, alive, ages = 1 << BITS, 1 << BITS, []
        for _ in range(last):
            ages.append(alive * p.numerator // p.denominator)
            alive = alive * q.numerator // q.denominator
        ages.append(alive if finite else 0)
    values = growth(drift, last, phase if step is None else step)
    # With e = (A - cap)^+: E[e^2] = q^cap q (1+q) / p^2.
    excess = Fraction(0) if finite else Fraction(2 * max(drift) ** 2, 1 << BITS) / p**2
    law = sizes.plus(_grown(ages, scale, values, excess))
    return law if exact else law.rounded()


def period(lengths: ArrayLike, drift: Sequence[int] = (1,)) -> int:
    """Steps after which the stationary law of a slot repeats: 1 unless the lengths share a divisor.

    A system that starts cold keeps its phase for ever, in all slots alike; so the long-run mean
    of ``E[Imb]`` is its mean over one period, and not its value at the mean of the laws.

    Parameters
    ----------
    lengths : int64[N]
        Output lengths, ``>= 1``.
    drift : sequence of int
        Common calendar drift, repeated periodically.

    Raises
    ------
    InputError
        If a length is not an integer ``>= 1`` or the drift is unusable.

    Examples
    --------
    Lengths 2 and 4: all slots renew at even steps alone.

    >>> period([2, 4]), period([2, 3])
    (2, 1)
    """
    growth(drift, 0)
    o = np.asarray(lengths)
    if o.size == 0 or o.dtype.kind not in "iu" or int(o.min()) < 1:
        raise InputError("lengths must be a non-empty list of integers >= 1")
    return lcm(int(np.gcd.reduce(o, axis=None)), len(drift))


def renewals(lengths: Law, steps: int) -> tuple[list[int], int]:
    """Probability that a slot admits at step ``0..steps`` after a cold start, and its scale.

    The renewal equation ``u_0 = 1``, ``u_j = sum_i P(o = i) u_{j-i}``, chapter XIII of
    (Feller 1968); exact where the scale ``N^steps`` is of moderate size, else rounded down.

    Parameters
    ----------
    lengths : Law
        Of the output lengths, ``>= 1``.
    steps : int
        Last step.

    Returns
    -------
    u : list of int, length steps + 1
        Numerators of the probabilities.
    scale : int
        Their denominator.

    Raises
    ------
    InputError
        If a length may be below 1.

    Examples
    --------
    Lengths 1 or 2 at equal odds: ``u_1 = 1/2`` and ``u_2 = 1/2 + 1/4``.

    >>> renewals(Law.uniform(1, 2), 2)
    ([4, 2, 3], 4)
    """
    if lengths.offset < 1:
        raise InputError(f"output lengths must be >= 1, got {lengths.offset}")
    exact = lengths.lost == 0 and steps * lengths.scale.bit_length() <= EXACT_BITS
    scale = lengths.scale**steps if exact else 1 << BITS
    u = np.zeros(steps + 1, dtype=object)
    u[0] = scale
    f = np.array(lengths.weights, dtype=object)
    for j in range(lengths.offset, steps + 1):
        n = min(len(f), j - lengths.offset + 1)
        newest = j - lengths.offset
        past = u[newest - n + 1 : newest + 1][::-1]
        u[j] = int(np.dot(f[:n], past)) // lengths.scale
    return [int(x) for x in u], scale


def joint_slot(
    sizes: ArrayLike,
    lengths: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    step: int | None = None,
    drift: Sequence[int] = (1,),
    phase: int = 0,
) -> Law:
    """Load of one slot when ``(s, o)`` has a general joint law, such as a trace's empirical one.

    Parameters
    ----------
    sizes, lengths : int64[N]
        Pairs ``(s_i, o_i)``, both ``>= 1``.
    counts : int64[N], optional
        Weight of each pair; one by default.
    step, drift, phase
        As in :func:`geometric_slot`, except that in stationarity the phase is a position in the
        :func:`period` of the lengths and the drift.

    Raises
    ------
    InputError
        If shapes or ranges are wrong or the support does not fit in memory.

    Notes
    -----
    At step ``k``, ``P(s, A=t) = u_{k-t} P(s, o>t)`` with the renewal probabilities ``u``; in
    stationarity ``P(s, A=t) = P(s, o>t) / E[o]``.  Where the lengths share the divisor ``d``, all
    slots renew at multiples of ``d`` only, and it is ``d P(s, o>t) / E[o]`` for ``t = k mod d``
    and 0 for other ages.  Source: [fcfs.exact]; the divisor: [fcfs.stationary].

    Examples
    --------
    Sizes 1, output lengths 1 or 2 at equal odds.  A slot spends two steps of three at age 0:

    >>> law = joint_slot([1, 1], [1, 2])
    >>> law.offset, law.weights, law.scale
    (1, (2, 1), 3)
    """
    s, o = np.asarray(sizes), np.asarray(lengths)
    c = np.ones(s.shape, dtype=np.int64) if counts is None else np.asarray(counts)
    if s.ndim != 1 or not s.shape == o.shape == c.shape or s.size == 0:
        raise InputError("sizes, lengths and counts must be non-empty lists of the same length")
    if any(column.dtype.kind not in "iu" for column in (s, o, c)):
        raise InputError("sizes, lengths and counts must hold integers")
    if int(s.min()) < 1 or int(o.min()) < 1 or int(c.min()) < 1:
        raise InputError("sizes, lengths and counts must be >= 1")
    order = np.argsort(-o, kind="stable")
    s, o, c = s[order], o[order], c[order]
    longest = int(o[0])
    last = longest - 1 if step is None else min(step, longest - 1)
    values = growth(drift, last, phase if step is None else step)
    low, high = int(s.min()), int(s.max()) + values[-1]
    if high - low >= MAX_POINTS:
        raise InputError(f"loads from {low} to {high} are too far apart: coarsen the sizes")
    # Rows are sorted by falling length: the first alive[t] of them have o > t.
    alive = np.searchsorted(-o, -np.arange(last + 1), side="left").tolist()
    if step is None:
        d = int(np.gcd.reduce(o))
        admitted = [d if (t - phase) % d == 0 else 0 for t in range(last + 1)]
        scale = sum((o.astype(object) * c).tolist())
        mass = np.zeros(high - low + 1, dtype=np.int64)
    else:
        tally = np.zeros(longest - int(o[-1]) + 1, dtype=np.int64)
        np.add.at(tally, o - o[-1], c)
        law_of_lengths = Law(int(o[-1]), tuple(tally.tolist()), int(c.sum()), longest)
        u, unit = renewals(law_of_lengths, step)
        admitted = [u[step - t] for t in range(last + 1)]
        scale = unit * int(c.sum())
        mass = np.zeros(high - low + 1, dtype=object)
        c = c.astype(object)
    for t, n in enumerate(alive):
        if admitted[t]:
            np.add.at(mass, s[:n] + (values[t] - low), c[:n] * admitted[t])
    weights = mass.tolist()
    del mass  # of millions of values, where requests are long
    law = Law(low, tuple(weights), scale, high)
    return law if scale.bit_length() <= EXACT_BITS else law.rounded()
