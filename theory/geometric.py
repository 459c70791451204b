"""Claims of the family ``geometric``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
