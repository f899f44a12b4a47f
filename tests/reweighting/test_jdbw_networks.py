"""JD-BW's networks: the counts of Table 1 and of the declared reconstructions, shapes, refusals."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from domain_translation.reweighting import images
from domain_translation.reweighting.config import (
    PAPER,
    PAPER_128,
    PAPER_SVHN,
    ImageConfig,
    Schedule,
)
from domain_translation.reweighting.discriminator import JointDiscriminator, Residual
from domain_translation.reweighting.generators import StochasticGenerator, as_channels, draw_noise
from domain_translation.reweighting.weight_nets import Centred, WeightNet
from domain_translation.reweighting.weighting import batch_softmax
from domain_translation.studies.reweighting.methods import TRAIN
from domain_translation.training.cost import parameters

SMALL = ImageConfig(size=16, width=4, blocks=2, critic_width=4, weight_width=4, noise=3)


@pytest.mark.parametrize(
    ("channels", "count"), [((1, 1), 4_592_769), ((1, 3), 4_595_841), ((3, 3), 4_598_913)]
)
def test_joint_discriminator_has_the_derived_count(channels: tuple[int, int], count: int) -> None:
    # jdbw.arch.jd, reading R1
    assert parameters(JointDiscriminator(32, *channels)) == count


def test_the_readings_of_table_1_have_the_derived_counts() -> None:
    # jdbw.arch.jd: R1 to R4 and no blocks, from the layers of R1
    def convolution(inside: int, out: int, kernel: int = 4) -> int:
        return (inside * kernel**2 + 1) * out

    critic = JointDiscriminator(32)
    trunk = parameters(critic) - parameters(critic.blocks) - convolution(256, 256)
    block = parameters(Residual(128))
    projected = convolution(256, 128, 3) + convolution(128, 128, 3) + convolution(256, 128, 1)
    bottleneck = convolution(256, 128, 3) + convolution(128, 256, 3)
    assert trunk + 2 * block + convolution(256, 256) == 4_592_769
    assert trunk + projected + block + convolution(128, 256) == 4_248_833
    assert trunk + 2 * bottleneck + convolution(256, 256) == 5_182_849
    assert trunk + 2 * block + convolution(128, 256) == 4_068_481
    assert trunk + convolution(256, 256) == 4_002_433


def test_spectral_normalisation_adds_no_parameters() -> None:
    assert parameters(JointDiscriminator(32, spectral=True)) == 4_592_769


@pytest.mark.parametrize(
    ("blocks", "grey", "house"),
    [
        (2, 901_009, 690_467),
        (4, 1_529_377, 1_359_171),
        (6, 2_157_745, 2_027_875),
        (8, 2_786_113, 2_696_579),
    ],
)
def test_generators_have_the_derived_counts(blocks: int, grey: int, house: int) -> None:
    # jdbw.arch.gen32: K = 4, d = 8, 1 -> 1 channels; K = 1, d = 16, 1 -> 3
    assert parameters(StochasticGenerator(1, 1, blocks=blocks, noise=8, kernel=4)) == grey
    assert parameters(StochasticGenerator(1, 3, blocks=blocks, noise=16, kernel=1)) == house


@pytest.mark.parametrize(("channels", "count"), [(1, 660_929), (3, 662_977)])
def test_weight_nets_have_the_derived_counts(channels: int, count: int) -> None:
    assert parameters(WeightNet(32, channels)) == count  # jdbw.arch.weightnet


def test_centred_logits_survive_the_clip_that_kills_drifted_ones() -> None:
    rows, slopes = torch.tensor([[0.5], [-1.0], [1.5], [0.0]]), []
    for wrap in (nn.Sequential, Centred):
        drifted = nn.Linear(1, 1)  # a net whose logits are 9 and more
        nn.init.ones_(drifted.weight)
        nn.init.constant_(drifted.bias, 10.0)
        weights = batch_softmax(wrap(drifted)(rows), 3.0)
        (weights * torch.arange(4)).sum().backward()
        assert drifted.weight.grad is not None
        slopes.append(float(drifted.weight.grad.abs()))
    assert slopes[0] == 0 < slopes[1]
    torch.testing.assert_close(weights, rows[:, 0].softmax(0))  # far from the clip: the same


@pytest.mark.parametrize("preset", [PAPER, PAPER_SVHN, PAPER_128])
def test_paper_presets_build_and_translate(preset: ImageConfig) -> None:
    channels = (1, 1) if preset is PAPER else (1, 3)
    make = images.large if preset is PAPER_128 else images.small
    networks = images.networks(preset, channels, generator=make)
    x, y = (torch.zeros(2, c, preset.size, preset.size) for c in channels)
    z = torch.zeros(2, preset.noise)
    assert networks.forward(x, z).shape == y.shape
    assert networks.backward(y, z).shape == x.shape
    assert networks.discriminator(x, y).shape == (2,)


def test_presets_hold_the_papers_schedules() -> None:
    # jdbw.train.32
    assert (PAPER.batch, PAPER.critic_steps, PAPER.momentum) == (128, 5, 0.5)
    assert (PAPER.steps, PAPER.noise, PAPER.kernel) == (50_000, 8, 4)
    assert (PAPER_SVHN.steps, PAPER_SVHN.noise, PAPER_SVHN.kernel) == (250_000, 16, 1)
    # jdbw.train.128
    assert (PAPER_128.batch, PAPER_128.critic_steps, PAPER_128.steps) == (6, 2, 300_000)
    assert (PAPER_128.noise, PAPER_128.size) == (16, 128)
    # Its text describes no input skip.
    assert not any(preset.skip for preset in (PAPER, PAPER_SVHN, PAPER_128))


def test_generators_and_critic_of_the_paper_are_spectrally_normalised() -> None:
    # jdbw.train.reg
    small = replace(PAPER, width=8, critic_width=8, weight_width=8)
    networks = images.networks(small)
    for network in (networks.forward, networks.backward, networks.discriminator):
        layers = [
            m
            for m in network.modules()
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        ]
        assert layers
        assert all(nn.utils.parametrize.is_parametrized(m, "weight") for m in layers)


def test_the_methods_of_section_4_2_have_their_names() -> None:
    # jdbw.concept.baselines
    known = {"JD-BW", "joint discriminator", "MUNIT", "MUNIT + weights", "CycleGAN"}
    assert known <= set(TRAIN)
    assert parameters(images.networks(SMALL, weighting="none").weighting) == 0


@pytest.mark.parametrize("size", [16, 32, 64])
def test_sizes_other_than_the_papers_build(size: int) -> None:
    pair = torch.zeros(3, 1, size, size), torch.zeros(3, 3, size, size)
    assert JointDiscriminator(size, 1, 3, 4)(*pair).shape == (3,)
    assert WeightNet(size, 3, 4)(pair[1]).shape == (3,)


def test_a_generator_with_skip_starts_near_the_identity_and_one_without_does_not() -> None:
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    z = torch.zeros(4, 8)
    torch.manual_seed(0)
    near = (StochasticGenerator(width=8, blocks=2)(x, z) - x).abs().mean()
    far = (StochasticGenerator(width=8, blocks=2, skip=False)(x, z) - x).abs().mean()
    assert near < 0.3 < far


def test_noise_changes_the_translation() -> None:
    torch.manual_seed(0)
    g = StochasticGenerator(width=8, blocks=2, noise=4)
    x = torch.zeros(2, 1, 16, 16)
    assert not torch.equal(g(x, torch.ones(2, 4)), g(x, -torch.ones(2, 4)))


def test_noise_is_uniform_on_the_declared_range() -> None:
    z = draw_noise(20_000, 3, torch.Generator().manual_seed(0))
    assert z.shape == (20_000, 3)
    assert float(z.abs().max()) <= 1
    assert float(z.mean()) == pytest.approx(0, abs=0.02)
    assert float(z.var()) == pytest.approx(1 / 3, abs=0.01)


def test_grey_becomes_colour_and_back() -> None:
    x = torch.rand(2, 3, 4, 4)
    assert torch.equal(as_channels(x, 3), x)
    torch.testing.assert_close(as_channels(as_channels(x, 1), 3)[:, 2], x.mean(1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: JointDiscriminator(24), "power of two, at least 16"),
        (lambda: WeightNet(12), "power of two, at least 8"),
        (lambda: StochasticGenerator(blocks=3), "even number of blocks"),
        (lambda: StochasticGenerator(kernel=3), "kernel of 1 or 4"),
        (lambda: images.networks(SMALL, weighting="soft"), "choose 'composite'"),
        (lambda: Schedule(batch=1), "use two or more"),
        (lambda: Schedule(clip_first=4.0, clip_last=1.0), "0 <= first <= last"),
    ],
)
def test_bad_settings_are_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_pairs_of_two_sizes_are_refused() -> None:
    critic = JointDiscriminator(16, width=4)
    with pytest.raises(ValueError, match="16x16 images on both sides"):
        critic(torch.zeros(2, 1, 16, 16), torch.zeros(2, 1, 32, 32))


@pytest.mark.parametrize("weighting", list(images.WEIGHTINGS))
def test_every_design_of_weights_is_built(weighting: str) -> None:
    found = images.networks(SMALL, weighting=weighting)
    trainable = sum(p.numel() for p in found.weighting.parameters())
    assert (trainable == 0) == (weighting == "none")
    assert isinstance(found.weighting, nn.Module)
