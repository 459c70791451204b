"""Commas in numbers, before a fraction for certain or perhaps between thousands; spaces there."""

import polars as pl

from adversary.workloads.layouts.grouped import BETWEEN, GROUPED

# 0,5 and 1234,5 and 1.234,5 and 12,34 are fractions; 12,345 may be either.
FRACTION = r"^[+-]?(0?|\d{4,}|\d{1,3}(\.\d{3})+),\d+$|^[+-]?\d+,(\d{1,2}|\d{4,})$"
EITHER = r"^[+-]?\d{1,3}(,\d{3})+$"


def with_point(key: str, *, known: bool = False) -> pl.Expr:
    """The texts of a column with a point before each fraction, and nothing between thousands.

    Parameters
    ----------
    key : str
        The column.
    known : bool
        Whether every comma of the column is known to begin a fraction.
    """
    text = pl.col(key)
    text = (
        pl.when(text.str.contains(GROUPED)).then(text.str.replace_all(BETWEEN, "")).otherwise(text)
    )
    comma = text.str.contains(",", literal=True) if known else text.str.contains(FRACTION)
    pointed = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return pl.when(comma).then(pointed).otherwise(text).alias(key)
