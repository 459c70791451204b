"""What a property is held for in turn, on one example: to draw it takes longer than to hold it."""

from collections.abc import Iterable, Iterator

from hypothesis import note


def noted(names: Iterable[str]) -> Iterator[str]:
    """Every name, noted for whoever reads at which one a property failed."""
    for name in names:
        note(name)
        yield name
