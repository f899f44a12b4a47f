"""Cool-then-translate for pictures in memory: ``domain_translation.cool``."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from domain_translation import cooling
from domain_translation.cooling import PAPER, Translated
from domain_translation.cooling.errors import RequestError, as_request
from domain_translation.cooling.pictures.chain import chain, fringe_level
from domain_translation.cooling.pictures.denoisers import Denoiser, as_denoiser
from domain_translation.sampling.inputs import asking, evaluating, floats, pictures, whole
from domain_translation.sampling.scores import Score
from domain_translation.training.model_files import Model


def cool(
    translator: Callable[[Tensor], Tensor],
    images: Tensor,
    denoiser: Callable[[Tensor], Tensor] | Model | Denoiser,
    *,
    sigma: float | None = None,
    step_size: float | None = None,
    temperature: float = PAPER.temperature,
    steps: int | None = None,
    share: float | None = None,
    threshold: float | Literal["auto"] | None = None,
    seed: int = 0,
    batch: int = 8,
) -> Translated:
    """Cool images with a denoiser's score, then translate them (L-Cool section 2.3).

    By default an image whose score is longer than that of four in five of the denoiser's training
    pictures is cooled until it is as short as their median, and others are left alone; `steps` is
    the protocol of L-Cool's image experiments (40), for all. An image's noise is made from `seed`
    and its own pixels, so that its result depends neither on its place among `images` nor, up to
    rounding, on `batch`.

    Args:
        translator: G, any callable (B, 3, H, W) -> (B, ...), images in [-1, 1].
        images: (n, C, H, W) in [-1, 1]; they and the networks share a device.
        denoiser: a callable, or what `model_files.load_model` or `pictures.load_denoiser` returns.
        sigma: noise the denoiser was trained with; by default what its card says.
        step_size: alpha of L-Cool eq. 1, below sigma^2; by default sigma^2/18, as in the paper.
        temperature: 1/beta, in [0, 1).
        steps: exactly N; by default until the median score that the denoiser's card tells is
            reached, at most 40, and 40 where it tells none.
        share: cool only this share of the images, in (0, 1], those with the longest scores.
        threshold: cool only images whose score is longer than this, xi of eq. 10, measured as
            `score_rms` does, so that it means the same for images of any size; 0 for all. By
            default "auto", which asks the denoiser's card, and all where it tells nothing, or with
            steps or share.
        seed: of the noise.
        batch: images in the networks at a time.

    Raises:
        ValueError: images of another shape or range, no sigma or a wrong one, settings out of
            range, a step of sigma^2 or more, a translator that changes the number of images.
        DivergenceError: a state became NaN, infinite, or larger than any picture's.
    """
    with as_request():
        images, batch = pictures(images, "images"), whole(batch, "batch")
        chosen = as_denoiser(denoiser, sigma)
        images = floats(images, "images", like=chosen.network)
    chosen.check(*images.shape[1:])
    how = chain(chosen, step_size=step_size, temperature=temperature, steps=steps, seed=seed)
    xi = fringe_level(chosen, how, share, threshold)
    ids = [noise_id(image) for image in images]
    with torch.no_grad(), evaluating(chosen.network, translator):
        fringe = torch.ones(len(images), dtype=torch.bool, device=images.device)
        if share is not None or xi is not None:
            lengths = torch.cat(
                [score_rms(chosen.score, part) for part in torch.split(images, batch)]
            )
            fringe = cooling.fringe_mask(lengths, share=share, threshold=xi)
        cooled = images.clone()
        for rows in torch.split(fringe.nonzero().flatten(), batch) if fringe.any() else ():
            cooled[rows] = how.cool(chosen, images[rows], [ids[i] for i in rows.tolist()]).x
        return Translated(
            cooled, torch.cat([_translated(translator, c) for c in torch.split(cooled, batch)])
        )


def _translated(translator: Callable[[Tensor], Tensor], part: Tensor) -> Tensor:
    with as_request(), asking("the translator", part):
        translated = translator(part)
    if not isinstance(translated, Tensor) or translated.shape[:1] != part.shape[:1]:
        what = f"a {type(translated).__name__}"
        if isinstance(translated, Tensor):
            what = f"shape {tuple(translated.shape)}"
        raise RequestError(
            f"the translator turned {len(part)} images into {what}; it has to return one "
            f"translation an image, as a tensor"
        )
    return translated


def score_rms(score: Score, x: Tensor) -> Tensor:
    """Root mean square of the score over the values of each image: (B, C, H, W) -> (B,).

    The norm of L-Cool eq. 10 divided by the square root of the number of values: it ranks images
    of one size alike, and compares images of different sizes.
    """
    return cooling.score_norms(score, x) / math.sqrt(x[0].numel())


def noise_id(pixels: Tensor) -> int:
    """The id of an image's noise, a hash of its pixels: equal for equal pixels, below 2**31."""
    values = pixels.detach().cpu().contiguous().float()
    seen = hashlib.sha256(f"{tuple(values.shape)}".encode() + values.numpy().tobytes())
    return int.from_bytes(seen.digest()[:4], "big") >> 1
