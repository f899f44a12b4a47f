"""The Tiramisu: the published parameter counts, any image size, and that it can learn."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn

from domain_translation.denoising import denoising_loss
from domain_translation.denoising.tiramisu import Tiramisu
from domain_translation.runtime import seeded

FC_DENSENET_103 = {"down": (4, 5, 7, 10, 12), "bottleneck": 15, "up": (12, 10, 7, 5, 4)}
TINY: dict[str, Any] = {"first": 8, "growth": 4, "down": (2, 2), "bottleneck": 2, "up": (2, 2)}


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def convolutions(model: nn.Module) -> int:
    return sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in model.modules())


@pytest.mark.parametrize(
    ("blocks", "outputs", "depth", "seen", "parameters"),
    [
        ({}, 3, 67, 288, 3_460_931),
        ({}, 11, 67, 288, 3_463_243),
        ({}, 12, 67, 288, 3_463_532),
        (FC_DENSENET_103, 12, 103, 256, 9_322_348),  # with 11 classes 9,322,091
    ],
)
def test_counts_are_those_of_the_published_networks(
    blocks: dict[str, Any], outputs: int, depth: int, seen: int, parameters: int
) -> None:
    with torch.device("meta"):
        model = Tiramisu(out_channels=outputs, **blocks)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert convolutions(model) == depth
    assert model.last.in_channels == seen


def test_there_is_neither_dropout_nor_a_squashed_output() -> None:
    with torch.device("meta"):
        kinds = {type(m).__name__ for m in Tiramisu().modules()}
    assert kinds == {
        *("Tiramisu", "DenseBlock", "ModuleList", "Sequential"),
        *("BatchNorm2d", "Conv2d", "ConvTranspose2d", "MaxPool2d", "ReLU"),
    }
    model = Tiramisu(**TINY).eval()
    x = torch.rand(1, 3, 8, 8, generator=gen())
    with torch.no_grad():
        before = model(x)
        model.last.weight.mul_(100)
        # The same sums, but float32 rounds them after another scale: relative to the image.
        torch.testing.assert_close(model(x), 100 * before, rtol=1e-5, atol=1e-5 * 100)


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 19), st.integers(4, 19), st.integers(1, 4), st.integers(1, 4))
def test_every_size_is_kept(height: int, width: int, given_: int, wanted: int) -> None:
    model = Tiramisu(given_, wanted, **TINY).eval()
    with torch.no_grad():
        out = model(torch.zeros(2, given_, height, width))
    assert out.shape == (2, wanted, height, width)
    assert out.isfinite().all()


def test_the_full_network_keeps_an_odd_size() -> None:
    with torch.no_grad():
        assert Tiramisu().eval()(torch.zeros(1, 3, 33, 47)).shape == (1, 3, 33, 47)


def test_each_output_pixel_answers_to_the_pixel_below_it() -> None:
    """Cropping must not shift the picture: the answer to one bright pixel is strongest there."""
    with seeded(0):
        model = Tiramisu(1, 1, first=8, growth=4, down=(1, 1), bottleneck=1, up=(1, 1)).eval()
    row, column = 9, 14
    x = torch.zeros(1, 1, 21, 23, requires_grad=True)
    (influence,) = torch.autograd.grad(model(x)[0, 0, row, column], x)
    reach = influence[0, 0].abs()
    assert reach.argmax().item() in {
        (row + i) * 23 + column + j for i in (-1, 0, 1) for j in (-1, 0, 1)
    }


def test_an_image_that_cannot_be_halved_so_often_is_refused() -> None:
    with pytest.raises(ValueError, match=r"31x64.*halves them 5 times.*at least 32x32"):
        Tiramisu()(torch.zeros(1, 3, 31, 64))
    with pytest.raises(ValueError, match=r"2 blocks down and 1 up"):
        Tiramisu(**{**TINY, "up": (2,)})


def test_one_step_changes_every_parameter_by_a_finite_amount() -> None:
    with seeded(0):
        model = Tiramisu()
    before = {k: v.clone() for k, v in model.named_parameters()}
    x = torch.rand(2, 3, 32, 32, generator=gen()) * 2 - 1
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    denoising_loss(model, x, 0.3 * torch.randn(x.shape, generator=gen(1))).backward()
    optimiser.step()
    for name, p in model.named_parameters():
        assert p.isfinite().all()
        # Batch norm removes the mean, so that the bias of a convolution may get no gradient.
        assert name.endswith("bias") or not torch.equal(p, before[name]), name


def test_it_learns_one_small_batch_by_heart() -> None:
    with seeded(0):
        model = Tiramisu(**TINY)
    x = torch.rand(2, 3, 8, 8, generator=gen()) * 2 - 1
    noise = 0.3 * torch.randn(x.shape, generator=gen(1))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    first = denoising_loss(lambda y: y, x, noise).item()
    for _ in range(300):
        optimiser.zero_grad()
        loss = denoising_loss(model, x, noise)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2 * first


def test_in_evaluation_mode_an_image_does_not_depend_on_its_neighbours() -> None:
    with seeded(0):
        model = Tiramisu(**TINY)
    x = torch.rand(4, 3, 9, 9, generator=gen())
    with torch.no_grad():
        together, alone = model(x)[:1], model(x[:1])
        assert not torch.allclose(together, alone, atol=1e-3)  # what the docstring warns of
        model.eval()
        torch.testing.assert_close(model(x)[:1], model(x[:1]))
