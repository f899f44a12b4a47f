"""Denoisers with their cards: which noise they were trained with, on what, and what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from domain_translation.cooling.pictures.errors import PicturesError, RequestError
from domain_translation.cooling.pictures.translators import identity
from domain_translation.sampling.scores import Score, dae_score
from domain_translation.training import checkpoints
from domain_translation.training.model_files import Model, load_model

RANGE = "[-1, 1]"


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
        return dae_score(self.network, self.sigma)

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
    if not 0 < chosen < float("inf"):
        raise RequestError(f"sigma is {chosen:g}; the noise of a denoiser is positive and finite")
    return Denoiser(network, float(chosen), card, digest)


def load_denoiser(path: Path | str, sigma: float | None = None) -> Denoiser:
    """Read a denoiser written by `train_denoiser_on_folder` or `models.save_model`.

    Raises:
        PicturesError: no such file, or no model file.
        RequestError: see `as_denoiser`.
    """
    try:
        model = load_model(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (OSError, checkpoints.CheckpointError) as error:
        raise PicturesError(f"cannot read the denoiser: {error}") from error
    return replace(as_denoiser(model, sigma), digest=digest)
