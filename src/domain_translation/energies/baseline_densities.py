"""Log-likelihoods of images in nats: dequantisation, units, and densities that have them exactly.

Images come in levels 0 .. L - 1. A density has no likelihood on such a lattice: it can be made
infinite there. So a level v becomes 2 (v + u) / L - 1 with u from U(0, 1), uniform dequantisation
(Theis, van den Oord and Bethge 2016), on the box [-1, 1]^d. Results are in nats above the uniform
density on the box; that is the log-density in coordinates from 0 to 1, the unit of NICE's and
CF-EBM's tables (cfebm.tab10, cfebm.data.mnist). No density gains more than d log L on average.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from sklearn.covariance import shrunk_covariance
from sklearn.mixture import GaussianMixture as Mixture
from torch import Generator, Tensor

from domain_translation.runtime import double
from domain_translation.sampling import densities

LogProb = Callable[[Tensor], Tensor]


class Baseline(NamedTuple):
    """A density with an exact likelihood, chosen on validation images.

    Attributes:
        gain: images (B, *event) to nats above the uniform density, (B,) float64.
        setting: what was chosen, in words.
        validation: mean gain on the validation images.
    """

    gain: LogProb
    setting: str
    validation: float


def dequantised(levels: Tensor, count: int, generator: Generator) -> Tensor:
    """Levels (n, *event) from 0 to `count` - 1 as points of [-1, 1]^d, float32.

    Raises ValueError for other levels.
    """
    whole = double(levels)
    if bool(((whole < 0) | (whole > count - 1) | (whole != whole.round())).any()) or count < 2:
        raise ValueError(
            f"levels run from {whole.min():g} to {whole.max():g}; give whole numbers from 0 to "
            f"{count - 1}, and at least 2 levels"
        )
    noise = torch.rand(
        levels.shape, generator=generator, dtype=torch.float64, device=generator.device
    )
    # In float32 the topmost sum may round up to the wall, which belongs to the box.
    return (2 * (whole + noise.to(whole)) / count - 1).float().to(levels.device)


def above_uniform(log_prob: Tensor, dim: int) -> Tensor:
    """Log-densities on [-1, 1]^dim in nats above that box's uniform density."""
    return double(log_prob) + dim * math.log(2)


def log_likelihood(energies: Tensor, log_z: float, dim: int) -> Tensor:
    """-E - log Z in nats above the uniform density on [-1, 1]^dim, (B,) float64.

    With a lower bound on log Z this is an upper bound on the log-likelihood, and the reverse.
    """
    return above_uniform(-double(energies) - log_z, dim)


class PixelHistograms:
    """Independent pixels, each with a histogram over its levels: exact for dequantised images.

    Args:
        levels: training images (n, *event), whole numbers from 0 to `count` - 1.
        count: number of levels L.
        prior: images' worth of uniform counts added to each histogram, positive.
    """

    def __init__(self, levels: Tensor, count: int, prior: float) -> None:
        if not prior > 0:
            raise ValueError(f"prior was {prior}; an unseen level needs a share greater than 0")
        flat = levels.flatten(1).long().cpu()
        table = torch.full((flat.shape[1], count), prior / count, dtype=torch.float64)
        table.scatter_add_(1, flat.T, torch.ones(flat.T.shape, dtype=torch.float64))
        self.count = count
        self.log_shares = (table / (len(flat) + prior)).log()

    def gain(self, x: Tensor) -> Tensor:
        """Nats above the uniform density at dequantised images (B, *event), (B,) float64."""
        place = ((x.flatten(1).cpu().double() + 1) * (self.count / 2)).floor().long()
        chosen = self.log_shares.gather(1, place.clamp(0, self.count - 1).T)
        return (chosen + math.log(self.count)).sum(0)


def _best(candidates: Iterable[tuple[LogProb, str]], validation: Tensor) -> Baseline:
    found = [
        Baseline(gain, setting, float(gain(validation).mean())) for gain, setting in candidates
    ]
    return max(found, key=lambda one: one.validation)


def histograms(
    levels: Tensor,
    count: int,
    validation: Tensor,
    priors: Iterable[float] = (1, 3, 10, 30, 100, 300),
) -> Baseline:
    """`PixelHistograms` of training levels with the prior that validation images like best."""
    return _best(
        ((PixelHistograms(levels, count, p).gain, f"prior of {p:g} images") for p in priors),
        validation,
    )


def gaussian(
    train: Tensor, validation: Tensor, shrinkages: Iterable[float] = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
) -> Baseline:
    """A Gaussian with the full covariance, drawn a little towards a multiple of the identity.

    Args:
        train, validation: dequantised images (n, *event).
        shrinkages: shares of the identity to try, between 0 and 1.
    """
    flat = train.flatten(1).cpu().double()
    empirical = flat.T.cov().numpy()

    def candidates() -> Iterable[tuple[LogProb, str]]:
        for share in shrinkages:
            cov = torch.from_numpy(shrunk_covariance(empirical, shrinkage=share))
            normal = densities.Gaussian(flat.mean(0), cov=cov)
            yield _gain(normal.log_prob, train[0].numel()), f"shrinkage {share:g}"

    return _best(candidates(), validation)


def mixture(
    train: Tensor,
    validation: Tensor,
    components: Iterable[int] = (5, 10, 20),
    floors: Iterable[float] = (0.001, 0.003, 0.01),
    seed: int = 0,
) -> Baseline:
    """A mixture of Gaussians with full covariances, by expectation-maximisation (scikit-learn).

    Args:
        train, validation: dequantised images (n, *event).
        components: numbers of components to try.
        floors: variances added to every pixel, to try.
        seed: of the start.
    """

    def candidates() -> Iterable[tuple[LogProb, str]]:
        for k in components:
            for floor in floors:
                fitted = Mixture(k, reg_covar=floor, random_state=seed, max_iter=50, tol=1e-2)
                fitted.fit(train.flatten(1).cpu().double().numpy())
                gain = _gain(_by_numpy(fitted.score_samples), train[0].numel())
                yield gain, f"{k} components, variance floor {floor:g}"

    return _best(candidates(), validation)


def kernels(
    train: Tensor, validation: Tensor, widths: Iterable[float] = (0.15, 0.2, 0.25, 0.3)
) -> Baseline:
    """A kernel density estimate: an equal, round Gaussian of one width on every training image."""
    means = train.flatten(1)

    def candidates() -> Iterable[tuple[LogProb, str]]:
        for width in widths:
            density = densities.GaussianMixture(means, width)
            yield _gain(density.log_prob, train[0].numel()), f"width {width:g}"

    return _best(candidates(), validation)


def _gain(log_prob: LogProb, dim: int) -> LogProb:
    def gain(x: Tensor) -> Tensor:
        return above_uniform(log_prob(double(x.flatten(1))), dim)

    return gain


def _by_numpy(function: Callable[..., object]) -> LogProb:
    def called(x: Tensor) -> Tensor:
        return torch.as_tensor(function(x.cpu().numpy()), dtype=torch.float64)

    return called
