"""Distances between sets of pictures, the features they are measured in, trivial rivals."""
