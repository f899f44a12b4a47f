"""MobileNet v1 (Howard et al. 2017) from Keras weights in an `.npz` file.

The file holds Keras's arrays under their names with "/" written as "__": kernels (height, width,
in, out), depthwise ones (height, width, in, 1), and the four vectors of each batch
normalisation. Widths are read off the kernels, so that any width multiplier loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from domain_translation.evaluation.judges.npz_parameters import read_arrays

# Strides of the thirteen depthwise convolutions.
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_EPSILON = 1e-3  # in the batch normalisations


class SamePad(nn.Module):
    """TensorFlow's "same" padding, which puts the odd pixel of zeros at the bottom and right.

    PyTorch's symmetric padding would shift the grid of a convolution of stride 2 by a pixel.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = (self._around(n) for n in x.shape[-2:])
        return pad(x, (left, right, top, bottom))

    def _around(self, size: int) -> tuple[int, int]:
        steps = -(-size // self.stride)
        total = max((steps - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2


class MobileNet(nn.Module):
    """Images (B, 3, H, W) in [-1, 1] to logits (B, classes).

    Attributes:
        features: the same images to the averages of the last maps, (B, 768) at width 0.75.
        classify: features to logits.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_convolution(arrays, "conv1", "kernel", stride=2)]
        for i, stride in enumerate(_STRIDES, start=1):
            layers += _convolution(arrays, f"conv_dw_{i}", "depthwise_kernel", stride)
            layers += _convolution(arrays, f"conv_pw_{i}", "kernel", stride=1)
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        kernel = _tensor(arrays, "conv_preds__kernel")[0, 0]
        self.classify = nn.Linear(*kernel.shape)
        _set(self.classify, kernel.T, _tensor(arrays, "conv_preds__bias"))

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.features(x))


def load_mobilenet(path: Path | str) -> MobileNet:
    """Read the network, in evaluation mode and without gradients.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or lacks arrays of the network.
    """
    return read_arrays(path, MobileNet)


def _convolution(
    arrays: Mapping[str, np.ndarray], name: str, kernel: str, stride: int
) -> list[nn.Module]:
    """Convolution, batch normalisation and ReLU6 as three modules, the first being the padding.

    The normalisation y -> gamma (y - mean) / sqrt(variance + eps) + beta of a convolution is a
    convolution: its factor goes into the kernel, the rest into the bias.
    """
    k = _tensor(arrays, f"{name}__{kernel}")
    gamma, beta, mean, variance = (
        _tensor(arrays, f"{name}_bn__{v}")
        for v in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    depthwise = kernel.startswith("depthwise")
    k = k.permute(2, 3, 0, 1) if depthwise else k.permute(3, 2, 0, 1)
    factor = gamma / (variance + _EPSILON).sqrt()
    side = k.shape[-1]
    groups = len(k) if depthwise else 1
    convolution = nn.Conv2d(k.shape[1] * groups, len(k), side, stride=stride, groups=groups)
    _set(convolution, k * factor.reshape(-1, 1, 1, 1), beta - mean * factor)
    return [SamePad(side, stride), convolution, nn.ReLU6()]


def _set(layer: nn.Conv2d | nn.Linear, weight: Tensor, bias: Tensor) -> None:
    if layer.weight.shape != weight.shape or layer.bias is None or layer.bias.shape != bias.shape:
        raise ValueError("the shapes of its arrays do not fit together")
    layer.weight.data, layer.bias.data = weight.contiguous(), bias


def _tensor(arrays: Mapping[str, np.ndarray], name: str) -> Tensor:
    return torch.from_numpy(arrays[name].astype(np.float32))
