"""Denoisers worth the name: an error 10 % below the best linear filter's, and no weave.

One for every domain that is cooled, at L-Cool's sigma = 0.3 and at what that noise is at 64 pixels:
to average 4x4 pixels, as from 256 to 64, divides noise by four. The filter is fitted to training
pictures; both face the same noise on validation pictures. Said beforehand: `GATE` of the filter's
error at most, and in a flat picture after 40 steps at T = 0 phases within `WEAVE` grey levels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from domain_translation import cooling, denoising, synthetic
from domain_translation.denoising.antialiased import (
    ANTIALIASED,
    LONGER,
    AntialiasedDenoiser,
)
from domain_translation.denoising.gate import GATE, Left, noise_left
from domain_translation.denoising.linear import linear_filter
from domain_translation.evaluation.pictures.weave import weave
from domain_translation.notebook.cards import Card
from domain_translation.notebook.criteria import Criterion, at_most
from domain_translation.pretrained import directions
from domain_translation.sampling import scores
from domain_translation.studies.study import Measure, Study
from domain_translation.training import checkpoints

SIGMAS = directions.SIGMAS
WEAVE = 0.5  # grey levels
FLAT, STEPS = 0.2, 40  # the flat picture's value in [-1, 1], and how often it is cooled
# Nobody cools a street map.
DOMAINS = tuple(
    (task, domain)
    for task in ("animals", "fruit", "seasons", "city")
    for domain in ("source", "target")
    if (task, domain) != ("city", "target")
)
RATIO = "denoiser / linear filter"


@dataclass(frozen=True)
class Case:
    """A domain of a procedural task, and how its denoiser is trained.

    Attributes:
        task, domain: of `synthetic.TASKS`; "source" or "target".
        sigma: standard deviation of the noise, for pixels in [-1, 1].
        config: of the training.
    """

    task: str
    domain: str
    sigma: float
    config: denoising.DenoiserConfig


def arm(task: str, domain: str, sigma: float) -> str:
    """Name of an arm, such as "animals, source, sigma 0.3"."""
    return f"{task}, {domain}, sigma {sigma:g}"


@functools.lru_cache(maxsize=1)
def _task(name: str) -> synthetic.Task:
    return synthetic.load_task(name, test=1)


def run(case: Case, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train one denoiser, and set it beside the filter; errors as in `train_denoiser`."""
    task = _task(case.task)
    train, held_out = getattr(task, case.domain), getattr(task.validation, case.domain)
    checkpoint = folder / "denoiser.ckpt"
    network = denoising.train_denoiser(
        functools.partial(AntialiasedDenoiser.fitted, train, case.sigma),
        train,
        case.sigma,
        case.config,
        seed,
        checkpoint,
    )
    network = network.half().float()  # as it would be shipped
    left = noise_left(network, linear_filter(train, case.sigma), held_out, case.sigma)
    return {
        "left by the denoiser": left.network,
        "left by the linear filter": left.linear,
        "weave": weave_of(network, case.sigma),
        "losses": checkpoints.load(checkpoint).tensors["losses"],
        **{f"network/{k}": v.half() for k, v in network.state_dict().items()},
    }


def weave_of(denoiser: Callable[[Tensor], Tensor], sigma: float, side: int = 64) -> Tensor:
    """The weave () of a flat picture after 40 steps of L-Cool's size at T = 0, grey levels."""
    flat = torch.full((1, 3, side, side), FLAT)
    step = sigma**2 * cooling.PAPER.step_size / cooling.PAPER.sigma**2
    score = scores.dae_score(denoiser, sigma)
    return weave(cooling.cool(score, flat, step_size=step, temperature=0, steps=STEPS).x)[0]


def measure(case: Case, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Shares of the noise left, their ratio, and the weave."""
    left = Left(found["left by the denoiser"], found["left by the linear filter"])
    return [
        Measure("noise left, denoiser", float(left.network.mean().sqrt())),
        Measure("noise left, linear filter", float(left.linear.mean().sqrt()), ()),
        Measure(RATIO, left.ratio, error=left.error),
        Measure("weave, grey levels", float(found["weave"])),
    ]


STUDY = Study(
    "cooling/denoisers",
    {
        arm(t, d, sigma): Case(t, d, sigma, LONGER if t == "city" else ANTIALIASED)
        for sigma in SIGMAS
        for t, d in DOMAINS
    },
    range(3),
    run,
    measure,
    trains=True,
)


def passes(card: Card, task: str, domain: str, sigma: float) -> dict[str, Criterion]:
    """The gate as a precondition of a claim.

    Args:
        card: this study's.
        task, domain, sigma: of the denoiser that the claim rests on.
    """
    of = f"the denoiser of the {task} ({domain}, sigma {sigma:g})"
    found = card[arm(task, domain, sigma), RATIO]
    sentence = f"{of} leaves at most {100 * GATE:.0f} % of a linear filter's error"
    return {sentence: at_most(found, GATE)}
