"""Networks that come with the package, and the recipes that trained them."""

from domain_translation.pretrained.load import card, load

__all__ = ["card", "load"]
