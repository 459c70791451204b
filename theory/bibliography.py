"""The literature: each work once, in ``references.toml``, cited by author and year.

A text cites a work by its key in parentheses, several with semicolons between them: (Graham 1966),
(Berry 1941; Esseen 1942).
"""

import re
from functools import cache
from importlib.resources import files

import msgspec

from theory.files import decoded

# The two works that texts call by name.
BY_NAME = {"paper": "Chen et al. 2026", "BalanceRoute": "Bu et al. 2026"}

_PARENTHESES = re.compile(r"\(([^()]*\d)\)")
_KEY = re.compile(r"[A-Z][\w.'-]*(?: [\w.'-]+)* (?:19|20)\d\d")


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A work: its authors, its title, and where it appeared."""

    authors: str
    title: str
    where: str

    def __str__(self) -> str:
        return f"{self.authors}: {self.title}. {self.where}."


@cache
def references() -> dict[str, Reference]:
    """Every work by its key, in alphabetical order."""
    text = files("theory").joinpath("references.toml").read_bytes()
    return decoded(text, dict[str, Reference], "TOML")


def cited(text: str) -> list[str]:
    """The keys that a text cites, known or not: those of works called by name, then the others.

    >>> cited("the paper rests on (Berry 1941; Esseen 1942), with a constant of (Shevtsova 2011)")
    ['Chen et al. 2026', 'Berry 1941', 'Esseen 1942', 'Shevtsova 2011']
    """
    named = [key for name, key in BY_NAME.items() if re.search(rf"\b{name}\b", text)]
    groups = _PARENTHESES.findall(" ".join(text.split()))
    keys = (key for group in groups for key in group.split("; "))
    return list(dict.fromkeys((*named, *(key for key in keys if _KEY.fullmatch(key)))))
