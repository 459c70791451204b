"""Policies: the protocol, the registry, and the rules themselves."""
