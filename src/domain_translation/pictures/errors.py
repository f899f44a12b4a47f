"""What can go wrong with a folder of pictures, as sentences meant for the terminal."""

from __future__ import annotations


class PicturesError(ValueError):
    """Something about the pictures, the networks or the disk that the caller can mend."""

    status = 1  # what the command exits with


class RequestError(PicturesError):
    """What is asked for does not fit together; nothing was read or written because of it."""

    status = 2
