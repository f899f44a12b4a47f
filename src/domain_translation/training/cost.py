"""What a network or a pipeline costs: arithmetic, memory, time (L-Cool section 6)."""

from __future__ import annotations

import statistics
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    """Number of trainable numbers in a network."""
    return sum(p.numel() for p in network.parameters())


def multiplications(make: Callable[[], nn.Module], shape: Sequence[int]) -> int:
    """Multiply-adds of one forward pass over an input of `shape`, batch included.

    Counted on the meta device: nothing is computed or stored, whatever the size.
    """
    with torch.device("meta"), torch.no_grad():
        network, x = make().eval(), torch.empty(*shape)
        with FlopCounterMode(display=False) as counter:
            network(x)
    return int(counter.get_total_flops()) // 2  # a multiply-add is two operations


def peak_bytes(run: Callable[[], object]) -> int:
    """Largest number of bytes in tensors made by `run` that were alive at the same time.

    Parameters and inputs, which exist before, do not count; scratch space inside a kernel does
    not show. Works on the meta device.
    """
    with _Alive() as alive, torch.no_grad():
        run()
    return alive.peak


class _Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages of living results of every operation."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        known = {id(leaf) for leaf in tree_leaves((args, kwargs))}
        for tensor in tree_leaves(out):
            # Results in place are their own arguments; views of arguments own no memory.
            if isinstance(tensor, Tensor) and id(tensor) not in known and not _is_view(func):
                self._enter(tensor)
        return out

    def _enter(self, tensor: Tensor) -> None:
        size = tensor.untyped_storage().nbytes()
        self._bytes += size
        self.peak = max(self.peak, self._bytes)
        weakref.finalize(tensor, self._leave, size)

    def _leave(self, size: int) -> None:
        self._bytes -= size


def _is_view(func: Any) -> bool:
    return any(r.alias_info is not None for r in func._schema.returns)


def seconds(runs: Sequence[Callable[[], object]], repeats: int = 5) -> list[float]:
    """Median wall time of each of `runs`, taken in turns so that a busy machine slows all alike.

    Each is run once beforehand to warm up.

    Raises:
        ValueError: fewer than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; time each run at least once")
    times: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    for _ in range(repeats):
        for run, taken in zip(runs, times, strict=True):
            began = time.perf_counter()
            run()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times]
