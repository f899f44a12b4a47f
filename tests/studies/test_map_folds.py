"""Settings by folds: no pair helps to choose its own, and every pair counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.data.folders import Domains
from domain_translation.studies.cooling import map_folds
from domain_translation.studies.cooling.map_folds import Plan, accuracies, chosen, measure

PLAN = Plan(size=16, chains=((0.03, 0.0), (0.02, 0.5)), steps=(1, 3), published=(0.03, 0.0, 3))


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 16, 16, generator=Generator().manual_seed(seed)) * 2 - 1


def test_a_setting_that_is_best_everywhere_is_always_chosen() -> None:
    values = torch.stack([torch.zeros(11), torch.ones(11), torch.zeros(11)])
    own, best = chosen(values, 0)
    assert own.tolist() == [1] * 11
    assert best.tolist() == [1] * 5


def test_no_pair_chooses_its_own_setting() -> None:
    """Each pair likes a setting of its own: what is best on the others never suits it."""
    own, _ = chosen(torch.eye(10), 3, folds=10)
    assert own.tolist() == [0] * 10


def test_another_partition_is_another_draw() -> None:
    values = torch.rand(4, 30, generator=Generator().manual_seed(0))
    assert not chosen(values, 0)[0].equal(chosen(values, 1)[0])
    assert chosen(values, 0)[0].equal(chosen(values, 0)[0])


def found(n: int = 6) -> dict[str, Tensor]:
    photos = pictures(n)
    by = {"denoiser": lambda z: z * 0.5, "linear filter": lambda z: z, "noise only": lambda z: z}
    return accuracies(PLAN, lambda z: z, by, Domains(photos, photos), range(n), 0)


def test_every_way_is_looked_at_with_every_setting() -> None:
    at = found()
    assert {way: tuple(rows.shape) for way, rows in at.items()} == {
        "plain": (6,),
        **dict.fromkeys(map_folds.WAYS, (4, 6)),
    }
    assert at["plain"].eq(1).all()
    assert at["linear filter"][:2].eq(1).all()  # at T = 0 it stays where it is
    assert at["linear filter"][3].lt(1).any()  # and at T > 0 it does not
    assert at["denoiser"][1].mean() < at["denoiser"][0].mean() < 1  # three steps, one step


def test_noise_depends_on_the_pair_and_not_on_its_part() -> None:
    photos = pictures(4)
    by = {"noise only": lambda z: z}
    noisy = replace(PLAN, chains=((0.05, 0.5),))

    def right(ids: range) -> Tensor:
        some = Domains(photos[ids.start : ids.stop], photos[ids.start : ids.stop])
        wanted = {"denoiser": by["noise only"], "linear filter": by["noise only"], **by}
        return accuracies(noisy, lambda z: z, wanted, some, ids, 0)["noise only"]

    apart = torch.cat([right(range(2)), right(range(2, 4))], 1)
    torch.testing.assert_close(apart, right(range(4)))


def test_gains_are_in_points_beside_their_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_folds, "stored", lambda name: name)
    monkeypatch.setattr(map_folds, "fingerprint", str)
    at = found()
    numbers = {m.name: m for m in measure(PLAN, 0, at)}
    assert numbers["plain accuracy"].value == 100
    lost = 100 * (at["denoiser"][1] - 1)
    named = numbers["gain, denoiser, L-Cool's setting"]
    assert named.value == pytest.approx(lost.mean().item())
    assert named.error == pytest.approx(lost.std().item() / 6**0.5)
    assert named.networks == ("forward", "denoiser")
    assert numbers["gain, linear filter, chosen by folds"].value == 0
    assert numbers["denoiser, mean N of the folds"].value == 1
    less = numbers["denoiser less linear filter, chosen by folds"].value
    assert less == pytest.approx(numbers["gain, denoiser, chosen by folds"].value)
