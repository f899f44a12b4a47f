"""Networks of the sources, built to be counted (lcool.norm, cfebm.parameters).

They fix a reading of a table; the parts of the package that train such networks have their own.
"""

from __future__ import annotations

from torch import nn


def parameters(network: nn.Module) -> int:
    """Number of trainable numbers in a network."""
    return sum(p.numel() for p in network.parameters())


# ---- CycleGAN as L-Cool uses it


def cyclegan_parameters(*, batch_norm: bool = False) -> tuple[int, int, int]:
    """Parameters of a ResNet-9 generator, a PatchGAN discriminator, and of two of each."""
    g, d = parameters(_generator(batch_norm)), parameters(_patch_discriminator(batch_norm))
    return g, d, 2 * g + 2 * d


def _norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.InstanceNorm2d(channels)


def _generator(batch_norm: bool, width: int = 64, blocks: int = 9) -> nn.Sequential:
    """Two steps down, residual blocks, two steps up; a bias only without batch norm."""
    bias, layers = not batch_norm, list[nn.Module]()
    for i, o, k in ((3, width, 7), (width, 2 * width, 3), (2 * width, 4 * width, 3)):
        layers += [nn.Conv2d(i, o, k, bias=bias), _norm(o, batch_norm)]
    for _ in range(2 * blocks):
        layers += [nn.Conv2d(4 * width, 4 * width, 3, bias=bias), _norm(4 * width, batch_norm)]
    for i, o in ((4 * width, 2 * width), (2 * width, width)):
        layers += [nn.ConvTranspose2d(i, o, 3, bias=bias), _norm(o, batch_norm)]
    return nn.Sequential(*layers, nn.Conv2d(width, 3, 7))


def _patch_discriminator(batch_norm: bool, width: int = 64) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4)]
    for i, o in ((width, 2 * width), (2 * width, 4 * width), (4 * width, 8 * width)):
        layers += [nn.Conv2d(i, o, 4, bias=not batch_norm), _norm(o, batch_norm)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4))


# ---- CF-EBM, Table 6


def energy_parameters(size: int, c: int, residual_kernel: int) -> int:
    """Parameters of the energy network at `size` pixels with channel multiplier `c`.

    Table 6 read literally: biases, a 1x1 FromRGB, in every Primal in -> out and out -> out,
    a residual convolution of `residual_kernel`, none at the top.
    """
    widths = {256: c // 2, 128: c, 64: 2 * c, 32: 4 * c, 16: 4 * c, 8: 4 * c, 4: 4 * c}
    if size not in widths or size == 4:
        raise ValueError(f"size {size} is not in Table 6; choose 8, 16, 32, 64, 128 or 256")
    layers: list[nn.Module] = [nn.Conv2d(3, widths[size], 1)]
    while size > 4:
        i, o = widths[size], widths[size // 2]
        layers += [nn.Conv2d(i, o, 3), nn.Conv2d(o, o, 3), nn.Conv2d(i, o, residual_kernel)]
        size //= 2
    top = 4 * c
    layers += [nn.Conv2d(top, top, 3), nn.Conv2d(top, top, 4), nn.Linear(top, 1)]
    return parameters(nn.Sequential(*layers))
