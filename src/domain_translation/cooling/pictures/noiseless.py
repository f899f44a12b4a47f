"""JD-BW's generators as translators of pictures alone."""

from __future__ import annotations

from torch import Tensor, nn

from domain_translation.reweighting.generators import StochasticGenerator


class Noiseless(nn.Module):
    """G(x, 0): a generator whose noise is the middle of the law that it was trained with.

    A folder's results must not change from run to run, so that nothing is drawn.
    """

    def __init__(self, network: StochasticGenerator) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.network(x, x.new_zeros(len(x), self.network.noise))
        return y
