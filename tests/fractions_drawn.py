"""Fractions between two bounds, as `st.fractions` draws them, without a strategy for each."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import strategies as st


def fractions(
    low: Fraction | int, high: Fraction | int, max_denominator: int
) -> st.SearchStrategy[Fraction]:
    numerators = [
        (ceil(low * d), floor(high * d), d)
        for d in range(1, max_denominator + 1)
        if ceil(low * d) <= floor(high * d)
    ]

    @st.composite
    def drawn(draw: st.DrawFn) -> Fraction:
        least, most, denominator = draw(st.sampled_from(numerators))
        return Fraction(draw(st.integers(least, most)), denominator)

    return drawn()
