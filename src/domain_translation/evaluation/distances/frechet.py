"""Fréchet distance between two clouds of features (Heusel et al. 2017; cfebm.metric.fid).

FID is this distance on Inception-v3's 2048 features. CF-EBM's appendix A.3 says that it compares
"mean and standard deviation"; what everybody computes, and what is computed here, uses the mean
and the whole covariance.
"""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation.runtime import double
from domain_translation.sampling.inputs import floats


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Squared 2-Wasserstein distance of the Gaussians with the features' means and covariances.

        |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^(1/2) C_b C_a^(1/2))^(1/2))

    Symmetric, at least 0 up to rounding, in squared units of the features. It is biased upwards
    by a term of order 1/n that depends on the features: compare only values with equal n.

    Args:
        a, b: features (n, d) and (m, d), at least two rows each.

    Raises:
        ValueError: other shapes, or features that are not finite.
    """
    a, b = check_features(a, b)
    cov_a, cov_b = _covariance(a), _covariance(b)
    # The matrices may be singular (dead features); the eigenvalues below stay real all the same.
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.mT
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    apart = (a.mean(0) - b.mean(0)).square().sum()
    return float(apart + cov_a.trace() + cov_b.trace() - 2 * cross)


def _covariance(x: Tensor) -> Tensor:
    """Unbiased, (d, d); `torch.cov` returns a number for d = 1."""
    centred = x - x.mean(0)
    return centred.mT @ centred / (len(x) - 1)


def check_features(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two clouds of features (n, d), (m, d) with n, m of at least 2, in float64.

    Raises:
        ValueError: other shapes, or features that are not finite.
    """
    a, b = floats(a, "a", "(n, d)"), floats(b, "b", "(m, d)", like=a)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"features have shapes {tuple(a.shape)} and {tuple(b.shape)}; "
            f"give (n, d) and (m, d), at least two rows each"
        )
    if not (a.isfinite().all() and b.isfinite().all()):
        raise ValueError("some features are NaN or infinite; look for NaN in the images")
    return double(a), double(b)
