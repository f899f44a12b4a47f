"""MUNIT's networks and JD-BW's 128x128 generator: AdaIN, invariances, shapes, counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.nn.utils import parametrize

from domain_translation.reweighting.generators import Generator128
from domain_translation.training.cost import parameters
from domain_translation.translators.munit.config import (
    PAPER,
    PAPER_128,
    PAPER_SVHN,
    QUICK,
    MUNITConfig,
    WeightedConfig,
)
from domain_translation.translators.munit.networks import (
    AutoEncoder,
    MultiScaleDiscriminator,
    adain,
    content_encoder,
    initialise,
    style_encoder,
)
from domain_translation.translators.munit.training import build


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pictures(n: int, channels: int, size: int) -> Tensor:
    return draw(n, channels, size, size).tanh().float()


# ---- AdaIN


def test_adain_sets_mean_and_deviation_of_every_map() -> None:
    maps, mean, scale = draw(3, 5, 8, 8), draw(3, 5, seed=1), draw(3, 5, seed=2)
    out = adain(maps, mean, scale)
    torch.testing.assert_close(out.mean((2, 3)), mean)
    old = maps.var((2, 3), correction=0)
    expected = scale.abs() * (old / (old + 1e-5)).sqrt()
    torch.testing.assert_close(out.std((2, 3), correction=0), expected)


@settings(deadline=None)
@given(st.floats(0.5, 20), st.floats(-5, 5))
def test_adain_forgets_the_old_moments(by: float, plus: float) -> None:
    maps, mean, scale = draw(2, 3, 6, 6), draw(2, 3, seed=1), draw(2, 3, seed=2)
    torch.testing.assert_close(
        adain(by * maps + plus, mean, scale), adain(maps, mean, scale), atol=1e-4, rtol=1e-4
    )


def test_each_image_gets_its_own_moments() -> None:
    maps, mean, scale = draw(4, 3, 6, 6), draw(4, 3, seed=1), draw(4, 3, seed=2)
    alone = [adain(*(t[i : i + 1] for t in (maps, mean, scale))) for i in range(4)]
    torch.testing.assert_close(adain(maps, mean, scale), torch.cat(alone))


# ---- what content and style see


@settings(deadline=None, max_examples=20)
@given(st.floats(0.3, 3), st.floats(-1, 1))
def test_content_ignores_brightness_and_contrast_and_style_does_not(by: float, plus: float) -> None:
    torch.manual_seed(0)
    network = AutoEncoder(1, 4, 1, 3, 8).double()
    x = draw(2, 1, 16, 16)
    changed = by * x + plus
    torch.testing.assert_close(network.content(changed), network.content(x), atol=1e-2, rtol=1e-2)
    if abs(by - 1) + abs(plus) > 0.1:
        assert not torch.allclose(network.style(changed), network.style(x), atol=1e-5)


def mirrored(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_(module.weight.flip(-1))
    return network


def test_mirrored_kernels_see_a_mirrored_image_mirrored() -> None:
    torch.manual_seed(0)
    content, style = content_encoder(2, 4, 2).double(), style_encoder(2, 4, 3).double()
    x = draw(2, 2, 32, 32)
    before, code = content(x), style(x)
    torch.testing.assert_close(mirrored(content)(x.flip(-1)), before.flip(-1))
    torch.testing.assert_close(mirrored(style)(x.flip(-1)), code)


def test_style_changes_what_is_decoded() -> None:
    torch.manual_seed(0)
    network = AutoEncoder(1, 4, 1, 3, 8)
    initialise(network, nn.Identity())
    content = network.content(pictures(1, 1, 16))
    a, b = network.decode(content, torch.ones(1, 3)), network.decode(content, -torch.ones(1, 3))
    assert (a - b).abs().mean() > 0.01


# ---- shapes


@pytest.mark.parametrize("size", [16, 32, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("halvings", [1, 2])
def test_shapes_of_content_style_and_image(size: int, channels: int, halvings: int) -> None:
    network = AutoEncoder(channels, 4, 2, 5, 8, halvings)
    x = pictures(2, channels, size)
    content, style = network.content(x), network.style(x)
    assert content.shape == (2, 4 << halvings, size >> halvings, size >> halvings)
    assert style.shape == (2, 5)
    out = network.decode(content, style)
    assert out.shape == x.shape
    assert out.abs().max() <= 1
    assert torch.equal(network(x), out)


@pytest.mark.parametrize(
    ("size", "layers", "scales", "sides"),
    [(16, 3, 2, [2, 1]), (32, 4, 2, [2, 1]), (128, 4, 3, [8, 4, 2])],
)
def test_critics_score_maps_at_every_scale(
    size: int, layers: int, scales: int, sides: list[int]
) -> None:
    scores = MultiScaleDiscriminator(3, 4, layers, scales)(pictures(2, 3, size))
    assert [tuple(score.shape) for score in scores] == [(2, 1, side, side) for side in sides]


def test_the_second_scale_sees_the_halved_image() -> None:
    torch.manual_seed(0)
    critic = MultiScaleDiscriminator(1, 4, 2, 2)
    x = pictures(2, 1, 16)
    half = avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    torch.testing.assert_close(critic(x)[1], critic.scales[1](half))
    # a constant image stays the same at its border
    flat = critic.halve(torch.full((1, 1, 16, 16), 0.5))
    torch.testing.assert_close(flat, torch.full((1, 1, 8, 8), 0.5))


# ---- counts


def conv(inside: int, out: int, kernel: int) -> int:
    return inside * out * kernel**2 + out


def autoencoder_count(c: int, w: int, blocks: int, style: int, hidden: int, halvings: int) -> int:
    widths = [w * 2**i for i in range(halvings + 1)]
    deep, steps = widths[-1], list(itertools.pairwise(widths))
    inside = blocks * 2 * conv(deep, deep, 3)  # of encoder and decoder, AdaIN has none
    down = conv(c, w, 7) + sum(conv(a, b, 4) for a, b in steps)
    four = sum(conv(a, b, 4) for a, b in itertools.pairwise([w, 2 * w, 4 * w, 4 * w, 4 * w]))
    code = conv(c, w, 7) + four + conv(4 * w, style, 1)
    up = sum(conv(b, a, 5) + 2 * a for a, b in steps) + conv(w, c, 7)
    moments = blocks * 2 * 2 * deep
    perceptron = conv(style, hidden, 1) + conv(hidden, hidden, 1) + conv(hidden, moments, 1)
    return (down + inside) + code + (inside + up + perceptron)


def critic_count(c: int, w: int, layers: int, scales: int) -> int:
    deeper = sum(conv(w * 2**i, w * 2 ** (i + 1), 4) for i in range(layers - 1))
    return scales * (conv(c, w, 4) + deeper + conv(w * 2 ** (layers - 1), 1, 1))


@pytest.mark.parametrize(
    ("config", "channels", "encoder", "critic"),
    [
        (PAPER, 1, 15_007_369, 5_510_018),
        (PAPER_128, 3, 15_026_187, 8_271_171),
        (QUICK, 1, 73_993, 20_914),
    ],
    ids=["paper", "paper 128", "quick"],
)
def test_counts_follow_from_the_layers(
    config: MUNITConfig, channels: int, encoder: int, critic: int
) -> None:
    with torch.device("meta"):  # counted, never filled
        networks = build(config, channels=(channels, channels))
    c = config
    by_hand = autoencoder_count(channels, c.width, c.blocks, c.style, c.hidden, c.halvings)
    assert parameters(networks.x) == parameters(networks.y) == by_hand == encoder
    by_hand = critic_count(channels, c.critic_width, c.critic_layers, c.scales)
    assert parameters(networks.critic_x) == parameters(networks.critic_y) == by_hand == critic


def test_published_layers_have_the_published_widths() -> None:
    with torch.device("meta"):
        network, judge = AutoEncoder(3), MultiScaleDiscriminator(3)
    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    kernels = [(m.out_channels, m.kernel_size[0], m.stride[0]) for m in convs]
    content = [(64, 7, 1), (128, 4, 2), (256, 4, 2)] + [(256, 3, 1)] * 8
    style = [(64, 7, 1), (128, 4, 2), (256, 4, 2), (256, 4, 2), (256, 4, 2), (8, 1, 1)]
    decoder = [(256, 3, 1)] * 8 + [(128, 5, 1), (64, 5, 1), (3, 7, 1)]
    assert kernels == content + style + decoder
    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in linear] == [(8, 256), (256, 256), (256, 4096)]
    critic = [m for m in judge.scales[0].modules() if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in critic] == [64, 128, 256, 512, 1]


# ---- initialisation


def test_weights_start_as_published() -> None:
    networks = build(MUNITConfig(width=16, hidden=64, critic_width=32))
    deep = networks.x.content[6]
    assert isinstance(deep, nn.Conv2d)
    assert float(deep.weight.detach().std()) == pytest.approx(math.sqrt(2 / (32 * 16)), rel=0.05)
    critic = networks.critic_y.scales[0].get_submodule("4")
    assert isinstance(critic, nn.Conv2d)
    assert float(critic.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    biases = [m.bias for n in networks for m in n.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert all(not b.any() for b in biases if b is not None)
    norms = [m for m in networks.x.modules() if isinstance(m, nn.GroupNorm)]
    assert len(norms) == 2
    assert all(bool((m.weight == 1).all()) for m in norms)


# ---- 128x128 generator of JD-BW


@pytest.mark.parametrize(("a", "b"), [(1, 3), (3, 3)])
def test_generator_128_has_the_count_of_its_layers(a: int, b: int) -> None:
    w, mixed = 64, 256 + 16
    by_hand = conv(a, w, 7) + conv(w, 2 * w, 4) + conv(2 * w, 4 * w, 4)
    by_hand += 8 * 2 * conv(mixed, mixed, 3)
    by_hand += conv(mixed, 2 * w, 5) + conv(2 * w, w, 5) + conv(w, b, 7)
    assert parameters(Generator128(a, b)) == by_hand == {1: 12_401_795, 3: 12_408_067}[a]


def test_generator_128_has_every_convolution_under_spectral_norm() -> None:
    generator = Generator128(1, 3, 4, 1, 2)
    convs = [m for m in generator.modules() if isinstance(m, nn.Conv2d)]
    assert len(convs) == 3 + 4 + 3
    assert all(parametrize.is_parametrized(m, "weight") for m in convs)
    largest = [torch.linalg.matrix_norm(m.weight.detach().flatten(1), 2) for m in convs]
    assert all(0.9 < float(s) < 1.3 for s in largest)  # fifteen power iterations at the start


@pytest.mark.parametrize("size", [32, 128])
def test_generator_128_keeps_the_size_and_reads_its_noise(size: int) -> None:
    torch.manual_seed(0)
    generator = Generator128(1, 3, 8, 1, 4).eval()
    x = pictures(2, 1, size)
    out = generator(x, torch.ones(2, 4))
    assert out.shape == (2, 3, size, size)
    assert out.abs().max() <= 1
    assert (out - generator(x, -torch.ones(2, 4))).abs().mean() > 1e-4


# ---- refusals


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MUNITConfig(size=24), "power of two, at least 16"),
        (lambda: MUNITConfig(size=8), "power of two, at least 16"),
        (lambda: MUNITConfig(scales=3), "end at 8 pixels, and 4 critic layers need 16"),
        (lambda: MUNITConfig(size=16), "fewer scales or fewer layers"),
        (lambda: MUNITConfig(halvings=5), "halvings is 5; give 1 to 4"),
        (lambda: MUNITConfig(halvings=0), "halvings is 0; give 1 to 4"),
        (lambda: WeightedConfig(batch=1), "use two or more"),
        (lambda: WeightedConfig(clip_first=4.0, clip_last=1.0), "0 <= first <= last"),
    ],
)
def test_bad_settings_are_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_lengths_of_the_papers_trainings() -> None:  # jdbw.train.32
    assert (PAPER.steps, PAPER_SVHN.steps) == (150_000, 750_000)
    assert (PAPER.batch, PAPER_128.batch) == (128, 6)
