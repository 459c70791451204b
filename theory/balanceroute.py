"""Claims of the family ``balanceroute``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
