"""Tests of significance and power, forced choices, classes preserved."""
