"""How often each network runs: exact counts, where a clock would give noisy ones.

JD-BW's Algorithm 1 needs the same translations, weights and discriminator values in several places
(jdbw.alg1); counting the calls shows whether any is computed twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Passes:
    """Calls of one network.

    Attributes:
        recorded: calls whose graph was kept, so that a backward pass can follow.
        free: calls without a graph.
        examples: examples that went through, over all calls.
    """

    recorded: int = 0
    free: int = 0
    examples: int = 0


@contextmanager
def counted(networks: Mapping[str, nn.Module]) -> Iterator[dict[str, Passes]]:
    """Count the calls of `networks` inside the block, by name.

    Only calls of a network itself count, not those of its layers; the examples are the rows of
    its first argument.
    """
    found = {name: Passes() for name in networks}

    def note(entry: Passes, arguments: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled():
            entry.recorded += 1
        else:
            entry.free += 1
        entry.examples += len(arguments[0])

    hooks = [
        network.register_forward_pre_hook(lambda _, args, entry=found[name]: note(entry, args))
        for name, network in networks.items()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
