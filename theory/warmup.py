"""Claims of the family ``warmup``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
