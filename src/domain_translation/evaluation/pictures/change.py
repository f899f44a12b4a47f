"""How large a change of an image is: what "imperceptible" means (improveit.claim.imperceptible)."""

from __future__ import annotations

from typing import NamedTuple

from skimage.metrics import structural_similarity
from torch import Tensor


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


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean structural similarity (Wang et al. 2004) of images in [0, 1]: (B, C, H, W) -> (B,).

    scikit-image's, in float64: uniform windows of 7x7 that fit inside the image, since the usual
    11x11 Gaussian one does not fit an 8x8 image.

    Raises:
        ValueError: images smaller than the window.
    """
    if min(a.shape[-2:]) < 7:
        raise ValueError(f"images of {tuple(a.shape[-2:])} pixels; SSIM needs 7x7")
    pairs = zip(*(x.detach().cpu().double().numpy() for x in (a, b)), strict=True)
    values = [structural_similarity(x, y, channel_axis=0, data_range=1.0) for x, y in pairs]
    return a.new_tensor(values)
