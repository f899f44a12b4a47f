"""Translation by an energy: where chains start, what saliency sums up, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.saliency import finds_change, over_channels, saliency
from domain_translation.energies.sampling import ShortRun, short_run
from domain_translation.energies.translation import from_images, train_translator, translate
from domain_translation.runtime import seeded
from domain_translation.sampling.langevin import DivergenceError

TINY = CFEBMConfig(
    sizes=(8, 16),
    images=(64, 64),
    steps=(2, 3),
    learning_rates=(1e-3, 1e-3),
    batch=16,
    c=1,
    spectral=False,
    variance=4e-4,
)


def network(size: int = 8, channels: int = 1, seed: int = 0) -> EnergyNetwork:
    with seeded(seed):
        return EnergyNetwork(size, c=2, channels=channels).eval()


def images(n: int, channels: int = 1, size: int = 8, seed: int = 0) -> Tensor:
    g = Generator().manual_seed(seed)
    return torch.rand(n, channels, size, size, generator=g) * 2 - 1


def test_chains_start_at_source_images_of_the_stages_size() -> None:
    source = images(5, size=16)
    small = torch.nn.functional.avg_pool2d(source, 2)
    start = from_images(source, 8)(40, 0.3, Generator().manual_seed(0))
    same = (start[:, None] == small[None]).flatten(2).all(2)
    assert same.any(1).all()  # every start is one of the source images ...
    assert same.any(0).all()  # ... and each of them is drawn


def test_start_does_not_depend_on_the_fading_factor() -> None:
    start = from_images(images(9), 8)
    a, b = (start(6, fade, Generator().manual_seed(1)) for fade in (0.0, 1.0))
    assert torch.equal(a, b)


def test_training_starts_its_chains_at_the_source_at_every_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dark source, bright target: nothing else can start dark."""
    seen: list[tuple[int, float]] = []

    def spy(energy: nn.Module, x: Tensor, run: ShortRun, **kwargs: Generator) -> object:
        seen.append((x.shape[-1], x.max().item()))
        return short_run(energy, x, run, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("domain_translation.energies.training.short_run", spy)
    dark, bright = images(20, size=16) / 4 - 0.7, images(30, size=16) / 4 + 0.7
    trained = train_translator(dark, bright, TINY)
    assert {size for size, _ in seen} == {8, 16}
    assert max(top for _, top in seen) < 0
    assert trained.network.size == 16
    assert not any(p.requires_grad for p in trained.network.parameters())


def test_training_is_reproducible_and_checkpoints_belong_to_their_source(tmp_path: Path) -> None:
    one, other, target = (images(24, size=16, seed=s) for s in (1, 2, 3))
    first = train_translator(one, target, TINY, checkpoint=tmp_path).network.state_dict()
    again = train_translator(one, target, TINY, checkpoint=tmp_path).network.state_dict()
    anew = train_translator(one, target, TINY).network.state_dict()
    different = train_translator(other, target, TINY, checkpoint=tmp_path).network.state_dict()
    assert all(torch.equal(first[k], again[k]) and torch.equal(first[k], anew[k]) for k in first)
    assert any(not torch.equal(first[k], different[k]) for k in first)


def test_a_short_training_moves_a_bright_domain_towards_a_dark_one() -> None:
    source, target = images(200, seed=1) / 8 + 0.6, images(200, seed=2) / 8 - 0.6
    config = replace(TINY, sizes=(8,), images=(1000,), steps=(8,), learning_rates=(5e-3,), batch=20)
    energy = train_translator(source, target, config).network
    moved = translate(energy, source[:40], config.run()).x
    assert (moved - target.mean()).abs().mean() < 0.6 * (source[:40] - target.mean()).abs().mean()


def test_translate_is_the_short_chain_from_the_image() -> None:
    energy, x, run = network(), images(3), ShortRun(4, variance=0.02)
    chain = translate(energy, x, run, seed=5, thin=2)
    by_hand = short_run(energy, x, run, seed=5, thin=2)
    assert torch.allclose(chain.x, by_hand.x, atol=1e-5)
    assert chain.trajectory is not None
    assert chain.trajectory.shape == (2, *x.shape)
    assert torch.equal(chain.trajectory[-1], chain.x)
    assert torch.equal(translate(energy, x, run, seed=5).x, chain.x)
    assert not torch.equal(translate(energy, x, run, seed=6).x, chain.x)


def test_a_longer_chain_than_in_training_is_allowed() -> None:
    energy, x = network(), images(2)
    short, long = (translate(energy, x, ShortRun(n, variance=0.0)).x for n in (3, 30))
    assert energy(long).mean() < energy(short).mean() < energy(x).mean()


@settings(max_examples=12, deadline=None)
@given(steps=st.integers(1, 6), step_size=st.floats(0.05, 2.0), seed=st.integers(0, 99))
def test_signed_saliency_without_noise_is_the_difference_image(
    steps: int, step_size: float, seed: int
) -> None:
    """alpha sum_t grad E(y_t) telescopes to y_0 - y_N."""
    x = images(2, 3, seed=seed)
    found = saliency(network(channels=3, seed=seed), x, ShortRun(steps, step_size, 0.0), seed=seed)
    assert torch.allclose(step_size * found.signed, x - found.translated, atol=2e-4)
    assert bool((found.magnitude >= found.signed.abs() - 1e-5).all())


def test_magnitudes_exceed_the_difference_where_a_chain_turns_back() -> None:
    """With noise, gradients undo what noise did: a longer way than the straight one."""
    found = saliency(network(), images(4), ShortRun(12, 1.0, 0.02))
    assert found.magnitude.sum() > 1.05 * found.signed.abs().sum()


def test_signed_saliency_with_noise_differs_by_the_noise() -> None:
    """The sum of N - 1 draws (the last step has none): variance sum_t eta_t per pixel."""
    run, x = ShortRun(10, 1.0, 0.02), images(64, 3)
    found = saliency(network(channels=3), x, run, seed=3)
    noise = found.translated - x + found.signed
    expected = float((2 * run.temperatures()).sum())
    assert noise.var().item() == pytest.approx(expected, rel=0.1)
    assert abs(noise.mean().item()) < 0.02


def test_saliency_is_of_the_translation_of_the_same_seed() -> None:
    energy, x, run = network(), images(2), ShortRun(3)
    assert torch.equal(
        saliency(energy, x, run, seed=4).translated, translate(energy, x, run, seed=4).x
    )


def test_over_channels() -> None:
    gradients = torch.tensor([3.0, -4.0]).reshape(1, 2, 1, 1).expand(2, 2, 5, 5)
    assert torch.equal(over_channels(gradients), torch.full((2, 5, 5), 5.0))


def test_finds_change_against_its_definition() -> None:
    """The share of pairs (changed, unchanged) in the right order; ties count half."""
    g = Generator().manual_seed(0)
    maps = torch.randint(6, (5, 4, 4), generator=g).float()
    truth = torch.rand(5, 4, 4, generator=g) < 0.3
    for m, c, area in zip(maps, truth, finds_change(maps, truth), strict=True):
        yes, no = m[c][:, None], m[~c][None]
        assert float(area) == pytest.approx(float(((yes > no) + 0.5 * (yes == no)).mean()))


def test_finds_change_has_no_answer_without_both_kinds() -> None:
    maps = torch.rand(2, 3, 3)
    truth = torch.stack([torch.ones(3, 3), torch.zeros(3, 3)]).bool()
    assert finds_change(maps, truth).isnan().all()


@pytest.mark.parametrize("bad", ["range", "nan", "size", "channels", "kind", "integers", "empty"])
def test_images_that_cannot_be_translated(bad: str) -> None:
    x = images(2, 3)
    given = {
        "range": (x * 3, r"pixels lie in \[-2\.99, 3\]; a translator takes finite images"),
        "nan": (torch.full_like(x, torch.nan), r"pixels lie in \[nan, nan\]"),
        "size": (images(2, 3, 16), "images are 16x16 pixels .* takes 8x8; resize them"),
        "channels": (images(2, 1), "images have 1 channels and this translator takes 3"),
        "kind": (x[0], r"x has shape \(3, 8, 8\)"),
        "integers": (x.long(), "x: torch.int64"),
        "empty": (x[:0], r"shape \(0, 3, 8, 8\)"),
    }
    wrong, message = given[bad]
    for use in (translate, saliency):
        with pytest.raises(ValueError, match=message):
            use(network(channels=3), wrong, ShortRun(2))


def test_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="network is a Flatten; give an EnergyNetwork"):
        translate(nn.Flatten(), images(1), ShortRun(1))


def test_domains_that_cannot_be_trained_on() -> None:
    good = images(4, size=16)
    with pytest.raises(ValueError, match="source images have 3 channels and target images 1"):
        train_translator(images(4, 3, 16), good, TINY)
    with pytest.raises(ValueError, match="the last stage takes images"):
        train_translator(images(4), good, TINY)
    with pytest.raises(ValueError, match="pixels lie in"):
        train_translator(good, 2 * good, TINY)


def test_truth_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="give one bool per pixel"):
        finds_change(torch.rand(2, 3, 3), torch.ones(2, 3, 4).bool())
    with pytest.raises(ValueError, match=r"changed is torch\.float32"):
        finds_change(torch.rand(2, 3, 3), torch.ones(2, 3, 3))


def test_a_chain_that_diverges_says_where() -> None:
    with pytest.raises(DivergenceError, match="step "):
        translate(network(), images(1), ShortRun(20, step_size=1e38))
