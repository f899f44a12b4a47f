"""pix2pix: supervised translation of pairs, the baseline of ImproveIT's Table 2."""

from domain_translation.translators.pix2pix import published
from domain_translation.translators.pix2pix.networks import UnetGenerator
from domain_translation.translators.pix2pix.training import (
    PAPER,
    QUICK,
    Pix2PixConfig,
    train_pix2pix,
)

__all__ = ["PAPER", "QUICK", "Pix2PixConfig", "UnetGenerator", "published", "train_pix2pix"]
