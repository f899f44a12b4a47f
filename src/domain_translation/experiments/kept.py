"""Moved to `cached`."""

from domain_translation.cached import cached as kept
from domain_translation.cached import seconds, timed

__all__ = ["kept", "seconds", "timed"]
