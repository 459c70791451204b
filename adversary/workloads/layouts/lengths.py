"""Which values are lengths: whole numbers of tokens from 1 to 2^31 - 1."""

from functools import cache

import polars as pl

from adversary.workloads.family import SIZE_LIMIT
from adversary.workloads.layouts.decimals import EITHER


def shown(key: str, path: str) -> pl.Expr:
    """A field and its value, as they are told to people."""
    value = pl.col(key).str.slice(0, 40).str.replace_all(r"\s+", " ")
    return pl.format("{} = {}", pl.lit(path), value)


def absent(key: str, path: str) -> pl.Expr:
    """That a value is missing, or null."""
    blank = pl.col(key).is_null() | (pl.col(key) == "")
    return pl.when(blank).then(pl.lit(f"{path} is missing"))


def number(key: str) -> pl.Expr:
    """The number that a text is, or null."""
    return pl.col(key).cast(pl.Float64, strict=False)


@cache  # the same of every part of a trace
def length_fault(key: str, path: str, zero: str) -> pl.Expr:
    """Why a text is no length, or null.

    Parameters
    ----------
    key, path : str
        Its column, and what the file calls it.
    zero : str
        What a length of 0 is.
    """
    value = number(key)
    rules = [
        (
            pl.col(key).str.contains(EITHER),
            "may have a comma that groups thousands: write it without",
        ),
        (value.is_null() | value.is_nan(), "is not a number"),
        (value == 0, zero),
        (value < 1, "must be at least 1"),
        (value > SIZE_LIMIT, f"is larger than {SIZE_LIMIT}"),
        (
            (value != value.floor()) & pl.col(key).str.contains(r"^\d{1,3}(\.\d{3})+$"),
            "is not an integer, unless the points group thousands: write it without them",
        ),
        (value != value.floor(), "is not an integer"),
    ]
    why = pl.coalesce(*(pl.when(broken).then(pl.lit(says)) for broken, says in rules))
    return pl.coalesce(absent(key, path), pl.format("{} {}", shown(key, path), why))
