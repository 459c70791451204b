"""Thousands between which spaces or apostrophes stand, which begin no fraction."""

import re

# Spaces, two of which do not break, and apostrophes, as spreadsheets write them.
BETWEEN = "[ \u00a0\u202f'\u2019]"
GROUPED = rf"^[+-]?\d{{1,3}}({BETWEEN}\d{{3}})+([.,]\d+)?$"


def ungrouped(text: str) -> str:
    """A number that is so written with nothing between thousands and a point before its fraction.

    >>> ungrouped("63 620"), ungrouped("1'234,5"), ungrouped("12 34"), ungrouped("1,234")
    ('63620', '1234.5', '12 34', '1,234')
    """
    if re.match(GROUPED, text) is None:
        return text
    return re.sub(BETWEEN, "", text).replace(",", ".")
