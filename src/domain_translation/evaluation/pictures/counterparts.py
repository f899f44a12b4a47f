"""Translations beside their true counterparts, where those are known.

JD-BW's pairs of domains know none (jdbw.metric.none); procedures that draw one scene in two looks
do.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from domain_translation.runtime import double
from domain_translation.sampling.inputs import FAR, labels, pictures

# Translations (n, C, S, S), true counterparts in the same order, and classes (n,).
Errors = Callable[[Tensor, Tensor, Tensor], dict[str, float]]


def none_known(made: Tensor, true: Tensor, classes: Tensor) -> dict[str, float]:
    """No errors: the domains' images have a class in common and nothing else."""
    return {}


def to_counterparts(made: Tensor, true: Tensor, classes: Tensor) -> dict[str, float]:
    """Mean absolute difference in [0, 2] ("error"), and how often `outranked`.

    Raises:
        ValueError: as `outranked`.
    """
    made = pictures(made, "made", within=FAR)
    true = pictures(true, "true", like=made, within=FAR)
    shown = made.clamp(-1, 1)
    rank = outranked(shown, true, classes)  # looks at the shapes
    return {"error": float((shown - true).abs().mean()), "outranked": rank}


def outranked(made: Tensor, true: Tensor, classes: Tensor) -> float:
    """How often another image of the class is nearer to a translation than its counterpart is.

    0 when every translation is nearest to its own counterpart, 0.5 when it keeps the class and
    nothing else; images equally near count half. Images are compared without colour, brightness
    and contrast: grey, each with mean 0 and norm 1.

    Args:
        made: translations (n, C, S, S).
        true: their counterparts (n, C, S, S), in the same order.
        classes: (n,); every class twice or more.

    Raises:
        ValueError: other shapes, or a class with a single image.
    """
    made = pictures(made, "made", within=FAR)
    true = pictures(true, "true", like=made, within=FAR)
    classes = labels(classes, made, "classes")
    if made.shape != true.shape or classes.shape != made.shape[:1]:
        raise ValueError(
            f"translations have shape {tuple(made.shape)}, counterparts {tuple(true.shape)} and "
            f"classes {tuple(classes.shape)}; give one counterpart and one class per translation"
        )
    shares = []
    for k in sorted(set(classes.tolist())):
        own = classes == k
        if int(own.sum()) < 2:
            raise ValueError(f"class {k} has a single image; give two or more of each class")
        # Exact distances: by products, a picture would be a little away from itself.
        distance = torch.cdist(
            _plain(made[own]), _plain(true[own]), compute_mode="donot_use_mm_for_euclid_dist"
        )
        at_own = distance.diagonal()[:, None]
        nearer = double(distance < at_own) + double(distance == at_own) / 2
        shares.append((nearer.sum(1) - 0.5) / (len(distance) - 1))  # not counted against itself
    return float(torch.cat(shares).mean())


def _plain(x: Tensor) -> Tensor:
    """Grey pictures (n, S * S), in float64, each with mean 0 and norm 1; blank ones stay 0."""
    grey = double(x).mean(1).flatten(1)
    grey = grey - grey.mean(1, keepdim=True)
    return normalize(grey, dim=1)


def constant(true: Tensor) -> Tensor:
    """The one picture (1, C, S, S) with the smallest error to all of (n, C, S, S): their median."""
    return true.median(0, keepdim=True).values
