"""What the functions of the theory refuse, one value past the edge, and what they still take."""

from fractions import Fraction

import pytest

from theory.formulas.constants import uniform_constant
from theory.formulas.energy import Constants
from theory.formulas.energy_inversions import eta_for_cap
from theory.formulas.fcfs import (
    explicit_bound,
    few_slots_square,
    log_growth_square,
    worst_imbalance,
)
from theory.formulas.geometric import distance_to_geometric, edge_slots, frontier_slots
from theory.formulas.growth import two_size_refill
from theory.formulas.ratio import first_formula_slots, iir_enclosure
from theory.formulas.rebalancing import can_rebalance, failure_bound
from theory.formulas.tilting import tilting_bounds
from theory.laws.fcfs_expectation import expected_maximum, load_law, on_lattice
from theory.laws.fcfs_moments import spread
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import (
    effective_constant,
    expected_max_of_normals,
    largest_constant,
)
from theory.laws.slot_load import geometric_slot, growth, joint_slot, period
from theory.laws.tournament import tournament_bound
from theory.model import InputError
from theory.power import PowerModel
from theory.power_measurements import fit_gamma

LAW = Law.uniform(1, 2)
DEVICE = Constants(100.0, 400.0, 0.7)

# A function, arguments that it takes, and for some of them values that it refuses.
EDGES = [
    (can_rebalance, {"departed": [[1, 1], [2]], "a": 1, "b": 2}, {}),
    (failure_bound, {"state": [[1, 2], [2, 1]], "p": 0.5, "a": 1, "b": 2}, {"a": [2]}),
    (expected_maximum, {"load": LAW, "workers": 1}, {"workers": [0]}),
    (load_law, {"law": LAW, "slots": 1}, {"slots": [0]}),
    (on_lattice, {"law": LAW, "slots": 1, "cell": 1}, {"cell": [0]}),
    (expected_max_of_normals, {"workers": 1}, {"workers": [0]}),
    (
        effective_constant,
        {"law": LAW, "workers": 2, "slots": 1},
        {"workers": [1], "law": [Law.uniform(2, 2)]},
    ),
    (
        largest_constant,
        {"law": LAW, "workers": 2, "slots": 1, "tolerance": Fraction(1, 10)},
        {"workers": [1], "slots": [0], "tolerance": [Fraction(0)], "law": [Law.uniform(2, 2)]},
    ),
    (
        worst_imbalance,
        {"workers": 1, "slots": 1, "a": 1, "b": 1},
        {"workers": [0], "slots": [0], "a": [0, 2], "b": [0]},
    ),
    (
        log_growth_square,
        {"variance": Fraction(1), "fourth": Fraction(3), "workers": 4, "slots": 2},
        {"variance": [Fraction(0)], "workers": [1], "slots": [1]},
    ),
    (
        few_slots_square,
        {"variance": Fraction(1), "fourth": Fraction(3), "workers": 4, "slots": 2},
        {"variance": [Fraction(0)], "workers": [1, 3], "slots": [0, 3]},
    ),
    (
        explicit_bound,
        {"law": LAW, "workers": 2, "slots": 1},
        {"law": [Law.uniform(2, 2)], "workers": [0, 1], "slots": [0]},
    ),
    (
        tournament_bound,
        {"law": LAW, "workers": 2, "slots": 1, "most": 2},
        {"workers": [0, 1], "slots": [0], "most": [1]},
    ),
    (
        tilting_bounds,
        {"law": LAW, "workers": 2, "slots": 1},
        {"law": [Law.uniform(2, 2), Law.uniform(1, 3).rounded(8)], "workers": [0, 1], "slots": [0]},
    ),
    (uniform_constant, {"kurtosis": Fraction(3)}, {"kurtosis": [Fraction(299, 100)]}),
    (
        iir_enclosure,
        {"workers": 2, "slots": 1, "variance": Fraction(9, 4), "width": 4, "c": Fraction(1)},
        {"workers": [1], "slots": [0], "width": [0]},
    ),
    (
        first_formula_slots,
        {"workers": 2, "width": 2, "variance": Fraction(1, 4), "c": Fraction(1)},
        {"workers": [1], "width": [0], "variance": [Fraction(0)], "c": [Fraction(0)]},
    ),
    (frontier_slots, {"workers": 2, "p": 0.5, "width": 1}, {"workers": [1], "width": [0]}),
    (edge_slots, {"workers": 2, "p": 0.5, "width": 1}, {"workers": [1], "width": [0]}),
    (distance_to_geometric, {"lengths": [1]}, {"lengths": [[], [0], [0, 1]]}),
    (
        Enclosure,
        {"lower": Fraction(1), "upper": Fraction(1)},
        {"lower": [Fraction(2)], "upper": [Fraction(0)]},
    ),
    (
        Law,
        {"offset": 1, "weights": (1,), "scale": 1, "bound": 1},
        {"weights": [(), (2,), (-1, 1)], "scale": [0], "bound": [0]},
    ),
    (Law.of, {"probabilities": {1: Fraction(1)}}, {"probabilities": [{}, {1: Fraction(1, 2)}]}),
    (Law.uniform, {"a": 1, "b": 1}, {"a": [2], "b": [0]}),
    (Law.empirical, {"values": [5]}, {"values": [[], [[5]], [0.5]]}),
    (spread, {"law": LAW, "workers": 1, "slots": 1}, {"law": [Law.uniform(0, 1)]}),
    (
        PowerModel,
        {"name": "x", "idle_w": 0.0, "max_w": 1.0, "gamma": 1.0, "wait_w": 0.5},
        {
            "idle_w": [-0.1, 0.6, 1.1, float("nan")],
            "max_w": [0.0, 0.4, -1.0, float("inf")],
            "gamma": [0.0, 1.01],
            "wait_w": [-0.1, 1.1, float("nan"), float("inf")],
        },
    ),
    (
        fit_gamma,
        {"throughput": [1.0, 2.0, 4.0], "power_w": [2.0, 3.0, 4.0], "idle_w": 1.0},
        {
            "throughput": [[1.0, 2.0], [0.0, 2.0, 4.0], [1.0, 2.0, float("inf")]],
            "power_w": [[1.0, 3.0, 4.0], [2.0, 3.0, float("inf")]],
            "idle_w": [2.0],
        },
    ),
    (
        eta_for_cap,
        {"power": DEVICE, "saving": 0.1, "remaining": 0.0},
        {"saving": [0.0, 1.0], "remaining": [-0.1]},
    ),
    (two_size_refill, {"workers": 1, "slots": 1}, {"workers": [0], "slots": [0]}),
    (growth, {"drift": [0], "steps": 1}, {"drift": [[], [-1], [0.5]]}),
    (
        geometric_slot,
        {"sizes": LAW, "p": Fraction(1), "step": 0},
        {"p": [Fraction(0), Fraction(2)], "step": [-1]},
    ),
    (period, {"lengths": [1]}, {"lengths": [[], [0], [1.5]]}),
    (
        joint_slot,
        {"sizes": [1], "lengths": [1], "counts": [1]},
        {
            "sizes": [[0], [1, 1], [1.5], [[1]]],
            "lengths": [[0], [1, 1], [1.5]],
            "counts": [[0], [1, 1], [1.5]],
        },
    ),
]


@pytest.mark.parametrize(
    ("function", "taken", "refused"), EDGES, ids=lambda x: getattr(x, "__name__", "")
)
def test_one_past_the_edge_is_refused(function, taken, refused):
    function(**taken)
    for name, values in refused.items():
        for value in values:
            with pytest.raises(InputError):
                function(**{**taken, name: value})
