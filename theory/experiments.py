"""Claims of the family ``experiments``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
