"""Cooling beside its controls: both readings of the step, what moves as far, what is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation.denoising import AntialiasedDenoiser
from domain_translation.pretrained import directions
from domain_translation.pretrained.directions import DIRECTIONS, Direction
from domain_translation.studies.cooling import controls
from domain_translation.studies.cooling.controls import READINGS, STUDY, WAYS, Case, chain, chains
from domain_translation.synthetic import Scenes

CASE = Case("horse2zebra", 0.3, "score", 0.001, step_size=0.018, moments=(2, 4), scenes=5)


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 16, 16, generator=Generator().manual_seed(seed)) * 2 - 1


def halve(x: Tensor) -> Tensor:
    return x / 2


def test_the_arms_are_all_combinations() -> None:
    cases = STUDY.arms.values()
    assert len(cases) == len(DIRECTIONS) * 2 * 2 * 3
    assert {case.reading for case in cases} == set(READINGS)
    assert any(case.temperature == 0 for case in cases)


def test_one_reading_goes_alpha_of_the_way_and_the_other_divides_it_by_sigma_squared() -> None:
    x, still = pictures(2), replace(CASE, temperature=0.0)
    way = chain(replace(still, reading="way"), halve, x, 0)
    torch.testing.assert_close(way[0], x * (1 - 0.018 / 2) ** 2)
    score = chain(still, halve, x, 0)
    torch.testing.assert_close(score[1], x * (1 - 0.018 / 0.09 / 2) ** 4)


@pytest.mark.parametrize("reading", READINGS)
def test_both_readings_have_the_same_noise(reading: str) -> None:
    x = torch.zeros(20, 3, 16, 16)
    noise = chain(replace(CASE, reading=reading), lambda z: z, x, 0)
    expected = (2 * 0.018 * 0.001 * torch.tensor([2.0, 4.0])).sqrt()
    torch.testing.assert_close(noise.flatten(1).std(1), expected, rtol=0.02, atol=0)


def test_controls_move_each_picture_as_far_as_the_denoiser() -> None:
    x, network = pictures(4), AntialiasedDenoiser.fitted(pictures(20, 1), 0.3, width=8)
    found = chains(CASE, network, x, 0)
    assert set(found) == set(WAYS)
    assert set(chains(replace(CASE, temperature=0.0), network, x, 0)) == set(WAYS) - {"noise only"}
    far = {way: (z - x).flatten(2).norm(dim=2) for way, z in found.items()}
    for way in ("blur", "random direction"):
        torch.testing.assert_close(far[way], far["denoiser"])
    # An untrained network is its own filter, with the same noise.
    torch.testing.assert_close(found["linear filter"], found["denoiser"])
    assert (found["noise only"] - found["denoiser"]).abs().max() > 0.01


def darkness(x: Tensor) -> Tensor:
    return (1 - x.flatten(1).mean(1)) / 2


def test_a_run_at_toy_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = Scenes(pictures(5), pictures(5) / 2, torch.zeros(5, dtype=torch.float64))
    network = AntialiasedDenoiser.fitted(pictures(20, 1), 0.3, width=8)

    class Toy(Direction):
        def likeness(self, x: Tensor) -> Tensor:
            return darkness(x)

        def margin(self, x: Tensor) -> Tensor:
            return darkness(x).logit(1e-6)

    def load(name: str, *, seed: int = 0, **told: object) -> Direction:
        assert (name, told["sigma"]) == ("horse2zebra", 0.3)
        half = nn.AvgPool2d(1)  # translates nothing
        return Toy(name, half, half, network, 0.3, scenes, scenes, nn.ModuleDict())

    monkeypatch.setattr(directions, "load", load)
    monkeypatch.setattr(controls, "_networks", lambda *_: ("a", "b"))
    found = controls.run(CASE, 0, tmp_path)
    numbers = {m.name: m for m in controls.measure(CASE, 0, found)}
    nothing = (pictures(5) / 2).square().flatten(1).mean(1).sqrt().mean().item()
    assert numbers["error, nothing"].value == pytest.approx(nothing, abs=1e-5)
    after = found["denoiser, 4 steps"][0] - found["nothing"][0]
    named = numbers["change of error, denoiser, 4 steps"]
    assert named.value == pytest.approx(after.mean().item())
    assert named.error == 0  # every seed has scenes of its own
    assert named.networks == ("a", "b")
    assert {f"change of error, {way}, 2 steps" for way in WAYS} <= set(numbers)
    liked = found["denoiser, 2 steps"][2] - found["nothing"][2]
    made = numbers["change of margin, 2 steps"].value
    assert made == pytest.approx(liked.mean().item())
    assert numbers["moved, 2 steps"].value > 0
