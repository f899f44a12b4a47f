"""What callers may hand in: one dtype, shape, range and device policy for all public entries.

Floats of any width are taken, and half precision is computed in float32; everything else is refused
with a sentence: what was given, what is allowed, what to do. To look at values makes the host wait
for a device, so these functions stand at entries and never in a step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

FAR = 100.0  # translations and ends of chains leave [-1, 1]; pictures out of 255 are farther away


def floats(
    x: Any,
    name: str,
    shape: str = "(n, *event)",
    *,
    like: nn.Module | Tensor | Callable[..., Any] | None = None,
) -> Tensor:
    """`x` in float32 or float64.

    Args:
        x: what was handed in.
        name: of the argument.
        shape: what is allowed, for the sentence.
        like: a network or a batch that it meets: `x` has to be on its device, and becomes float32,
            or float64 if that is what the other computes in.

    Raises:
        ValueError: no tensor of floats, or one on another device.
    """
    if not isinstance(x, Tensor):
        hint = ": torch.from_numpy(x).float()" if type(x).__module__ == "numpy" else ""
        raise ValueError(f"{name}: a {type(x).__name__} was given; give a tensor {shape}{hint}")
    if not x.is_floating_point():
        hint = ", pictures in [-1, 1]: x.float() / 127.5 - 1" if x.dtype == torch.uint8 else ""
        raise ValueError(
            f"{name}: {x.dtype} of shape {tuple(x.shape)} given; give floating-point {shape}{hint}"
        )
    wanted = torch.float64 if x.dtype == torch.float64 else torch.float32
    if isinstance(like, nn.Module):
        like = next((p for p in like.parameters() if p.is_floating_point()), None)
    if isinstance(like, Tensor):
        wanted = torch.float64 if like.dtype == torch.float64 else torch.float32
        if like.device != x.device:
            raise ValueError(
                f"{name}: given on {x.device}, and what it meets is on {like.device}; move one"
            )
    return x.to(wanted)


def events(x: Any, name: str, *, least: int = 1, like: Any = None) -> Tensor:
    """`x` as a batch (n, *event) of finite floats, n at least `least`; the rest as in `floats`.

    Raises:
        ValueError: also fewer events, or values that are NaN or infinite.
    """
    x = floats(x, name, like=like)
    if x.ndim == 0 or len(x) < least or x[:1].numel() == 0:
        raise ValueError(f"{name}: shape {tuple(x.shape)}; give (n, *event), n at least {least}")
    if not bool(x.isfinite().all()):
        raise ValueError(f"{name}: holds NaN or infinite values; remove them first")
    return x


def pictures(
    x: Any, name: str, *, like: Any = None, within: float = 1.0, channels: int | None = None
) -> Tensor:
    """`x` as pictures (n, C, H, W) in [-1, 1]; the rest as in `floats`. Warns of [0, 1].

    Args:
        x, name, like: see `floats`.
        within: largest value that is allowed, `FAR` where values may leave [-1, 1] a little.
        channels: how many; None for any number.

    Raises:
        ValueError: also another shape, no pictures, other channels, or values outside the range.
    """
    shape = f"(n, {channels or 'C'}, H, W)"
    x = floats(x, name, f"{shape} in [-1, 1]", like=like)
    if x.ndim != 4 or x.numel() == 0 or channels not in (None, x.shape[1]):
        raise ValueError(f"{name}: shape {tuple(x.shape)}; give {shape}, n at least 1")
    low, high = (float(v) for v in torch.aminmax(x.detach()))
    if not (low >= -1.001 * within and high <= 1.001 * within):  # refuses NaN as well
        raise ValueError(
            f"{name}: values from {low:.3g} to {high:.3g}; scale them to [-1, 1]"
            + (", pictures out of 255 as x / 127.5 - 1" if low >= 0 else "")
        )
    if within == 1 and low >= 0 and high > low:
        warnings.warn(
            f"{name}: no value is negative; if they are in [0, 1], give 2 x - 1", stacklevel=3
        )
    return x


def examples(x: Any, name: str, *, like: Any = None) -> Tensor:
    """`events` to train on; those that look like pictures must not be counted in 255ths.

    Raises:
        ValueError: as `events`, and as `pictures` within `FAR`.
    """
    x = events(x, name, like=like)
    return pictures(x, name, within=FAR) if x.ndim == 4 and x.shape[1] in (1, 3) else x


def labels(y: Any, like: Tensor, name: str) -> Tensor:
    """`y` as int64 classes (n,), one for each of the n events of `like` and where these are.

    Raises:
        ValueError: no whole numbers from 0 up, or another number of them.
    """
    whole_numbers = isinstance(y, Tensor) and not y.is_floating_point() and not y.is_complex()
    if not whole_numbers or y.shape != like.shape[:1] or y.dtype == torch.bool:
        given = f"{y.dtype} of shape {tuple(y.shape)}" if isinstance(y, Tensor) else f"{type(y)}"
        raise ValueError(
            f"{name}: {given} for {len(like)} examples; give one class per example, whole numbers"
        )
    if len(y) and int(y.min()) < 0:
        raise ValueError(f"{name}: the least is {int(y.min())}; give classes numbered from 0")
    return y.long().to(like.device)


def whole(value: Any, name: str, least: int | None = 1) -> int:
    """A setting that counts something.

    Raises:
        ValueError: no whole number, or one below `least`.
    """
    try:
        number = int(value)
        fits = number == value and (least is None or number >= least)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        fits = False
    if not fits:
        bound = "" if least is None else f" of at least {least}"
        raise ValueError(f"{name} is {value!r}; give a whole number{bound}")
    return number


def answer(found: Any, x: Tensor, of: str, *, same: bool = False) -> Tensor:
    """What somebody's function answered to the batch `x`, if it can be used.

    Args:
        found: the answer.
        x: (n, *event).
        of: which function, e.g. "the translator".
        same: whether the answer has the shape of `x`; otherwise n rows will do.

    Raises:
        ValueError: no tensor, another shape, or on another device.
    """
    wanted = x.shape if same else x.shape[:1]
    fits = isinstance(found, Tensor) and found.shape[: len(wanted) if not same else None] == wanted
    if not fits or found.device != x.device:
        tensor = isinstance(found, Tensor)
        given = f"{tuple(found.shape)} on {found.device}" if tensor else type(found).__name__
        shape = f"{tuple(x.shape)}" if same else f"({len(x)}, ...)"
        raise ValueError(
            f"{of} turned a batch of shape {tuple(x.shape)} on {x.device} into {given}; it has to "
            f"return one tensor {shape} on that device"
        )
    return found


@contextmanager
def asking(of: str, x: Tensor) -> Iterator[None]:
    """A block that calls somebody's function on `x`: what fails there is said to be its failure.

    Raises:
        ValueError: in the place of PyTorch's own errors.
    """
    try:
        yield
    except Exception as error:
        of_pytorch = type(error) in (RuntimeError, TypeError, AttributeError, IndexError)
        if not of_pytorch or "memory" in str(error):  # full memory is nobody's mistake in shape
            raise
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{of} does not take a batch {tuple(x.shape)} of {x.dtype}, give it what it was built "
            f"for: {why}"
        ) from error


@contextmanager
def evaluating(*networks: object) -> Iterator[None]:
    """A block in which networks that are modules are in evaluation mode; then they are as before.

    Dropout is off in it and batch normalisation uses what it stored.
    """
    training = [
        module
        for network in networks
        if isinstance(network, nn.Module)
        for module in network.modules()
        if getattr(module, "training", False)
    ]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


@torch.no_grad()
def tried(network: nn.Module, x: Tensor, of: str, *, same: bool = False) -> Tensor:
    """What a network answers to the first of the events `x`; ValueError if it takes none."""
    with evaluating(network), asking(of, x):
        return answer(network(x[:1]), x[:1], of, same=same)
