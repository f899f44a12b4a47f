"""Drawn digits and number plates."""
