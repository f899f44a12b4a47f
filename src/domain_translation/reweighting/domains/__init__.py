"""Pairs of domains whose classes differ in mass."""
