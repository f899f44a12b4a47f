"""Coarse-to-fine energy-based models (CF-EBM): network, training, sampling, and their uses."""
