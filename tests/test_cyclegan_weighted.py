"""CycleGAN with batch weights: its losses against hand sums, its bookkeeping, resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation.batch_weight.record import Record
from domain_translation.batch_weight.weighting import BatchWeights, Equal, halfway
from domain_translation.cyclegan import weighted
from domain_translation.cyclegan.images import build, least_squares
from domain_translation.training import fit

TINY = replace(weighted.QUICK, width=2, blocks=1, batch=4, steps=3, weight_width=2)


def pictures(n: int, seed: int) -> Tensor:
    return torch.rand(n, 1, 16, 16, generator=Generator().manual_seed(seed)) * 2 - 1


X, Y = pictures(12, 0), pictures(10, 1)
CLASSES = torch.arange(12) % 3, torch.arange(10) % 3


def test_equal_weights_give_cyclegans_losses() -> None:
    networks = build(TINY, 0, (1, 1))
    record = Record(TINY.steps, TINY.clip_first, TINY.clip_last)
    generators, critics = weighted.players(X, Y, networks, Equal(), record, TINY)
    rows = torch.arange(4), torch.arange(4)
    found_g = generators.loss(rows, Generator())
    found_d = critics.loss(rows, Generator())
    forward, backward, critic_x, critic_y = networks
    gx, fy = forward(X[:4]), backward(Y[:4])
    fool = least_squares(critic_y(gx), 1) + least_squares(critic_x(fy), 1)
    cycle = (backward(gx) - X[:4]).abs().mean() + (forward(fy) - Y[:4]).abs().mean()
    same = (backward(X[:4]) - X[:4]).abs().mean() + (forward(Y[:4]) - Y[:4]).abs().mean()
    torch.testing.assert_close(found_g, fool + 10 * (cycle + 0.5 * same))
    real = least_squares(critic_x(X[:4]), 1) + least_squares(critic_y(Y[:4]), 1)
    fake = least_squares(critic_x(fy), 0) + least_squares(critic_y(gx), 0)
    torch.testing.assert_close(found_d, (real + fake) / 2)


class Fixed(nn.Module):
    """A weighting that says the same of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor([0.1, 0.2, 0.3, 0.4]))
        self.y = nn.Parameter(torch.tensor([0.7, 0.1, 0.1, 0.1]))

    def forward(self, pairs: object, bound: float) -> BatchWeights:
        return BatchWeights(self.x, self.y)


def test_weights_multiply_the_game_of_their_images() -> None:
    """In the game x -> y, translated x count with the weights of x and real y with those of y."""
    networks = build(TINY, 0, (1, 1))
    record = Record(TINY.steps, TINY.clip_first, TINY.clip_last)
    weighting = Fixed()
    generators, critics, nets = weighted.players(X, Y, networks, weighting, record, TINY)
    rows = torch.arange(4), torch.arange(4)
    found_g = generators.loss(rows, Generator())
    found = critics.loss(rows, Generator())
    forward, backward, critic_x, critic_y = networks
    with torch.no_grad():
        gx, fy = forward(X[:4]), backward(Y[:4])
        a, b = halfway(weighting.x), halfway(weighting.y)
        s = weighted.squares
        by_hand = (s(critic_y(gx), 0) * a).sum() + (s(critic_y(Y[:4]), 1) * b).sum()
        by_hand += (s(critic_x(fy), 0) * b).sum() + (s(critic_x(X[:4]), 1) * a).sum()
        fool = (s(critic_y(gx), 1) * a).sum() + (s(critic_x(fy), 1) * b).sum()
        cycle = (backward(gx) - X[:4]).abs().mean() + (forward(fy) - Y[:4]).abs().mean()
        same = (backward(X[:4]) - X[:4]).abs().mean() + (forward(Y[:4]) - Y[:4]).abs().mean()
        mean = [critic_y(gx), critic_y(Y[:4]), critic_x(fy), critic_x(X[:4])]
        v = [m.flatten(1).mean(1) for m in mean]
        gaps = ((v[0] * a).sum() - (v[1] * b).sum(), (v[2] * b).sum() - (v[3] * a).sum())
    torch.testing.assert_close(found_g, fool + 10 * (cycle + 0.5 * same))
    torch.testing.assert_close(found, by_hand / 2)
    torch.testing.assert_close(nets.loss(rows, Generator()), gaps[0].square() + gaps[1].square())


def test_everything_moves_and_is_recorded() -> None:
    weighting = weighted.composite(TINY, 0)
    before = {k: v.clone() for k, v in weighting.state_dict().items()}
    found = weighted.train_weighted(X, Y, weighting, TINY, classes=CLASSES)
    assert any(not torch.equal(before[k], v) for k, v in weighting.state_dict().items())
    assert found.totals.shape == (3, 2, 3)
    torch.testing.assert_close(found.totals.sum(-1), torch.ones(3, 2))
    assert found.losses.shape == (3, 3)
    assert not any(p.requires_grad for n in found.networks for p in n.parameters())


def test_a_stopped_run_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    whole = weighted.train_weighted(X, Y, weighted.composite(TINY, 0), TINY, classes=CLASSES)
    file = tmp_path / "run.safetensors"
    networks, weighting = build(TINY, 0, (1, 1)), weighted.composite(TINY, 0)
    record = Record(TINY.steps, TINY.clip_first, TINY.clip_last, CLASSES)
    team = weighted.players(X, Y, networks, weighting, record, TINY)
    card = {
        "config": weighted.asdict(TINY),
        "data_sha256": weighted.digest({"x": X, "y": Y}),
    }
    draw = weighted.unpaired(TINY.batch, torch.arange(12), torch.arange(10))
    fit(team, draw, 2, checkpoint=file, card=card)  # two of three steps
    again = weighted.train_weighted(
        X, Y, weighted.composite(TINY, 0), TINY, classes=CLASSES, checkpoint=file
    )
    for a, b in zip(whole.networks, again.networks, strict=True):
        for k, v in a.state_dict().items():
            assert torch.equal(v, b.state_dict()[k]), k
    assert torch.equal(whole.totals, again.totals)


def test_bad_settings_and_images_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        replace(TINY, batch=1)
    with pytest.raises(ValueError, match="first <= last"):
        replace(TINY, clip_first=9.0)
    with pytest.raises(ValueError, match=r"scale them to \[-1, 1\]"):
        weighted.train_weighted(X * 3, Y, Equal(), TINY)
