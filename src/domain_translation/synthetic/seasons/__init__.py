"""Landscapes in summer and in winter."""
