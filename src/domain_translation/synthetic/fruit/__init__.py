"""Apples and oranges on a table."""
