"""Experiments of the full profile that run for longer than a page is built, with stored results."""
