"""Heads, photographed and painted."""
