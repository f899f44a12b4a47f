"""Does a translation look like its new domain? Asked without asking what it shows.

A classifier that names classes also reads pictures of the other domain, often without a mistake,
so "the class is kept" does not say that anything was translated. Here pictures are reduced to a
few numbers of brightness, contrast, colour and sharpness (jdbw.metric.none: JD-BW has no measure).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.covariance import EmpiricalCovariance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from domain_translation.runtime import double
from domain_translation.sampling.inputs import FAR, pictures

LEVELS = (0.02, 0.25, 0.5, 0.75, 0.98)  # quantiles of all values of a picture
INSIDE = 0.95  # share of real pictures within the limit


def statistics(x: Tensor) -> Tensor:
    """Numbers (n, 11) of images (n, C, S, S), float64; values outside [-1, 1] are cut off first.

    Mean and standard deviation, `LEVELS`, mean range over channels, how much colour varies within
    the picture, mean absolute difference of neighbours, mean absolute Laplacian.
    """
    v = double(pictures(x, "images", within=FAR)).clamp(-1, 1)
    colour = v - v.mean(1, keepdim=True)
    across = (v[..., 1:] - v[..., :-1]).abs().mean((1, 2, 3))
    down = (v[..., 1:, :] - v[..., :-1, :]).abs().mean((1, 2, 3))
    inner = v[..., 1:-1, 1:-1]
    around = v[..., :-2, 1:-1] + v[..., 2:, 1:-1] + v[..., 1:-1, :-2] + v[..., 1:-1, 2:]
    return torch.stack(
        [
            v.mean((1, 2, 3)),
            v.std((1, 2, 3)),
            *v.flatten(1).quantile(v.new_tensor(LEVELS), 1),
            (v.amax(1) - v.amin(1)).mean((1, 2)),
            (colour - colour.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)).sqrt(),
            (across + down) / 2,
            (4 * inner - around).abs().mean((1, 2, 3)),
        ],
        1,
    )


@dataclass(frozen=True)
class Looks:
    """What pictures of a domain look like, and a line between them and another domain's.

    Attributes:
        line: logistic regression on `statistics`, 1 for the domain.
        cloud: scaling and covariance of the domain's statistics.
        limit: squared Mahalanobis distance within which 95 % of the domain lie.
    """

    line: Pipeline
    scale: StandardScaler
    cloud: EmpiricalCovariance
    limit: float

    def passes(self, images: Tensor) -> Tensor:
        """Which of (n, C, S, S) pass for the domain, (n,) of bool.

        An image passes that lies on the domain's side of the line, and no farther from the middle
        of the cloud than real ones do. One picture repeated may pass; a distance between sets of
        pictures tells it from many.
        """
        values = statistics(images).cpu().numpy()
        own_side = self.line.predict(values) == 1
        inside = self.cloud.mahalanobis(self.scale.transform(values)) <= self.limit
        return torch.from_numpy(own_side & inside)

    def share(self, images: Tensor) -> float:
        """Share of images that pass."""
        return float(self.passes(images).double().mean())


def fit(real: Tensor, other: Tensor) -> Looks:
    """Learn the looks of a domain from real images, and the line towards another domain's.

    Args:
        real: images of the domain (n, C, S, S) in [-1, 1].
        other: untranslated images of the other domain (m, C, S, S), with as many channels.

    Raises:
        ValueError: other numbers of channels or pixels, or fewer than 20 images of a domain.
    """
    real, other = pictures(real, "real", within=FAR), pictures(other, "other", within=FAR)
    if real.shape[1:] != other.shape[1:] or min(len(real), len(other)) < 20:
        raise ValueError(
            f"images have shapes {tuple(real.shape)} and {tuple(other.shape)}; give 20 or more of "
            "either domain, with the same channels and pixels"
        )
    own, foreign = (statistics(x).cpu().numpy() for x in (real, other))
    line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    line.fit(np.concatenate([own, foreign]), np.repeat([1, 0], [len(own), len(foreign)]))
    scale = StandardScaler().fit(own)
    scaled = scale.transform(own)
    cloud = EmpiricalCovariance().fit(scaled)
    return Looks(line, scale, cloud, float(np.quantile(cloud.mahalanobis(scaled), INSIDE)))
