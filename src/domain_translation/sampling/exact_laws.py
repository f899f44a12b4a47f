"""Exact laws of one-dimensional Langevin chains and diffusions, on a grid.

In one dimension the chain's transition kernel is a matrix and the Fokker-Planck operator is
another, so stationary laws and transients come from linear algebra instead of samples: what a
theorem says can be compared with what is true, without Monte Carlo noise in between.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import expm_multiply
from torch import Tensor

Array = NDArray[np.float64]


def _score_on(grid: Array, score: Callable[[Tensor], Tensor]) -> Array:
    with torch.no_grad():
        values: Array = score(torch.from_numpy(grid)[:, None])[:, 0].double().numpy()
    return values


def ula_matrix(
    score: Callable[[Tensor], Tensor], grid: Array, step_size: float, temperature: float
) -> Array:
    """Transition matrix of L-Cool eq. 1 on a uniform grid (lcool.eq1).

    Row i is the law of x' = x_i + alpha score(x_i) + N(0, 2 alpha T), restricted to the grid and
    normalised; the grid must resolve the noise (spacing well below sqrt(2 alpha T)).

    Args:
        score: maps (n, 1) to (n, 1).
        grid: (n,) increasing, equally spaced.
        step_size: alpha > 0.
        temperature: T = 1/beta > 0.
    """
    mean = grid + step_size * _score_on(grid, score)
    spread = np.sqrt(2 * step_size * temperature)
    kernel = np.exp(-0.5 * ((grid[None, :] - mean[:, None]) / spread) ** 2)
    return kernel / kernel.sum(1, keepdims=True)


def stationary_law(matrix: Array, spacing: float, tolerance: float = 1e-13) -> Array:
    """Stationary density of a transition matrix: the fixed point of q -> q K.

    The matrix is squared, so 2^k steps cost k products and slow mixing is no obstacle.

    Raises:
        RuntimeError: no fixed point after 2^40 steps (the chain does not mix on this grid).
    """
    for _ in range(40):
        matrix = matrix @ matrix
        matrix /= matrix.sum(1, keepdims=True)
        if np.abs(matrix - matrix[:1]).max() < tolerance:
            return matrix[0] / spacing
    raise RuntimeError("the chain has no unique stationary law on this grid; widen or refine it")


def fokker_planck_matrix(
    score: Callable[[Tensor], Tensor], grid: Array, temperature: float
) -> sparse.csr_matrix:
    """Generator Q of dX = score(X) dt + sqrt(2T) dW as a jump process on the grid.

    Rates to the right and left neighbour are T/h^2 exp(+-(score h)/(2T)) at the midpoints: they
    satisfy detailed balance, so mass is conserved and no density turns negative. Densities
    evolve as dq/dt = q Q.
    """
    h = float(grid[1] - grid[0])
    middle = _score_on(0.5 * (grid[1:] + grid[:-1]), score)
    right = temperature / h**2 * np.exp(middle * h / (2 * temperature))
    left = temperature / h**2 * np.exp(-middle * h / (2 * temperature))
    leave = -np.concatenate([right, [0.0]]) - np.concatenate([[0.0], left])
    return sparse.diags_array([left, leave, right], offsets=[-1, 0, 1]).tocsr()


def evolve(generator: sparse.csr_matrix, density: Array, times: Array) -> Array:
    """Densities (len(times), n) of the Fokker-Planck equation, from `density` at times[0].

    `times` must be equally spaced (scipy's expm_multiply walks them in one sweep).
    """
    return expm_multiply(
        generator.T.tocsr(), density, start=times[0], stop=times[-1], num=len(times)
    )
