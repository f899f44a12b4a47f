"""Exit statuses, and the one way to complain."""

from __future__ import annotations

import sys

FAILED = 1
USAGE_ERROR = 2
INCOMPLETE = 3  # done, except for pictures that could not be read
INTERRUPTED = 128  # plus the number of the signal


def complain(sentence: str, status: int) -> int:
    """Print a sentence to stderr and return the status."""
    print(f"domain-translation: {sentence}", file=sys.stderr)
    return status
