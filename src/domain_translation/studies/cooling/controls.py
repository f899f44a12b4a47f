"""Cooling beside its controls, in six directions: error and margin over T x alpha N.

The sources leave open what the step is: alpha times the score, (r(x) - x) / sigma^2, or alpha times
r(x) - x itself; both are `READINGS`, with the same noise sqrt(2 alpha T). What cools is a denoiser
that passes `denoising.gate`. Beside it stand a linear filter in its place (smoothing), the noise
without any score (dithering), a blur and a random direction that move the picture as far.

Said beforehand: a gain is cooling's where the denoiser lowers the error more than the linear
filter, the noise and the blur do on the same scenes, each at 95 % over the trainings of
translators, denoisers and judges: a seed is one of them, with scenes of its own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from domain_translation import cooling
from domain_translation.denoising.antialiased import AntialiasedDenoiser
from domain_translation.evaluation.pictures.controls import blurred_as_far, moved_as_far
from domain_translation.evaluation.pictures.regions import error_in
from domain_translation.notebook.cards import fingerprint
from domain_translation.pretrained import directions
from domain_translation.pretrained.directions import Direction
from domain_translation.sampling import scores
from domain_translation.studies.study import Measure, Study

READINGS = ("score", "way")  # x + alpha (r - x) / sigma^2, and x + alpha (r - x)
SIGMAS = directions.SIGMAS
TEMPERATURES = (0.001, 0.0, 0.01)  # L-Cool's choice, no noise, the largest of its grid
LOOKS = ("error", "likeness", "margin")
WAYS = ("denoiser", "linear filter", "noise only", "blur", "random direction")


@dataclass(frozen=True)
class Case:
    """A direction, and the chain that cools its scenes.

    Attributes:
        direction: of `directions.DIRECTIONS`.
        sigma: noise that the denoiser was trained with.
        reading: of `READINGS`.
        temperature: T.
        step_size: alpha.
        moments: numbers of steps at which the chain is looked at, increasing.
        scenes: test scenes.
    """

    direction: str
    sigma: float
    reading: str
    temperature: float
    step_size: float = cooling.PAPER.step_size
    moments: tuple[int, ...] = (10, 40, 100)
    scenes: int = 40


def arm(direction: str, sigma: float, reading: str, temperature: float) -> str:
    """Name of an arm, such as "horse2zebra, sigma 0.3, score, T 0.001"."""
    return f"{direction}, sigma {sigma:g}, {reading}, T {temperature:g}"


def chain(case: Case, denoiser: Callable[[Tensor], Tensor], x: Tensor, seed: int) -> Tensor:
    """States of the chain at the case's moments, (moments, B, C, H, W)."""
    width = case.sigma if case.reading == "score" else 1.0
    found = cooling.cool(
        scores.dae_score(denoiser, width),
        x,
        step_size=case.step_size,
        temperature=case.temperature,
        steps=case.moments[-1],
        seed=seed,
        thin=(thin := math.gcd(*case.moments)),
    )
    assert found.trajectory is not None
    return found.trajectory[[moment // thin - 1 for moment in case.moments]]


def chains(case: Case, denoiser: AntialiasedDenoiser, x: Tensor, seed: int) -> dict[str, Tensor]:
    """Where each of `WAYS` takes the pictures, (moments, B, C, H, W)."""
    cooled = chain(case, denoiser, x, seed)
    aside = x + torch.randn(x.shape, generator=Generator().manual_seed(seed))
    found = {
        "denoiser": cooled,
        "linear filter": chain(case, denoiser.linear, x, seed),
        "blur": torch.stack([blurred_as_far(x, z) for z in cooled]),
        "random direction": torch.stack([moved_as_far(x, aside, z) for z in cooled]),
    }
    if case.temperature:
        found["noise only"] = chain(case, lambda z: z, x, seed)
    return found


@torch.no_grad()
def looks(d: Direction, x: Tensor) -> Tensor:
    """`LOOKS` of the translations of pictures: (3, B)."""
    made, truth = d.translator(x), d.test.target
    margin = d.margin(made).double()  # has room where likeness is near 1
    everywhere = torch.ones_like(truth[:, 0], dtype=torch.bool)
    likeness = d.likeness(made).double()
    return torch.stack([error_in(made, truth, everywhere).double(), likeness, margin])


def run(case: Case, seed: int, folder: Path) -> dict[str, Tensor]:
    """All ways of one case, on scenes of this seed; errors as in `directions.load`."""
    d = directions.load(case.direction, seed=seed, validation=1, test=case.scenes, sigma=case.sigma)
    x = d.test.source
    assert isinstance(d.denoiser, AntialiasedDenoiser)
    found = {"nothing": looks(d, x)}
    for way, states in chains(case, d.denoiser, x, seed).items():
        for moment, z in zip(case.moments, states, strict=True):
            found[f"{way}, {moment} steps"] = looks(d, z)
            off = (z - x).flatten(1).square().mean(1).sqrt()
            found[f"moved, {way}, {moment} steps"] = 127.5 * off.double()
    return found


def measure(case: Case, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What each way changes of the error, the denoiser of the margin as well; means over scenes."""
    networks = _networks(case.direction, case.sigma, seed)

    def mean(name: str, values: Tensor) -> Measure:
        return Measure(name, float(values.mean()), networks)

    nothing, numbers = found["nothing"], [mean("error, nothing", found["nothing"][0])]
    for n in case.moments:
        for way in WAYS:
            if (seen := found.get(f"{way}, {n} steps")) is not None:
                numbers.append(mean(f"change of error, {way}, {n} steps", (seen - nothing)[0]))
        liked = (found[f"denoiser, {n} steps"] - nothing)[LOOKS.index("margin")]
        numbers.append(mean(f"change of margin, {n} steps", liked))
        numbers.append(mean(f"moved, {n} steps", found[f"moved, denoiser, {n} steps"]))
    return numbers


@functools.cache
def _networks(direction: str, sigma: float, seed: int) -> tuple[str, ...]:
    d = directions.load(direction, seed=seed, validation=1, test=1, sigma=sigma)
    return fingerprint(d.translator), fingerprint(d.denoiser)


STUDY = Study(
    "cooling/controls",
    {
        arm(name, sigma, reading, t): Case(name, sigma, reading, t)
        for t in TEMPERATURES
        for sigma in SIGMAS
        for reading in READINGS
        for name in directions.DIRECTIONS
    },
    range(3),
    run,
    measure,
    trains=False,
)
