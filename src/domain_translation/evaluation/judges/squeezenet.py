"""SqueezeNet v1.0 (Iandola et al. 2016) from Caffe weights in an `.npz` file.

Eight "fire" modules squeeze the maps by 1x1 convolutions and expand them again by 1x1 and 3x3
ones side by side. The file holds Caffe's arrays, kernels (out, in, height, width), under the names
`conv1__weight`, `fire2__conv1x1_1__bias` (squeeze), `fire2__conv3x3_2__weight` (expand) ...
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from domain_translation.evaluation.judges.npz_parameters import read_arrays


class Fire(nn.Module):
    """Squeeze, then expand: maps (B, C, H, W) -> (B, C', H, W)."""

    def __init__(self, arrays: Mapping[str, np.ndarray], name: str) -> None:
        super().__init__()
        self.squeeze = _convolution(arrays, f"{name}__conv1x1_1")
        self.narrow = _convolution(arrays, f"{name}__conv1x1_2")
        self.wide = _convolution(arrays, f"{name}__conv3x3_2", padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.squeeze(x).relu()
        return torch.cat([self.narrow(y), self.wide(y)], 1).relu()


class SqueezeNet(nn.Module):
    """Images (B, 3, 227, 227), blue-green-red less Caffe's means, to logits (B, classes)."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(arrays, "conv1", stride=2), nn.ReLU(), _pool()]
        for i in range(2, 10):
            layers.append(Fire(arrays, f"fire{i}"))
            if i in (4, 8):
                layers.append(_pool())
        # Caffe's model pads this 1x1 convolution: its bias counts around the border as well.
        layers += [_convolution(arrays, "conv_final", padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def load_squeezenet(path: Path | str) -> SqueezeNet:
    """Read the network, in evaluation mode and without gradients.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or lacks arrays of the network.
    """
    return read_arrays(path, SqueezeNet)


def _convolution(
    arrays: Mapping[str, np.ndarray], name: str, stride: int = 1, padding: int = 0
) -> nn.Conv2d:
    weight, bias = (
        torch.from_numpy(arrays[f"{name}__{part}"].astype(np.float32))
        for part in ("weight", "bias")
    )
    out, maps, side, _ = weight.shape
    layer = nn.Conv2d(maps, out, side, stride=stride, padding=padding)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # Caffe rounds sizes up
