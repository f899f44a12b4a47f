"""Studies of the part Reweighting."""
