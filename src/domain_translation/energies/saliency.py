"""Generative saliency: where a translation by an energy does its work (CF-EBM section 3.3).

The source prints sum_t grad E_Y(y_t), a sum with signs, and says that it measures the magnitude of
each pixel's change (cfebm.eqU4). These are two maps, and both are given:

- with signs: the sum telescopes, alpha sum_t grad E(y_t) = y_0 - y_N + sum_t sqrt(eta_t) nu_t: it
  is the difference image plus the chain's noise;
- of magnitudes: sum_t |grad E(y_t)| also counts the ways that were gone and taken back.

How the three channels become one map is not in the source either: here by the Euclidean norm.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from domain_translation.energies.sampling import ShortRun, frozen
from domain_translation.energies.translation import translate, translator
from domain_translation.sampling.inputs import floats
from domain_translation.sampling.scores import energy_score


class Saliency(NamedTuple):
    """Both readings of the map, and the translation they belong to; all (B, C, S, S)."""

    signed: Tensor  # sum_t grad E(y_t)
    magnitude: Tensor  # sum_t |grad E(y_t)|
    translated: Tensor


def saliency(network: nn.Module, x: Tensor, run: ShortRun, *, seed: int = 0) -> Saliency:
    """Gradients summed over the states y_0 .. y_{N-1} of a translation (cfebm.eqU4).

    Args:
        network, x, run, seed: as in `translation.translate`.

    Raises:
        ValueError, DivergenceError: as `translation.translate`.
    """
    x = floats(x, "x", "(B, C, S, S)").float()
    chain = translate(network, x, run, seed=seed, thin=1)
    assert chain.trajectory is not None
    score = energy_score(frozen(translator(network, x)))
    signed, magnitude = torch.zeros_like(x), torch.zeros_like(x)
    for state in (x, *chain.trajectory[:-1]):
        gradient = -score(state)
        signed += gradient
        magnitude += gradient.abs()
    return Saliency(signed, magnitude, chain.x)


def over_channels(gradients: Tensor) -> Tensor:
    """One number per pixel, the Euclidean norm over channels: (B, C, S, S) -> (B, S, S)."""
    return gradients.norm(dim=1)


def finds_change(maps: Tensor, changed: Tensor) -> Tensor:
    """How well each map ranks the pixels that truly change above those that do not.

    Args:
        maps: (B, S, S), larger where change is expected.
        changed: (B, S, S) bool, the truth.

    Returns:
        area under the ROC curve of each image (B,), float64: 1 for perfect order, 1/2 for chance,
        NaN where all pixels change or none does.

    Raises:
        ValueError: maps and truth of different shapes, or a truth that is not bool.
    """
    if maps.shape != changed.shape or changed.dtype != torch.bool:
        raise ValueError(
            f"maps have shape {tuple(maps.shape)}, changed is {changed.dtype} of shape "
            f"{tuple(changed.shape)}; give one bool per pixel of the maps"
        )
    areas = torch.full((len(maps),), torch.nan, dtype=torch.float64)
    maps, changed = maps.flatten(1).cpu(), changed.flatten(1).cpu()
    for i, (m, c) in enumerate(zip(maps, changed, strict=True)):
        if bool(c.any()) and not bool(c.all()):
            areas[i] = float(roc_auc_score(c.numpy(), m.numpy()))
    return areas
