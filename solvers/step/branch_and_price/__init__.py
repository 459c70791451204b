"""Exact steps by branch and price: columns are the patterns that a worker can take."""
