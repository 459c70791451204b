"""One admission step."""

FAMILY = "step"
ORDER = ("objective", "refill", "waterfill", "relaxation", "gap")
