"""What a chapter's cells call: evidence, cards, and where they were computed."""
