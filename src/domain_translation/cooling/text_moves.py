"""What cooling a text is compared with: moves as far that know nothing of the language.

Controls that are scores need no move of their own: `SequenceScore` of `wiener_filter` (the linear
score) and of `mean_filter` (towards the mean token), both of `denoising.sequences`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from domain_translation.cooling.text import Move


def random_move(like: Move, seed: int = 0) -> Move:
    """Move each token as far as `like` does, in a random direction.

    Args:
        like: a move, e.g. `cooling.text.langevin(score, ...)`.
        seed: of the directions; each sentence has its own, by its id.
    """

    def move(x: Tensor, ids: Sequence[int]) -> Tensor:
        far = torch.linalg.vector_norm(like(x, ids) - x, dim=-1, keepdim=True)
        direction = torch.nn.functional.normalize(_noise("random", x, ids, seed), dim=-1)
        return x + far * direction

    return move


def disturbance(sigma: float, seed: int = 0) -> Move:
    """Add Gaussian noise of standard deviation `sigma` to the points: what a denoiser can undo.

    The positive control of cooling: where it does not help against its denoiser's own noise, the
    chain is wrong.
    """
    if not sigma >= 0:
        raise ValueError(f"sigma is {sigma}; a standard deviation is 0 or larger")

    def move(x: Tensor, ids: Sequence[int]) -> Tensor:
        return x + sigma * _noise("disturbance", x, ids, seed)

    return move


def in_turn(*moves: Move) -> Move:
    """The moves one after another, e.g. a disturbance and the cooling against it."""

    def move(x: Tensor, ids: Sequence[int]) -> Tensor:
        for each in moves:
            x = each(x, ids)
        return x

    return move


def _noise(purpose: str, x: Tensor, ids: Sequence[int], seed: int) -> Tensor:
    """N(0, 1) numbers like `x` (B, n, d): a sentence's own, and another for each purpose."""
    key = int.from_bytes(purpose.encode()[:8], "big")
    streams = [np.random.default_rng([key, seed, i]) for i in ids]
    shape = tuple(x.shape[1:])
    drawn = np.stack([s.standard_normal(shape, dtype=np.float32) for s in streams])
    return torch.from_numpy(drawn).to(x)
