"""Pixel accuracy on maps (L-Cool section 4.3.2, lcool.metric.pixelacc; improveit.metric.pixel)."""

from __future__ import annotations

from torch import Tensor

from domain_translation.runtime import double
from domain_translation.sampling.inputs import FAR, pictures

THRESHOLD = 16.0  # Euclidean distance of two colours on the scale 0..255


def pixel_accuracy(image: Tensor, truth: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Share of pixels whose colour is nearer to the true one than `threshold`: (B,) in [0, 1].

    The sources compare colours without saying in which units; 16 of 255, following UNIT, is the
    reading here.

    Args:
        image, truth: colour images (B, 3, H, W) in [-1, 1].
        threshold: Euclidean distance in RGB on the scale 0..255.

    Raises:
        ValueError: different shapes, or no colour images.
    """
    image, truth = both_maps(image, truth)
    distance: Tensor = (image - truth).norm(dim=1) * 127.5
    return double(distance < threshold).flatten(1).mean(1)


def both_maps(image: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Both as colour images of one shape; errors as for `pixel_accuracy`."""
    image = pictures(image, "image", within=FAR)
    truth = pictures(truth, "truth", like=image)
    if image.shape != truth.shape or image.shape[1] != 3:
        raise ValueError(
            f"images have shapes {tuple(image.shape)} and {tuple(truth.shape)}; "
            f"give two equal (B, 3, H, W)"
        )
    return image, truth
