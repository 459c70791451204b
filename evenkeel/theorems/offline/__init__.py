"""The clairvoyant optimum and the price of each restriction."""

FAMILY = "offline"
ORDER = ("ladder", "prices")
