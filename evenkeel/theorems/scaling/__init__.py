"""Growth with slots and workers."""
