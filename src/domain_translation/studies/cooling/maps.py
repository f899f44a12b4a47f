"""Cooling real aerial photographs: L-Cool's Table 3 in the full profile (lcool.tab3).

A CycleGAN and a denoiser are trained on pix2pix's maps at 128x128, the settings of cooling are
chosen on validation pairs, and everything is measured on test pairs. Hours on two cores; a stopped
run goes on. The data are the registry's set `maps256`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation import cooling, denoising
from domain_translation.cooling import PAPER, Cooling
from domain_translation.cooling import Study as Cooled
from domain_translation.data import folders
from domain_translation.denoising.training import DenoiserConfig
from domain_translation.evaluation import pixel_accuracy
from domain_translation.evaluation.pictures.map_classes import GOOGLE
from domain_translation.sampling import scores
from domain_translation.studies.cooling.map_measures import (
    accuracies,
    described,
    in_batches,
    measured,
    yardsticks,
)
from domain_translation.studies.study import Measure, Study, measures, scalars, tensors
from domain_translation.training.cached import cached
from domain_translation.training.checkpoints import digest
from domain_translation.translators import cyclegan
from domain_translation.translators.cyclegan import CycleGANConfig, ResnetGenerator

DATA = "maps256"
SETTINGS = ("chosen", "published")
_QUANTILES = (0.95, 0.65, 0.35, 0.05)  # of the gain: the pictures to show are not picked
_SIDE = 96  # of these pictures, pixels


@dataclass(frozen=True)
class Plan:
    """Settings of the run. Sides are in pixels."""

    cyclegan: CycleGANConfig = cyclegan.FULL
    load_size: int = 143  # of the CycleGAN's training pictures, cropped at random to its size
    denoiser: DenoiserConfig = DenoiserConfig(steps=2500, batch=4, learning_rate=1e-3)  # noqa: RUF009
    sigma: float = 0.3  # std of the denoiser's noise, pixels in [-1, 1] (lcool.train.dae_image)
    step_sizes: tuple[float, ...] = (0.001, 0.005, 0.02)  # two of L-Cool's grid, one beyond
    temperatures: tuple[float, ...] = (0.001,)  # the best of the source's; it hardly matters
    steps: tuple[int, ...] = (5, 10, 20, 40)


class Pairs(NamedTuple):
    """Photographs and maps, (n, 3, S, S) in [-1, 1]."""

    train: folders.Domains  # at the plan's load_size
    photos: Tensor  # the training photographs at the CycleGAN's size, for the denoiser
    validation: folders.Domains
    test: folders.Domains


class Networks(NamedTuple):
    """What the run trains; the evaluation uses the stored weights, rounded to 16 bits."""

    forward: nn.Module
    backward: nn.Module
    denoiser: nn.Module


def read(plan: Plan) -> Pairs:
    """The pictures of the set `maps256`; errors as in `folders.paired`."""
    size = plan.cyclegan.size
    return Pairs(
        folders.paired(DATA, plan.load_size, "train"),
        folders.paired(DATA, size, "train").source,
        folders.paired(DATA, size, "validation"),
        folders.paired(DATA, size, "test"),
    )


def train(pairs: Pairs, plan: Plan, seed: int, folder: Path) -> Networks:
    """Train, or take up again, both parts; rounded to 16 bits, as they would be shipped."""
    gan = cyclegan.train_cyclegan(
        pairs.train.source, pairs.train.target, plan.cyclegan, seed, folder / "cyclegan.ckpt"
    ).networks
    make, place = denoising.UNetDenoiser, folder / "denoiser.ckpt"
    denoiser = denoising.train_denoiser(make, pairs.photos, plan.sigma, plan.denoiser, seed, place)
    parts = (gan.forward, gan.backward, denoiser)
    return Networks(*(part.half().float().requires_grad_(False).eval() for part in parts))


def score_of(networks: Networks, sigma: float) -> scores.Score:
    """The photographs' score."""
    return scores.dae_score(in_batches(networks.denoiser), sigma)


def choose(
    networks: Networks, validation: folders.Domains, plan: Plan, seed: int
) -> dict[str, Tensor]:
    """Mean pixel accuracy of the validation maps: plain, and of every setting, best first.

    Returns:
        "plain" (), and "trials" (settings, 4): step size, temperature, steps, accuracy in [0, 1].
    """
    translator = in_batches(networks.forward)
    score = score_of(networks, plan.sigma)
    x, truth = validation

    @torch.no_grad()
    def accuracy(z: Tensor) -> float:
        return float(pixel_accuracy(translator(z), truth).mean())

    trials = cooling.search(
        score,
        x,
        accuracy,
        step_sizes=plan.step_sizes,
        temperatures=plan.temperatures,
        steps=plan.steps,
        seed=seed,
    )
    exact = torch.float64
    return {
        "plain": torch.tensor(accuracy(x), dtype=exact),
        "trials": torch.tensor(trials, dtype=exact),
    }


def baselines(truth: Tensor) -> dict[str, float]:
    """Accuracies in points that need no translator, a floor and two ceilings: see `yardsticks`."""
    known = yardsticks(truth, GOOGLE).items()
    return {name: 100 * float(pixel_accuracy(image, truth).mean()) for name, image in known}


def pictures(found: Cooled, test: folders.Domains) -> Tensor:
    """A few photographs, their truth and both translations, (4, n, 3, S, S)."""
    at = accuracies(found, test.target)
    order = (at.arm("cooled") - at.arm("plain")).argsort()
    shown = order[[round(q * (len(order) - 1)) for q in _QUANTILES]]
    rows = (found.inputs, test.target, found.plain, found.after_cooling)
    return torch.stack([row[shown] for row in rows])


def fraction(config: CycleGANConfig, pairs: int) -> dict[str, Any]:
    """What part of the papers' training this is: steps, pixels seen, parameters of a generator."""
    steps = 200 * pairs  # lcool.arch.cyclegan: 200 epochs, one image of each domain a step
    ours, theirs = (
        sum(p.numel() for p in ResnetGenerator(width=c.width, blocks=c.blocks).parameters())
        for c in (config, cyclegan.PAPER)
    )
    seen = config.steps * config.batch
    return {
        "images seen": seen / steps,
        "pixels seen": seen / steps * (config.size / cyclegan.PAPER.size) ** 2,
        "parameters": ours / theirs,
        "epochs": seen / pairs,
    }


def run(plan: Plan, seed: int, folder: Path) -> dict[str, Tensor]:
    """All stages: networks, validation, and both settings on the test photographs.

    Raises:
        CheckpointError, TrainingError: see `training.fit`.
        MissingData, DamagedData: see `folders.paired`.
    """
    pairs = read(plan)
    networks = train(pairs, plan, seed, folder)
    made = {n: digest(net.state_dict()) for n, net in networks._asdict().items()}
    grid = [plan.sigma, plan.step_sizes, plan.temperatures, plan.steps, seed]
    trials = cached(
        folder / "search.ckpt",
        {"networks": made, "grid": grid},
        lambda: choose(networks, pairs.validation, plan, seed),
    )
    step_size, temperature, steps, _ = trials["trials"][0].tolist()
    chosen = Cooling(plan.sigma, step_size, temperature, int(steps))
    found = {f"validation, {name}": value for name, value in trials.items()}
    found["pairs"] = torch.tensor(len(pairs.train.source))
    found |= tensors(baselines(pairs.test.target), "baselines")
    translator, test = in_batches(networks.forward), pairs.test
    for name, setting in zip(SETTINGS, (chosen, PAPER), strict=True):
        score = score_of(networks, setting.sigma)
        cooled = cooling.study(translator, score, test.source, setting, seed=seed)
        arm = measured(cooled, test.target, GOOGLE) | {"pictures": pictures(cooled, test)}
        found |= {f"{name}, {key}": value for key, value in arm.items()}
    for name, network in networks._asdict().items():
        found |= {f"{name}/{k}": v.half() for k, v in network.state_dict().items()}
    return found


def measure(plan: Plan, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """All numbers of both settings, in points where they are accuracies."""
    numbers = scalars(tensors(fraction(plan.cyclegan, int(found["pairs"])), "training"))
    fields = ("step size", "temperature", "steps", "accuracy")
    numbers |= {
        f"validation, best {field}": float(value)
        for field, value in zip(fields, found["validation, trials"][0], strict=True)
    }
    numbers |= {k: float(v) for k, v in found.items() if k.startswith("baselines")}
    for name in SETTINGS:
        arm = {k.removeprefix(f"{name}, "): v for k, v in found.items() if k.startswith(name)}
        said = described(arm, GOOGLE)
        said["by share"] = {f"{row['share']:g}": row for row in said["by share"]}
        numbers |= scalars(tensors(said, name))
    return measures(numbers)


def excerpt(plan: Plan, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pictures (4, n, 3, 96, 96) of 256 levels: photographs, truth, plain, cooled."""
    return {name: _small(found[f"{name}, pictures"]) for name in SETTINGS}


def _small(pictures: Tensor) -> Tensor:
    mode = "area" if pictures.shape[-1] >= _SIDE else "nearest"
    small = torch.nn.functional.interpolate(pictures.flatten(0, 1), size=(_SIDE, _SIDE), mode=mode)
    levels = ((small.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return levels.reshape(*pictures.shape[:3], _SIDE, _SIDE)


STUDY = Study(
    "cooling/maps",
    {"128 pixels": Plan()},
    range(5),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
    data=(DATA,),
    earlier="results/full/maps/card.json",
)
