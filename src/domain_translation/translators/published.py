"""Generators from the state dicts that the authors of CycleGAN, pix2pix and CUT published."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from domain_translation.training import state_dicts
from domain_translation.translators import cyclegan, pix2pix


def load_published(path: Path | str, key: str | None = None) -> nn.Module:
    """Read a generator of one of these layouts, frozen and in evaluation mode.

    Args:
        path: see `state_dicts.read`.
        key: which network, where several are inside.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: see `state_dicts.read`; or another network, which is named where its
            layout is known.
    """
    tensors = state_dicts.read(path, key)
    if pix2pix.published.is_unet(tensors):
        return pix2pix.published.generator(tensors, path)
    return cyclegan.published.generator(tensors, path)
