"""Growth with slots and workers."""

FAMILY = "scaling"
ORDER = ("refills", "growth")
