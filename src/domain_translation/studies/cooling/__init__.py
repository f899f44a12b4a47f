"""Studies of the part Langevin cooling."""
