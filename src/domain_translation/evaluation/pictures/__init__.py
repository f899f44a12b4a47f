"""What happened to a picture: changes, controls, counterparts, pixels, looks."""
