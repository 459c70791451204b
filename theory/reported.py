"""Numbers that the paper reports of its experiments."""

from collections.abc import Mapping
from fractions import Fraction

# What BF-IO changes against FCFS as the paper reports it: imbalance divided by, relative gain of
# throughput, relative drops of the time per output token and of the energy (396 to 383 kJ in E2).
REPORTED: Mapping[str, Mapping[str, Fraction]] = {
    "E2": {
        "imbalance": Fraction(17),
        "throughput": Fraction("0.14"),
        "time per token": Fraction("0.13"),
        "energy": 1 - Fraction(383, 396),
    },
    "E3": {"throughput": Fraction("0.92"), "energy": Fraction("0.282")},
}
