"""The energy network: parameter counts, growth, independence of images, what it refuses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, silu

from domain_translation.energies import network as module
from domain_translation.energies.network import ACTIVATIONS, EnergyNetwork, width
from domain_translation.energies.sampling import frozen
from domain_translation.runtime import seeded


def images(n: int, channels: int, size: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.empty(n, channels, size, size).uniform_(-1, 1, generator=generator)


def make(**arguments: object) -> EnergyNetwork:
    with seeded(0):
        return EnergyNetwork(**{"size": 16, "c": 2, "channels": 1, **arguments})  # type: ignore[arg-type]


def parameters(network: EnergyNetwork) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("size", "c", "kernel", "count"),
    [
        (256, 16, 1, 412_273),
        (256, 16, 3, 532_081),
        (32, 32, 1, 1_345_537),
        (32, 32, 3, 1_738_753),
        (32, 48, 1, 3_025_921),
        (32, 48, 3, 3_910_657),
    ],
)
def test_literal_parameter_counts(size: int, c: int, kernel: int, count: int) -> None:
    assert parameters(EnergyNetwork(size, c, 3, residual_kernel=kernel)) == count


def test_widths_are_those_of_table_6() -> None:
    table = {256: 16, 128: 32, 64: 64, 32: 128, 16: 128, 8: 128, 4: 128}
    assert {size: width(size, 32) for size in table} == table


def test_a_primal_is_what_the_text_says() -> None:
    """Written out with functional convolutions, in the text's order: convolve, then average."""
    net = make(size=8, channels=3)
    x, p, t = images(3, 3, 8), net.primals[0], net.top
    h = conv2d(x, net.from_rgb.weight, net.from_rgb.bias)
    main = conv2d(silu(h), p.first.weight, p.first.bias, padding=1)
    main = conv2d(silu(main), p.second.weight, p.second.bias, stride=2, padding=1)
    h = main + avg_pool2d(conv2d(h, p.residual.weight, p.residual.bias), 2)
    h = conv2d(silu(h), t.first.weight, t.first.bias, padding=1)
    h = conv2d(silu(h), t.second.weight, t.second.bias).flatten(1)
    expected = silu(h) @ net.head.weight[0] + net.head.bias
    torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("size", [8, 64, 128])
@pytest.mark.parametrize("spectral", [False, True])
def test_images_do_not_know_of_each_other(size: int, spectral: bool) -> None:
    net = make(size=size, spectral=spectral).eval()
    x = images(3, 1, size)
    torch.testing.assert_close(net(x)[1:], net(x[1:]))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_gives_a_finite_score(activation: str) -> None:
    x = images(2, 1, 16).requires_grad_(True)
    (gradient,) = torch.autograd.grad(make(activation=activation)(x).sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("spectral", [False, True])
@settings(deadline=None, max_examples=10)
@given(channels=st.sampled_from([1, 3]), seed=st.integers(0, 100), size=st.sampled_from([8, 32]))
def test_growing_changes_nothing_at_first(
    spectral: bool, channels: int, seed: int, size: int
) -> None:
    """At b = 0 the grown energy of an image is the old one of its 2x2 means."""
    net = make(size=size, channels=channels, spectral=spectral).eval()
    x = images(4, channels, 2 * size, seed)
    before = net(avg_pool2d(x, 2))
    net.expand(seed)
    torch.testing.assert_close(net.eval()(x), before, rtol=1e-4, atol=1e-4)


def test_fading_is_a_mixture_and_ends_with_primal_alone() -> None:
    net = make()
    net.expand()
    x = images(2, 1, 32)
    h = net.from_rgb(x)
    new, detour = net.primals[-1](h), net.fading(h)
    for b in (0.25, 0.75, 1.0):
        net.fade = b
        mixed = b * new + (1 - b) * detour
        rest = net.top(net.primals[0](net.primals[1](mixed)))
        torch.testing.assert_close(net(x), net.head(rest)[:, 0])
    at_one = net(x)
    net.settle()
    assert torch.equal(net(x), at_one)
    assert parameters(net) == parameters(make(size=32))
    assert net.arguments() == make(size=32).arguments()


def test_growing_keeps_the_old_layers() -> None:
    net = make()
    before = {k: v.clone() for k, v in net.state_dict().items() if not k.startswith("from_rgb")}
    net.expand()
    after = net.state_dict()
    assert all(torch.equal(v, after[k]) for k, v in before.items())


def test_the_seed_decides_the_new_layers() -> None:
    def grown(seed: int) -> Tensor:
        net = make()
        net.expand(seed)
        return net.primals[-1].first.weight

    assert torch.equal(grown(1), grown(1))
    assert not torch.equal(grown(1), grown(2))


@pytest.mark.parametrize("spectral", [False, True])
def test_the_global_generator_decides_nothing(spectral: bool) -> None:
    def grown(state: int) -> dict[str, Tensor]:
        net = make(spectral=spectral)
        torch.manual_seed(state)
        net.expand(3)
        return net.state_dict()

    first, second = grown(0), grown(1)
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_spectral_norm_bounds_every_layer() -> None:
    net = make(spectral=True)
    for _ in range(50):
        net(images(2, 1, 16))  # each pass takes a step of the power iteration
    for name, m in net.eval().named_modules():
        if isinstance(m, torch.nn.Conv2d | torch.nn.Linear):
            assert torch.linalg.matrix_norm(m.weight.flatten(1), 2) <= 1.02, name


@pytest.mark.parametrize("spectral", [False, True])
def test_a_frozen_copy_is_the_same_energy(spectral: bool) -> None:
    net = make(spectral=spectral)
    net.expand()
    net.fade = 0.5
    x = images(4, 1, 32)
    net.eval()
    expected, state = net(x), {k: v.clone() for k, v in net.state_dict().items()}
    net.train()
    still = frozen(net)
    torch.testing.assert_close(still(x), expected)
    assert not any(p.requires_grad for p in still.parameters())
    assert net.training
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
    assert torch.nn.functional.cosine_similarity(
        score(frozen(net, "bfloat16"), x), score(still, x), dim=0
    ) > 0.999  # fmt: skip


def score(net: EnergyNetwork, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(net(x).sum(), x)[0].flatten()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 24}, "size is 24; .* power of two from 8 to 512"),
        ({"size": 4}, "size is 4"),
        ({"size": 1024}, "size is 1024"),
        ({"c": 0}, "c is 0"),
        ({"size": 512, "c": 1}, "c is 1"),
        ({"channels": 0}, "channels is 0"),
        ({"activation": "tanh"}, "activation is 'tanh'; choose from swish"),
        ({"residual_kernel": 2}, "residual_kernel is 2"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(**arguments)


def test_images_of_another_size_or_device() -> None:
    net = make()
    for x in (images(2, 1, 32), images(2, 3, 16), images(2, 1, 16)[0]):
        with pytest.raises(ValueError, match=r"takes \(B, 1, 16, 16\)"):
            net(x)
    with pytest.raises(ValueError, match="images are on meta and the network on cpu"):
        net(images(2, 1, 16).to("meta"))
    with pytest.raises(ValueError, match="'float16'; choose 'auto', 'float32' or 'bfloat16'"):
        frozen(net, "float16")


def test_growth_out_of_turn() -> None:
    net = make()
    net.expand()
    with pytest.raises(ValueError, match=r"still fading; call settle\(\)"):
        net.expand()
    net = make(size=512, c=4)
    with pytest.raises(ValueError, match="size is 1024"):
        net.expand()
    assert module.LARGEST == 512
