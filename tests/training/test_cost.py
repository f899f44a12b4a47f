"""Costs against what can be counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from domain_translation.training.cost import multiplications, peak_bytes, seconds


def test_multiplications_of_a_convolution() -> None:
    count = multiplications(lambda: nn.Conv2d(3, 8, 3, padding=1), (2, 3, 10, 12))
    assert count == 2 * 10 * 12 * 8 * 3 * 9


def test_a_size_no_memory_could_hold_is_counted() -> None:
    assert multiplications(lambda: nn.Linear(10**6, 10**6), (1, 10**6)) == 10**12


def test_peak_counts_what_lives_at_the_same_time() -> None:
    x = torch.zeros(1000)  # 4,000 bytes, there before

    def chain() -> torch.Tensor:
        y = x + 1
        for _ in range(10):
            y = y + 1  # old and new live together for a moment
        return y

    assert peak_bytes(chain) == 8000
    assert peak_bytes(lambda: [x + i for i in range(10)]) == 40_000


def test_views_and_results_in_place_take_no_memory() -> None:
    x = torch.zeros(1000)
    assert peak_bytes(lambda: x.reshape(10, 100).T[:5]) == 0
    assert peak_bytes(lambda: (x + 1).add_(1).relu_()) == 4000


def test_peak_of_a_network_on_the_meta_device() -> None:
    with torch.device("meta"):
        network, x = nn.Sequential(nn.Linear(10, 1000), nn.Linear(1000, 10)), torch.zeros(1, 10)
    assert peak_bytes(lambda: network(x)) == 4 * (1000 + 10)


def test_times_are_those_of_each_run() -> None:
    calls = [0, 0]

    def run(i: int) -> None:
        calls[i] += 1

    times = seconds([lambda: run(0), lambda: run(1)], repeats=3)
    assert calls == [4, 4]
    assert all(t >= 0 for t in times)
    with pytest.raises(ValueError, match="at least once"):
        seconds([], repeats=0)
