"""The two-layer networks of the toy studies, shared by denoiser and CycleGAN.

L-Cool section 3 uses "two-layer feed forward networks" and a denoiser "having the same
architecture as G" (lcool.arch.toynets, improveit.arch.toy). Width, nonlinearity and the residual
form are not in the sources; they are declared here.
"""

from __future__ import annotations

from torch import Tensor, nn

from domain_translation.training.model_files import Storable


class ResidualMLP(Storable):
    """x + W2 relu(W1 x + b1) + b2 on samples (B, *event) of `dim` numbers each.

    As a denoiser, it learns the step towards the data, which is what the score estimator
    (r(x) - x) / sigma^2 reads off, and meets r(x) = x + o(1) of Proposition 1 from the start; as
    a translator between domains of the same shape, it starts near the identity, so that the
    cycle loss cannot settle on a mirrored map.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.step = nn.Sequential(nn.Linear(dim, width), nn.ReLU(), nn.Linear(width, dim))

    def forward(self, x: Tensor) -> Tensor:
        step: Tensor = self.step(x.flatten(1))
        return x + step.reshape(x.shape)


class Critic(nn.Module):
    """Two-layer perceptron from samples (B, *event) of `dim` numbers to one number each, (B, 1)."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dim, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))
