"""Does a translation keep the class, and what does its noise decide?

JD-BW is judged by eye in its paper (jdbw.metric.none). Here a classifier of the target domain,
trained on real labelled images only, names the class of each translation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from domain_translation.evaluation.judges.sample_judges import probabilities
from domain_translation.runtime import double
from domain_translation.sampling.inputs import answer, asking, events, floats, labels

# Images and noise seed to translations.
Translate = Callable[[Tensor, int], Tensor]


def confusion(judge: nn.Module, images: Tensor, classes: Tensor, count: int) -> Tensor:
    """Share of each true class (row) that the judge takes for each class (column), (K, K).

    Rows sum to one; rows of classes that do not occur are NaN.

    Args:
        judge: logits of the domain of `images`.
        images: translations (n, C, S, S) in [-1, 1].
        classes: of what they were translated from (n,).
        count: number of classes K.

    Raises:
        ValueError: not as many classes as images, or none.
    """
    named = probabilities(judge, images).argmax(1)
    classes = labels(classes, named, "classes")
    counts = confusion_matrix(classes.cpu(), named.cpu(), labels=range(count))
    table = torch.tensor(counts, dtype=torch.float64)
    return table / table.sum(1, keepdim=True).where(table.sum(1, keepdim=True) > 0, torch.nan)


def agreement(table: Tensor) -> float:
    """Mean over classes of the share kept: every class counts the same, however rare it is."""
    return float(table.diagonal().nanmean())


class Shares(NamedTuple):
    """Shares of the variance of translations, which sum to one."""

    source: float  # what all noises agree on
    noise: float  # what all sources agree on
    both: float  # what depends on the combination


def variance_shares(values: Tensor) -> Shares:
    """Two-way analysis of variance of features of translations.

    Args:
        values: (sources, noises, d): features of source i translated with noise j.

    Raises:
        ValueError: fewer than two sources or noises, or values that do not vary.
    """
    values = floats(values, "values", "(sources, noises, d)")
    if not bool(values.isfinite().all()):
        raise ValueError("values: hold NaN or infinite numbers; remove them first")
    if values.ndim != 3 or min(values.shape[:2]) < 2:
        raise ValueError(
            f"values have shape {tuple(values.shape)}; give (sources, noises, d) with two or more "
            "of both"
        )
    v = double(values)
    centred = v - v.mean((0, 1))
    total = centred.square().sum()
    if total == 0:
        raise ValueError("the translations do not vary; there is nothing to explain")
    by_source = v.shape[1] * centred.mean(1).square().sum() / total
    by_noise = v.shape[0] * centred.mean(0).square().sum() / total
    return Shares(float(by_source), float(by_noise), float(1 - by_source - by_noise))


@torch.no_grad()
def grid(translate: Translate, x: Tensor, noises: int) -> Tensor:
    """Every source image (n, C, S, S) with each of `noises` noises: (n, noises, C', S', S').

    Noise j is the same for all sources, as in the columns of JD-BW's Figures 4, 7 and 8: each
    image is translated alone, so that it gets the first draw of seed j.
    """
    x = events(x, "x")
    with asking("the translator", x[:1]):
        rows = [
            torch.cat([answer(translate(i, s), i, "the translator") for s in range(noises)])
            for i in x[:, None]
        ]
    return torch.stack(rows)


def class_swayed(judge: nn.Module, grid: Tensor) -> float:
    """How often two noises give one source two classes, over pairs of noises and sources.

    Args:
        judge: of the target domain.
        grid: translations (n, noises, C, S, S), see `grid`.
    """
    n, noises = grid.shape[:2]
    named = probabilities(judge, grid.flatten(0, 1)).argmax(1).reshape(n, noises)
    differ = double(named[:, :, None] != named[:, None, :]).sum((1, 2))
    return float((differ / (noises * (noises - 1))).mean())


def diversity(grid: Tensor) -> float:
    """Root mean square difference of two translations of one source with two noises."""
    return float((2 * grid.var(1)).mean().sqrt())
