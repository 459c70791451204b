"""Claims of the family ``scaling``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
