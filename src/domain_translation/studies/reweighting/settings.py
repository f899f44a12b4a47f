"""What the translators are trained with on every scene: the paper's arms, and more on digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from domain_translation.reweighting.config import (
    FULL_DIGITS,
    QUICK_DIGITS,
    QUICK_PLATES,
    QUICK_WARES,
    ImageConfig,
)
from domain_translation.translators import cyclegan
from domain_translation.translators.munit import config as munit
from domain_translation.translators.munit.config import MUNITConfig, WeightedConfig

Settings = Mapping[str, Any]  # configurations by method


def four(joint: ImageConfig, of_munit: MUNITConfig) -> Settings:
    """The paper's arms (4.2, jdbw.concept.baselines)."""
    return {
        "JD-BW": joint,
        "joint discriminator": joint,
        "MUNIT": of_munit,
        "MUNIT + weights": with_weights(of_munit),
    }


def with_weights(config: MUNITConfig) -> WeightedConfig:
    """The same MUNIT with the quick settings' weight nets."""
    return replace(munit.QUICK_WEIGHTED, **asdict(config))


def larger(config: ImageConfig) -> ImageConfig:
    """The same JD-BW with the size, width and steps of MNIST at 32x32."""
    full = FULL_DIGITS
    return replace(config, size=full.size, width=full.width, steps=full.steps)


SETTINGS: Mapping[str, Settings] = {
    "digits": {
        **four(QUICK_DIGITS, munit.QUICK),
        "CycleGAN": cyclegan.WEIGHTED,
        "CycleGAN + weights": cyclegan.WEIGHTED,
        "CycleGAN, no identity": replace(cyclegan.WEIGHTED, lambda_identity=0.0),
        "one argument": QUICK_DIGITS,
        "two arguments": QUICK_DIGITS,
        "no skip": replace(QUICK_DIGITS, skip=False),
    },
    "plates": four(QUICK_PLATES, munit.QUICK),
    "wares": four(QUICK_WARES, munit.QUICK),
    "heads": four(QUICK_WARES, munit.QUICK),
    # A GPU would take both rooms' `PAPER`: networks here are a quarter as wide as the paper's, and
    # see about a hundredth of its images.
    "mnist": four(FULL_DIGITS, munit.FULL),
    "street": four(larger(QUICK_PLATES), munit.FULL),
    "fashion": four(larger(QUICK_WARES), munit.FULL),
    "faces": four(larger(QUICK_WARES), munit.FULL),
}
