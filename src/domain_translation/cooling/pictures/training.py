"""Train a denoiser on a folder of pictures: its only need is examples of the source domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from tqdm import tqdm

from domain_translation import denoising, runtime
from domain_translation.cooling import PAPER
from domain_translation.cooling.pictures.arrays import noise_id, score_rms
from domain_translation.cooling.pictures.codec import open_picture
from domain_translation.cooling.pictures.denoisers import RANGE
from domain_translation.cooling.pictures.errors import PicturesError, RequestError, as_request
from domain_translation.cooling.pictures.folders import find_pictures, written
from domain_translation.cooling.pictures.view import View
from domain_translation.denoising import IMAGES, DenoiserConfig
from domain_translation.sampling.scores import dae_score
from domain_translation.training.checkpoints import CheckpointError, digest
from domain_translation.training.model_files import save_model

_CHECKED = 256  # crops that the denoiser is measured on


class Training(NamedTuple):
    """What a training did.

    Attributes:
        card: of the file that was written.
        skipped: pictures that could not be read, and why.
    """

    card: dict[str, Any]
    skipped: dict[str, str]


def train_denoiser_on_folder(
    folder: Path | str,
    out_file: Path | str,
    *,
    sigma: float = PAPER.sigma,
    crop: int = 64,
    size: int | None = None,
    crops: int = 4096,
    width: int = 32,
    steps: int = IMAGES.steps,
    batch: int = IMAGES.batch,
    learning_rate: float = IMAGES.learning_rate,
    seed: int = 0,
    device: str = "cpu",
) -> Training:
    """Train a light U-Net denoiser on random crops of the pictures in `folder` and below.

    The file that is written is what `load_denoiser` and ``domain-translation cool`` read. The
    same arguments give the same file, bit for bit on a CPU. A run that was stopped leaves
    `out_file`.part and goes on from it.

    Args:
        folder: pictures of the source domain, PNG and JPEG; those unreadable are skipped.
        out_file: model file to write, by convention ``*.safetensors``; must not exist.
        sigma: std of the noise to remove, in units of [-1, 1]; 0.3 is L-Cool's.
        crop: side of the square crops, in pixels; half of them are mirrored.
        size: scale pictures to this square first, as ``cool --size`` will do.
        crops: how many, shared out evenly over the pictures; they are held in memory.
        width: maps of the U-Net at its finer level.
        steps, batch: minibatches, and crops in each.
        learning_rate: Adam's, falling to 0 over the second half; short trainings take more.
        seed: of crops, weights, minibatches and noise.
        device: "cpu", "cuda" ...

    Raises:
        RequestError: `out_file` exists, a setting out of range, or a device that is not there.
        PicturesError: no readable picture, or a disk that refuses.
        TrainingError: the loss is not finite.
    """
    out = Path(out_file)
    config = DenoiserConfig(steps=steps, batch=batch, learning_rate=learning_rate)
    _check(out, crop, size, crops, width, config)
    with as_request():
        where = runtime.device(device)
    data, skipped, used = _crops(Path(folder), crop, size, crops, seed)
    denoiser = _train(data.to(where), out, width, sigma, config, seed)
    views = {"size": size, "crop": crop, "crops": len(data), "pictures": used}
    images = {"channels": 3, "range": RANGE, "data_sha256": digest(data)}
    how = {"sigma": sigma, "seed": seed, "versions": runtime.versions(), **asdict(config)}
    card = views | images | how | _measured(denoiser, data, sigma, seed)
    try:
        save_model(out, denoiser, card)
    except CheckpointError as error:
        raise PicturesError(str(error)) from error
    _part(out).unlink(missing_ok=True)
    return Training(card, skipped)


def _check(
    out: Path, crop: int, size: int | None, crops: int, width: int, config: DenoiserConfig
) -> None:
    if out.exists():
        raise RequestError(f"{out} exists and is not overwritten; choose another name or delete it")
    steps, batch, rate = config.steps, config.batch, config.learning_rate
    if min(crop, crops, width, steps, batch) < 1 or not rate > 0:
        raise RequestError(
            f"crop {crop}, crops {crops}, width {width}, steps {steps}, batch {batch} and "
            f"learning_rate {rate}: give counts from 1 on and a positive rate"
        )
    if size is not None and size < crop:
        raise RequestError(f"size {size} is smaller than the crop {crop}; give a smaller crop")


def _part(out: Path) -> Path:
    """Where a training that was stopped goes on from."""
    return out.with_name(f"{out.name}.part")


def _train(
    data: Tensor, out: Path, width: int, sigma: float, config: DenoiserConfig, seed: int
) -> torch.nn.Module:
    """A denoiser of crops, on the CPU; what stops it is told in the words of this package."""
    try:
        written(lambda: None, out)
        return denoising.train_denoiser(
            lambda: denoising.UNetDenoiser(3, width), data, sigma, config, seed, _part(out)
        ).cpu()
    except CheckpointError as error:
        raise PicturesError(str(error)) from error
    except ValueError as error:
        raise RequestError(str(error)) from error


def _crops(
    folder: Path, side: int, size: int | None, count: int, seed: int
) -> tuple[Tensor, dict[str, str], int]:
    """Crops (n, 3, side, side) in [-1, 1], the skipped pictures, the number of used ones.

    Each picture's crops are drawn with a generator of its own, so that a broken picture does not
    change those of the others. With more pictures than crops, pictures are left out at random.
    """
    names: Sequence[Path] = find_pictures(folder)
    if len(names) > count:
        kept = np.random.default_rng(seed).permutation(len(names))[:count]
        names = [names[i] for i in sorted(kept)]
    found: list[Tensor] = []
    skipped: dict[str, str] = {}
    view = View(size, multiple=1)
    for i, name in enumerate(tqdm(names, desc="reading", disable=None)):
        try:
            pixels = open_picture(folder / name).pixels
        except PicturesError as error:
            skipped[name.as_posix()] = str(error)
            continue
        share = count // len(names) + (i < count % len(names))
        found += _cut(view.show(pixels)[0], side, share, seed, noise_id(pixels))
    if not found:
        raise PicturesError(f"none of the {len(names)} pictures in {folder} could be read")
    return torch.stack(found), skipped, len(names) - len(skipped)


def _cut(pixels: Tensor, side: int, count: int, seed: int, key: int) -> list[Tensor]:
    """`count` random crops of a picture; a smaller one is continued by its last row and column."""
    height, width = pixels.shape[1:]
    pixels = torch.nn.functional.pad(
        pixels[None], (0, max(0, side - width), 0, max(0, side - height)), mode="replicate"
    )[0]
    rng = np.random.default_rng([seed, key])
    tops = rng.integers(pixels.shape[1] - side + 1, size=count)
    lefts = rng.integers(pixels.shape[2] - side + 1, size=count)
    mirrored = rng.random(count) < 0.5
    crops = [pixels[:, t : t + side, u : u + side] for t, u in zip(tops, lefts, strict=True)]
    return [c.flip(-1) if m else c.clone() for c, m in zip(crops, mirrored, strict=True)]


def _measured(
    denoiser: torch.nn.Module, data: Tensor, sigma: float, seed: int
) -> dict[str, float | dict[str, float]]:
    """Share of the noise that is left, and how long the score is at the training crops."""
    generator = Generator().manual_seed(seed)
    some = data[torch.randperm(len(data), generator=generator)[:_CHECKED]]
    noise = sigma * torch.randn(some.shape, generator=generator)
    left, lengths = [], []
    with torch.no_grad():
        for x, n in zip(torch.split(some, 32), torch.split(noise, 32), strict=True):
            left.append((denoiser(x + n) - x).square().mean((1, 2, 3)))
            lengths.append(score_rms(dae_score(denoiser, sigma), x))
    quantiles = torch.quantile(torch.cat(lengths), torch.tensor([0.5, 0.8, 0.95]))
    return {
        "noise_left": float(torch.cat(left).mean()) / sigma**2,
        "score_rms": dict(zip(("50 %", "80 %", "95 %"), quantiles.tolist(), strict=True)),
    }
