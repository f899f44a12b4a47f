"""Nearest training images, and a test of memorisation that can fail.

CF-EBM shows such images (cfebm.fig12) and concludes from them (cfebm.claim.modecover).

A row of nearest neighbours shows that the first one is another image; it does not show that the
samples keep away from the training images as new images of the same kind do. Held-out images
say how far that is. Meehan, Chaudhuri and Dasgupta (2020) compare the two sets of distances by
the Mann-Whitney test, which is done here, with the share of outright copies beside it: a model
that copies one image in twenty hardly moves the ranks of the other nineteen.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from scipy import stats
from torch import Tensor

from domain_translation.evaluation.distances.features import Features, pixels
from domain_translation.sampling.inputs import FAR, pictures

_PART = 512  # images compared at a time; bounds the memory
NEAR = 0.01  # share of the held-out images that are nearer than what counts as a copy


class Neighbours(NamedTuple):
    """The k nearest training images of n images, nearest first."""

    distance: Tensor  # (n, k), Euclidean in the chosen space
    row: Tensor  # (n, k), into the training images


def nearest(x: Tensor, train: Tensor, k: int = 1, features: Features = pixels) -> Neighbours:
    """The k nearest of the training images.

    Args:
        x: images (n, C, S, S).
        train: training images (m, C, S, S).
        k: 1 to m.
        features: the space; pixels unless told. The source does not state its own.

    Raises:
        ValueError: images of different shapes, or k outside 1..m.
    """
    x = pictures(x, "x", within=FAR)
    train = pictures(train, "train", like=x, within=FAR)
    if x.shape[1:] != train.shape[1:]:
        raise ValueError(
            f"images have shapes {tuple(x.shape)} and {tuple(train.shape)}; only images of one "
            f"size and number of channels have a distance"
        )
    if not 1 <= k <= len(train):
        raise ValueError(f"k is {k} for {len(train)} training images; give 1 to {len(train)}")
    known = features(train)
    found = [
        torch.cdist(part, known).topk(k, largest=False) for part in torch.split(features(x), _PART)
    ]
    return Neighbours(*(torch.cat(column) for column in zip(*found, strict=True)))


class Memorisation(NamedTuple):
    """Are samples nearer to the training images than new real images are?

    Attributes:
        samples, held_out: median distance to the nearest training image.
        nearer: probability that a sample is nearer than a held-out image, 1/2 if alike.
        p_value: one-sided Mann-Whitney test of that against 1/2.
        copies: share of samples nearer than 1 % of the held-out images are.
        p_copies: one-sided exact test that this share is larger than for held-out images.
    """

    samples: float
    held_out: float
    nearer: float
    p_value: float
    copies: float
    p_copies: float

    def found(self, level: float = 0.05) -> bool:
        """Memorisation at a significance level; two tests, each at half of it."""
        return min(self.p_value, self.p_copies) < level / 2


def memorisation(
    samples: Tensor, held_out: Tensor, train: Tensor, features: Features = pixels
) -> Memorisation:
    """Compare samples' distances to their nearest training image with those of held-out images.

    Samples that are worse than real images are further away, so that finding nothing is no
    praise: say beside it from which strength of noise on outright copies the test finds nothing.

    Args:
        samples: (n, C, S, S); held_out: real images outside the training set (m, C, S, S), at
            least 100; train: all training images.
        features: the space, see `nearest`.

    Raises:
        ValueError: fewer than 100 held-out images, and what `nearest` refuses.
    """
    if len(held_out) < 1 / NEAR:
        raise ValueError(
            f"{len(held_out)} held-out images; {round(1 / NEAR)} are needed to say how near the "
            f"nearest {NEAR:.0%} of them are"
        )
    own, new = (
        nearest(x, train, 1, features).distance[:, 0].cpu().double() for x in (samples, held_out)
    )
    rank = stats.mannwhitneyu(own.numpy(), new.numpy(), alternative="less")
    limit = new.sort().values[int(NEAR * len(new))]
    table = [[int((d < limit).sum()), int((d >= limit).sum())] for d in (own, new)]
    return Memorisation(
        float(own.median()),
        float(new.median()),
        nearer=1 - float(rank.statistic) / (len(own) * len(new)),
        p_value=float(rank.pvalue),
        copies=table[0][0] / len(own),
        p_copies=float(stats.fisher_exact(table, alternative="greater").pvalue),
    )
