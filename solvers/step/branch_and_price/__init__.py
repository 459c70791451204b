"""Exact steps by branch and price: a column is a set of requests that one worker can take."""
