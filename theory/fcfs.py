"""Claims of the family ``fcfs``."""

from theory.claims import Claim

CLAIMS: tuple[Claim, ...] = ()
