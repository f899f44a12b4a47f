"""Denoisers with their cards: which noise they were trained with, on what, and what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from domain_translation.cooling.errors import RequestError, UserError
from domain_translation.cooling.pictures.translators import identity
from domain_translation.denoising.gate import GATE
from domain_translation.sampling.scores import Score, dae_score
from domain_translation.training import checkpoints
from domain_translation.training.model_files import Model, load_model

RANGE = "[-1, 1]"
# What a denoiser has to beat, and at most how much of the noise there may be left of what that
# leaves: mean squares, where the gate is of their roots.
RIVALS = {"blur_left": ("a plain blur", 1.0), "linear_left": ("the best linear filter", GATE**2)}
LARGEST = 2.0  # the whole range: beyond it, noise was counted in other units


@dataclass(frozen=True, eq=False)
class Denoiser:
    """A denoiser r, batches (B, C, H, W) in [-1, 1] to the like, and its card."""

    network: Callable[[Tensor], Tensor]
    sigma: float
    card: Mapping[str, Any]
    digest: str

    @property
    def score(self) -> Score:
        """The score (r(x) - x) / sigma^2 of L-Cool eq. 4 (lcool.eq4)."""
        return dae_score(self._denoised, self.sigma)

    def _denoised(self, x: Tensor) -> Tensor:
        try:
            found = self.network(x)
        except TypeError as error:
            raise RequestError(
                f"the denoiser failed ({error}); give one that takes a batch of pictures alone"
            ) from error
        if not isinstance(found, Tensor) or found.shape != x.shape:
            what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise RequestError(
                f"the denoiser turned pictures {tuple(x.shape)} into {what}; it has to return "
                f"pictures of the same shape"
            )
        return found

    def usual(self) -> float:
        """The `score_rms` that four of five training pictures do not reach.

        Raises:
            RequestError: its card does not say it.
        """
        try:
            return float(self.card["score_rms"]["80 %"])
        except KeyError:
            raise RequestError(
                "the denoiser's card does not say which scores its training pictures have; give "
                "the threshold as a number, or train it anew with train-denoiser"
            ) from None

    def to(self, device: torch.device) -> Denoiser:
        """The same denoiser on `device`."""
        if isinstance(self.network, nn.Module):
            self.network.to(device)
        return self

    def check(self, channels: int, height: int, width: int) -> None:
        """Refuse pictures that it was not trained for, as far as its card says.

        Raises:
            RequestError: other channels, or trained on whole pictures of another size.
        """
        wanted = self.card.get("channels", channels)
        if wanted != channels:
            raise RequestError(
                f"the denoiser was trained on {wanted} channels and would see {channels}; "
                f"train one on such pictures"
            )
        size = self.card.get("size")
        if size is not None and (height, width) != (size, size):
            raise RequestError(
                f"the denoiser was trained on pictures of {size}x{size} and would see one of "
                f"{width}x{height}; give size {size} to scale pictures, or train one on pictures "
                f"of their own size"
            )


def as_denoiser(
    denoiser: Callable[[Tensor], Tensor] | Model | Denoiser, sigma: float | None = None
) -> Denoiser:
    """Any denoiser with its noise level, from its card or from `sigma`.

    Args:
        denoiser: a callable, a module with an attribute `card`, or what `models.load_model` or
            `load_denoiser` returns.
        sigma: noise it was trained with, in units of [-1, 1]; needed where no card says it.

    Raises:
        RequestError: no noise level, two different ones, or a card that names another range.
    """
    if not callable(denoiser) and not isinstance(denoiser, Denoiser | Model):
        raise RequestError(
            f"the denoiser is a {type(denoiser).__name__}; give a callable, or what "
            f"pictures.load_denoiser(path) returns"
        )
    card: Mapping[str, Any] = getattr(denoiser, "card", {})
    known: float | None = card.get("sigma")
    if isinstance(denoiser, Denoiser):
        network, digest, known = denoiser.network, denoiser.digest, denoiser.sigma
    else:
        network = denoiser.network if isinstance(denoiser, Model) else denoiser
        digest = identity(network)
    if known is None and sigma is None:
        raise RequestError(
            "this denoiser carries no card that says its noise level; give sigma, the standard "
            "deviation it was trained with"
        )
    if known is not None and sigma is not None and abs(known - sigma) > 1e-6 * known:
        raise RequestError(
            f"the denoiser was trained with sigma {known:g}, not {sigma:g}; leave sigma out"
        )
    if card.get("range", RANGE) != RANGE:
        raise RequestError(
            f"the denoiser was trained on values in {card['range']}, and pictures are shown in "
            f"{RANGE}; train one with train-denoiser"
        )
    chosen = known if known is not None else sigma
    assert chosen is not None
    check_noise(chosen)
    return Denoiser(network, float(chosen), card, digest)


def doubt(card: Mapping[str, Any]) -> str:
    """A sentence where a denoiser's card says that it does no more than smooth; else ""."""
    for key, (what, most) in RIVALS.items():
        if {"noise_left", key} <= card.keys() and card["noise_left"] >= most * card[key]:
            return (
                f"this denoiser leaves {card['noise_left']:.0%} of the noise and {what} "
                f"{card[key]:.0%}: it will smooth pictures, no more; train it longer, or on more "
                f"pictures"
            )
    return ""


def check_noise(sigma: float) -> None:
    """Raise RequestError for a noise that pictures in [-1, 1] cannot have been given."""
    if not 0 < sigma <= LARGEST:
        raise RequestError(
            f"sigma is {sigma:g}, and pictures are in {RANGE}: give a noise above 0 and at most "
            f"{LARGEST:g}; one counted in 255ths is divided by 127.5 ({sigma / 127.5:.3g})"
        )


def load_denoiser(path: Path | str, sigma: float | None = None) -> Denoiser:
    """Read a denoiser written by `train_denoiser_on_folder` or `models.save_model`.

    Raises:
        UserError: no such file, or no model file.
        RequestError: see `as_denoiser`.
    """
    try:
        model = load_model(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (OSError, checkpoints.CheckpointError) as error:
        raise UserError(
            f"cannot read the denoiser: {error}; it is a file that train-denoiser writes (were "
            f"the translator and the denoiser swapped?)"
        ) from error
    return replace(as_denoiser(model, sigma), digest=digest)
