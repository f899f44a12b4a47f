"""Kernel distance between two clouds of features (KID of Bińkowski et al. 2018; cfebm.metric.kid).

KID is this distance on Inception-v3's 2048 features. Unlike the Fréchet distance it has no bias,
whatever the number of images, and may be slightly negative where the clouds agree.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation.evaluation.distances.frechet import check_features


class KernelDistance(NamedTuple):
    """Mean and standard deviation of the squared distance over the subsets; multiply by 100 for
    the scale in which U-GAT-IT, and CF-EBM after it, print it."""

    mean: float
    std: float


def squared_mmd(a: Tensor, b: Tensor) -> Tensor:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, a number.

    Args:
        a, b: features (n, d) and (m, d).

    Raises:
        ValueError: other shapes, fewer than two rows, or features that are not finite.
    """
    a, b = check_features(a, b)

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.mT / x.shape[1] + 1) ** 3

    def among(x: Tensor) -> Tensor:
        k = kernel(x, x)
        return (k.sum() - k.trace()) / (len(x) * (len(x) - 1))

    return among(a) + among(b) - 2 * kernel(a, b).mean()


def kernel_distance(
    a: Tensor, b: Tensor, *, subsets: int = 100, size: int = 1000, seed: int = 0
) -> KernelDistance:
    """`squared_mmd` over random subsets of `size` rows of each cloud, drawn without replacement.

    Args:
        a, b: features (n, d) and (m, d).
        subsets: how many; 100 is the custom.
        size: rows per subset, 1000 is the custom; the CPU needs time in its square.
        seed: of the subsets.

    Raises:
        ValueError: what `squared_mmd` refuses, no subset, or subsets larger than a cloud.
    """
    a, b = check_features(a, b)
    if subsets < 1 or not 2 <= size <= min(len(a), len(b)):
        raise ValueError(
            f"{subsets} subsets of {size} rows from clouds of {len(a)} and {len(b)}; ask for at "
            f"least one subset of 2 to {min(len(a), len(b))} rows"
        )
    generator = Generator().manual_seed(seed)

    def part(x: Tensor) -> Tensor:
        return x[torch.randperm(len(x), generator=generator)[:size].to(x.device)]

    found = torch.stack([squared_mmd(part(a), part(b)) for _ in range(subsets)])
    return KernelDistance(float(found.mean()), float(found.std(correction=0)))
