"""One admission step: the problem, its bounds, and four ways to solve it."""
