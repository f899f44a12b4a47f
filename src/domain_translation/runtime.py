"""The environment of a run: versions, devices, precision, seeded initialisation, progress."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib import metadata
from typing import Any

import torch
from torch import Generator, Tensor
from tqdm import tqdm

# What decides the numbers of a run; each is a dependency of the package.
_NAMED = ("domain-translation", "torch", "numpy", "scipy", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a run's numbers."""
    return {"python": platform.python_version(), **{p: metadata.version(p) for p in _NAMED}}


def machine() -> dict[str, Any]:
    """What the last digits of a loss depend on: instruction set and number of threads."""
    return {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "device": "cpu",
    }


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Run a block under `seed`, then give the global generator of `device` back as it was.

    PyTorch's initialisers and dropout take no generator of their own in all supported versions,
    so the global one is borrowed: of one device only, where `torch.manual_seed` would start the
    streams of all of them anew.

    Args:
        seed: of the block.
        device: where the block draws; None is the CPU, on which networks are initialised.
    """
    generator = _global_generator(device or torch.device("cpu"))
    state = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(state)


def _global_generator(device: torch.device) -> Generator:
    """The generator of `device` that functions without a `generator` draw from."""
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator


def device(name: str) -> torch.device:
    """The device of this name, after a tensor has been there and back.

    Raises:
        ValueError: there is no such device on this machine.
    """
    try:
        found = torch.device(name)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError, ImportError) as error:  # each backend fails in its way
        raise ValueError(
            f"the device {name!r} is not here; this machine has {', '.join(_devices())}"
        ) from error
    return found


def _devices() -> list[str]:
    names = ["cpu"]
    for kind in (torch.cuda, torch.xpu):
        names += [f"{kind.__name__.removeprefix('torch.')}:{i}" for i in range(kind.device_count())]
    return names + ["mps"] * torch.backends.mps.is_available()


def double(x: Tensor) -> Tensor:
    """`x` in float64: where it is, or on the CPU if its device has no such numbers (MPS)."""
    try:
        return x.double()
    except TypeError:
        return x.cpu().double()


def precision(name: str, device: torch.device | str) -> str:
    """The precision of matrix products and convolutions that `name` means on `device`.

    A precision decides the numbers of a run: write the one that this returns into its card.

    Args:
        name: "float32", "bfloat16", or "auto": bfloat16 where the hardware multiplies it, which
            is then faster, and float32 where it would be emulated or nothing is known.
        device: where the run computes.

    Raises:
        ValueError: another name.
    """
    if name == "auto":
        return "bfloat16" if _multiplies_bfloat16(torch.device(device)) else "float32"
    if name not in ("float32", "bfloat16"):
        raise ValueError(f"precision is {name!r}; choose 'auto', 'float32' or 'bfloat16'")
    return name


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    ask = getattr(torch.cpu, "get_capabilities", None)  # older releases of torch cannot say
    if device.type != "cpu" or ask is None:
        return False
    found = ask()  # keys by architecture: x86 the first two, ARM the others
    return any(found.get(key) for key in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16"))


def lowered(precision: str, device_type: str) -> AbstractContextManager[object]:
    """A block whose matrix products and convolutions on `device_type` are in `precision`.

    Enter it for each step anew: autocast keeps lowered copies of the weights as long as it lasts,
    and around a whole training it would compute with those of the first step for ever.

    Args:
        precision: "float32", which changes nothing, or "bfloat16".
        device_type: "cpu", "cuda" ...

    Raises:
        ValueError: another precision.
    """
    if precision == "float32":
        return nullcontext()
    if precision == "bfloat16":
        return torch.autocast(device_type, torch.bfloat16)
    raise ValueError(f"precision is {precision!r}; choose 'float32' or 'bfloat16'")


@torch.no_grad()
def in_parts(f: Callable[..., Tensor], *inputs: Tensor, size: int = 256) -> Tensor:
    """`f` of all rows of `inputs`, `size` rows at a time and without gradients: bounded memory.

    Args:
        f: of as many tensors as `inputs`; treats every row by itself.
        inputs: equally many rows in each.
        size: rows at a time. Results for another size may differ in their last digits.
    """
    parts = zip(*(torch.split(x, size) for x in inputs), strict=True)
    return torch.cat([f(*part) for part in parts])


# Seconds between two lines of `progress` where standard error is no terminal; None: no lines.
_LINES: ContextVar[float | None] = ContextVar("lines", default=None)


@contextmanager
def progress_lines(every: float = 30.0) -> Iterator[None]:
    """A block whose `progress` writes a line every so many seconds into what is no terminal.

    For commands, whose standard error is often a file.
    """
    token = _LINES.set(every)
    try:
        yield
    finally:
        _LINES.reset(token)


def progress(items: Iterable[Any] | None = None, **options: Any) -> Any:
    """A progress bar with the time that is left: tqdm's, on a terminal.

    Elsewhere there is nothing, or lines of text within `progress_lines`; never in a notebook.

    Args:
        items: what is iterated over; None where `update` is called instead.
        options: of `tqdm`: desc, total, initial, unit ...
    """
    every = None if "ipykernel" in sys.modules else _LINES.get()
    if sys.stderr.isatty() or every is None:
        return tqdm(items, disable=None, **options)
    return tqdm(
        items, file=_Lines(), mininterval=every, maxinterval=every, delay=every, ncols=90,
        ascii=True, leave=False, **options,
    )  # fmt: skip


class _Lines:
    """Standard error for a bar: every state of it becomes a line."""

    def write(self, text: str) -> None:
        if text := text.strip():
            print(text, file=sys.stderr, flush=True)

    def flush(self) -> None:
        sys.stderr.flush()
