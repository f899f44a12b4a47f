"""Langevin: kernels, the one loop that runs every chain, what it stands on, and AIS."""
