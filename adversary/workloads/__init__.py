"""Workloads: families, traces, and the statistics of traces that the project carries."""
