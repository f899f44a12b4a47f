"""A moving average of a network's weights, kept in the checkpoint of its training.

`torch.optim.swa_utils.AveragedModel` would do, but asks the device at every update how many there
were, and waits for the answer.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from domain_translation.energies.network import EnergyNetwork
from domain_translation.training.trained import freeze


class Average:
    """w_avg <- d w_avg + (1 - d) w after every update, d = min(decay, (1 + k) / (10 + k)).

    The second term lets the average follow the first updates k, when all is still wrong.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights = {k: w.detach().clone() for k, w in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's present weights."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, weight in network.state_dict().items():
            mean = self.weights[name]
            if mean.is_floating_point():
                mean.lerp_(weight, 1 - decay)
            else:
                mean.copy_(weight)
        self.updates += 1

    def filled(self, network: EnergyNetwork) -> EnergyNetwork:
        """A frozen copy of `network` with the averaged weights (those it still has)."""
        result = copy.deepcopy(network)
        result.load_state_dict({name: self.weights[name] for name in network.state_dict()})
        return freeze(result)

    def state_dict(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {"updates": torch.tensor(self.updates), **self.weights}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """From a checkpoint."""
        self.updates = int(state["updates"])
        for name, weight in self.weights.items():
            weight.copy_(state[name])
