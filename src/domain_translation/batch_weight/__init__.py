"""Batch weights: examples of a minibatch weighted so that two domains meet half-way (JD-BW 3)."""
