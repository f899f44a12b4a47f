"""The shipped JD-BW translators of plates, wares and heads, on images drawn on the spot."""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation import weights
from domain_translation.evaluation.class_preservation import grid
from domain_translation.experiments.weights_methods import translate_by
from domain_translation.experiments.weights_scene_measures import NOISES
from domain_translation.experiments.weights_scene_tables import tiles
from domain_translation.experiments.weights_scenes import Scene
from domain_translation.jd_bw.generators import StochasticGenerator, as_channels

DRAWN = 10_000  # seeds from here on are those of no training, judge or test image


def shipped_rows(scene: Scene, n: int = 4, seed: int = 0) -> list[Tensor]:
    """n new images of the first domain, each followed by its translations with fixed noises.

    Args:
        scene: one of `weights_scenes.SCENES`.
        n: number of rows.
        seed: of the images, 0 or larger.

    Returns:
        Rows for `plots.photo_rows`: tiles (1 + NOISES, 3, S', S').
    """
    forward = weights.load(f"scenes/{scene.name}_forward")
    assert isinstance(forward, StochasticGenerator)
    x = scene.even(n, DRAWN + seed).x.x
    made = grid(translate_by(forward), x, NOISES)
    first = as_channels(x, 3)[:, None]
    return [tiles(row) for row in torch.cat([first, made.expand(-1, -1, 3, -1, -1)], 1)]
