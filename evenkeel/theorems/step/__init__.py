"""One admission step."""

FAMILY = "step"
ORDER = (
    "objective",
    "refill",
    "spare_requests",
    "pool_condition",
    "waterfill",
    "spacing",
    "relaxation",
    "gap",
)
