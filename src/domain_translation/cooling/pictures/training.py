"""Train a denoiser on a folder of pictures: its only need is examples of the source domain."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torchvision.transforms.functional import gaussian_blur

from domain_translation import denoising, runtime
from domain_translation.cooling import PAPER
from domain_translation.cooling.errors import (
    RequestError,
    UserError,
    as_request,
    out_of_memory,
)
from domain_translation.cooling.pictures.arrays import noise_id, score_rms
from domain_translation.cooling.pictures.codec import open_picture
from domain_translation.cooling.pictures.denoisers import RANGE, check_noise
from domain_translation.cooling.pictures.folders import find_pictures, written
from domain_translation.cooling.pictures.view import View
from domain_translation.denoising import ANTIALIASED, AntialiasedDenoiser, DenoiserConfig
from domain_translation.sampling.scores import dae_score
from domain_translation.training.checkpoints import CheckpointError, digest
from domain_translation.training.model_files import save_model

_CHECKED = 256  # crops that the denoiser is measured on
_FITTED = 512  # crops that its linear filter is fitted to
SMALLEST = 6  # side of a crop that holds the filter
LARGEST = 16384  # sides, maps and minibatches
HELD_OUT = 10  # one picture of so many
BLURS = (0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0)  # standard deviations in pixels to choose from


class Training(NamedTuple):
    """What a training did.

    Attributes:
        card: of the file that was written.
        skipped: pictures that could not be read, and why.
        passed: how many files of which suffix were passed over.
    """

    card: dict[str, Any]
    skipped: dict[str, str]
    passed: dict[str, int]


def train_denoiser_on_folder(
    folder: Path | str,
    out_file: Path | str,
    *,
    sigma: float = PAPER.sigma,
    crop: int = 64,
    size: int | None = None,
    crops: int = 4096,
    width: int = 32,
    steps: int = ANTIALIASED.steps,
    batch: int = ANTIALIASED.batch,
    learning_rate: float = ANTIALIASED.learning_rate,
    seed: int = 0,
    device: str = "cpu",
) -> Training:
    """Train an `AntialiasedDenoiser` on random crops of the pictures in `folder` and below.

    The file that is written is what `load_denoiser` and ``domain-translation cool`` read. The
    same arguments give the same file, bit for bit on a CPU. A run that was stopped leaves
    `out_file`.part and goes on from it.

    Every tenth picture is held out, and the card says how much of the noise is left on those: by
    the denoiser, by the best Gaussian blur, and by the best linear filter, which it begins as.

    Args:
        folder: pictures of the source domain; those unreadable are skipped.
        out_file: model file to write, by convention ``*.safetensors``; must not exist.
        sigma: std of the noise to remove, in units of [-1, 1]; 0.3 is L-Cool's.
        crop: side of the square crops, in pixels, 6 or more; half of them are mirrored.
        size: scale pictures to this square first, as ``cool --size`` will do.
        crops: how many at most, shared out evenly over the pictures; they are held in memory.
        width: maps of the network at half the resolution.
        steps, batch: minibatches, and crops in each.
        learning_rate: Adam's, falling to 0 over the second half; short trainings take more.
        seed: of crops, weights, minibatches and noise.
        device: "cpu", "cuda" ...

    Raises:
        RequestError: `out_file` exists, a setting out of range, a noise in other units than
            [-1, 1], or a device that is not there.
        UserError: no readable picture, or a disk that refuses.
        TrainingError: the loss is not finite.
    """
    out = Path(out_file)
    config = DenoiserConfig(steps=steps, batch=batch, learning_rate=learning_rate)
    _check(out, crop, size, crops, width, sigma, config, seed)
    with as_request():
        where = runtime.device(device)
    found = find_pictures(folder)
    data = _read(Path(folder), found.pictures, crop, size, crops, seed)
    denoiser = _train(data.train.to(where), out, width, sigma, config, seed)
    views = {"size": size, "crop": crop, "crops": len(data.train), "pictures": data.used}
    images = {"channels": 3, "range": RANGE, "data_sha256": digest(data.train), "sides": data.sides}
    how = {"sigma": sigma, "seed": seed, "versions": runtime.versions(), **asdict(config)}
    card = views | images | how | _measured(denoiser, data, sigma, seed)
    try:
        save_model(out, denoiser, card)
    except CheckpointError as error:
        raise UserError(str(error)) from error
    _part(out).unlink(missing_ok=True)
    return Training(card, data.skipped, found.passed)


def _check(
    out: Path,
    crop: int,
    size: int | None,
    crops: int,
    width: int,
    sigma: float,
    config: DenoiserConfig,
    seed: int,
) -> None:
    check_noise(sigma)
    if out.exists():
        raise RequestError(f"{out} exists and is not overwritten; choose another name or delete it")
    steps, batch, rate = config.steps, config.batch, config.learning_rate
    if min(crop, crops, width, steps, batch) < 1 or not rate > 0:
        raise RequestError(
            f"crop {crop}, crops {crops}, width {width}, steps {steps}, batch {batch} and "
            f"learning_rate {rate}: give counts from 1 on and a positive rate"
        )
    if crop < SMALLEST:
        raise RequestError(f"crop {crop} holds no filter; give {SMALLEST} pixels or more")
    if max(crop, width, batch, 0 if size is None else size) > LARGEST:
        raise RequestError(
            f"crop {crop}, size {size}, width {width} or batch {batch} is above {LARGEST}; no "
            f"memory holds such a training"
        )
    if not 0 <= seed < 2**63:
        raise RequestError(f"seed is {seed}; give a whole number from 0 on, below 2**63")
    if size is not None and size < crop:
        raise RequestError(f"size {size} is smaller than the crop {crop}; give a smaller crop")


def _part(out: Path) -> Path:
    """Where a training that was stopped goes on from."""
    return out.with_name(f"{out.name}.part")


def _train(
    data: Tensor, out: Path, width: int, sigma: float, config: DenoiserConfig, seed: int
) -> AntialiasedDenoiser:
    """A denoiser of crops, on the CPU; what stops it is told in the words of this package."""
    batch, side = config.batch, data.shape[-1]
    order = torch.randperm(len(data), generator=Generator().manual_seed(seed))
    some = data[order[:_FITTED]].cpu()
    make = functools.partial(AntialiasedDenoiser.fitted, some, sigma, width=width, seed=seed)
    try:
        written(lambda: None, out)
        found = denoising.train_denoiser(make, data, sigma, config, seed, _part(out)).cpu()
        assert isinstance(found, AntialiasedDenoiser)
        return found
    except CheckpointError as error:
        raise UserError(str(error)) from error
    except ValueError as error:
        raise RequestError(str(error)) from error
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise UserError(
            f"not enough memory for {batch} crops of {side}x{side} at a time in a network of width "
            f"{width}; give a smaller --batch, --crop or --width"
        ) from error


class _Crops(NamedTuple):
    """Crops in [-1, 1], (n, 3, side, side); of how many pictures, and how large these are."""

    train: Tensor
    held_out: Tensor  # of other pictures; empty where there is but one
    used: int
    sides: tuple[int, int]  # median width and height
    skipped: dict[str, str]


def _read(
    folder: Path, names: Sequence[Path], side: int, size: int | None, count: int, seed: int
) -> _Crops:
    """Crops of the pictures; every tenth picture, or the last of fewer, is held out.

    Each picture's crops are drawn with a generator of its own, so that a broken picture does not
    change those of the others. With more pictures than crops, pictures are left out at random.
    """
    if len(names) > count:
        kept = np.random.default_rng(seed).permutation(len(names))[:count]
        names = [names[i] for i in sorted(kept)]
    train: list[Tensor] = []
    held_out: list[Tensor] = []
    sizes: list[tuple[int, int]] = []
    skipped: dict[str, str] = {}
    view, every = View(size, multiple=1), min(HELD_OUT, max(2, len(names)))
    for i, name in enumerate(runtime.progress(names, desc="reading")):
        try:
            picture = open_picture(folder / name)
        except UserError as error:
            skipped[name.as_posix()] = str(error)
            continue
        sizes.append(picture.size)
        share = max(1, count // len(names) + (i < count % len(names)))
        cut = _cut(view.show(picture.pixels)[0], side, share, seed, noise_id(picture.pixels))
        (held_out if i % every == every - 1 else train).extend(cut)
    if not train:  # the only one that can be read was to be held out
        train, held_out = held_out, []
    if not train:
        raise UserError(f"none of the {len(names)} pictures in {folder} could be read")
    width, height = (int(np.median(side)) for side in zip(*sizes, strict=True))
    shape = (0, *train[0].shape)
    unseen = torch.stack(held_out) if held_out else torch.empty(shape)
    return _Crops(torch.stack(train), unseen, len(sizes), (width, height), skipped)


def _cut(pixels: Tensor, side: int, count: int, seed: int, key: int) -> list[Tensor]:
    """At most `count` random crops of a picture, no two alike, half of them mirrored.

    A picture smaller than a crop is continued by its last row and column.
    """
    height, width = pixels.shape[1:]
    pixels = torch.nn.functional.pad(
        pixels[None], (0, max(0, side - width), 0, max(0, side - height)), mode="replicate"
    )[0]
    rows, columns = (n - side + 1 for n in pixels.shape[1:])
    places = rows * columns * 2  # each crop has its mirror image
    rng = np.random.default_rng([seed, key])
    chosen = rng.choice(places, size=min(count, places), replace=False)
    tops, rest = np.divmod(chosen, columns * 2)
    lefts, mirrored = np.divmod(rest, 2)
    crops = [pixels[:, t : t + side, u : u + side] for t, u in zip(tops, lefts, strict=True)]
    return [c.flip(-1) if m else c.clone() for c, m in zip(crops, mirrored, strict=True)]


def _measured(
    denoiser: AntialiasedDenoiser, data: _Crops, sigma: float, seed: int
) -> dict[str, float | int | dict[str, float]]:
    """Share of the noise that is left on pictures held out, and scores at the training crops.

    The blur beside it is the Gaussian one that leaves least on training crops.
    """
    generator = Generator().manual_seed(seed)
    some = data.train[torch.randperm(len(data.train), generator=generator)[:_CHECKED]]
    unseen = data.held_out if len(data.held_out) else data.train
    unseen = unseen[torch.randperm(len(unseen), generator=generator)[:_CHECKED]]
    noisy, unseen_noisy = (
        x + sigma * torch.randn(x.shape, generator=generator) for x in (some, unseen)
    )

    def left(clean: Tensor, cleaned: Tensor) -> float:
        return float((cleaned - clean).square().mean()) / sigma**2

    lengths = runtime.in_parts(lambda x: score_rms(dae_score(denoiser, sigma), x), some, size=32)
    width = min(BLURS, key=lambda b: left(some, _blurred(noisy, b)))
    quantiles = torch.quantile(lengths, torch.tensor([0.5, 0.8, 0.95]))
    return {
        "noise_left": left(unseen, runtime.in_parts(denoiser, unseen_noisy, size=32)),
        "blur_left": left(unseen, _blurred(unseen_noisy, width)),
        "blur_pixels": width,
        "linear_left": left(unseen, runtime.in_parts(denoiser.linear, unseen_noisy, size=32)),
        "held_out": len(data.held_out),
        "score_rms": dict(zip(("50 %", "80 %", "95 %"), quantiles.tolist(), strict=True)),
    }


def _blurred(x: Tensor, width: float) -> Tensor:
    """A Gaussian blur of this standard deviation in pixels."""
    return gaussian_blur(x, 2 * math.ceil(3 * width) + 1, [width])
