"""Where an error lies: on the object that a translation has to change, or on what it must leave.

With the true translation at hand, the object is simply the part of the picture that differs between
source and truth: the animal's coat, the fruit. Everything else has to stay, and what a translator
does there is an artefact.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from domain_translation.sampling.inputs import FAR, pictures


def changed_region(source: Tensor, truth: Tensor, threshold: float = 0.05) -> Tensor:
    """Pixels that the true translation changes: (B, C, H, W) twice -> boolean (B, H, W).

    Holes of one or two pixels, where both domains happen to share a colour, are filled.

    Args:
        source, truth: a picture and its true translation, in [-1, 1].
        threshold: smallest change of any channel that counts.

    Raises:
        ValueError: different shapes, or no images.
    """
    source = pictures(source, "source", within=FAR)
    truth = pictures(truth, "truth", like=source, within=FAR)
    if source.shape != truth.shape:
        raise ValueError(
            f"images have shapes {tuple(source.shape)} and {tuple(truth.shape)}; "
            f"give two equal (B, C, H, W)"
        )
    changed = ((source - truth).abs().amax(1, keepdim=True) > threshold).float()
    grown = max_pool2d(changed, 3, 1, padding=1)
    closed = -max_pool2d(-grown, 3, 1, padding=1)
    return closed[:, 0] > 0.5


def error_in(image: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Root mean square error over the pixels of a region, (B,); 0 where the region is empty.

    Args:
        image, truth: (B, C, H, W).
        region: boolean (B, H, W).
    """
    image = pictures(image, "image", within=FAR)
    truth = pictures(truth, "truth", like=image, within=FAR)
    if image.shape != truth.shape:
        raise ValueError(
            f"images have shapes {tuple(image.shape)} and {tuple(truth.shape)}; give equal ones"
        )
    squares = (image - truth).square().mean(1)
    return _mean_in(squares, region).sqrt()


def contrast_in(image: Tensor, region: Tensor, window: int = 9) -> Tensor:
    """Contrast of fine structure in a region: rms of brightness about its local mean, (B,).

    Stripes on an animal have much of it, a plain coat little, a clean sky none.

    Args:
        image: (B, C, H, W).
        region: boolean (B, H, W).
        window: odd side of the square over which the local mean is taken, pixels.

    Raises:
        ValueError: a window that is even or below 3.
    """
    if window < 3 or window % 2 == 0:
        raise ValueError(f"window is {window}; give an odd number of at least 3 pixels")
    bright = pictures(image, "image", within=FAR).mean(1, keepdim=True)
    local = avg_pool2d(bright, window, 1, padding=window // 2, count_include_pad=False)
    return _mean_in((bright - local).square()[:, 0], region).sqrt()


def _mean_in(values: Tensor, region: Tensor) -> Tensor:
    """Mean of (B, H, W) over the region of each picture, (B,)."""
    if not isinstance(region, Tensor) or region.shape != values.shape:
        given = tuple(region.shape) if isinstance(region, Tensor) else type(region).__name__
        raise ValueError(f"the region is {given}; give a boolean {tuple(values.shape)}")
    weight = region.to(values)
    return (values * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)
