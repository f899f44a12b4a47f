"""Plain and striped animals in a pasture."""
