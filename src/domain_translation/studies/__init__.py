"""Results too long for a page: one engine, and a declaration for each study."""
