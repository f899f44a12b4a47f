"""Studies of the part Language."""
