"""CycleGAN's networks in the layout of the published checkpoints (lcool.arch.cyclegan).

The generator is the ResNet of Johnson et al.: two convolutions of stride 2, residual blocks, two
transposed convolutions, reflection padding, a tanh. The discriminator judges overlapping 70x70
patches. L-Cool says batch normalisation; the released horse2zebra weights have instance
normalisation without parameters, and so has this file. Modules are numbered as in the released
`state_dict`s (`model.1.weight`, `model.10.conv_block.1.weight`), so that those load as they are.
"""

from __future__ import annotations

from torch import Tensor, nn

from domain_translation.training.model_files import Storable


class ResidualBlock(nn.Module):
    """Two reflected 3x3 convolutions around a skip connection, `width` maps in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ResnetGenerator(Storable):
    """Images (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W) in [-1, 1].

    H and W are multiples of 4 and at least 12. The sources' generator is the default, with 9
    blocks for 256x256: 11,378,179 parameters. CycleGAN uses 6 blocks (7,837,699) up to 128x128.

    Args:
        in_channels, out_channels: of the two domains.
        width: maps after the first convolution (64 in the sources); four times as many inside.
        blocks: residual blocks.
    """

    def __init__(
        self, in_channels: int = 3, out_channels: int = 3, width: int = 64, blocks: int = 9
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7)]
        layers += [nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]
        for w in (width, 2 * width):
            layers += [nn.Conv2d(w, 2 * w, 3, stride=2, padding=1)]
            layers += [nn.InstanceNorm2d(2 * w), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        for w in (2 * width, width):
            layers += [nn.ConvTranspose2d(2 * w, w, 3, stride=2, padding=1, output_padding=1)]
            layers += [nn.InstanceNorm2d(w), nn.ReLU(inplace=True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class PatchDiscriminator(Storable):
    """Images (B, channels, H, W) to one score per overlapping patch, (B, 1, H', W').

    With 3 layers each score sees 70x70 pixels: 2,764,737 parameters at width 64. Two layers see
    34x34, which suits 64x64 images. pix2pix hands it input and output side by side (6 channels).
    """

    def __init__(self, channels: int = 3, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1)]
        stack += [nn.LeakyReLU(0.2, inplace=True)]
        for i in range(1, layers + 1):
            before, after = width * min(2 ** (i - 1), 8), width * min(2**i, 8)
            stack += [nn.Conv2d(before, after, 4, stride=2 if i < layers else 1, padding=1)]
            stack += [nn.InstanceNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
        stack += [nn.Conv2d(width * min(2**layers, 8), 1, 4, padding=1)]
        self.model = nn.Sequential(*stack)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def initialise(model: nn.Module) -> None:
    """Weights of all convolutions from N(0, 0.02^2), biases 0: the start of the published runs."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
