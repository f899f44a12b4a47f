"""The arithmetic of a step of Algorithm 1 is the sum of its passes."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from domain_translation.reweighting import images, joint
from domain_translation.reweighting.config import ImageConfig
from domain_translation.reweighting.step_costs import step_parts

TINY = ImageConfig(
    steps=1,
    batch=4,
    critic_steps=2,
    size=16,
    width=4,
    blocks=2,
    critic_width=4,
    weight_width=4,
    spectral=False,  # its cost does not grow with the batch
)


@pytest.mark.parametrize("d", [1, 3])
def test_a_step_is_the_sum_of_its_passes(d: int) -> None:
    config = replace(TINY, critic_steps=d)
    networks = images.networks(config)
    g = torch.Generator().manual_seed(0)
    x, y = (torch.rand(config.batch, 1, 16, 16, generator=g) for _ in range(2))
    total = 0
    for part in step_parts(x, y, networks, config, g).values():
        with FlopCounterMode(display=False) as counter:
            part.run()
        assert counter.get_total_flops() > 0
        total += part.times * counter.get_total_flops()
    spent = []
    for steps in (1, 2):  # the difference is a step, without what comes before the first
        with FlopCounterMode(display=False) as counter:
            joint.train(x, y, images.networks(config), replace(config, steps=steps))
        spent.append(counter.get_total_flops())
    assert spent[1] - spent[0] == pytest.approx(total, rel=0.005)


def test_the_parts_leave_the_networks_as_they_are() -> None:
    networks = images.networks(TINY)
    before = [p.clone() for network in networks for p in network.parameters()]
    g = torch.Generator().manual_seed(0)
    x, y = (torch.rand(3, 1, 16, 16, generator=g) for _ in range(2))
    parts = step_parts(x, y, networks, TINY, g)
    for part in parts.values():
        part.run()
    after = [p for network in networks for p in network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(p.grad is None for p in after)
    assert {part.times for part in parts.values()} == {1, TINY.critic_steps}
