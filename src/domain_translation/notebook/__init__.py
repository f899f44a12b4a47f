"""What a chapter's cells call: evidence, cards, the source of an algorithm."""

from domain_translation.notebook.source import show

__all__ = ["show"]
