"""Model files: weights and card come back; anything else is one clear sentence."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from domain_translation import pretrained
from domain_translation.denoising import MLPDenoiser, UNetDenoiser
from domain_translation.energies.network import EnergyNetwork
from domain_translation.evaluation.judges.judge_networks import ImageJudges
from domain_translation.training import checkpoints, model_files
from domain_translation.training.checkpoints import CheckpointError


def denoiser(width: int = 4) -> UNetDenoiser:
    torch.manual_seed(0)
    return UNetDenoiser(width=width)


def test_a_model_comes_back_with_its_card(tmp_path: Path) -> None:
    model, path = denoiser(), tmp_path / "a.safetensors"
    model_files.save_model(path, model, {"sigma": 0.3})
    network, card = model_files.load_model(path)
    x = torch.rand(1, 3, 17, 23)
    with torch.no_grad():
        assert torch.equal(network(x), model(x))
    assert card["sigma"] == 0.3
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_half_precision_halves_the_file_and_loads_as_float32(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    model = denoiser(16)
    model_files.save_model(whole, model)
    model_files.save_model(half, model, dtype=torch.float16)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    read = model_files.load_model(half).network
    for p, q in zip(model.parameters(), read.parameters(), strict=True):
        assert q.dtype == torch.float32
        assert torch.equal(p.half().float(), q)


@pytest.mark.parametrize("name", model_files.NETWORKS)
def test_every_name_builds(name: str) -> None:
    needed: dict[str, dict[str, Any]] = {
        "MLPDenoiser": {"dim": 2},
        "SampleJudge": {"size": 8},
        "SequenceDenoiser": {"dim": 8, "sigma": 1.0},
    }
    arguments = needed.get(name, {})
    assert sum(p.numel() for p in model_files.build(name, arguments).parameters()) > 0


def test_networks_remember_what_they_were_built_with() -> None:
    assert UNetDenoiser(width=4).arguments() == {"channels": 3, "width": 4}
    assert MLPDenoiser(2, 8).arguments() == {"dim": 2, "width": 8}  # not those of its base
    assert copy.deepcopy(MLPDenoiser(2)).arguments() == {"dim": 2, "width": 64}
    energy = EnergyNetwork(8, 2, channels=1)
    energy.expand()
    energy.settle()
    assert energy.arguments()["size"] == 16


def test_networks_that_cannot_be_built_again_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match="a Linear cannot be stored; model files hold Antialiased"):
        model_files.save_model(path, torch.nn.Linear(2, 2))
    other = type("UNetDenoiser", (UNetDenoiser,), {})()  # of the same name only
    with pytest.raises(ValueError, match="a UNetDenoiser cannot be stored"):
        model_files.save_model(path, other)
    changed = denoiser()
    changed.fine.append(torch.nn.Conv2d(4, 4, 1))
    with pytest.raises(ValueError, match="does not build the model"):
        model_files.save_model(path, changed)
    assert not path.exists()


def test_cards_may_use_an_older_name() -> None:
    assert type(model_files.build("make_judges", {"size": 8})) is ImageJudges


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({}, "without the card entry 'network'"),
        ({"network": "os.system", "arguments": {}}, "unknown network 'os.system'"),
        ({"network": "UNetDenoiser", "arguments": {"depth": 3}}, "cannot be built"),
        ({"network": "UNetDenoiser", "arguments": {"width": 8}}, "cannot be built"),
    ],
)
def test_a_file_with_another_card_is_refused(
    tmp_path: Path, card: dict[str, object], message: str
) -> None:
    path = tmp_path / "a.safetensors"
    checkpoints.save(path, denoiser().state_dict(), card)
    with pytest.raises(CheckpointError, match=message):
        model_files.load_model(path)


def test_weights_that_do_not_come_with_the_package_are_named() -> None:
    with pytest.raises(FileNotFoundError, match="no weights named 'horses/forward'"):
        pretrained.load("horses/forward")
