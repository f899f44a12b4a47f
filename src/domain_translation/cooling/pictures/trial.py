"""Both networks tried on one picture before a folder is started: what the folder will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from domain_translation.cooling.errors import UserError
from domain_translation.cooling.pictures.codec import upright_size
from domain_translation.cooling.pictures.steps import Run, scored

TRIES = 3  # pictures; networks that fail on so many are not started on the others
_HELD = 3  # tensors of a layer's size that live at a time: what goes in, what comes out, work space
_GIGA = 1e9


def try_networks(run: Run, names: Sequence[Path]) -> str:
    """Check every picture's size, try the networks, and say what the folder will take.

    Returns:
        a sentence with the longest time and, where it is much, the memory of the largest picture.

    Raises:
        RequestError: a network was made for another size.
        UserError: a network fails on each of the first pictures that can be read.
    """
    sizes: dict[Path, int] = {}
    for name in names:
        if size := upright_size(run.source / name):
            height, width = run.view.shape(size[1], size[0])
            run.denoiser.check(3, height, width)
            run.translator.check(height, width)
            sizes[name] = height * width
    first: UserError | None = None
    for name in list(sizes)[:TRIES]:
        try:
            return _tried(run, run.show(run.open(name)), sizes)
        except UserError as error:  # this picture, or the network? the next one tells
            first = first or error
    if first is not None:
        raise first
    return ""


def _tried(run: Run, seen: Tensor, sizes: dict[Path, int]) -> str:
    pixels = seen.shape[2] * seen.shape[3]
    with _largest_layer(run.denoiser.network, run.translator.network) as layer:
        of_score = _seconds(lambda: scored(run, seen))
        of_translation = _seconds(lambda: run.translator(seen))
    # Its score is measured before and after, and once a step at most.
    each = (run.chain.steps + 2) * of_score + of_translation
    said = f"{len(sizes)} pictures: at most {duration(each * sum(sizes.values()) / pixels)}"
    name, largest = max(sizes.items(), key=lambda item: item[1])
    memory = _HELD * layer[0] * largest / pixels / _GIGA
    return said if memory < 1 else f"{said}; {name} takes about {memory:.1f} GB of memory"


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def duration(seconds: float) -> str:
    """So many seconds, in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def _largest_layer(*networks: object) -> Iterator[list[int]]:
    """Bytes of the largest output of a layer within the block, in a list of one."""
    most = [0]

    def note(module: nn.Module, given: object, out: object) -> None:
        if isinstance(out, Tensor):
            most[0] = max(most[0], out.numel() * out.element_size())

    leaves = [
        module
        for network in networks
        if isinstance(network, nn.Module) and not isinstance(network, torch.jit.ScriptModule)
        for module in network.modules()
        if not list(module.children())
    ]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        yield most
    finally:
        for hook in hooks:
            hook.remove()
