"""What CycleGAN and MUNIT have in common: a game both ways, with batch weights or without."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.config import WeightSettings
from domain_translation.reweighting.weighting import Equal
from domain_translation.sampling.inputs import floats, pictures
from domain_translation.training import Batch, Batches, Player, unpaired


def weight_settings(weighting: nn.Module, config: object, pool: int = 0) -> WeightSettings:
    """How `weighting` is to be trained; bounds of 0 where there is nothing to train.

    Args:
        weighting: one of the designs of `reweighting.weighting`.
        config: of the training.
        pool: number of past translations that the critics remember.

    Raises:
        ValueError: weights without settings, or beside a pool.
    """
    if isinstance(weighting, Equal):
        return WeightSettings(clip_first=0.0, clip_last=0.0)
    if not isinstance(config, WeightSettings) or pool:
        raise ValueError(
            f"weights with a {type(config).__name__} and a pool of {pool}; give a WeightedConfig "
            "without pool: a past translation would need the weight that it had"
        )
    return config


def players(
    networks: tuple[nn.Module, nn.Module, nn.Module, nn.Module, nn.Module],
    rate: float,
    lr_weights: float,
    momentum: float,
) -> dict[str, Player]:
    """Generators, critics and, where there is anything to train, weight nets."""
    betas = (momentum, 0.999)
    team = {
        "generators": Player(nn.ModuleList(networks[:2]), rate, betas),
        "critics": Player(nn.ModuleList(networks[2:4]), rate, betas),
    }
    if not isinstance(networks[4], Equal):
        team["weights"] = Player(networks[4], lr_weights, betas)
    return team


def minibatches(
    x: Tensor,
    y: Tensor,
    size: int,
    change: Callable[[Tensor, Generator], Tensor] = lambda images, _: images,
) -> Batches:
    """Images of both domains, drawn independently and then changed, and the rows they come from."""
    draw = unpaired(size, *(torch.arange(len(images), device=images.device) for images in (x, y)))

    def batch(generator: Generator) -> Batch:
        i, j = draw(generator)
        return change(x[i], generator), change(y[j], generator), i, j

    return batch


def check_images(
    images: Tensor, size: int, *, larger: bool = False, like: Tensor | None = None
) -> Tensor:
    """Images in float32, on the device of `like`; ValueError for those of another shape or range.

    Allowed are (n, C, size, size) in [-1, 1], or `larger`, n >= 1.
    """
    images = floats(images, "training images", "(n, C, H, W) in [-1, 1]", like=like).float()
    sides = images.shape[-2:]
    fits = min(sides) >= size if larger else sides == (size, size)
    if images.ndim != 4 or len(images) == 0 or not fits:
        raise ValueError(
            f"training images have shape {tuple(images.shape)}; give (n, C, H, W) with n at least "
            f"1 and sides of {'at least ' if larger else ''}{size} pixels, the configuration's size"
        )
    return pictures(images, "training images")
