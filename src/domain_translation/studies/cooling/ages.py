"""What cooling gains against the age of the translator, on horses and zebras.

L-Cool's translator left a fifth of its judges' scale free; the results of the shipped ones are
taken for the target in nearly all scenes. Here the same CycleGAN is trained for a tenth, a third
and all of the shipped one's steps (the learning rate falls over the second half of each), and its
inputs are cooled by the shipped denoiser at L-Cool's setting, blurred as far, or given the chain's
noise alone.

Said beforehand: younger translators profit more if a tenth of the training gains more margin by
cooling than the whole, at 95 % over trainings; it is cooling that they profit by if the gain is
larger than the blur's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from domain_translation import cooling, pretrained
from domain_translation.evaluation.pictures.controls import blurred_as_far
from domain_translation.pretrained import directions
from domain_translation.pretrained.directions import Direction
from domain_translation.pretrained.recipes import RECIPES
from domain_translation.studies.cooling.scenes import rms
from domain_translation.studies.study import Measure, Study
from domain_translation.synthetic import load_task
from domain_translation.translators import cyclegan

NAMES = ("horse2zebra", "zebra2horse")
WAYS = ("cooled", "blurred as far", "noise alone")
SHIPPED: cyclegan.CycleGANConfig = RECIPES["animals/cyclegan"].config
SCENES = 60  # of a test


def translators(steps: int, seed: int, folder: Path) -> tuple[nn.Module, nn.Module]:
    """G and F after so many steps; the shipped ones where those are all."""
    if steps == SHIPPED.steps:
        there, back = (pretrained.load(f"animals/{way}", seed) for way in ("forward", "backward"))
        return there, back
    scenes = load_task("animals")
    config = replace(SHIPPED, steps=steps)
    found = cyclegan.train_cyclegan(
        scenes.source, scenes.target, config, seed, folder / "cyclegan.checkpoint"
    )
    return found.networks.forward, found.networks.backward


def translations(d: Direction, seed: int) -> dict[str, Tensor]:
    """Of the direction's test scenes, plain and in each of `WAYS`."""
    x = d.test.source
    chain = cooling.PAPER.chain()
    cooled = cooling.cool(d.score, x, seed=seed, **chain).x
    noise = cooling.cool(torch.zeros_like, x, seed=seed, **chain).x
    inputs = dict(zip(WAYS, (cooled, blurred_as_far(x, cooled), noise), strict=True))
    return {"plain": d.translator(x)} | {way: d.translator(z) for way, z in inputs.items()}


def run(steps: int, seed: int, folder: Path) -> dict[str, Tensor]:
    """Margins and errors, (n,) each, of both directions after so many steps."""
    both = translators(steps, seed, folder)
    found = {}
    for name in NAMES:
        d = directions.load(name, seed=seed, validation=1, test=SCENES)
        d = replace(d, translator=both[NAMES.index(name)], inverse=both[1 - NAMES.index(name)])
        with torch.no_grad():
            for way, y in translations(d, seed).items():
                found[f"{name}, margin, {way}"] = d.margin(y)
                found[f"{name}, error, {way}"] = rms(y, d.test.target)
    return found


def measure(steps: int, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Plain margins and errors, and what each way changes, in the mean over scenes."""
    numbers = {}
    for name in NAMES:
        taken = (found[f"{name}, margin, plain"] > 0).double()
        numbers[f"{name}, taken for the target"] = taken.mean()
        for kind in ("margin", "error"):
            plain = found[f"{name}, {kind}, plain"].double()
            numbers[f"{name}, {kind}"] = plain.mean()
            for way in WAYS:
                change = found[f"{name}, {kind}, {way}"].double() - plain
                numbers[f"{name}, change of {kind}, {way}"] = change.mean()
    # Every seed has a translator, denoisers and judges of its own, shipped or trained here.
    networks = (f"networks of seed {seed}",)
    return [Measure(what, float(value), networks) for what, value in numbers.items()]


STUDY = Study(
    "cooling/ages",
    arms={f"{steps:,} steps": steps for steps in (300, 1_000, SHIPPED.steps)},
    seeds=range(3),
    run=run,
    measure=measure,
    trains=True,
)
