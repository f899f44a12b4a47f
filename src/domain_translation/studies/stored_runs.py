"""Earlier runs of studies, stored as JSON, each in a layout of its own.

They are read as long as nobody has run the studies again, which write cards.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from domain_translation.files import data_file


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """The stored file `results/full/<name>.json`.

    Raises FileNotFoundError: it does not come with this installation.
    """
    text = data_file(f"results/full/{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def from_pictures(text: str, size: int, channels: int = 1) -> Tensor:
    """Images (n, channels, size, size) in [-1, 1] from 256 levels, row by row, in base64."""
    levels = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return levels.reshape(-1, channels, size, size) / 127.5 - 1
