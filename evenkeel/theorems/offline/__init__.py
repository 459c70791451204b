"""The clairvoyant optimum and the price of each restriction."""
