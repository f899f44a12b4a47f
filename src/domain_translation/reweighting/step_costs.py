"""What a step of Algorithm 1 costs: the calls of each network, and the passes it cannot do without.

The same translations, weights and discriminator values are needed in several places (jdbw.alg1);
exact counts of calls, where a clock would give noisy ones, show whether any is computed twice. The
sum of the necessary passes, each one runnable alone, is what a step should cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.config import Schedule
from domain_translation.reweighting.generators import draw_noise
from domain_translation.reweighting.joint import Networks, critic_values, gap, steepness
from domain_translation.reweighting.weighting import Pairs


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


class Part(NamedTuple):
    """A pass (or passes of one kind) and how many times a step of Algorithm 1 needs it."""

    times: int
    run: Callable[[], None]


def step_parts(
    x: Tensor, y: Tensor, networks: Networks, schedule: Schedule, generator: Generator
) -> dict[str, Part]:
    """All passes of one step on minibatches x, y (m, *event), by name.

    A pass with a graph is followed by its backward pass, to the gradients that the step needs and
    to no others.
    """
    forward, backward, discriminator, weighting = networks
    z = draw_noise(len(x), schedule.noise, generator)
    d, bound = schedule.critic_steps, schedule.clip_last
    with torch.no_grad():
        pairs = Pairs(x, forward(x, z), backward(y, z), y)
        weights = weighting(pairs, bound)

    def back(value: Tensor, *modules: nn.Module) -> None:
        torch.autograd.grad(value, [p for module in modules for p in module.parameters()])

    def translations() -> None:
        back(forward(x, z).sum() + backward(y, z).sum(), forward, backward)

    def translations_alone() -> None:
        with torch.no_grad():
            forward(x, z)
            backward(y, z)

    def values_for_generators() -> None:
        gx, fy = (t.clone().requires_grad_() for t in (pairs.gx, pairs.fy))
        values = critic_values(Pairs(x, gx, fy, y), discriminator)
        torch.autograd.grad(gap(values, weights), [gx, fy])

    def values_with_penalty() -> None:
        points = Pairs(*(t.clone().requires_grad_() for t in pairs))
        values = critic_values(points, discriminator)
        back(steepness(values, points) - gap(values, weights), discriminator)

    def weigh() -> None:
        found = weighting(pairs, bound)
        back(found.x.square().sum() + found.y.square().sum(), weighting)

    def weigh_alone() -> None:
        with torch.no_grad():
            weighting(pairs, bound)

    return {
        "translations and back": Part(1, translations),
        "discriminator, back to the translations": Part(1, values_for_generators),
        "weights and back": Part(1, weigh),
        "translations alone": Part(d, translations_alone),
        "weights alone": Part(d, weigh_alone),
        "discriminator with its penalty": Part(d, values_with_penalty),
    }
