"""Batch weights in another translator, and cooling before a weighted one (beyond JD-BW).

Two questions, on digits out of balance:

1. CF-EBM translates by a short chain of the target's energy. Its positive phase shows the energy
   target images as often as they are; under mass shift that is too often or too rarely. Do JD-BW's
   weights help there? They enter as the frequency with which a target image is drawn: as they are,
   with the weights of the shipped weight nets, and with those of the true class masses; beside
   them, boxes without mass shift.
2. L-Cool cools a damaged image before it is translated. Does it help in front of JD-BW? Settings
   are searched on validation digits, and test digits are used once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation import cooling, denoising, pretrained
from domain_translation.data import salt_and_pepper
from domain_translation.energies.config import QUICK_OUTLINE, CFEBMConfig
from domain_translation.energies.translation import train_translator
from domain_translation.energies.translation import translate as walk
from domain_translation.evaluation.statistics.class_preservation import agreement
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.evidence import shared_error
from domain_translation.reweighting import images
from domain_translation.reweighting.config import QUICK_DIGITS
from domain_translation.reweighting.domains.mass_shift import shrunk_and_turned
from domain_translation.reweighting.domains.scenes import digits, held_out_pair, training_pair
from domain_translation.reweighting.domains.sr_digits import ZEROS, Pair, handwritten
from domain_translation.reweighting.masses import one_sided, skewed
from domain_translation.reweighting.weighting import Composite, Pairs
from domain_translation.sampling import scores
from domain_translation.studies import frames
from domain_translation.studies.reweighting.grid import levels, picked
from domain_translation.studies.reweighting.measures import (
    Judges,
    items,
    judges,
    of_classes,
    of_translations,
    table,
    ways,
)
from domain_translation.studies.reweighting.methods import size
from domain_translation.studies.study import Measure, Study

# The energy of filled and outlined glyphs at half its width, with a training of half a minute.
ENERGY = replace(QUICK_OUTLINE, c=4, images=(9_600, 6_400), steps=(12, 15), penalty=0.01)
NO_SHIFT = 0.1  # zeros in the first domain when the classes have the same masses in both
KEPT, ZEROS_KEPT = "kept, x to y", "rare class kept, x to y"
SHIPPED = "the shipped JD-BW"  # whose weights, or translations, all seeds have


@dataclass(frozen=True)
class Energy:
    """An energy of the target digits.

    Attributes:
        targets: "as they are", "learned weights" or "true masses".
        zeros: their mass in the first domain.
        config: of the training.
    """

    targets: str = "as they are"
    zeros: float = ZEROS
    config: CFEBMConfig = ENERGY


@dataclass(frozen=True)
class Cooling:
    """A denoiser in front of the shipped JD-BW, and what is searched.

    Attributes:
        sigma: of the denoiser; images are two units wide.
        denoiser_steps: of its training.
        levels: shares of pixels that are salted or peppered.
        step_sizes, temperatures, steps: of the chains.
    """

    sigma: float = 0.4
    denoiser_steps: int = 3000
    levels: tuple[float, ...] = (0.0, 0.05, 0.1, 0.25)
    step_sizes: tuple[float, ...] = (0.004, 0.02, 0.1)
    temperatures: tuple[float, ...] = (1e-4, 1e-2)
    steps: tuple[int, ...] = (10, 20, 40)


def run(arm: Energy | Cooling, seed: int, folder: Path) -> dict[str, Tensor]:
    """Test digits translated by an energy, or damaged, treated and translated by JD-BW."""
    return of_energy(arm, seed, folder) if isinstance(arm, Energy) else of_cooling(arm, seed)


def of_energy(arm: Energy, seed: int, folder: Path) -> dict[str, Tensor]:
    """Test digits (n, 1, 16, 16) translated by an energy that is trained on an arm's targets."""
    scene = digits(arm.zeros)
    pair = training_pair(scene, seed)
    source, goal = pair.x.x.clamp(-1, 1), targets(arm.targets, pair, seed)
    checkpoint = folder / "energy.checkpoint"
    network = train_translator(source, goal, arm.config, seed, checkpoint=checkpoint).network
    test = held_out_pair(scene).x.x.clamp(-1, 1)
    return {
        "gx": walk(network, test, arm.config.run(), seed=seed).x,
        "parameters": torch.tensor(size(network)),
    }


def targets(how: str, pair: Pair, seed: int) -> Tensor:
    """Target images, drawn again with the weights of `Energy.targets`.

    Raises:
        ValueError: other weights.
    """
    if how == "as they are":
        return pair.y.x
    if how == "learned weights":
        share = learned(pair)
    elif how == "true masses":
        share = one_sided(skewed(NO_SHIFT), skewed(ZEROS))[pair.y.y]
    else:
        raise ValueError(f"no targets {how!r}; take as they are, learned weights or true masses")
    generator = Generator().manual_seed(seed)
    rows = torch.multinomial(share.double(), len(pair.y.x), replacement=True, generator=generator)
    return pair.y.x[rows]


def learned(pair: Pair) -> Tensor:
    """One-sided weights (n,) of the target images by the shipped networks; they sum to one."""
    names = ("forward", "backward", "weight_x", "weight_y")
    forward, backward, weight_x, weight_y = (pretrained.load(f"shift/{name}") for name in names)
    x, y, length = pair.x.x, pair.y.x, QUICK_DIGITS.noise
    with torch.no_grad():
        gx, fy = images.translate(forward, x, length), images.translate(backward, y, length)
        return Composite(weight_x, weight_y)(Pairs(x, gx, fy, y), QUICK_DIGITS.clip_last).y


def of_cooling(arm: Cooling, seed: int) -> dict[str, Tensor]:
    """Test digits as damaged, cooled and denoised, (levels, n, 1, 16, 16) each, then translated.

    Beside them the settings of the chain that was best on validation digits.
    """
    pair = training_pair(digits(), seed)
    source = pair.x.x.clamp(-1, 1)
    denoiser = denoising.train_denoiser(
        lambda: denoising.ConvDenoiser(1, 32),
        source,
        arm.sigma,
        replace(denoising.DIGITS, steps=arm.denoiser_steps),
        seed,
    )
    score = scores.dae_score(denoiser, arm.sigma)
    forward, at = pretrained.load("shift/forward"), judges(digits())

    def translated(x: Tensor) -> Tensor:
        return images.translate(forward, x.clamp(-1, 1), QUICK_DIGITS.noise, seed)

    real = handwritten("validation")
    validation = shrunk_and_turned(real.x, seed)
    hurt = torch.cat([damaged(validation, level, seed) for level in arm.levels])
    classes = real.y.repeat(len(arm.levels))

    def objective(x: Tensor) -> float:
        return agreement(table(at.y, translated(x), classes, at.scene))

    best = cooling.search(
        score,
        hurt,
        objective,
        seed=seed,
        step_sizes=arm.step_sizes,
        temperatures=arm.temperatures,
        steps=arm.steps,
    )[0]

    def cooled(x: Tensor) -> Tensor:
        size, heat = best.step_size, best.temperature
        return cooling.cool(
            score, x, step_size=size, temperature=heat, steps=best.steps, seed=seed
        ).x

    treatments: Mapping[str, Callable[[Tensor], Tensor]] = {
        "plain": lambda x: x,
        "cooled": cooled,
        "denoised": lambda x: denoised(denoiser, x),
    }
    damage = [damaged(at.test.x.x, level, seed) for level in arm.levels]
    return {
        **{
            way: torch.stack([translated(treated(x)) for x in damage])
            for way, treated in treatments.items()
        },
        "step size": torch.tensor(best.step_size),
        "temperature": torch.tensor(best.temperature),
        "steps": torch.tensor(best.steps),
    }


@torch.no_grad()
def denoised(denoiser: nn.Module, x: Tensor) -> Tensor:
    """One pass of the denoiser: the control that needs no chain."""
    out: Tensor = denoiser(x)
    return out


def damaged(x: Tensor, level: float, seed: int) -> Tensor:
    """Images in [-1, 1] with that share of their pixels black or white."""
    unit = (x.clamp(-1, 1) + 1) / 2
    generator = Generator().manual_seed(1000 * seed + round(100 * level))
    return 2 * salt_and_pepper(unit, level, generator) - 1


def measure(arm: Energy | Cooling, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What the judge of the second domain says of the translations.

    Learned weights, and the translator behind the denoisers, are those of one JD-BW.
    """
    at = judges(digits())
    if isinstance(arm, Energy):
        networks = None
        if arm.targets == "learned weights":
            networks = (f"learned weights, seed {seed}", SHIPPED)
        judged = [*judged_of(found["gx"], at, "", networks)]
        return [*judged, Measure("parameters", float(found["parameters"]), networks)]
    networks = (f"denoiser, seed {seed}", SHIPPED)
    judged = [
        number
        for way in ("plain", "cooled", "denoised")
        for level, made in zip(arm.levels, found[way], strict=True)
        for number in judged_of(made, at, f", {way}, {level:.0%}", networks)
    ]
    chosen = ("step size", "temperature", "steps")
    return judged + [Measure(f"chosen {name}", float(found[name])) for name in chosen]


def judged_of(made: Tensor, at: Judges, more: str, networks: Sequence[str] | None) -> list[Measure]:
    """Numbers of translations of the test digits; `more` ends their names."""
    way = ways(at)[0]
    numbers = of_translations(made, way, at.scene)
    numbers |= of_classes(table(way.judge, made, way.classes, at.scene), way)
    return [
        Measure(
            f"{name}, {way.name}{more}",
            value,
            networks,
            shared_error(value, n) if (n := items(name, at.scene)) else 0.0,
        )
        for name, value in numbers.items()
    ]


def excerpt(arm: Energy | Cooling, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of the first seed, an energy's translations of three zeros and one of each other digit."""
    if isinstance(arm, Cooling) or seed:
        return {}
    return {"gx": levels(found["gx"][picked(digits(), held_out_pair(digits()).x.y)])}


STUDY = Study(
    "reweighting/elsewhere",
    arms={
        "energy, no shift": Energy(zeros=NO_SHIFT),
        "energy, as they are": Energy(),
        "energy, learned weights": Energy("learned weights"),
        "energy, true masses": Energy("true masses"),
        "cooling": Cooling(),
    },
    seeds=range(3),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
    earlier="results/full/reweighting/elsewhere.json",
)


def card() -> Card:
    """The study's card, and the zeros that learned weights bring back, by seed.

    "zeros regained, beyond half": of what the shift has cost.
    """
    found = frames.card(STUDY)
    names = ("learned weights", "as they are", "no shift")
    of = {
        n: {r.seed: r for r in found.rows if (r.arm, r.name) == (f"energy, {n}", ZEROS_KEPT)}
        for n in names
    }
    rows = []
    for seed in sorted(of[names[0]]):
        learned, plain, even = (of[n][seed] for n in names)
        value = (learned.value - plain.value) - (even.value - plain.value) / 2
        error = (learned.error**2 + plain.error**2 / 4 + even.error**2 / 4) ** 0.5
        networks = (*learned.networks, *plain.networks, *even.networks)
        rows.append(Row("energy", seed, "zeros regained, beyond half", value, networks, error))
    return replace(found, rows=(*found.rows, *rows))
