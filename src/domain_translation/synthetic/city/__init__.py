"""Aerial photographs of towns and their maps."""
