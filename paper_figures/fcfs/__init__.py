"""Figures of the imbalance under FCFS and its expectation."""
