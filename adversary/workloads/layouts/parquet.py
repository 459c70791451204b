"""Parquet: only the wanted columns are loaded, and nothing before its rows are counted."""

from collections.abc import Iterator, Mapping
from io import BytesIO

import polars as pl
from polars.datatypes import DataTypeClass

from adversary.workloads.layouts.layout import Paths
from adversary.workloads.layouts.rows import Row, one_line
from theory.content import Content
from theory.model import InputError

MAGIC = b"PAR1"


class Parquet:
    """The rows of a Parquet file.

    Parameters
    ----------
    content : Content
        The file.
    most : int
        Rows that it may have.
    """

    def __init__(self, content: Content, most: int) -> None:
        self._name = content.name
        self.notes: list[str] = []
        # Polars takes no name that is not UTF-8.
        named = content.path is not None and str(content.path).isprintable()
        source = content.path if content.path and named else BytesIO(content.whole())
        try:
            self._frame = pl.scan_parquet(source, glob=False)
            self._schema = dict(self._frame.collect_schema())
            rows = self._frame.select(pl.len()).collect().item()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise InputError(
                f"{self._name}: damaged Parquet file: {one_line(error, 200)}"
            ) from None
        if rows > most:
            raise InputError(
                f"{self._name}: has {rows} rows, more than {most}; --max-rows allows more"
            )
        self.names = [name for column in self._schema.items() for name in _names(*column)]

    def read(self, wanted: Mapping[str, Paths], any_of: tuple[str, ...] = ()) -> Iterator[Row]:
        """Each row's values; see :class:`Rows`."""
        columns = []
        for key, paths in wanted.items():
            path = next((path for path in paths if path in self.names), None)
            column = pl.lit(None) if path is None else self._column(path)
            columns.append(column.cast(pl.String).alias(key))
        try:
            frame = self._frame.select(pl.first().is_null().alias(""), *columns).collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise InputError(
                f"{self._name}: damaged Parquet file: {one_line(error, 200)}"
            ) from None
        for _, *values in frame.iter_rows():
            yield Row(None, tuple(values))

    def _column(self, path: str) -> pl.Expr:
        """The values at a path, which leads into structs."""
        name = next(
            name
            for name in sorted(self._schema, key=len, reverse=True)
            if path == name or path.startswith(f"{name}.")
        )
        column = pl.col(name)
        kind: pl.DataType | DataTypeClass = self._schema[name]
        rest = path[len(name) + 1 :]
        while rest and isinstance(kind, pl.Struct):
            fields = {field.name: field.dtype for field in kind.fields}
            key = max((one for one in fields if f"{rest}.".startswith(f"{one}.")), key=len)
            column, kind, rest = column.struct.field(key), fields[key], rest[len(key) + 1 :]
        if kind.is_nested():
            raise InputError(
                f"{self._name}: {path!r} holds {kind} values; name a field with numbers"
            )
        return column


def _names(name: str, kind: pl.DataType | DataTypeClass) -> list[str]:
    if not isinstance(kind, pl.Struct):
        return [name]
    return [f"{name}.{rest}" for field in kind.fields for rest in _names(field.name, field.dtype)]
