"""Gaussians and mixtures of Gaussians."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from domain_translation.sampling.densities.located import Smooth, normal, positive

Numbers = float | Sequence[float] | Tensor

# Up to this many numbers in its means, a mixture under `torch.compile` is written out coordinate
# by coordinate: the compiler then vectorises over the points instead of over the coordinates.
_UNROLLED = 64


def _double(value: Numbers | Sequence[Sequence[float]]) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu().double()
    return torch.as_tensor(value, dtype=torch.float64)


def _as_many(name: str, value: Tensor, count: int) -> Tensor:
    if value.numel() not in (1, count):
        raise ValueError(f"{name} has {value.numel()} entries; give 1 or {count}")
    return value.expand(count).contiguous()


class Gaussian(Smooth):
    """N(mean, diag(std^2)), or N(mean, cov) with a full covariance.

    Args:
        mean: ``(d,)``, or a number for d = 1 (or for as many dimensions as `std` has).
        std: standard deviations, a number or ``(d,)``.
        cov: full covariance ``(d, d)`` instead of `std`.

    Raises:
        ValueError: a standard deviation that is not positive, a covariance that is not
            symmetric positive definite, or both given.
    """

    def __init__(
        self,
        mean: Numbers = 0.0,
        std: Numbers | None = None,
        *,
        cov: Sequence[Sequence[float]] | Tensor | None = None,
    ) -> None:
        if std is not None and cov is not None:
            raise ValueError("Gaussian was given both std and cov; give one of them")
        mean_, self.full = _double(mean), cov is not None
        if cov is not None:
            spread = _double(cov)
            factor, failed = torch.linalg.cholesky_ex(spread)
            if bool(failed.any()) or not torch.allclose(spread, spread.mT):
                raise ValueError(
                    f"cov was {spread.tolist()}; it must be symmetric positive definite"
                )
            precision = torch.cholesky_inverse(factor)
            log_det = 2 * factor.diagonal().log().sum()
        else:
            factor = positive("std", _double(1.0 if std is None else std).reshape(-1))
            factor = _as_many("std", factor, max(factor.numel(), mean_.numel()))
            spread, precision = factor**2, factor**-2
            log_det = 2 * factor.log().sum()
        dim = factor.shape[0]
        mean_ = _as_many("mean", mean_.reshape(-1), dim)
        log_norm = -0.5 * (dim * math.log(2 * math.pi) + log_det)
        super().__init__(dim, mean_, precision, log_norm)
        self.mean, self._factor, self._spread = mean_, factor, spread

    @property
    def cov(self) -> Tensor:
        """Covariance ``(d, d)``, float64."""
        return self._spread if self.full else torch.diag(self._spread)

    @property
    def var(self) -> Tensor:
        """Variances ``(d,)``, float64."""
        return self._spread.diagonal() if self.full else self._spread

    def score(self, x: Tensor) -> Tensor:
        """Gradient of the log-density, ``(B, d)``."""
        mean, precision, _ = self.at(x)
        gap = mean - x
        return gap @ precision if self.full else gap * precision

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, d)`` in one pass."""
        mean, precision, log_norm = self.at(x)
        gap = mean - x
        score = gap @ precision if self.full else gap * precision
        return 0.5 * (gap * score).sum(-1) - log_norm, score

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, d)``, float32."""
        z = normal((n, self.dim), generator)
        spread = z @ self._factor.mT if self.full else z * self._factor
        return torch.add(self.mean, spread).float()

    def smoothed(self, sigma: float) -> Gaussian:
        """The density of x + sigma * noise: the covariance grows by sigma^2 I."""
        if self.full:
            return Gaussian(self.mean, cov=self.cov + sigma**2 * torch.eye(self.dim).double())
        return Gaussian(self.mean, (self.var + sigma**2).sqrt())

    def tempered(self, temperature: float) -> Gaussian:
        """The density proportional to p^(1/T): the covariance is multiplied by T > 0."""
        positive("temperature", _double(temperature))
        if self.full:
            return Gaussian(self.mean, cov=self.cov * temperature)
        return Gaussian(self.mean, (self.var * temperature).sqrt())


class GaussianMixture(Smooth):
    """Mixture of K isotropic Gaussians N(means[k], std[k]^2 I).

    Args:
        means: ``(K, d)``.
        std: one number, or ``(K,)``.
        weights: ``(K,)``, positive, normalised here; equal when left out.

    Raises:
        ValueError: standard deviations or weights that are not positive or not K many.
    """

    def __init__(
        self,
        means: Sequence[Sequence[float]] | Tensor,
        std: Numbers = 1.0,
        weights: Numbers | None = None,
    ) -> None:
        self.means = _double(means)
        if self.means.ndim != 2:
            raise ValueError(f"means had shape {tuple(self.means.shape)}; pass (K, d)")
        count, dim = self.means.shape
        self.std = positive("std", _as_many("std", _double(std).reshape(-1), count))
        given = _as_many("weights", _double(1.0 if weights is None else weights).reshape(-1), count)
        self.weights = positive("weights", given) / given.sum()
        # log of weights[k] N(x; means[k], std[k]) = offset - |x|^2 precision/2 + x . pull
        precision = self.std**-2
        pull = self.means * precision[:, None]
        log_peak = self.weights.log() - dim * (self.std.log() + 0.5 * math.log(2 * math.pi))
        offset = log_peak - 0.5 * (self.means * pull).sum(1)
        # With one common width |x|^2 cancels in the responsibilities.
        self._width = float(self.std[0]) if bool((self.std == self.std[0]).all()) else None
        self._table = (offset.tolist(), precision.tolist(), pull.tolist())
        super().__init__(dim, offset[:, None], precision[:, None], pull, pull.mT)

    @classmethod
    def ring(cls, count: int = 8, radius: float = 4.0, std: float = 0.5) -> GaussianMixture:
        """`count` equal components on a circle in the plane."""
        angle = torch.arange(count).double() * (2 * math.pi / count)
        return cls(radius * torch.stack([angle.cos(), angle.sin()], 1), std)

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, d)`` in one pass."""
        offset, precision, pull, pull_t = self.at(x)
        if torch.compiler.is_compiling() and self.means.numel() <= _UNROLLED:
            return self._unrolled(x)
        half_square = 0.5 * (x * x).sum(1)
        logits = torch.addmm(offset, pull, x.mT)  # (K, B): the batch runs along the rows
        if self._width is None:
            logits = logits - precision * half_square
        log_prob = torch.logsumexp(logits, 0)
        share = torch.exp(logits - log_prob)
        if self._width is not None:
            score = torch.addmm(x.mT, pull_t, share, beta=-(self._width**-2)).mT
            return half_square * self._width**-2 - log_prob, score
        return -log_prob, (pull_t @ share - x.mT * (precision * share).sum(0)).mT

    def score(self, x: Tensor) -> Tensor:
        """Gradient of the log-density, ``(B, d)``."""
        if self._width is None or torch.compiler.is_compiling():
            return self.energy_and_score(x)[1]
        offset, _, pull, pull_t = self.at(x)
        share = torch.softmax(torch.addmm(offset, pull, x.mT), 0)
        return torch.addmm(x.mT, pull_t, share, beta=-(self._width**-2)).mT

    def _unrolled(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same, written out over components and coordinates, each an array over points."""
        columns = x.unbind(-1)
        half_square = 0.5 * sum(c * c for c in columns)
        logits = []
        for offset, precision, pull in zip(*self._table, strict=True):
            linear = sum(c * p for c, p in zip(columns, pull, strict=True)) + offset
            logits.append(linear if self._width else linear - precision * half_square)
        top = logits[0]
        for other in logits[1:]:
            top = torch.maximum(top, other)
        shares = [torch.exp(one - top) for one in logits]
        total = sum(shares[1:], shares[0])
        _, precisions, pulls = self._table
        scores = []
        if self._width:
            inverse = self._width**-2
            energy = half_square * inverse - top - total.log()
            shrink = inverse
        else:
            energy = -top - total.log()
            shrink = sum(s * q for s, q in zip(shares, precisions, strict=True)) / total
        for j, column in enumerate(columns):
            towards = sum(s * pull[j] for s, pull in zip(shares, pulls, strict=True)) / total
            scores.append(towards - column * shrink)
        return energy, torch.stack(scores, -1)

    @property
    def mean(self) -> Tensor:
        """Mean ``(d,)``, float64."""
        return torch.matmul(self.weights, self.means)

    @property
    def cov(self) -> Tensor:
        """Covariance ``(d, d)``, float64."""
        apart = self.means - self.mean
        within = (self.weights @ self.std**2) * torch.eye(self.dim).double()
        return torch.add(within, (self.weights[:, None] * apart).mT @ apart)

    @property
    def var(self) -> Tensor:
        """Variances ``(d,)``, float64."""
        return self.cov.diagonal()

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, d)``, float32."""
        which = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = normal((n, self.dim), generator) * self.std[which, None]
        return torch.add(self.means[which], noise).float()

    def smoothed(self, sigma: float) -> GaussianMixture:
        """The density of x + sigma * noise: every component's variance grows by sigma^2."""
        return GaussianMixture(self.means, (self.std**2 + sigma**2).sqrt(), self.weights)
