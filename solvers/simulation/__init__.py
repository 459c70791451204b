"""Simulation: the compiled engine, its loops, and the plain reference."""
