"""Where a study that is meant for a GPU computes."""

from __future__ import annotations

import torch


def best() -> torch.device:
    """The CUDA device, if there is one; else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
