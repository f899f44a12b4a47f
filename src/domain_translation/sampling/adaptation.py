"""Warm-up: a step size for a wished acceptance rate, and a diagonal preconditioner.

Both return plain numbers. A kernel made from them is fixed, so that the chain that is kept has
the stationary density it claims; a chain whose step went on adapting would not.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from domain_translation.sampling.inputs import events, whole
from domain_translation.sampling.kernels import Kernel
from domain_translation.sampling.noise import shared_blocks, stored

# Dual averaging as in Hoffman and Gelman (2014), section 3.2, with their constants.
_GAMMA, _EARLY, _KAPPA = 0.05, 10.0, 0.75


def adapt_step_size(
    make_kernel: Callable[[float], Kernel],
    x: Tensor,
    steps: int = 500,
    *,
    initial: float = 0.1,
    target_accept: float = 0.574,
    seed: int = 0,
) -> tuple[float, Tensor]:
    """A step size at which a Metropolis kernel accepts `target_accept`, by dual averaging.

    Args:
        make_kernel: step size to kernel, e.g. ``lambda a: langevin.mala(target, a)``.
        x: start, ``(B, *event)``; the chains of the batch share one step size.
        steps: warm-up steps, at least 1.
        initial: first step size tried, positive.
        target_accept: between 0 and 1; 0.574 is the optimum of MALA in many dimensions.
        seed: of the warm-up's noise.

    Returns:
        The step size, and the states at the end of the warm-up to start the real chain from.

    Raises:
        ValueError: an argument outside these ranges, or a kernel without a Metropolis test.
    """
    if not 0 < target_accept < 1:
        raise ValueError(f"target_accept was {target_accept}; it must lie between 0 and 1")
    if not (initial > 0 and math.isfinite(initial)):
        raise ValueError(f"initial was {initial}; it must be finite and greater than 0")
    steps = whole(steps, "steps")
    x = stored(events(x, "the start"))
    log_step, average, shortfall = math.log(initial), 0.0, 0.0
    centre = math.log(10 * initial)
    with torch.no_grad():
        kernel = make_kernel(initial)
        if not kernel.adjusted:
            raise ValueError("adapt_step_size was given a kernel that accepts every step; use mala")
        state = kernel.start(x)
        blocks = shared_blocks(x, torch.Generator(x.device).manual_seed(seed), metropolis=True)
        noise = next(blocks)
        for t in range(1, steps + 1):
            i = (t - 1) % len(noise.normal)
            noise = next(blocks) if t > 1 and i == 0 else noise
            state, info = make_kernel(math.exp(log_step))(
                state, type(noise)(*(n[i] for n in noise))
            )
            assert info.log_ratio is not None
            accepted = info.log_ratio.exp().clamp(max=1).nan_to_num(nan=0.0).mean().item()
            weight = 1 / (t + _EARLY)
            shortfall = (1 - weight) * shortfall + weight * (target_accept - accepted)
            log_step = centre - math.sqrt(t) / _GAMMA * shortfall
            weight = t**-_KAPPA
            average = weight * log_step + (1 - weight) * average
    return math.exp(average), state.x.contiguous()
