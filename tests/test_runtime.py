"""What every run stands on: functions of many rows, a part at a time."""

from __future__ import annotations

import pytest
import torch

from domain_translation.runtime import in_parts


def test_parts_are_put_together_in_their_order() -> None:
    x, y = torch.randn(10, 3), torch.randn(10, 1)
    sizes: list[int] = []

    def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        sizes.append(len(a))
        return a * b

    assert torch.equal(in_parts(product, x, y, size=4), x * y)
    assert sizes == [4, 4, 2]


def test_parts_have_no_gradients_and_inputs_equally_many_rows() -> None:
    x = torch.randn(3, 2, requires_grad=True)
    assert not in_parts(torch.exp, x).requires_grad
    with pytest.raises(ValueError, match="shorter"):
        in_parts(torch.add, torch.zeros(4, 1), torch.zeros(2, 1), size=2)
