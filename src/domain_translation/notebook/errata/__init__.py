"""What is wrong, ambiguous or lost in the sources, and the arithmetic that shows it."""
