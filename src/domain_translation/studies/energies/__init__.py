"""Studies of the part Energies."""
