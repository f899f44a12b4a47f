"""Unsupervised domain translation, re-derived and re-run: the package behind the book.

``domain_translation.cool(translator, images, denoiser)`` cools pictures in memory and translates
them; see `pictures.cool`. PyTorch is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain_translation.cooling.pictures.arrays import cool

__all__ = ["__version__", "cool"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "cool":
        from domain_translation.cooling.pictures.arrays import cool

        return cool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
