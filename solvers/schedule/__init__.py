"""Schedules when every length is known, and the price of each restriction."""
