"""Denoising autoencoders: networks and their training (L-Cool eq. 2, lcool.eq2)."""

from domain_translation.dae.networks import ConvDenoiser, MLPDenoiser, UNetDenoiser
from domain_translation.dae.tiramisu import Tiramisu
from domain_translation.dae.training import (
    DIGITS,
    IMAGES,
    PAPER,
    TOY,
    DenoiserConfig,
    denoising_loss,
    train_denoiser,
)

__all__ = [
    "DIGITS",
    "IMAGES",
    "PAPER",
    "TOY",
    "ConvDenoiser",
    "DenoiserConfig",
    "MLPDenoiser",
    "Tiramisu",
    "UNetDenoiser",
    "denoising_loss",
    "train_denoiser",
]
