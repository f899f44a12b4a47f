"""The weighting networks: DCGAN's discriminator with four convolutions (jdbw.arch.weightnet)."""

from __future__ import annotations

from torch import Tensor, nn

from domain_translation.reweighting.config import WeightSettings
from domain_translation.reweighting.weighting import Composite
from domain_translation.runtime import seeded
from domain_translation.training.model_files import Storable

_TOP = 4  # side of the maps that the last, 4x4 convolution turns into one number


class WeightNet(Storable):
    """Images (B, channels, S, S) to logits (B,): log dQ/dP of their class, up to a constant.

    4x4 convolutions of stride 2 down to 4x4 maps, widths doubling, and a last 4x4 convolution;
    four in all at 32 pixels: 660,929 parameters for grey images. Without batch normalisation,
    which would make the weight of an image depend on its batch twice over.

    Raises:
        ValueError: `size` is no power of two of at least 8.
    """

    def __init__(self, size: int = 32, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        if size < 8 or size & (size - 1):
            raise ValueError(f"size is {size}; give a power of two, at least 8")
        layers: list[nn.Module] = []
        inside, out = channels, width
        while size > _TOP:
            layers += [nn.Conv2d(inside, out, 4, 2, 1), nn.LeakyReLU(0.2)]
            size, inside, out = size // 2, out, 2 * out
        self.layers = nn.Sequential(*layers, nn.Conv2d(inside, 1, _TOP))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x).flatten(1)[:, 0]
        return out


class Centred(nn.Module):
    """A weight net whose logits have mean 0 over the minibatch, so that the clip leaves it alive.

    The softmax does not see a number that all logits share, so nothing holds it near 0; where it
    drifts beyond the clip, all weights are equal and have no slope (declared, not in the paper).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.net(x)
        return logits - logits.mean()


def composite(
    config: WeightSettings, seed: int = 0, channels: tuple[int, int] = (1, 1)
) -> Composite:
    """Untrained W_x and W_y for images of `channels` in the two domains."""
    with seeded(seed):
        return Composite(*(WeightNet(config.size, c, config.weight_width) for c in channels))
