"""Controls: what a change of the same size, but without knowledge of the data, achieves.

Cooling smooths. Any smoothing may please a translator or a judge, so every table that credits
cooling also shows a blur that moves each image exactly as far.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d

from domain_translation.sampling.inputs import FAR, events, pictures


def moved_as_far(x: Tensor, towards: Tensor, cooled: Tensor) -> Tensor:
    """Move each sample of `x` towards that of `towards` as far as cooling moved it.

    Args:
        x, towards, cooled: (B, *event). The distance is ||cooled - x|| in the Euclidean norm;
            a sample for which `towards` equals `x` stays where it is.
    """
    x = events(x, "x")
    towards, cooled = events(towards, "towards", like=x), events(cooled, "cooled", like=x)
    if not x.shape == towards.shape == cooled.shape:
        raise ValueError(
            f"x, towards and cooled have shapes {tuple(x.shape)}, {tuple(towards.shape)} and "
            f"{tuple(cooled.shape)}; give three of one shape"
        )
    step = towards - x
    size = (cooled - x).flatten(1).norm(dim=1) / step.flatten(1).norm(dim=1).clamp_min(1e-9)
    return x + step * size.reshape(-1, *[1] * (x.ndim - 1))


def blurred_as_far(x: Tensor, cooled: Tensor) -> Tensor:
    """Move each image (B, C, H, W) towards its own 3x3 mean as far as cooling moved it."""
    x = pictures(x, "x", within=FAR)
    return moved_as_far(x, avg_pool2d(x, 3, 1, padding=1, count_include_pad=False), cooled)
