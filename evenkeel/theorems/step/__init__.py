"""One admission step."""
