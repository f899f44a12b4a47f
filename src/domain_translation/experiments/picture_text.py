"""Small pictures as text, so that a result card can hold them."""

from __future__ import annotations

import base64

import torch
from torch import Tensor


def pictures(x: Tensor) -> str:
    """Images (n, C, S, S) in [-1, 1] as text: 256 levels, row by row, base64."""
    levels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return base64.b64encode(levels.contiguous().numpy().tobytes()).decode()


def from_pictures(text: str, size: int, channels: int = 1) -> Tensor:
    """Images (n, channels, size, size) in [-1, 1] from `pictures`."""
    levels = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return levels.reshape(-1, channels, size, size) / 127.5 - 1
