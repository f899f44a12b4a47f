"""One arm of an image study: every test image plain, cooled, and blurred as far (control)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.cooling.cool import Score, Translator, cool
from domain_translation.cooling.fringe import score_norms
from domain_translation.cooling.presets import Cooling
from domain_translation.evaluation.pictures.controls import blurred_as_far


class Study(NamedTuple):
    """Images (n, 3, H, W) of one study; the order is that of the test set.

    Attributes:
        norms: score norm of each input, which ranks the fringe (n,).
        inputs: the test images.
        cooled: the inputs after cooling.
        blurred: the inputs moved as far towards their own blur.
        plain, after_cooling, after_blur: translations of the three.
    """

    norms: Tensor
    inputs: Tensor
    cooled: Tensor
    blurred: Tensor
    plain: Tensor
    after_cooling: Tensor
    after_blur: Tensor


@torch.no_grad()
def study(translator: Translator, score: Score, x: Tensor, setting: Cooling, seed: int) -> Study:
    """Cool all of `x` by `setting`, and translate it plain, cooled and blurred.

    Args:
        translator: G, images -> images.
        score: estimate of the source domain's score.
        x: test images (n, C, H, W).
        setting: step size, temperature and number of steps.
        seed: of the noise.
    """
    cooled = cool(score, x, seed=seed, **setting.chain()).x
    blurred = blurred_as_far(x, cooled)
    norms = score_norms(score, x)
    return Study(norms, x, cooled, blurred, translator(x), translator(cooled), translator(blurred))
