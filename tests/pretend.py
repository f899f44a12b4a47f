"""A pretended accelerator: tensors that say they are elsewhere and are computed on the CPU.

    with pretend.accelerator() as seen:
        chain = langevin.sample(kernel, x.to(pretend.NAME), steps=50, seed=0)
    print(seen)

Inside, a tensor on the device "pretend" behaves as one on CUDA would: operations on tensors of both
devices and generators of the other device fail, and so does `.numpy()`. What makes the host wait
for the device is counted by line, and so is every upload, for which PyTorch waits as well. With
`float64=False` the device has no double precision, as MPS has none.

Arithmetic and random numbers are the CPU's, so that results are the CPU's bit for bit. What a real
device computes otherwise, its speed and its memory are not shown; autocast changes nothing here.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _disable_current_modes,
    return_and_correct_aliasing,
)
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "pretend"
PLACES = ("domain_translation/", "tests/")  # lines are reported within folders of these names

aten = torch.ops.aten
COPIES = (aten._to_copy.default, aten.copy_.default)
INDEXED = (
    aten.index.Tensor,
    aten._unsafe_index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
)
WAITS = (
    aten._local_scalar_dense.default,  # item, float, bool
    aten.equal.default,
    aten.is_nonzero.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
    aten._unique2.default,
)
# Besides pointwise operations, these take a CPU tensor without axes as a number.
TAKE_NUMBERS = (
    *INDEXED,
    aten.fill_.Tensor,
    aten.masked_fill.Tensor,
    aten.masked_fill_.Tensor,
)


class MixedDevices(RuntimeError):
    """Tensors, or a tensor and a generator, of two devices met in one operation."""


@dataclass
class Seen:
    """What made the host wait, and what was copied to the device, by line."""

    waits: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    float64: bool = True

    def __sub__(self, shorter: Seen) -> Seen:
        """What the steps did that a longer run has more than a shorter one."""
        waits, uploads = self.waits.copy(), self.uploads.copy()
        waits.subtract(shorter.waits)
        uploads.subtract(shorter.uploads)
        return Seen(waits, uploads)

    def __str__(self) -> str:
        rows = [("wait", *row) for row in self.waits.most_common()]
        rows += [("upload", *row) for row in self.uploads.most_common()]
        return "\n".join(f"{count:5d} x {kind} at {line}" for kind, line, count in rows if count)


_seen = Seen()


class There(Tensor):
    """A CPU tensor, `held`, that says it is on the pretended device."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        if held.dtype == torch.float64 and not _seen.float64:
            raise TypeError(f"{NAME} has no float64, at {_line()}")
        return Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
            requires_grad=held.requires_grad,
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __repr__(self, **_: Any) -> str:
        return f"There({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, dict(kwargs or {}))


class Generator(torch.Generator):
    """The CPU's generator that says it is on the device it was asked for."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        return torch._C.Generator.__new__(cls)

    def __init__(self, device: Any = "cpu") -> None:
        self.where = torch.device(device)

    @property
    def device(self) -> torch.device:
        return self.where


@contextlib.contextmanager
def accelerator(*, float64: bool = True) -> Iterator[Seen]:
    """Make the device "pretend" available in a block, and count what happens on it."""
    global _seen
    _seen = Seen(float64=float64)
    real, future = torch.Generator, torch.__future__
    before = future.get_overwrite_module_params_on_conversion()
    future.set_overwrite_module_params_on_conversion(True)
    _rename_generator(real, Generator)
    try:
        with _Functions(), _Operations():
            yield _seen
    finally:
        _rename_generator(Generator, real)
        future.set_overwrite_module_params_on_conversion(before)


def _rename_generator(old: type, new: type) -> None:
    """Let torch and the package's modules call `new` what they called `old`: Generator."""
    for name, module in list(sys.modules.items()):
        ours = name == "torch" or name.startswith("domain_translation")
        if ours and getattr(module, "Generator", None) is old:
            module.Generator = new  # type: ignore[attr-defined]


def _line() -> str:
    """The innermost line of the package, or else of a test, that is being executed."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        for place in PLACES:
            if place in path and path != __file__:
                return f"{path.rsplit(place, 1)[1]}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "elsewhere"


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """One operation: on the CPU's tensors, after a device's checks and counts."""
    tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
    here = any(isinstance(t, There) for t in tensors)
    wanted = kwargs.get("device") and torch.device(kwargs["device"]).type
    if not here and wanted != NAME:
        return func(*args, **kwargs)
    there = here if wanted is None else wanted == NAME  # where the result is
    if func in COPIES:
        source = args[0] if func is aten._to_copy.default else args[1]
        there = there if func is aten._to_copy.default else isinstance(args[0], There)
        _count_copy(isinstance(source, There), there)
    else:
        _check(func, args, tensors)
    if func in WAITS:
        _seen.waits[f"{_line()} ({func._opname.strip('_')})"] += 1
    if wanted == NAME:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    out = func(*tree_map_only(There, _held, args), **tree_map_only(There, _held, kwargs))
    if func is aten.copy_.default:
        return args[0]
    if not there:
        return out
    out = tree_map_only(Tensor, There, out)
    return return_and_correct_aliasing(func, args, kwargs, out)


def _held(x: There) -> Tensor:
    return x.held


def _count_copy(source: bool, target: bool) -> None:
    """A copy between a source and a target, each on the device or not."""
    if source and not target:
        _seen.waits[f"{_line()} (to the CPU)"] += 1
    if target and not source:
        _seen.uploads[f"{_line()}"] += 1


def _check(func: Any, args: Any, tensors: list[Tensor]) -> None:
    """Refuse tensors of both devices, but for what CUDA takes."""
    strangers = [t for t in tensors if not isinstance(t, There) and t.device.type != "meta"]
    if len(strangers) == len(tensors):
        return
    if func in INDEXED and isinstance(args[0], There):
        index = [t for t in tree_leaves(args[1]) if isinstance(t, Tensor)]
        if any(t.dtype == torch.bool for t in index):
            _seen.waits[f"{_line()} (mask)"] += 1
        if not all(isinstance(t, There) for t in index):
            _seen.uploads[f"{_line()} (index)"] += 1
        strangers = [t for t in strangers if not any(t is i for i in index)]
    if torch.Tag.pointwise in func.tags or func in TAKE_NUMBERS:
        in_place = func._schema.is_mutable and not isinstance(args[0], There)
        strangers = [t for t in strangers if t.ndim or in_place]
    if strangers:
        raise MixedDevices(f"{func}: tensors on {NAME} and on the CPU, at {_line()}")


class _Operations(TorchDispatchMode):
    """Operations that make tensors on the device without taking any."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, dict(kwargs or {}))


class _Functions(TorchFunctionMode):
    """What never becomes an operation: conversions from and to Python, and generators."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if isinstance(first, There):
            if func in (Tensor.numpy, Tensor.__array__):
                raise TypeError(f"a tensor on {NAME} cannot become an array, at {_line()}")
            if func is Tensor.tolist:
                _count_copy(True, False)
                return first.held.tolist()
            if func is Tensor.new_tensor:
                return first.held.new_tensor(*args[1:], **kwargs).to(NAME)
        if func is torch.linalg.eigvalsh:  # computes by another algorithm while it is watched
            with _disable_current_modes():
                found = func(getattr(first, "held", first))
            return There(found) if isinstance(first, There) else found
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return func(*args, **kwargs).to(device)
        if kwargs.get("generator") is not None:
            tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
            place = tensors[0].device if tensors else torch.device(kwargs.get("device") or "cpu")
            if kwargs["generator"].device.type != place.type != "meta":
                raise MixedDevices(f"{func} on {place}: a generator elsewhere, at {_line()}")
        return func(*args, **kwargs)


class _Backend:
    """What PyTorch asks the module of a device for."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def device_count(self) -> int:
        return 1

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def synchronize(self, device: Any = None) -> None:
        pass


_setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())

# CPUs and CUDA have a kernel for this gradient; a device without one computes it in five steps.
_kernels = torch.library.Library("aten", "IMPL")
_kernels.impl("silu_backward", lambda *_: None, "PrivateUse1")

_autocast = torch.library.Library("_", "IMPL")
_autocast.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
