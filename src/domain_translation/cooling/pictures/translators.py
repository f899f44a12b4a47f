"""A translator of any origin: pictures in [-1, 1] in three channels go in and come out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from domain_translation.cooling.errors import RequestError, UserError, out_of_memory
from domain_translation.training import checkpoints

Network = Callable[[Tensor], Tensor]
_FEW = 0.05  # of the values may overshoot, as those of networks without a final tanh do
_DARK = 0.25  # below middle grey; a network of values in 0:1 goes there by overshooting only
_EXPORT = "export it for any size (dynamic_shapes)"
# What PyTorch says of a convolution for grey pictures, and of sizes that do not fit.
_GREY = re.compile(r"to have 1 channels?, but got 3 channels?")
_SIZES = re.compile(
    r"size of tensor|[Ss]izes of tensors|[Pp]adding size|[Kk]ernel size|[Oo]utput size|dimensions|"
    r"spatial element|shapes cannot be multiplied|invalid for input of size|multiple of|divisible"
)
_MORE_INPUTS = re.compile(r"required positional argument|missing a required argument")


@dataclass(frozen=True, eq=False)
class Translator:
    """A translator G, batches (B, 3, H, W) in [-1, 1] to the like, and what is known of it.

    A network for grey pictures is shown the mean of the three channels; a grey answer is repeated
    in all three.

    Attributes:
        network: takes and gives (B, 3, H, W) or (B, 1, H, W).
        digest: of its file or of its weights.
        accepts: the only (height, width) it takes; None: unknown.
        values: black and white, as the network takes and gives them.
        lowest: the least value of each translation so far, as the network gave it.
    """

    network: Network
    digest: str
    accepts: tuple[int, int] | None = None
    values: tuple[float, float] = (-1.0, 1.0)
    lowest: list[float] = field(default_factory=list)

    def __call__(self, x: Tensor) -> Tensor:
        """Translate a batch in [-1, 1] without keeping a graph.

        Raises:
            RequestError: see `check`.
            UserError: the network fails, or returns another shape, values of another range,
                NaN or infinite ones.
        """
        self.check(*x.shape[2:])
        shown = f"a picture shown to it at {x.shape[3]}x{x.shape[2]}"
        black, white = self.values
        scale = (white - black) / 2
        try:
            with torch.no_grad():
                y = _applied(self.network, x if self.values == (-1, 1) else black + (x + 1) * scale)
        except Exception as error:  # it is somebody else's network
            raise UserError(_failed(error, shown)) from error
        if isinstance(y, Tensor) and y.shape == x[:, :1].shape:
            y = y.expand_as(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            what = "x".join(map(str, y.shape)) if isinstance(y, Tensor) else type(y).__name__
            raise UserError(
                f"the translator turned {shown} ({'x'.join(map(str, x.shape))}) into {what}; it "
                f"has to return a picture of the same size in one or three channels"
            )
        y = y.to(x)
        if not y.isfinite().all():
            raise UserError(f"the translator returned NaN or infinite values for {shown}")
        low, high = (float(v) for v in torch.aminmax(y))
        outside = (y < black - scale / 2) | (y > white + scale / 2)  # by more than a quarter
        if outside.float().mean() > _FEW:
            raise UserError(
                f"the translator returned values from {low:.3g} to {high:.3g} for {shown}, where "
                f"pictures are in {black:g}:{white:g}; say its range, e.g. --range 0:255"
            )
        self.lowest.append(low)
        return y if self.values == (-1, 1) else (y - black) / scale - 1

    def notes(self) -> list[str]:
        """What is odd about all translations so far, in sentences."""
        if self.values != (-1, 1) or not self.lowest or min(self.lowest) < -_DARK:
            return []
        return [
            "no translation is much darker than middle grey; for a network of values in 0:1 give "
            "--range 0:1"
        ]

    def check(self, height: int, width: int) -> None:
        """Raise RequestError where it is known to take another size only."""
        if self.accepts in (None, (height, width)):
            return
        assert self.accepts is not None
        h, w = self.accepts
        raise RequestError(
            f"the translator takes {w}x{h} only and would see a picture of {width}x{height}; "
            + (f"give size {w} to scale pictures for it" if w == h else _EXPORT)
        )

    def to(self, device: torch.device) -> Translator:
        """The same translator on `device`."""
        if isinstance(self.network, nn.Module):
            self.network.to(device)
        return self


def _applied(network: Network, x: Tensor) -> Tensor:
    """The network's answer, to a grey picture where it takes no other."""
    try:
        return network(x)
    except RuntimeError as error:
        if not _GREY.search(str(error)):
            raise
    return network(x.mean(1, keepdim=True))


def _failed(error: Exception, shown: str) -> str:
    """What a network that failed on a picture should be told, in one sentence."""
    if out_of_memory(error):
        return f"not enough memory to translate {shown}; give --size to scale pictures down"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A TorchScript program tells its own way through the code first.
    last = [line for line in lines if line.startswith("RuntimeError: ")]
    why = last[-1].removeprefix("RuntimeError: ") if last else next(iter(lines), "")
    said = f"the translator failed on {shown} ({why or type(error).__name__})"
    if _MORE_INPUTS.search(why):
        return f"{said}; give one that takes a picture and nothing else"
    if _SIZES.search(why):
        return (
            f"{said}; if it takes one size only, give that size, if its layers halve a picture "
            f"more than twice, a larger multiple"
        )
    return said


def value_range(text: str) -> tuple[float, float]:
    """The values of black and white from "BLACK:WHITE", e.g. "0:255".

    Raises:
        RequestError: not two rising numbers.
    """
    black, _, white = text.partition(":")
    try:
        found = float(black), float(white)
    except ValueError:
        found = 0.0, 0.0
    if not -float("inf") < found[0] < found[1] < float("inf"):
        raise RequestError(f"the range is {text!r}; give black and white, as -1:1, 0:1 or 0:255")
    return found


def as_translator(network: Network | Translator) -> Translator:
    """Any callable as a translator; a module is told by its weights, a function by its name."""
    return network if isinstance(network, Translator) else Translator(network, identity(network))


def identity(network: Network) -> str:
    """Digest of a module's weights and layers, or of the name of any other callable."""
    if isinstance(network, nn.Module):
        return checkpoints.digest(dict(network.state_dict()), repr(network))
    name = f"{getattr(network, '__module__', '')}.{getattr(network, '__qualname__', network)}"
    return hashlib.sha256(name.encode()).hexdigest()
