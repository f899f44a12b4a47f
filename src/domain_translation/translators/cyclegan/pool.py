"""The image pool: critics see a history of translations, not the latest only (Shrivastava 2017)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from domain_translation.training.trained import State


class ImagePool(State):
    """Up to `size` past translations of shape `event`; a pool of size 0 hands everything through.

    Coins and places stay on the device: nothing waits for it.
    """

    fields = ("images", "filled")

    def __init__(
        self, size: int, event: tuple[int, ...], device: torch.device | str = "cpu"
    ) -> None:
        self.images = torch.zeros(size, *event, device=device)
        self.filled = 0

    def exchange(self, fresh: Tensor, generator: Generator) -> Tensor:
        """Put in a batch (B, *event) of fresh translations, take out as many.

        Until the pool is full, what goes in comes out. Then a coin decides for each image
        whether it is handed through or swapped for a random one of the pool.
        """
        size, device = len(self.images), generator.device
        out = []
        for image in fresh if size else ():
            if self.filled < size:
                self.images[self.filled] = image
                self.filled += 1
                out.append(image)
                continue
            through = torch.rand((), generator=generator, device=device) < 0.5
            slot = torch.randint(size, (1,), generator=generator, device=device)
            past = self.images[slot][0]
            out.append(torch.where(through, image, past))
            self.images.index_copy_(0, slot, torch.where(through, past, image)[None])
        return torch.stack(out) if size else fresh
