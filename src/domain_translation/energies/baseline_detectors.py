"""What can be said of an image without an energy: detectors that an energy has to beat.

Each is a score as in `detection`: larger says "more like the training images". All are fitted to
training images only and take seconds.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from domain_translation.energies.detection import Score, typical
from domain_translation.energies.network import EnergyNetwork
from domain_translation.runtime import double, seeded
from domain_translation.sampling.inputs import FAR, floats, pictures
from domain_translation.training.trained import freeze


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels, (n, C, S, S) -> (n,)."""
    down, across = x.diff(dim=2).abs(), x.diff(dim=3).abs()
    return (down.flatten(1).mean(1) + across.flatten(1).mean(1)) / 2


def png_bytes(x: Tensor) -> Tensor:
    """Size of each image as a PNG file of 8 bits a channel, in bytes, (n, C, S, S) -> (n,)."""
    levels = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).squeeze(-1)
    sizes = [float(_png_size(image)) for image in levels.cpu().numpy()]
    return torch.tensor(sizes, device=x.device)


def _png_size(pixels: np.ndarray) -> int:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return content.tell()


def gaussian(train: Tensor, ridge: float = 0.01) -> Score:
    """Log-density, up to a constant, of the normal law with the training images' moments.

    Args:
        train: training images (m, C, S, S).
        ridge: added to every pixel's variance, positive; 0.01 is a standard deviation of 0.1.
    """
    flat = double(train.flatten(1))
    mean = flat.mean(0)
    inverse = torch.linalg.inv(flat.T.cov() + ridge * torch.eye(flat.shape[1]).to(flat))

    def score(x: Tensor) -> Tensor:
        d = double(floats(x, "x", like=train).flatten(1)) - mean
        density: Tensor = -0.5 * ((d @ inverse) * d).sum(1)
        return density.float()

    return score


def neighbour(train: Tensor) -> Score:
    """Minus the Euclidean distance to the nearest training image (m, C, S, S)."""
    known = train.flatten(1)

    def score(x: Tensor) -> Tensor:
        return -torch.cdist(floats(x, "x", like=known).flatten(1), known).amin(1)

    return score


def near_mean(train: Tensor) -> Score:
    """Minus the Euclidean distance to the mean training image."""
    mean = train.mean(0)

    def score(x: Tensor) -> Tensor:
        return -(floats(x, "x", like=mean) - mean).flatten(1).norm(dim=1)

    return score


def untrained(train: Tensor, seed: int = 0) -> Score:
    """Typical output of an energy network that was never trained: what its shape alone knows.

    The sign of a random energy means nothing, hence nearness to its mean over training images.
    """
    with seeded(seed):
        network = EnergyNetwork(train.shape[-1], c=4, channels=train.shape[1])
    return typical(freeze(network.to(train.device)), train)


def energy_free(train: Tensor) -> Mapping[str, Score]:
    """Detectors without an energy, by a name for tables; all are fitted to `train` only."""
    train = pictures(train, "train", within=FAR).float()
    return {
        "variation": typical(total_variation, train),
        "PNG size": typical(png_bytes, train),
        "mean image": near_mean(train),
        "neighbour": neighbour(train),
        "Gaussian": gaussian(train),
        "untrained": untrained(train),
    }
