"""Generators that know nothing but means and covariances: what a sample has to beat."""

from __future__ import annotations

import torch
from sklearn.cluster import KMeans
from torch import Generator, Tensor

from domain_translation.sampling.inputs import FAR, pictures, whole


def gaussian_samples(train: Tensor, n: int, *, components: int = 1, seed: int = 0) -> Tensor:
    """n images from Gaussians with the training images' means and covariances.

    One Gaussian, or one for each k-means cluster, drawn in proportion to its size. A draw is the
    mean plus randomly weighted deviations of the cluster's m members, z^T (X - mean) / sqrt(m - 1)
    with z ~ N(0, I_m), which has exactly their covariance, singular or not, and factors nothing.

    Args:
        train: (m, C, S, S).
        n: number of images.
        components: of the mixture.
        seed: of the clusters and the draws.

    Returns:
        (n, C, S, S) within the range of the training images, which the draws are clipped to.

    Raises:
        ValueError: fewer than two training images per component.
    """
    if components < 1 or len(train) < 2 * components:
        raise ValueError(
            f"{components} components from {len(train)} images; each needs at least two"
        )
    train = pictures(train, "train", within=FAR).float()
    n, rows = whole(n, "n"), train.flatten(1).cpu()
    cluster = torch.zeros(len(rows), dtype=torch.long)
    if components > 1:
        found = KMeans(components, n_init=3, random_state=seed).fit_predict(rows.numpy())
        cluster = torch.from_numpy(found).long()
    generator = Generator().manual_seed(seed)
    # A cluster of one has no covariance: its member stands for itself.
    chosen = cluster[torch.randint(len(rows), (n,), generator=generator)]
    out = torch.empty(n, rows.shape[1])
    for k in range(components):
        members, here = rows[cluster == k], chosen == k
        mean = members.mean(0)
        weights = torch.randn(int(here.sum()), len(members), generator=generator)
        out[here] = mean + weights @ (members - mean) / max(1, len(members) - 1) ** 0.5
    out = out.clamp(rows.amin(), rows.amax()).reshape(n, *train.shape[1:])
    return out.to(train.device)
