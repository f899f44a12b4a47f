"""Curved targets in the plane: the banana and the strips of the toy domains."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from domain_translation.sampling.densities.located import Located, Smooth, normal, positive


class Banana(Smooth):
    """x1 ~ N(0, std^2), x2 | x1 ~ N(bend (x1^2 - std^2), 1): a Gaussian bent along a parabola.

    Args:
        bend: curvature, any finite number; 0 gives a Gaussian.
        std: standard deviation of x1, positive.
    """

    def __init__(self, bend: float = 0.5, std: float = 1.0) -> None:
        positive("std", torch.tensor(std))
        self.bend, self.std = float(bend), float(std)
        super().__init__(2)

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, 2)`` in one pass."""
        self.at(x)
        x1, x2 = x.unbind(-1)
        off = x2 - self.bend * (x1 * x1 - self.std**2)
        energy = 0.5 * (x1 / self.std) ** 2 + 0.5 * off * off
        score = torch.stack([2 * self.bend * x1 * off - x1 / self.std**2, -off], -1)
        return energy + (math.log(2 * math.pi) + math.log(self.std)), score

    @property
    def mean(self) -> Tensor:
        """Mean ``(2,)``, float64."""
        return torch.zeros(2, dtype=torch.float64)

    @property
    def cov(self) -> Tensor:
        """Covariance ``(2, 2)``, float64: x1 and x2 are uncorrelated but not independent."""
        return torch.diag(torch.tensor([self.std**2, 1 + 2 * self.bend**2 * self.std**4]).double())

    @property
    def var(self) -> Tensor:
        """Variances ``(2,)``, float64."""
        return self.cov.diagonal()

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, 2)``, float32."""
        x1, noise = normal((2, n), generator)
        x1 = x1 * self.std
        return torch.stack([x1, self.bend * (x1 * x1 - self.std**2) + noise], -1).float()


class Strip(Located):
    """Uniform density on the strip {(t, a t^2 + b t + e): 0 < t < 1, 0 < e < width}.

    The toy domains of L-Cool (Fig. 3, Fig. 10) and ImproveIT (Fig. 3-4) are `Strip.source()` and
    `Strip.target()`. The map (t, e) -> x has Jacobian 1, so the density is the constant 1/width
    on the strip. It has no score: the gradient is zero inside and undefined at the edge. The
    score worth having is the one of the smoothed density, `smoothed(sigma)`.

    Args:
        quadratic, linear: a and b.
        width: vertical width, positive.
    """

    def __init__(self, quadratic: float, linear: float, width: float) -> None:
        positive("width", torch.tensor(width))
        self.quadratic, self.linear, self.width = float(quadratic), float(linear), float(width)
        super().__init__(2)

    @classmethod
    def source(cls) -> Strip:
        """(t, 0.75 t^2 + e), e ~ U(0, 0.2)."""
        return cls(0.75, 0.0, 0.2)

    @classmethod
    def target(cls) -> Strip:
        """(t, 0.4 t + e), e ~ U(0, 0.1)."""
        return cls(0.0, 0.4, 0.1)

    def floor(self, t: Tensor) -> Tensor:
        """Lower edge of the strip at abscissa `t`, any shape."""
        return (self.quadratic * t + self.linear) * t

    def contains(self, x: Tensor) -> Tensor:
        """Which points ``(B, 2)`` lie on the strip, edges included: ``(B,)`` bool."""
        self.at(x)
        t, height = x[:, 0], x[:, 1] - self.floor(x[:, 0])
        return (t >= 0) & (t <= 1) & (height >= 0) & (height <= self.width)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density ``(B,)``: -log(width) on the strip, -inf off it."""
        return torch.where(self.contains(x), -math.log(self.width), -math.inf).to(x)

    def energy(self, x: Tensor) -> Tensor:
        """Minus the log-density, ``(B,)``."""
        return -self.log_prob(x)

    def distance(self, x: Tensor) -> Tensor:
        """Euclidean distance of the points ``(B, 2)`` to the strip, 0 on it: ``(B,)``."""
        point = x.double()
        upper = point - point.new_tensor([0.0, self.width])
        # The two vertical sides: nearest height within the side, at t = 0 and t = 1.
        sides = []
        for t in (0.0, 1.0):
            low = float(self.floor(torch.tensor(t, dtype=torch.float64)))
            gap = point[:, 1] - point[:, 1].clamp(low, low + self.width)
            sides.append(torch.hypot(point[:, 0] - t, gap))
        edges = [self._distance_to_floor(point), self._distance_to_floor(upper), *sides]
        nearest = torch.stack(edges).amin(0)
        return nearest.masked_fill(self.contains(x), 0.0).to(x)

    def _distance_to_floor(self, point: Tensor) -> Tensor:
        """Distance to the lower edge, a parabola: best of a grid, then Newton steps in t."""
        grid = torch.linspace(0, 1, 129, dtype=point.dtype, device=point.device)

        def gaps(t: Tensor) -> tuple[Tensor, Tensor]:
            return t - point[:, :1], self.floor(t) - point[:, 1:]

        across, up = gaps(grid.expand(len(point), -1))
        t = grid[(across**2 + up**2).argmin(1)][:, None]
        for _ in range(8):
            across, up = gaps(t)
            slope = 2 * self.quadratic * t + self.linear
            gradient = across + up * slope
            # Where the curve bends away the second derivative can vanish: never divide by less.
            bend = (1 + slope**2 + 2 * self.quadratic * up).clamp(min=0.1)
            t = (t - gradient / bend).clamp(0, 1)
        return torch.hypot(*gaps(t))[:, 0]

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, 2)``, float32."""
        t, e = torch.rand((2, n), generator=generator, dtype=torch.float64)
        return torch.stack([t, self.floor(t) + self.width * e], -1).float()

    def smoothed(self, sigma: float) -> SmoothedStrip:
        """The density of x + sigma * noise, sigma > 0."""
        return SmoothedStrip(self, sigma)


class SmoothedStrip(Smooth):
    """A strip convolved with N(0, sigma^2 I): p(x) = int_0^1 N(x1; t, sigma^2) h(x, t) dt.

    h is the smoothed step (Phi((x2 - f(t)) / sigma) - Phi((x2 - f(t) - width) / sigma)) / width.
    The integral over t is Gauss-Legendre with nodes closer than sigma / 2, computed in float64
    and in logarithms, so that density and score are exact to rounding near the strip and finite
    far from it. `score` is what a perfect denoising autoencoder of noise sigma estimates
    (lcool.prop1).
    """

    def __init__(self, strip: Strip, sigma: float) -> None:
        positive("sigma", torch.tensor(sigma))
        from numpy.polynomial.legendre import leggauss

        self.strip, self.sigma = strip, float(sigma)
        nodes, weights = leggauss(max(32, math.ceil(4 / sigma)))
        t = torch.from_numpy(nodes + 1) / 2
        super().__init__(2, t, strip.floor(t), torch.from_numpy(weights / 2).log())

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, 2)`` in one pass."""
        self.at(x)
        point = x.double()
        t, floor, log_weight = self.at(point)
        across = (point[:, :1] - t) / self.sigma
        low = (point[:, 1:] - floor - self.strip.width) / self.sigma
        high = (point[:, 1:] - floor) / self.sigma
        log_step = _log_normal_interval(low, high)
        log_terms = log_weight - 0.5 * across**2 + log_step
        log_sum = torch.logsumexp(log_terms, 1)
        share = torch.exp(log_terms - log_sum[:, None])
        # d/dx2 log h = (phi(high) - phi(low)) / (sigma (Phi(high) - Phi(low)))
        log_root = 0.5 * math.log(2 * math.pi)
        rise = torch.exp(-0.5 * high**2 - log_root - log_step)
        fall = torch.exp(-0.5 * low**2 - log_root - log_step)
        slopes = torch.stack([-(share * across).sum(1), (share * (rise - fall)).sum(1)], -1)
        log_norm = -log_root - math.log(self.sigma * self.strip.width)
        return -(log_sum + log_norm).to(x), (slopes / self.sigma).to(x)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, 2)``, float32."""
        exact = self.strip.sample(n, generator).double()
        return torch.add(exact, normal((n, 2), generator), alpha=self.sigma).float()


def _log_normal_interval(low: Tensor, high: Tensor) -> Tensor:
    """log(Phi(high) - Phi(low)) for low < high, without cancellation in either tail."""
    # In the right tail both Phi are near 1; mirrored, both are near 0 and their logs are exact.
    mirrored = low + high > 0
    near = torch.special.log_ndtr(torch.where(mirrored, -low, high))
    far = torch.special.log_ndtr(torch.where(mirrored, -high, low))
    return torch.add(near, torch.log(-torch.expm1(far - near)))
