"""How far pictures are cooled: until their score is as short as in training, or N steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from domain_translation import cooling
from domain_translation.cooling import PAPER
from domain_translation.cooling.errors import RequestError, as_request
from domain_translation.cooling.pictures.denoisers import Denoiser
from domain_translation.cooling.stopping import Stopped, cool_until
from domain_translation.sampling.langevin import DivergenceError

RUNAWAY = 3.0  # beyond it, values of a picture in [-1, 1] are no picture any more


@dataclass(frozen=True)
class Chain:
    """Settings of a cooling chain for pictures in [-1, 1], after one denoiser.

    Attributes:
        step_size: alpha, below sigma^2.
        temperature: 1/beta, in [0, 1).
        steps: N, or the most steps where there is a level.
        level: `score_rms` at which a picture is left alone; None: all take N steps.
        seed: of the noise.
    """

    step_size: float
    temperature: float
    steps: int
    level: float | None
    seed: int

    def cool(
        self,
        denoiser: Denoiser,
        x: Tensor,
        ids: Sequence[int],
        each: Callable[[], object] = lambda: None,
    ) -> Stopped:
        """Cooled pictures (B, C, H, W), and the steps that each took.

        Args:
            denoiser: whose score is followed.
            x: pictures in [-1, 1].
            ids: of their noise.
            each: called after every evaluation of the score.

        Raises:
            DivergenceError: values became NaN, infinite or larger than any picture's.
        """

        def score(states: Tensor) -> Tensor:
            found = denoiser.score(states)
            each()
            return found

        how: dict[str, Any] = {
            "step_size": self.step_size,
            "temperature": self.temperature,
            "seed": self.seed,
        }
        if self.level is None:
            cooled = cooling.cool(score, x, **how, steps=self.steps, ids=ids).x
            done = Stopped(cooled, torch.full((len(x),), self.steps, device=x.device))
        else:
            length = self.level * math.sqrt(x[0].numel())
            done = cool_until(score, x, **how, level=length, max_steps=self.steps, ids=ids)
        largest = done.x.abs().flatten(1).amax(1)
        if (run_away := largest > RUNAWAY).any():
            chains, values = run_away.nonzero().flatten().tolist(), largest[run_away].tolist()
            why = (
                f"values up to {max(values):.3g} after cooling, where pictures are in [-1, 1]: the "
                f"chain ran away; take a smaller step_size, or train the denoiser longer"
            )
            raise DivergenceError(self.steps, chains, values, why)
        return done


def fringe_level(
    denoiser: Denoiser,
    chain: Chain,
    share: float | None,
    threshold: float | Literal["auto"] | None,
) -> float | None:
    """The `score_rms` up to which pictures are left alone, xi of L-Cool eq. 10; None: no limit.

    Where nothing is asked and the chain stops by itself it is "auto", the score that four of five
    training pictures do not reach: most such pictures have detail to lose and little to gain.

    Raises:
        RequestError: "auto", and the denoiser's card does not say which scores are usual.
    """
    asked = share is not None or threshold is not None
    if threshold == "auto" or not (asked or chain.level is None):
        return denoiser.usual()
    return threshold


def chain(
    denoiser: Denoiser,
    *,
    step_size: float | None,
    temperature: float,
    steps: int | None,
    seed: int,
) -> Chain:
    """Settings that are not given, from the denoiser; those that are, checked against it.

    Args:
        denoiser: its noise level sets the step, its card the level at which to stop.
        step_size: alpha; by default sigma^2/18, which is the paper's at the paper's noise.
        temperature: 1/beta.
        steps: exactly so many, the paper's protocol; None: until the score is as short as the
            median of the denoiser's training pictures, at most the paper's N. Where the card does
            not say that median, N.
        seed: of the noise.

    Raises:
        RequestError: what `cooling.cool` refuses, or a step of sigma^2 or more, with which a chain
            overshoots the denoised picture.
    """
    for name, value in (("seed", seed), ("steps", 1 if steps is None else steps)):
        if not isinstance(value, int):
            raise RequestError(f"{name} is {value!r}; give a whole number")
    square = denoiser.sigma**2
    alpha = PAPER.step_size * square / PAPER.sigma**2 if step_size is None else step_size
    level = None if steps is not None else denoiser.card.get("score_rms", {}).get("50 %")
    found = Chain(alpha, temperature, PAPER.steps if steps is None else steps, level, seed)
    with as_request():  # rehearsed on one number, so that nothing is read for bad settings
        cooling.cool(
            torch.zeros_like,
            torch.zeros(1, 1),
            step_size=alpha,
            temperature=temperature,
            steps=found.steps,
            seed=seed,
        )
    if alpha >= square:
        raise RequestError(
            f"a step of {alpha:g} overshoots: it has to be below sigma^2 = {square:g} of the "
            f"denoiser; leave it out for {PAPER.step_size * square / PAPER.sigma**2:.2g}"
        )
    return found
