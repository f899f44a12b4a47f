"""Unsupervised domain translation, re-derived and re-run: the package behind the book."""

__version__ = "0.1.0"
