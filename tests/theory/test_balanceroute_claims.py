"""BalanceRoute's scores: identities and the reported arithmetic."""

from fractions import Fraction
from itertools import product

from evenkeel.theorems.balanceroute.reported import REPORTED_GAIN, REPORTED_THROUGHPUT
from theory.formulas.balanceroute import br0_score, brh_score
from theory.model import imbalance


def test_score_is_minus_the_change_of_the_imbalance():
    for loads in product(range(4), repeat=3):
        for size, worker in product(range(6), range(3)):
            after = list(loads)
            after[worker] += size
            score = br0_score(size, max(loads) - loads[worker], 3)
            assert score == imbalance(loads) - imbalance(after)


def test_brh_without_a_window_is_br0():
    for size, margin, workers in product(range(5), range(5), range(1, 4)):
        assert brh_score(size, [margin], [1], 1, workers) == br0_score(size, margin, workers)


def test_brh_by_hand():
    # d = (1, 1/2), S = 4, margins (1, 3): 3/2 * 4 - 2 * (3 + 1/2) = -1.
    assert brh_score(4, [1, 3], [1, Fraction(1, 2)], 1, 2) == -1


def test_brh_discounts_the_changes_of_imbalances_whatever_the_discounts():
    # G = 2, worker 0 takes 3: loads (0, 2) become (3, 2), an imbalance of 2 becomes 1; loads (4, 5)
    # become (7, 5), an imbalance of 1 becomes 2.  With d = (-1, 5/2): -1 * 1 + 5/2 * (-1) = -7/2.
    margins = [max(loads) - loads[0] for loads in ((0, 2), (4, 5))]
    assert brh_score(3, margins, [-1, Fraction(5, 2)], 1, 2) == Fraction(-7, 2)


def test_reported_gain_follows_from_reported_throughput():
    best_baseline = max(REPORTED_THROUGHPUT["round robin"][0], REPORTED_THROUGHPUT["JSQ"][0])
    gain = Fraction(REPORTED_THROUGHPUT["BR-H oracle"][0], best_baseline) - 1
    assert round(100 * gain, 1) == REPORTED_GAIN[8]
