"""Exact steps by integer programs and, where they are small, by brute force."""
