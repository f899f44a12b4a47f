"""A moving average of a network's weights, kept in buffers so that checkpoints carry it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from domain_translation.cf_ebm.network import EnergyNetwork


class Average(nn.Module):
    """w_avg <- d w_avg + (1 - d) w after every update, d = min(decay, (1 + k) / (10 + k)).

    The second term lets the average follow the first updates k, when all is still wrong.
    """

    updates: Tensor

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        for name, weight in network.state_dict().items():
            self.register_buffer(_key(name), weight.detach().clone())

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's present weights."""
        k = int(self.updates)
        decay = min(self.decay, (1 + k) / (10 + k))
        for name, weight in network.state_dict().items():
            mean: Tensor = getattr(self, _key(name))
            if mean.is_floating_point():
                mean.lerp_(weight, 1 - decay)
            else:
                mean.copy_(weight)
        self.updates += 1

    def filled(self, network: EnergyNetwork) -> EnergyNetwork:
        """A frozen copy of `network` with the averaged weights (those it still has)."""
        result = copy.deepcopy(network)
        own = {name: getattr(self, _key(name)) for name in network.state_dict()}
        result.load_state_dict(own)
        return result.requires_grad_(False).eval()


def _key(name: str) -> str:
    """Buffers cannot have dots in their names."""
    return name.replace(".", "/")
