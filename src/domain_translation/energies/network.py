"""The expandable energy network of CF-EBM (Table 6 and Fig. 8; cfebm.tab6, cfebm.arch.energy).

Bottom to top: FromRGB lifts the image to feature maps, one Primal per halving of the resolution
down to 4x4, a top Primal to 1x1, a linear head. `expand` doubles the resolution: FromRGB is
replaced, a Primal and a Fade are added below the old layers, which are kept.

The paper leaves open where activations and the change of width sit. Here every convolution of a
Primal is preceded by its activation, FromRGB and Fade are linear (1x1), and the first convolution
of a Primal changes the width. No batch norm: an energy belongs to one image (A.6.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from domain_translation.runtime import seeded
from domain_translation.training.model_files import Storable

SMALLEST, LARGEST = 8, 512  # pixels

# CF-EBM A.6.1 (cfebm.fig14); the first three have continuous derivatives.
ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "celu": nn.CELU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "relu": nn.ReLU,
}


def width(size: int, c: int) -> int:
    """Feature maps at `size` pixels: 4c up to 32, then half at every doubling (Table 6)."""
    return 4 * c if size <= 32 else 128 * c // size


class Primal(nn.Module):
    """Two 3x3 convolutions, the second of stride 2, beside a convolution and 2x2 mean.

    (B, inside, S, S) -> (B, out, S/2, S/2).
    """

    def __init__(
        self, inside: int, out: int, activation: Callable[[], nn.Module], residual_kernel: int
    ) -> None:
        super().__init__()
        self.activation = activation()
        self.first = nn.Conv2d(inside, out, 3, padding=1)
        self.second = nn.Conv2d(out, out, 3, stride=2, padding=1)
        self.residual: nn.Conv2d | None = None
        if residual_kernel:
            self.residual = nn.Conv2d(inside, out, residual_kernel, padding=residual_kernel // 2)

    def forward(self, h: Tensor) -> Tensor:
        y: Tensor = self.second(self.activation(self.first(self.activation(h))))
        if self.residual is None:
            return y
        # The mean and a 1x1 convolution change places: the same result for a quarter of the work.
        pointwise = self.residual.kernel_size == (1, 1)
        detour: Tensor = (
            self.residual(avg_pool2d(h, 2)) if pointwise else avg_pool2d(self.residual(h), 2)
        )
        return y + detour


class Fade(nn.Module):
    """A 1x1 convolution and 2x2 mean: the detour around a new Primal while it is untrained."""

    def __init__(self, inside: int, out: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inside, out, 1)

    def forward(self, h: Tensor) -> Tensor:
        return self.convolution(avg_pool2d(h, 2))


class Top(nn.Module):
    """The topmost Primal, 3x3 then 4x4 without a residual: (B, maps, 4, 4) -> (B, maps)."""

    def __init__(self, maps: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.activation = activation()
        self.first = nn.Conv2d(maps, maps, 3, padding=1)
        self.second = nn.Conv2d(maps, maps, 4)

    def forward(self, h: Tensor) -> Tensor:
        h = self.second(self.activation(self.first(self.activation(h))))
        return self.activation(h.flatten(1))


class EnergyNetwork(Storable):
    """Energy of images: (B, channels, size, size) -> (B,), low where the data are.

    Args:
        size: side of the images, a power of two from 8 to 512.
        c: channel multiplier of Table 6; 4c feature maps up to 32x32.
        channels: of the images, 1 or 3 as a rule.
        activation: a name in `ACTIVATIONS`.
        residual_kernel: side of a Primal's residual convolution, odd; 0 leaves it out. The
            paper does not give it.
        spectral: divide every weight matrix by its largest singular value (A.6.2).

    Raises:
        ValueError: an argument outside these ranges.
    """

    def __init__(
        self,
        size: int = 32,
        c: int = 32,
        channels: int = 3,
        activation: str = "swish",
        residual_kernel: int = 1,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        _check(size, c, channels, activation, residual_kernel)
        self.size, self.c, self.channels = size, c, channels
        self.activation, self.residual_kernel, self.spectral = activation, residual_kernel, spectral
        self.fade = 1.0  # b of Expand(x) = b Primal(x) + (1 - b) Fade(x); the paper's beta
        self.head = nn.Linear(4 * c, 1)
        self.top = Top(4 * c, ACTIVATIONS[activation])
        self.primals = nn.ModuleList()  # from the top down, so that growing appends
        below = SMALLEST
        while below <= size:
            self.primals.append(self._primal(below))
            below *= 2
        self.from_rgb = nn.Conv2d(channels, width(size, c), 1)
        self.fading: Fade | None = None
        self.apply(_initialise)
        if spectral:
            self.apply(_normalise)

    def _primal(self, size: int) -> Primal:
        """The Primal that takes feature maps of `size` pixels."""
        inside, out = width(size, self.c), width(size // 2, self.c)
        return Primal(inside, out, ACTIVATIONS[self.activation], self.residual_kernel)

    def forward(self, x: Tensor) -> Tensor:
        self._check_images(x)
        # channels_last: convolutions on CPUs and tensor cores want a pixel's channels together.
        weight = self.from_rgb.weight
        h = self.from_rgb(x.to(weight.dtype, memory_format=torch.channels_last))
        old = list(self.primals)
        new = old.pop()
        if self.fading is None or self.fade == 1:
            h = new(h)
        else:  # CF-EBM section 3.2 (i), cfebm.eqU1
            h = self.fade * new(h) + (1 - self.fade) * self.fading(h)
        for primal in reversed(old):
            h = primal(h)
        return self.head(self.top(h))[:, 0].float()

    def expand(self, seed: int = 0) -> None:
        """Double the resolution (Fig. 8, cfebm.fig8); the fading factor b starts at 0.

        The new layers are random by `seed`, but Fade is chosen so that at b = 0 the energy of an
        image is exactly the old energy of its 2x2 means: the first step of the new stage
        continues the last one of the old. A random Fade, as the paper seems to have it, would
        not.

        Raises:
            ValueError: the network is at 512 pixels, or still fades in its last expansion.
        """
        if self.fading is not None:
            raise ValueError("the network is still fading; call settle() before it grows again")
        _check(2 * self.size, self.c, self.channels, self.activation, self.residual_kernel)
        old = _plain(self.from_rgb)
        small, self.size = self.size, 2 * self.size
        with seeded(seed):
            rgb = nn.Conv2d(self.channels, width(self.size, self.c), 1)
            primal = self._primal(self.size)
            fading = Fade(width(self.size, self.c), width(small, self.c))
            for module in (rgb, primal):
                module.apply(_initialise)
                if self.spectral:  # its power iteration starts at a random vector
                    module.apply(_normalise)
        layers: tuple[nn.Module, ...] = (rgb, primal, fading)
        for layer in layers:
            layer.to(old[0])
        _match(fading, _plain(rgb), old)
        self.from_rgb, self.fading, self.fade = rgb, fading, 0.0
        self.primals.append(primal)

    def settle(self) -> None:
        """End of a stage: b = 1, and Fade is dropped."""
        self.fading, self.fade = None, 1.0

    def arguments(self) -> dict[str, Any]:
        """What builds a settled network like this one, which may have grown."""
        return {**super().arguments(), "size": self.size}

    def _check_images(self, x: Tensor) -> None:
        """Before a convolution complains in its own words."""
        event = (self.channels, self.size, self.size)
        if x.shape[1:] != event or x.ndim != 4:
            raise ValueError(
                f"images have shape {tuple(x.shape)}; this energy network takes "
                f"(B, {', '.join(map(str, event))}): resize them, or use the network of that size"
            )
        device = self.head.bias.device
        if x.device != device:
            raise ValueError(
                f"images are on {x.device} and the network on {device}; move one of them"
            )


def _check(size: int, c: int, channels: int, activation: str, residual_kernel: int) -> None:
    if not SMALLEST <= size <= LARGEST or size & (size - 1):
        raise ValueError(
            f"size is {size}; an energy network takes images whose side is a power of two from "
            f"{SMALLEST} to {LARGEST} pixels"
        )
    if c < 1 or width(size, c) < 1:
        raise ValueError(f"c is {c}; give a channel multiplier that leaves a map at {size} pixels")
    if channels < 1:
        raise ValueError(f"channels is {channels}; an image has at least one")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; choose from {', '.join(ACTIVATIONS)}")
    if residual_kernel < 0 or (residual_kernel and residual_kernel % 2 == 0):
        raise ValueError(f"residual_kernel is {residual_kernel}; give an odd side, or 0 for none")


def _initialise(module: nn.Module) -> None:
    """He et al. 2015: signals keep their size from layer to layer.

    PyTorch's own start shrinks them at every layer; the network is then nearly linear in the
    image, and an energy that is linear cannot hold a chain.
    """
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _normalise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        spectral_norm(module)


def _plain(rgb: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Matrix (maps, channels) and bias (maps,) of a 1x1 convolution, as it acts."""
    training = rgb.training
    rgb.eval()  # spectral normalisation would otherwise take a step of its power iteration
    weight, bias = rgb.weight.detach()[:, :, 0, 0].clone(), rgb.bias
    rgb.train(training)
    assert bias is not None
    return weight, bias.detach().clone()


def _match(fading: Fade, new: tuple[Tensor, Tensor], old: tuple[Tensor, Tensor]) -> None:
    """Make Fade after the new FromRGB equal to the old FromRGB of the 2x2 means.

    With W x + v the new lift and A x + a the old one: Fade's matrix is A W^+, its bias
    a - A W^+ v, because W^+ W = I for at least as many maps as channels.
    """
    (w, v), (a_matrix, a) = new, old
    matrix = a_matrix @ torch.linalg.pinv(w)
    with torch.no_grad():
        fading.convolution.weight.copy_(matrix[:, :, None, None])
        if fading.convolution.bias is not None:
            fading.convolution.bias.copy_(a - matrix @ v)
