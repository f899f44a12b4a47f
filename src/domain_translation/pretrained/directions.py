"""The six directions of the procedural picture tasks, each with all that a study of it needs.

A task of `synthetic` has two directions: horses to zebras is `animals` forward, zebras to
horses is `animals` backward. Here each is one object: networks, scenes and judges turned the right
way round.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from domain_translation import pretrained
from domain_translation.evaluation.judges.image_judges import (
    target_likeness,
    target_margin,
)
from domain_translation.sampling import scores
from domain_translation.synthetic import Scenes, load_task

# Name in the sources -> task and whether it runs against the task's own direction.
DIRECTIONS = {
    "horse2zebra": ("animals", False),
    "zebra2horse": ("animals", True),
    "apple2orange": ("fruit", False),
    "orange2apple": ("fruit", True),
    "summer2winter": ("seasons", False),
    "winter2summer": ("seasons", True),
}
# Noise of the denoisers: that of lcool.train.dae_image, and what it is at a quarter of
# the side, since the mean of 4x4 pixels, as from 256 to 64, has a quarter of their noise.
SIGMAS = (0.3, 0.075)


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of a task.

    Attributes:
        name: one of `DIRECTIONS`.
        translator, inverse: G and F of the CycleGAN, source -> target and back.
        denoiser: of the source domain, and `sigma`, its noise.
        validation, test: scenes; `source` and `target` are those of this direction.
        judges: see `evaluation.image_judges`.
    """

    name: str
    translator: nn.Module
    inverse: nn.Module
    denoiser: nn.Module
    sigma: float
    validation: Scenes
    test: Scenes
    judges: nn.ModuleDict

    @property
    def score(self) -> scores.Score:
        """The denoiser's score (L-Cool eq. 4)."""
        return scores.dae_score(self.denoiser, self.sigma)

    def cycle_score(self, gamma: float) -> scores.Score:
        """The cycle's score with its unknown scale (L-Cool eq. 11)."""
        return scores.cycle_score(self.translator, self.inverse, gamma)

    def margin(self, x: Tensor) -> Tensor:
        """Mean over the judges of the log-odds of the target domain, (B,)."""
        forward: Tensor = target_margin(self.judges, x).mean(0)
        return -forward if DIRECTIONS[self.name][1] else forward

    def likeness(self, x: Tensor) -> Tensor:
        """Mean over the judges of the probability of the target domain, (B,)."""
        forward: Tensor = target_likeness(self.judges, x).mean(0)
        return 1 - forward if DIRECTIONS[self.name][1] else forward


def load(
    name: str,
    *,
    seed: int = 0,
    validation: int = 120,
    test: int = 120,
    sigma: float = SIGMAS[0],
) -> Direction:
    """A direction with its shipped weights and freshly drawn scenes.

    Args:
        name: one of `DIRECTIONS`.
        seed: chooses the test scenes, and which training of all networks (`pretrained.load`).
        validation, test: numbers of scenes.
        sigma: noise of the denoiser, of `SIGMAS`.

    Raises:
        ValueError: an unknown name or sigma.
        FileNotFoundError: the weights are not part of this installation.
    """
    if sigma not in SIGMAS:
        raise ValueError(f"sigma is {sigma}; denoisers come for {SIGMAS}")
    if name not in DIRECTIONS:
        raise ValueError(f"unknown direction {name!r}; choose one of {', '.join(DIRECTIONS)}")
    task, backward = DIRECTIONS[name]
    scenes = load_task(task, seed=seed, train=1, validation=validation, test=test)
    there, back = ("backward", "forward") if backward else ("forward", "backward")
    domain = "target" if backward else "source"
    denoiser = denoiser_of(task, domain, sigma)
    judges = pretrained.load(f"{task}/judges", seed)
    assert isinstance(judges, nn.ModuleDict)
    return Direction(
        name,
        pretrained.load(f"{task}/{there}", seed),
        pretrained.load(f"{task}/{back}", seed),
        pretrained.load(denoiser, seed),
        float(pretrained.card(denoiser)["sigma"]),
        _turned(scenes.validation, backward),
        _turned(scenes.test, backward),
        judges,
    )


def denoiser_of(task: str, domain: str, sigma: float = SIGMAS[0]) -> str:
    """The name of a shipped denoiser, such as "animals/source_denoiser"; `sigma` of `SIGMAS`."""
    return f"{task}/{domain}_denoiser" + ("" if sigma == SIGMAS[0] else f"_{1000 * sigma:03.0f}")


def _turned(scenes: Scenes, backward: bool) -> Scenes:
    return Scenes(scenes.target, scenes.source, scenes.surprise) if backward else scenes
