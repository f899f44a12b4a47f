"""Denoising autoencoders: networks and their training (L-Cool eq. 2, lcool.eq2)."""

from domain_translation.dae.networks import ConvDenoiser, MLPDenoiser
from domain_translation.dae.training import (
    DIGITS,
    TOY,
    DenoiserConfig,
    denoising_loss,
    train_denoiser,
)

__all__ = [
    "DIGITS",
    "TOY",
    "ConvDenoiser",
    "DenoiserConfig",
    "MLPDenoiser",
    "denoising_loss",
    "train_denoiser",
]
