"""Pictures in frames, whose density is known."""
