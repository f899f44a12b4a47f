"""The best linear denoiser: what a learned one has to beat.

A convolution that is fitted by least squares knows the mean power of every frequency of the
pictures and nothing else. A denoiser that is no better gives a score that smooths.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad, unfold

from domain_translation.sampling.inputs import FAR, events, floats, pictures

_RIDGE = 1e-3  # a few hundred coefficients from some ten thousand pixels


def linear_filter(
    clean: Tensor, sigma: float, *, size: int = 11, stride: int = 5, seed: int = 0
) -> Callable[[Tensor], Tensor]:
    """The best `size` x `size` convolution against Gaussian noise, by least squares.

    Args:
        clean, sigma, size, stride, seed: see `fit_filter`.

    Returns:
        the denoiser, pictures (B, C, H, W) -> the same shape; edges are reflected.

    Raises:
        ValueError: a filter of even size, or one that does not fit the pictures.
    """
    clean = pictures(clean, "clean", within=FAR)
    kernel, bias = fit_filter(clean, sigma, size=size, stride=stride, seed=seed)
    edge = (size // 2,) * 4

    def denoise(x: Tensor) -> Tensor:
        x = floats(x, "x", "(B, C, H, W)")
        return conv2d(pad(x, edge, mode="reflect"), kernel.to(x), bias.to(x))

    return denoise


def fit_filter(
    clean: Tensor, sigma: float, *, size: int = 11, stride: int = 5, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """The coefficients of `linear_filter`.

    Args:
        clean: pictures (B, C, H, W) to fit it on.
        sigma: standard deviation of the noise.
        size: odd side of the filter in pixels.
        stride: every how many-th pixel is used, in both directions.
        seed: of the noise.

    Returns:
        kernel (C, C, size, size) and bias (C,) of a convolution.

    Raises:
        ValueError: a filter of even size, or one that does not fit the pictures.
    """
    clean = events(clean, "clean").cpu().float()
    if clean.ndim != 4 or size % 2 == 0 or size // 2 >= min(clean.shape[-2:]):
        raise ValueError(
            f"a filter of {size} pixels for pictures {tuple(clean.shape)}; give an odd size that "
            "fits pictures (B, C, H, W)"
        )
    if not 0 <= sigma < math.inf:
        raise ValueError(f"sigma is {sigma}; give the standard deviation of a noise, finite")
    channels, edge = clean.shape[1], (size // 2,) * 4
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    seen = pad(clean + sigma * noise, edge, mode="reflect")
    a = unfold(seen, size, stride=stride).transpose(1, 2).flatten(0, 1)
    a = torch.cat([a, torch.ones(len(a), 1)], 1)
    b = clean[..., ::stride, ::stride].permute(0, 2, 3, 1).reshape(-1, channels)
    fitted = torch.linalg.solve(a.T @ a + len(a) * _RIDGE * torch.eye(a.shape[1]), a.T @ b)
    return fitted[:-1].T.reshape(channels, channels, size, size), fitted[-1]
