"""A lower bound of FCFS's expected imbalance from a few workers, by a tournament in rounds.

``G`` workers hold ``g^j``, and their slots can be shared by ``j`` rounds.  In each round groups of
``g`` workers send on the one whose share of the round is largest; the load of the last is at most
the largest, and each round has gained the mean lead of ``g`` workers with the slots of its share.
So with ``M(G, B) = E[max_g L_g] - B E[X]``, ``g^j <= G`` and ``B = j n + r``, ``0 <= r < j``

``M(G, B) >= (j-r) M(g, n) + r M(g, n+1)``  [fcfs.tournament].

What it takes is exact expectations for at most :data:`MOST` workers, whatever ``G``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.model import InputError

# Largest group of a round: below it the bound rests on few workers, at G itself it is exact.
MOST = 16


@dataclass(frozen=True, slots=True)
class Tournament:
    """A lower bound of ``M(G, B)``, and the rounds that give it.

    Parameters
    ----------
    lead : Fraction
        The bound, in units of load.
    group, rounds : int
        ``g`` and ``j``.
    """

    lead: Fraction
    group: int
    rounds: int


def largest_group(workers: int, rounds: int, most: int = MOST) -> int:
    """The largest ``g`` with ``g^j <= G`` and ``g <= most``, for ``G >= 2^j``.

    Examples
    --------
    >>> largest_group(124, 3), largest_group(125, 3), largest_group(125, 1)
    (4, 5, 16)
    """
    return next(group for group in range(most, 1, -1) if group**rounds <= workers)


def best_tournament(
    lead: Callable[[int, int], Fraction], workers: int, slots: int, most: int = MOST
) -> Tournament:
    """The tournament with the largest bound.

    Parameters
    ----------
    lead : callable
        ``M(g, n)``, or a lower bound of it, non-decreasing in both.
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.
    most : int
        Largest ``g`` that counts, at least 2.

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    Where every slot adds 1 and every doubling of the workers 1, groups of 2 give 3 rounds of 2 or 3
    slots at ``G = 8``, ``B = 7``:

    >>> best_tournament(lambda g, n: Fraction(g.bit_length() - 1 + n), 8, 7, most=2)
    Tournament(lead=Fraction(10, 1), group=2, rounds=3)
    """
    if workers < 2 or slots < 1 or most < 2:
        raise InputError(
            f"a tournament needs G >= 2, B >= 1 and groups of 2 or more, got G = {workers}, "
            f"B = {slots}, groups of at most {most}"
        )
    found = []
    for rounds in range(1, min(slots, workers.bit_length() - 1) + 1):
        group = largest_group(workers, rounds, most)
        n, more = divmod(slots, rounds)
        gain = (rounds - more) * lead(group, n)
        if more:
            gain += more * lead(group, n + 1)
        found.append(Tournament(gain, group, rounds))
    return max(found, key=lambda each: each.lead)


def mean_lead(law: Law, workers: int, slots: int) -> Fraction:
    """``M(G, B) = E[max_g L_g] - B E[X]``, the lower end of its enclosure.

    Examples
    --------
    Two workers of one slot, sizes 1 or 2 at equal odds:

    >>> mean_lead(Law.uniform(1, 2), 2, 1)
    Fraction(1, 4)
    """
    return expected_imbalance(law, workers, slots).imbalance.lower / workers


def tournament_bound(law: Law, workers: int, slots: int, most: int = MOST) -> Fraction:
    """A lower bound of ``E[Imb]`` under FCFS by the best tournament of small groups.

    Parameters
    ----------
    law : Law
        Of one slot's load.
    workers, slots, most : int
        As in :func:`best_tournament`.

    Notes
    -----
    Source: [fcfs.tournament].

    Examples
    --------
    Four workers of two slots, sizes 1 or 2 at equal odds, by two rounds of two: ``4 (1/4 + 1/4)``.

    >>> tournament_bound(Law.uniform(1, 2), 4, 2, most=2)
    Fraction(2, 1)
    """
    return workers * best_tournament(lambda g, n: mean_lead(law, g, n), workers, slots, most).lead
