"""How large a change of an image is: what "imperceptible" means (improveit.claim.imperceptible)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d


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
    if before.shape != after.shape or before.ndim != 4:
        raise ValueError(
            f"images have shapes {tuple(before.shape)} and {tuple(after.shape)}; "
            f"give two equal (B, C, H, W)"
        )
    d = (after - before).flatten(1)
    psnr = -10 * d.square().mean(1).log10()
    return Change(d.norm(dim=1), d.abs().amax(1), psnr, ssim(before, after))


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """Mean structural similarity (Wang et al. 2004) of images in [0, 1]: (B, C, H, W) -> (B,).

    Uniform windows that fit inside the image, unbiased variances, K1 = 0.01, K2 = 0.03: what
    `skimage.metrics.structural_similarity` computes by default, against which it is tested.
    The usual 11x11 Gaussian window does not fit an 8x8 image, and the library brings four
    packages of its own for this one function.

    Raises:
        ValueError: images smaller than the window.
    """
    if min(a.shape[-2:]) < window:
        raise ValueError(f"images of {tuple(a.shape[-2:])} pixels; SSIM needs {window}x{window}")
    a, b = a.double(), b.double()
    mean_a, mean_b = avg_pool2d(a, window, 1), avg_pool2d(b, window, 1)
    unbiased = window**2 / (window**2 - 1)
    var_a = unbiased * (avg_pool2d(a * a, window, 1) - mean_a**2)
    var_b = unbiased * (avg_pool2d(b * b, window, 1) - mean_b**2)
    cov = unbiased * (avg_pool2d(a * b, window, 1) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    energy = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return torch.flatten(similar / energy, 1).mean(1)
