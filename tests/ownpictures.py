"""Pictures and small networks on disk, for the tests of folders of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from domain_translation import denoising
from domain_translation.runtime import seeded
from domain_translation.training.model_files import save_model
from domain_translation.translators import cyclegan


def pixels(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A colour gradient with a bright disc and a little noise, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    ramp = np.stack([x / max(1, width - 1), y / max(1, height - 1), 0.5 + 0 * x], -1)
    disc = np.hypot(x - width * rng.random(), y - height * rng.random()) < min(width, height) / 4
    values = 255 * ramp * (1 - 0.5 * disc[..., None]) + 6 * rng.normal(size=(height, width, 3))
    return values.round().clip(0, 255).astype(np.uint8)


def draw(path: Path, width: int, height: int, seed: int = 0, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(width, height, seed)).save(path, **options)
    return path


def folder(path: Path, count: int = 4, side: int = 24) -> Path:
    for i in range(count):
        draw(path / f"{i}.png", side, side, seed=i)
    return path


def denoiser_file(path: Path, **card: Any) -> Path:
    """An untrained denoiser with a card; its score is small and smooth."""
    with seeded(1):
        network = denoising.UNetDenoiser(channels=3, width=4)
    said = {"sigma": 0.3, "channels": 3, "size": None, "range": "[-1, 1]", **card}
    save_model(path, network, said)
    return path


def generator() -> torch.nn.Module:
    with seeded(2):
        return cyclegan.ResnetGenerator(width=4, blocks=1).eval()


def translator_file(path: Path) -> Path:
    save_model(path, generator())
    return path


def bytes_below(path: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path in it."""
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}
