"""How large a change of an image is: what "imperceptible" means (improveit.claim.imperceptible)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from domain_translation.sampling.inputs import floats


class Change(NamedTuple):
    """Size of a change, one value per image (B,).

    Attributes:
        l2: Euclidean norm over all pixels and channels.
        linf: largest change of one value.
        psnr: peak signal-to-noise ratio in dB for values in [0, 1]; infinite if unchanged.
        ssim: mean structural similarity, 1 if unchanged.
    """

    l2: Tensor
    linf: Tensor
    psnr: Tensor
    ssim: Tensor


def change(before: Tensor, after: Tensor) -> Change:
    """Measure the change between two batches of images (B, C, H, W) with values in [0, 1].

    Raises:
        ValueError: different shapes, or images smaller than the 7x7 window of SSIM.
    """
    before, after = _in_unit(before, "before"), _in_unit(after, "after", like=before)
    if before.shape != after.shape or before.ndim != 4:
        raise ValueError(
            f"images have shapes {tuple(before.shape)} and {tuple(after.shape)}; "
            f"give two equal (B, C, H, W)"
        )
    d = (after - before).flatten(1)
    psnr = -10 * d.square().mean(1).log10()
    return Change(d.norm(dim=1), d.abs().amax(1), psnr, ssim(before, after))


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean structural similarity (Wang et al. 2004) of images in [0, 1]: (B, C, H, W) -> (B,).

    scikit-image's, in float64: uniform windows of 7x7 that fit inside the image, since the usual
    11x11 Gaussian one does not fit an 8x8 image.

    Raises:
        ValueError: images smaller than the window.
    """
    a, b = _in_unit(a, "a"), _in_unit(b, "b", like=a)
    if min(a.shape[-2:]) < 7:
        raise ValueError(f"images of {tuple(a.shape[-2:])} pixels; SSIM needs 7x7")
    pairs = zip(*(x.detach().cpu().double().numpy() for x in (a, b)), strict=True)
    values = [structural_similarity(x, y, channel_axis=0, data_range=1.0) for x, y in pairs]
    return a.new_tensor(values)


def _in_unit(x: Tensor, name: str, like: Tensor | None = None) -> Tensor:
    """Images in [0, 1], which cooling and noise may leave by half of it."""
    x = floats(x, name, "(B, C, H, W) in [0, 1]", like=like)
    low, high = (float(v) for v in torch.aminmax(x.detach())) if x.numel() else (0.0, 0.0)
    if not -0.5 <= low <= high <= 1.5:  # refuses NaN as well
        raise ValueError(
            f"{name}: values from {low:.3g} to {high:.3g}; give images in [0, 1], those in [-1, 1] "
            "as (x + 1) / 2"
        )
    return x
