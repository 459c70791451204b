"""Claims of the family ``step``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
