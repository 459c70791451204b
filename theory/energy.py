"""Claims of the family ``energy``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
