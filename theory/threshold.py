"""Claims of the family ``threshold``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
