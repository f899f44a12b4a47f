"""Forced choice by classifiers, in the design of ImproveIT's user study (improveit.metric.amt).

The study cannot be repeated without its 25 people: each saw 40 scored pairs and chose the image
that better represents the target domain. Declared substitute: 25 raters, each a classifier that
never saw a translated image, on 40 pairs each; a rater chooses the image it finds more likely to
be of the target domain.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from scipy import stats
from torch import Generator, Tensor

from domain_translation.sampling.inputs import floats, whole

RATERS, PAIRS = 25, 40


class Preference(NamedTuple):
    """Outcome of a forced choice.

    Attributes:
        share: of all judgements that prefer the second image; ties count half.
        low, high: 95 % interval from a bootstrap over raters and, within them, pairs.
        p_value: two-sided sign test over images: for each image shown, do most raters prefer
            the second? Judgements of one image are not independent, images are.
    """

    share: float
    low: float
    high: float
    p_value: float


def forced_choice(
    first: Tensor, second: Tensor, *, raters: int = RATERS, pairs: int = PAIRS, seed: int = 0
) -> Preference:
    """Let raters choose between two treatments of the same images.

    Args:
        first, second: likeness (J, n) that each of J judges gives each of n images, without and
            with the treatment. Raters are the judges in turn.
        raters: number of raters; rater i is judge i mod J.
        pairs: shown to each rater, drawn without replacement.
        seed: of the draw and of the bootstrap.

    Raises:
        ValueError: likenesses of different shapes, or fewer images than `pairs`.
    """
    first = floats(first, "first", "(judges, images)")
    second = floats(second, "second", "(judges, images)", like=first)
    raters, pairs = whole(raters, "raters"), whole(pairs, "pairs")
    if not bool(first.isfinite().all() & second.isfinite().all()):
        raise ValueError("some likenesses are NaN or infinite; give finite ones")
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(
            f"likenesses have shapes {tuple(first.shape)} and {tuple(second.shape)}; "
            f"give two equal (judges, images)"
        )
    judges, n = first.shape
    if n < pairs:
        raise ValueError(f"{pairs} pairs asked for, {n} images given; show fewer pairs")
    generator = Generator().manual_seed(seed)
    first, second = first.cpu(), second.cpu()
    vote = (second > first).double() + (second == first).double() / 2
    shown = torch.stack([torch.randperm(n, generator=generator)[:pairs] for _ in range(raters)])
    votes = torch.stack([vote[i % judges, shown[i]] for i in range(raters)])
    again = torch.randint(raters, (2000, raters), generator=generator)
    which = torch.randint(pairs, (2000, raters, pairs), generator=generator)
    shares = votes[again].gather(2, which).mean((1, 2))
    low, high = shares.quantile(torch.tensor([0.025, 0.975], dtype=shares.dtype)).tolist()
    total = torch.zeros(n, dtype=torch.double).index_add_(
        0, shown.flatten(), (votes - 0.5).flatten()
    )
    wins, losses = int((total > 0).sum()), int((total < 0).sum())
    p_value = float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return Preference(float(votes.mean()), low, high, p_value)
