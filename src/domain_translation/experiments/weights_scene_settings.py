"""Quick settings of the three scenes of `weights_scenes`, for pictures of 16x16 on a CPU core.

They start from the settings for digits; every change is named here, with its reason.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import NamedTuple

from domain_translation.evaluation.sample_judges import GLYPHS, SampleJudgeConfig
from domain_translation.jd_bw.config import QUICK_DIGITS, ImageConfig
from domain_translation.munit import config as munit
from domain_translation.munit.config import MUNITConfig, WeightedConfig


class Settings(NamedTuple):
    """Settings of the translators of a scene and of its judges.

    Attributes:
        joint: of JD-BW, and of its joint discriminator alone.
        munit: of MUNIT.
        weighted: of MUNIT with batch weights.
        judge: of the judges of both domains.
    """

    joint: ImageConfig
    munit: MUNITConfig
    weighted: WeightedConfig
    judge: SampleJudgeConfig


def with_weights(config: MUNITConfig) -> WeightedConfig:
    """The same MUNIT with the quick settings' weight nets."""
    quick = munit.QUICK_WEIGHTED
    return WeightedConfig(
        **asdict(config),
        weight_width=quick.weight_width,
        lr_weights=quick.lr_weights,
        clip_first=quick.clip_first,
        clip_last=quick.clip_last,
    )


STEPS = 600  # generator steps; after 1,200 of MUNIT the processor time is about the same
# MNIST and SVHN: noise of length 16 and a 1x1 second convolution (4.3, jdbw.tab2), as PAPER_SVHN.
PLATES = replace(QUICK_DIGITS, noise=16, kernel=1, steps=STEPS)
# Noise of length 16 everywhere but between MNIST and SR-MNIST (4.3). Chosen on validation images,
# seed 7 of `even`: with maps of 8x8 pixels inside, where the other kernel has 4x4, and ten times
# the gradient penalty, both changed at once, heads leave fewer wrong pixels and the noise colours
# the wares. Without the skip fewer wares keep their class.
WARES = replace(QUICK_DIGITS, noise=16, kernel=1, penalty=10.0, steps=STEPS)
HEADS = WARES

# Judges of two classes need less of everything than those of ten digits.
TWO_CLASSES = replace(GLYPHS, steps=1000, width=8)

SETTINGS = {
    "plates": Settings(PLATES, munit.QUICK, with_weights(munit.QUICK), GLYPHS),
    "wares": Settings(WARES, munit.QUICK, with_weights(munit.QUICK), TWO_CLASSES),
    "heads": Settings(HEADS, munit.QUICK, with_weights(munit.QUICK), TWO_CLASSES),
}
