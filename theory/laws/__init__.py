"""Laws: of sizes, of a slot's load, of sums and of their largest."""
