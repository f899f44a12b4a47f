"""Moved to `studies.stored_runs`."""

from domain_translation.studies.stored_runs import Run, as_card, from_pictures, pictures, read, share

__all__ = ["Run", "as_card", "from_pictures", "pictures", "read", "share"]
