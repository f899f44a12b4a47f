"""Recipes of the image chapters: translators, denoisers and judges of the procedural domains."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Generator, nn
from torch.nn.functional import cross_entropy

from domain_translation import denoising, synthetic
from domain_translation.denoising.antialiased import LONGER
from domain_translation.denoising.training import denoising_loss
from domain_translation.evaluation.judges import image_judges
from domain_translation.evaluation.judges.image_judges import JudgeConfig, train_image_judges
from domain_translation.pretrained import directions
from domain_translation.pretrained.recipes.parts import (
    CHECK,
    CHECKED,
    SEED,
    Made,
    Recipe,
    fewer_steps,
)
from domain_translation.synthetic import Scenes
from domain_translation.translators import cyclegan, pix2pix

JUDGED = ("animals", "fruit", "seasons")  # the city has a truth to compare with, pixel by pixel

_task = functools.cache(synthetic.load_task)


def translators(
    task: str, config: cyclegan.CycleGANConfig, checkpoint: Path, seed: int
) -> dict[str, Made]:
    """Both translators of a procedural task."""
    data = _task(task, size=config.size)
    trained = cyclegan.train_cyclegan(data.source, data.target, config, seed, checkpoint).networks
    return {
        f"{task}/forward": Made(trained.forward),
        f"{task}/backward": Made(trained.backward),
    }


def denoiser(
    task: str,
    domain: str,
    sigma: float,
    config: denoising.DenoiserConfig,
    checkpoint: Path,
    seed: int,
) -> dict[str, Made]:
    """A denoiser of one domain that begins as the best linear filter against noise `sigma`."""
    images = getattr(_task(task), domain)
    make = functools.partial(denoising.AntialiasedDenoiser.fitted, images, sigma)
    trained = denoising.train_denoiser(make, images, sigma, config, seed, checkpoint)
    card = {"sigma": sigma, "size": images.shape[-1], "channels": 3, "range": "[-1, 1]"}
    return {directions.denoiser_of(task, domain, sigma): Made(trained, card)}


def maps_from_pairs(config: pix2pix.Pix2PixConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """pix2pix on aligned pairs of the city: as many scenes as the CycleGAN sees photos."""
    scenes = synthetic.TASKS["city"](1000, SEED, size=config.size)
    trained = pix2pix.train_pix2pix(scenes.source, scenes.target, config, seed, checkpoint)
    return {"city/pix2pix": Made(trained)}


def judges(task: str, config: JudgeConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """The five judges of a task, from its real images only."""
    data = _task(task)
    trained = train_image_judges(data.source, data.target, config, seed, checkpoint)
    return {f"{task}/judges": Made(trained)}


@functools.cache
def checked(task: str) -> Scenes:
    """The scenes on which the networks of a task are checked."""
    return synthetic.TASKS[task](CHECKED, CHECK)


def distance_from_truth(task: str, file: str, network: nn.Module) -> float:
    """Mean distance of a translator's pictures from the true ones."""
    source, target, _ = checked(task)
    x, y = (target, source) if file.endswith("backward") else (source, target)
    return float((network(x) - y).abs().mean())


def reconstruction(task: str, domain: str, sigma: float, _: str, network: nn.Module) -> float:
    """The loss of a denoiser of noise `sigma`."""
    x = getattr(checked(task), domain)
    noise = torch.randn(x.shape, generator=Generator().manual_seed(CHECK))
    return float(denoising_loss(network, x, sigma * noise))


def classification(task: str, _: str, network: nn.Module) -> float:
    """Cross-entropy of the five judges, mean over them."""
    scenes = checked(task)
    x, y = torch.cat(scenes[:2]), torch.tensor([0, 1]).repeat_interleave(CHECKED)
    losses = [cross_entropy(judge(x), y) for judge in network.children()]
    return float(torch.stack(losses).mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    missed = functools.partial(distance_from_truth, "city")
    recipes = {"city/pix2pix": Recipe(pix2pix.QUICK, maps_from_pairs, fewer_steps, missed)}
    for task in synthetic.TASKS:
        recipes[f"{task}/cyclegan"] = Recipe(
            cyclegan.QUICK,
            functools.partial(translators, task),
            fewer_steps,
            functools.partial(distance_from_truth, task),
        )
        # Nobody cools a street map: it has no fringe to speak of.
        for domain in ("source", "target") if task in JUDGED else ("source",):
            for sigma in directions.SIGMAS:
                recipes[directions.denoiser_of(task, domain, sigma)] = Recipe(
                    LONGER if task == "city" else denoising.ANTIALIASED,
                    functools.partial(denoiser, task, domain, sigma),
                    fewer_steps,
                    functools.partial(reconstruction, task, domain, sigma),
                )
    for task in JUDGED:
        recipes[f"{task}/judges"] = Recipe(
            image_judges.QUICK,
            functools.partial(judges, task),
            fewer_steps,
            functools.partial(classification, task),
        )
    return recipes
