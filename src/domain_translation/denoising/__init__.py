"""Denoising autoencoders: networks and their training (L-Cool eq. 2, lcool.eq2)."""

from domain_translation.denoising.antialiased import ANTIALIASED, AntialiasedDenoiser
from domain_translation.denoising.networks import ConvDenoiser, MLPDenoiser, UNetDenoiser
from domain_translation.denoising.tiramisu import Tiramisu
from domain_translation.denoising.training import (
    DIGITS,
    IMAGES,
    PAPER,
    TOY,
    DenoiserConfig,
    denoising_loss,
    train_denoiser,
)

__all__ = [
    "ANTIALIASED",
    "DIGITS",
    "IMAGES",
    "PAPER",
    "TOY",
    "AntialiasedDenoiser",
    "ConvDenoiser",
    "DenoiserConfig",
    "MLPDenoiser",
    "Tiramisu",
    "UNetDenoiser",
    "denoising_loss",
    "train_denoiser",
]
