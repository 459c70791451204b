"""One assumption dropped at a time."""
