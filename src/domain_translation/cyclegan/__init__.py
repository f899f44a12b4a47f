"""CycleGAN base translators; here the two-layer one of the toy study."""

from domain_translation.cyclegan.toy import (
    DIGITS,
    TOY,
    ToyConfig,
    cyclegan_players,
    train_toy_cyclegan,
)

__all__ = ["DIGITS", "TOY", "ToyConfig", "cyclegan_players", "train_toy_cyclegan"]
