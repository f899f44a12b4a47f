"""Is an image from the training distribution? Energies, and scores that need none (CF-EBM 4.2).

The detector is -E(x): the log-density up to its constant (cfebm.metric.auroc). `energy_free`
holds detectors without an energy. `table` sets any of them against any sets of other images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage, stats
from torch import Generator, Tensor

from domain_translation.runtime import in_parts
from domain_translation.sampling.inputs import FAR, answer, events, floats, pictures, whole
from domain_translation.sampling.scores import Energy, energy_score

Score = Callable[[Tensor], Tensor]
"""Images (n, C, S, S) in [-1, 1] -> (n,); larger says "more like the training images"."""


class AUROC(NamedTuple):
    """Chance that a training-like image scores higher than another one, ties counting half."""

    value: float
    low: float
    high: float


def auroc(inside: Tensor, outside: Tensor, level: float = 0.95) -> AUROC:
    """Area under the ROC curve (cfebm.metric.auroc) with DeLong's interval.

    The value is Mann and Whitney's statistic over the number of pairs. Its variance is that of
    DeLong, DeLong and Clarke-Pearson (1988), and the interval is symmetric in the log-odds, so
    that it stays within [0, 1]. Where no pair is out of order (or every pair is), that variance
    is 0 and says nothing: the bound is then that of Clopper and Pearson for as many independent
    pairs as can be formed.

    Args:
        inside: scores (m,) of images of the training distribution, m >= 2.
        outside: scores (n,) of other images, n >= 2.
        level: of the interval, in (0, 1).

    Raises:
        ValueError: fewer than two scores on a side, scores that are NaN, level outside (0, 1).
    """
    scores = floats(inside, "inside", "(m,)"), floats(outside, "outside", "(n,)")
    a, b = (np.asarray(v.cpu(), dtype=np.float64).ravel() for v in scores)
    m, n = len(a), len(b)
    if min(m, n) < 2 or np.isnan(a).any() or np.isnan(b).any():
        raise ValueError(
            f"{m} scores inside and {n} outside, or some are NaN; give at least two numbers each"
        )
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give a probability between 0 and 1")
    both = stats.rankdata(np.concatenate([a, b]))
    # Placements: the share of the other side that a score beats.
    beaten = (both[:m] - stats.rankdata(a)) / n
    beating = 1 - (both[m:] - stats.rankdata(b)) / m
    value = float(beaten.mean())
    error = float(np.sqrt(beaten.var(ddof=1) / m + beating.var(ddof=1) / n))
    tail = (1 - level) / 2
    if value in (0.0, 1.0):
        bound = float(tail ** (1 / min(m, n)))
        return AUROC(value, bound, 1.0) if value == 1 else AUROC(value, 0.0, 1 - bound)
    width = stats.norm.isf(tail) * error / (value * (1 - value))
    odds = np.log(value / (1 - value))
    low, high = 1 / (1 + np.exp(-(odds - width))), 1 / (1 + np.exp(-(odds + width)))
    return AUROC(value, float(low), float(high))


def table(
    detectors: Mapping[str, Score], inside: Tensor, others: Mapping[str, Tensor]
) -> dict[str, dict[str, AUROC]]:
    """AUROC of every detector for every set of other images: `found[detector][set]`."""
    found = {}
    inside = pictures(inside, "inside", within=FAR)
    for name, score in detectors.items():
        ours = in_parts(score, inside)
        found[name] = {key: auroc(ours, in_parts(score, x)) for key, x in others.items()}
    return found


# Detectors made of an energy


def energy_detectors(energy: Energy, train: Tensor) -> dict[str, Score]:
    """-E(x), nearness of E(x) to its mean over training images, and -|grad E(x)|.

    The first is CF-EBM's. The second asks for typical instead of low energies. The third is
    that of Grathwohl et al. (2020): where the density has mass, and not only a peak, it is flat.
    """

    train = pictures(train, "train", like=energy, within=FAR)

    def low(x: Tensor) -> Tensor:
        return -energy(x)

    def flat(x: Tensor) -> Tensor:
        slope: Tensor = energy_score(energy)(x).flatten(1).norm(dim=1)
        return -slope

    return {"energy": low, "typical energy": typical(energy, train), "gradient": flat}


def typical(statistic: Score, train: Tensor) -> Score:
    """Nearness of a statistic to its mean over the training images: too little is as odd as much.

    Args:
        statistic: one number per image, e.g. `total_variation`.
        train: training images (m, C, S, S).
    """
    train = events(train, "train")
    centre = answer(in_parts(statistic, train), train, "the statistic").mean()

    def score(x: Tensor) -> Tensor:
        return -(statistic(floats(x, "x", like=centre)) - centre).abs()

    return score


# Sets that are not like the training images (cfebm.data.ood)


def uniform_noise(n: int, like: Tensor, seed: int) -> Tensor:
    """n images of U(-1, 1) noise of the shape of those of `like` (m, C, S, S)."""
    start = torch.empty(n, *like.shape[1:])
    return start.uniform_(-1, 1, generator=Generator().manual_seed(seed)).to(like.device)


def constants(n: int, like: Tensor, seed: int) -> Tensor:
    """n images of one colour each, drawn from U(-1, 1) for every channel."""
    colour = torch.empty(n, like.shape[1], 1, 1)
    colour.uniform_(-1, 1, generator=Generator().manual_seed(seed))
    return colour.expand(n, *like.shape[1:]).clone().to(like.device)


def interpolations(n: int, x: Tensor, seed: int, weight: float = 0.5) -> Tensor:
    """n mixtures weight * a + (1 - weight) * b of two different images of `x` (m, C, S, S).

    CF-EBM gives no weight; 0.5 is Du and Mordatch's (2019).

    Raises:
        ValueError: fewer than two images.
    """
    x = pictures(x, "x", within=FAR)
    if len(x) < 2:
        raise ValueError(f"{len(x)} images have no pairs; give at least two")
    n, generator = whole(n, "n"), Generator().manual_seed(seed)
    first = torch.randint(len(x), (n,), generator=generator)
    other = (first + torch.randint(1, len(x), (n,), generator=generator)) % len(x)
    return weight * x[first] + (1 - weight) * x[other]


# How an energy depends on smoothness


def greys(levels: Tensor, like: Tensor) -> Tensor:
    """Constant grey images (k, C, S, S) of the given levels (k,) in [-1, 1]."""
    return levels.reshape(-1, 1, 1, 1).expand(-1, *like.shape[1:]).clone().to(like.device)


def blurred(x: Tensor, width: float) -> Tensor:
    """Images (n, C, S, S) after a Gaussian blur; the border's pixels are continued outwards.

    Args:
        width: standard deviation in pixels; 0 changes nothing, a large one leaves the mean colour.
    """
    x, sigma = pictures(x, "x", within=FAR), (0, 0, width, width)
    smooth = ndimage.gaussian_filter(x.cpu().numpy(), sigma, mode="nearest")
    return torch.from_numpy(smooth).to(x.device)
