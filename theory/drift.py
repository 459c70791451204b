"""Claims of the family ``drift``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
