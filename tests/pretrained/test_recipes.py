"""Shipped weights: small, with a card that tells how, and made by the recipe that it names."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator

from domain_translation import pretrained
from domain_translation.cli import main
from domain_translation.data.fetch import MissingData
from domain_translation.pretrained import recipes
from domain_translation.pretrained.recipes import read
from domain_translation.training.model_files import Model

FOLDER = Path(__file__).resolve().parents[2] / "data" / "pretrained"
OUT = "data/pretrained"
FILES = sorted(str(p.relative_to(FOLDER).with_suffix("")) for p in FOLDER.rglob("*.safetensors"))
NUMBERS = json.loads((FOLDER / recipes.CHECKS).read_text())

# One recipe of each kind, that is of each module; the weekly job trains by all of them.
KINDS = {
    "images": "animals/source_denoiser",
    "energies": "energies/digits",
    "energy_translators": "energies/oranges",
    "sample_judges": "energies/judge_digits",
    "shift": "shift/digits",
    "scenes": "scenes/plates",
    "language": "language/supervised",
    "sentences": "language/english_denoiser",
}
# Settings that came after the shipped runs, which were as these say.
YOUNGER = {"mirrored": True, "decay": True}
SWAPPED = [
    ("animals/forward", "fruit/forward"),
    ("animals/source_denoiser", "animals/target_denoiser"),
    ("animals/judges", "fruit/judges"),
    ("energies/mnist", "energies/fashion"),
    ("energies/oranges", "energies/winter"),
    ("energies/judge_glyphs", "shift/judge_plain"),
    ("shift/forward", "shift/backward"),
    ("shift/weight_x", "shift/weight_y"),
    ("scenes/plates_forward", "scenes/wares_forward"),
    ("scenes/judge_paintings", "scenes/judge_photographs"),
    ("language/grammar", "language/supervised"),
    ("language/english_denoiser", "language/french_denoiser"),
]


def test_every_recipe_is_in_the_repository() -> None:
    made = {pretrained.card(name)["recipe"] for name in FILES}
    assert made == set(recipes.RECIPES)


@pytest.mark.parametrize("name", FILES)
def test_files_are_small_and_tell_how_they_were_made(name: str) -> None:
    most = 2_200_000 if name.startswith("language/") else 2_000_000
    assert (FOLDER / f"{name}.safetensors").stat().st_size < most
    card = pretrained.card(name)
    again = f" --seed {card['seed']}" if card["seed"] else ""
    assert card["command"] == f"domain-translation recipe {card['recipe']}{again} --out {OUT}"
    assert name.endswith(f"-{card['seed']}") == bool(card["seed"])
    config = json.loads(json.dumps(vars(recipes.RECIPES[card["recipe"]].config)))
    younger = {key: value for key, value in YOUNGER.items() if key in config}
    assert {**younger, **card["config"]} == config
    assert len(card["first_losses"]) == recipes.FIRST
    assert card["seconds"] > 0


# What a shipped network does


def test_every_file_has_its_number() -> None:
    assert sorted(NUMBERS) == FILES


def as_stored(file: str, model: Model) -> bool:
    """Is the network's number the stored one? Processors differ by 1e-6, measured on two."""
    return recipes.check(file, model) == pytest.approx(NUMBERS[file], rel=1e-4, abs=0)


@pytest.mark.parametrize("file", FILES)
def test_a_shipped_network_does_what_it_did(file: str) -> None:
    model = read(FOLDER / f"{file}.safetensors")
    try:
        assert as_stored(file, model)
    except MissingData as missing:
        pytest.skip(f"real data are not at hand: {missing}")


@pytest.mark.parametrize(("file", "other"), SWAPPED)
def test_the_tensors_of_another_training_are_noticed(file: str, other: str) -> None:
    """The card of `file` over the weights of `other`."""
    card = read(FOLDER / f"{file}.safetensors").card
    network = read(FOLDER / f"{other}.safetensors").network
    try:
        assert not as_stored(file, Model(network, card))
    except MissingData as missing:
        pytest.skip(f"real data are not at hand: {missing}")


@pytest.mark.parametrize("file", [file for file, _ in SWAPPED])
def test_weights_that_are_a_little_off_are_noticed(file: str) -> None:
    """Each by five per cent: a loss is flat at its minimum."""
    model = read(FOLDER / f"{file}.safetensors")
    generator = Generator().manual_seed(0)
    for weight in model.network.parameters():
        weight.mul_(1 + 0.05 * torch.randn(weight.shape, generator=generator))
    try:
        assert not as_stored(file, model)
    except MissingData as missing:
        pytest.skip(f"real data are not at hand: {missing}")


def test_the_numbers_are_written_and_survive_missing_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = "energies/judge_digits"
    (tmp_path / "energies").mkdir()
    shutil.copy(FOLDER / f"{file}.safetensors", tmp_path / "energies")
    assert main(["recipe", "--checks", "--out", str(tmp_path)]) == 0
    written = (tmp_path / recipes.CHECKS).read_text()
    assert json.loads(written) == {file: pytest.approx(NUMBERS[file], rel=1e-4)}

    def missing(*_: object) -> float:
        raise MissingData("no such set")

    monkeypatch.setattr(recipes, "check", missing)
    assert main(["recipe", "--checks", "--out", str(tmp_path)]) == 0
    assert (tmp_path / recipes.CHECKS).read_text() == written
    assert capsys.readouterr().err == f"{file} was not checked: its data set is not at hand\n"


# What a recipe does


def needs_bfloat16(name: str) -> None:
    """Skip a recipe in bfloat16 where the processor, or what it may use of itself, lacks it."""
    if getattr(recipes.RECIPES[name].config, "precision", "float32") == "float32":
        return
    # Releases of torch before 2.6 do not tell; then nothing is known.
    can: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    limited = {"ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA"} & os.environ.keys()
    if limited or not (can.get("avx512_bf16") or can.get("amx_bf16")):
        pytest.skip(f"{name} was trained in bfloat16, which this processor does not multiply")


def assert_begins_alike(again: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    """The first losses are those of the shipped run, on any processor.

    Compared are three steps, as far as arithmetic decides them. Adam's first step moves every
    weight by the learning rate in the direction of its gradient, be that 1 or rounding noise
    around 0: where a game or a deep judge has such gradients, two processors part after it. So
    of a CycleGAN and of the image judges the first step counts (by the second, 3e-4 apart), of
    JD-BW the first three losses, before the discriminator's first step (after it, 1e-4; a step
    later, a tenth). In bfloat16 a number has 8 bits, and a sum in another order rounds to another.
    """
    recipe = recipes.RECIPES[shipped["recipe"]]
    a, b = (torch.tensor(card["first_losses"], dtype=torch.float64) for card in (again, shipped))
    if shipped["recipe"] in ("shift/digits", "scenes/plates", "scenes/wares", "scenes/heads"):
        a, b = a.flatten()[:3], b.flatten()[:3]
    elif shipped["recipe"].endswith(("/cyclegan", "/judges")):
        a, b = a[0], b[0]
    in_bfloat16 = getattr(recipe.config, "precision", "float32") == "bfloat16"
    # JD-BW's losses are differences of sums around 1, whose rounding the absolute term allows.
    torch.testing.assert_close(a, b, rtol=2**-8 if in_bfloat16 else 1e-5, atol=1e-7)


def card_of_trial(name: str, out: Path) -> dict[str, Any]:
    """The learning rate falls in the second half only: first losses do not see the length."""
    paths = recipes.run(name, out, steps=2 * (recipes.FIRST - 1))
    return read(paths[0]).card


def card_of_shipped(name: str) -> dict[str, Any]:
    cards = map(pretrained.card, FILES)
    return next(c for c in cards if (c["recipe"], c["seed"]) == (name, recipes.SEED))


def test_every_kind_of_recipe_has_its_example() -> None:
    for module, name in KINDS.items():
        assert name in getattr(recipes, module).recipes()
    made = [set(getattr(recipes, module).recipes()) for module in KINDS]
    assert set().union(*made) == set(recipes.RECIPES)


@pytest.mark.parametrize("name", KINDS.values())
def test_the_recipe_begins_as_the_shipped_run_did(name: str, tmp_path: Path) -> None:
    needs_bfloat16(name)
    assert_begins_alike(card_of_trial(name, tmp_path), card_of_shipped(name))


@pytest.mark.parametrize("name", [KINDS["images"], KINDS["sample_judges"]])
def test_a_recipe_with_another_seed_begins_otherwise(name: str, tmp_path: Path) -> None:
    """Its files end in the seed, and are put to the test of the first one's."""
    command = ["recipe", name, "--seed", "1", "--steps", "4", "--out", str(tmp_path)]
    assert main(command) == 0
    (path,) = tmp_path.rglob("*.safetensors")
    file = path.relative_to(tmp_path).with_suffix("").as_posix()
    assert file == f"{name}-1"
    model = read(path)
    with pytest.raises(AssertionError, match="not close"):
        assert_begins_alike(model.card, card_of_shipped(name))
    assert model.card["command"] == f"domain-translation recipe {name} --seed 1 --out {OUT}"
    assert recipes.check(file, model) > NUMBERS[name]  # after four steps


@pytest.mark.weekly
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_whole_recipe_makes_a_network_as_good(name: str, tmp_path: Path) -> None:
    """Another processor takes a training elsewhere, as another seed would.

    What its networks do on their batch may be half or twice as much. The discriminator's number
    is left out: it says where a game stands, not how well it went.
    """
    needs_bfloat16(name)
    try:
        paths = recipes.run(name, tmp_path)
    except MissingData as missing:
        pytest.skip(f"real data are not at hand: {missing}")
    assert_begins_alike(read(paths[0]).card, card_of_shipped(name))
    for path in paths:
        file = path.relative_to(tmp_path).with_suffix("").as_posix()
        if not file.endswith("/discriminator"):
            ratio = recipes.check(file, read(path)) / NUMBERS[file]
            assert 0.5 < ratio < 2, file


def test_unknown_recipes_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "horses"]) == 2
    assert "there is no recipe 'horses'" in capsys.readouterr().err
    assert main(["recipe"]) == 0
    assert "animals/cyclegan" in capsys.readouterr().out


@pytest.mark.parametrize("given", [("--seed", "-1"), ("--steps", "0"), ("--steps", "-3")])
def test_a_recipe_takes_no_negative_seed_and_no_zero_steps(
    given: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe", "shift/digits", "--out", str(tmp_path), *given]) == 2
    assert f"{given[0]} is {given[1]}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
