"""FCFS in expectation, and its worst cases."""
