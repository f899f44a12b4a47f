"""The image pool: critics see a history of translations, not the latest only (Shrivastava 2017)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn


class ImagePool(nn.Module):
    """Up to `size` past translations of shape `event`; a module, so that checkpoints keep it."""

    images: Tensor
    filled: Tensor

    def __init__(self, size: int, event: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *event))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    def exchange(self, fresh: Tensor, generator: Generator) -> Tensor:
        """Put in a batch (B, *event) of fresh translations, take out as many.

        Until the pool is full, what goes in comes out. Then a coin decides for each image
        whether it is handed through or swapped for a random one of the pool.
        """
        out = []
        for image in fresh:
            if self.filled < len(self.images):
                self.images[self.filled] = image
                self.filled += 1
                out.append(image)
                continue
            coin = torch.rand((), generator=generator, device=generator.device)
            slot = torch.randint(len(self.images), (), generator=generator, device=generator.device)
            if coin < 0.5:
                out.append(image)
            else:
                out.append(self.images[slot].clone())
                self.images[slot] = image
        return torch.stack(out)
