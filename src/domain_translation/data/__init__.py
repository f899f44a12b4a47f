"""Embedded data of the quick profile, corruptions of them, and domains made from them."""

from domain_translation.data.corruptions import salt_and_pepper, scatter
from domain_translation.data.digits import Digits, Split, load_digits, slant

__all__ = ["Digits", "Split", "load_digits", "salt_and_pepper", "scatter", "slant"]
