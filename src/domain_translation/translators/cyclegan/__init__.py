"""CycleGAN: two translators that undo each other, and their critics."""

from domain_translation.translators.cyclegan import published
from domain_translation.translators.cyclegan.antialiased import AntialiasedGenerator
from domain_translation.translators.cyclegan.config import (
    FULL,
    PAPER,
    QUICK,
    WEIGHTED,
    CycleGANConfig,
    WeightedConfig,
)
from domain_translation.translators.cyclegan.images import CycleGAN, train_cyclegan
from domain_translation.translators.cyclegan.networks import PatchDiscriminator, ResnetGenerator
from domain_translation.translators.cyclegan.published import load_published, published_url
from domain_translation.translators.cyclegan.toy import DIGITS, TOY, ToyConfig, train_toy_cyclegan

__all__ = [
    "DIGITS",
    "FULL",
    "PAPER",
    "QUICK",
    "TOY",
    "WEIGHTED",
    "AntialiasedGenerator",
    "CycleGAN",
    "CycleGANConfig",
    "PatchDiscriminator",
    "ResnetGenerator",
    "ToyConfig",
    "WeightedConfig",
    "load_published",
    "published",
    "published_url",
    "train_cyclegan",
    "train_toy_cyclegan",
]
