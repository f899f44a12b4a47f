"""Counting the passes of Algorithm 1: nothing is computed twice."""

import pytest
import torch
from torch import nn

from domain_translation.reweighting import joint, toy
from domain_translation.reweighting.step_costs import Passes, counted


def test_calls_and_examples_are_counted_with_and_without_a_graph() -> None:
    a, b = nn.Linear(2, 2), nn.Linear(2, 1)
    with counted({"a": a, "b": b}) as found:
        b(a(torch.zeros(3, 2)))
        with torch.no_grad():
            a(torch.zeros(5, 2))
    assert found == {"a": Passes(1, 1, 8), "b": Passes(1, 0, 3)}


def test_nothing_is_counted_outside_the_block() -> None:
    a = nn.Linear(2, 2)
    with counted({"a": a}) as found:
        pass
    a(torch.zeros(1, 2))
    assert found["a"] == Passes()
    with pytest.raises(RuntimeError, match="stop"), counted({"a": a}):
        raise RuntimeError("stop")
    assert not a._forward_pre_hooks


@pytest.mark.parametrize("d", [1, 5])
def test_algorithm_1_computes_nothing_twice(d: int) -> None:
    config = toy.ToyConfig(steps=3, batch=8, critic_steps=d, width=4)
    x, y = toy.sample(50, [0.6, 0.4], 0), toy.sample(50, [0.4, 0.6], 1, shifted=True)
    networks = toy.networks(config, 0)
    with counted(networks._asdict()) as found:
        joint.train(x.x, y.x, networks, config)
    n, m = config.steps, config.batch
    both = (1 + d) * m * n
    # One example of each domain is tried before the first step.
    assert found["forward"] == found["backward"] == Passes(n, d * n + 1, both + 1)
    assert found["discriminator"] == Passes((1 + d) * n, 1, 2 * both + 2)
    assert found["weighting"].recorded == n
    assert found["weighting"].free == d * n
