"""Random crops and mirror images: what CycleGAN and pix2pix see of their training pictures."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def crop_and_flip(images: Tensor, size: int, generator: Generator) -> Tensor:
    """Crop each image (B, C, H, W) to `size` at a random place; mirror half of them.

    Pictures that belong together (a photo and its map) go in as channels of one image.
    """
    b, _, h, w = images.shape
    device = generator.device
    tops = torch.randint(h - size + 1, (b,), generator=generator, device=device).tolist()
    lefts = torch.randint(w - size + 1, (b,), generator=generator, device=device).tolist()
    mirror = torch.rand(b, generator=generator, device=device) < 0.5
    crops = torch.stack(
        [
            image[:, t : t + size, u : u + size]
            for image, t, u in zip(images, tops, lefts, strict=True)
        ]
    )
    return torch.where(mirror.reshape(-1, 1, 1, 1), crops.flip(-1), crops)
