"""Claims of the family ``limits``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
