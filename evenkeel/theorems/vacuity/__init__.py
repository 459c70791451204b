"""Where the theorems say more than nothing."""

FAMILY = "vacuity"
ORDER = ("edges", "certified", "explicit", "promise")
