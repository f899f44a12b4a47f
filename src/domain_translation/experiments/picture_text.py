"""Moved to `studies.stored_runs`."""

from domain_translation.studies.stored_runs import from_pictures, pictures

__all__ = ["from_pictures", "pictures"]
