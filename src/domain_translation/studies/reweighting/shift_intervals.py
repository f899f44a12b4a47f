"""How often the intervals of ``domain-translation shift`` cover the truth.

Each seed draws other pictures of both domains. SR-digits (half of the first domain zeros, every
image shrunk, turned and moved) has a total variation of 0.4 by construction, the same digits with
equal masses one of 0. With labels the shares of the ten digits are known as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from domain_translation.reweighting import balance, groups
from domain_translation.reweighting.domains.sr_digits import training_pair
from domain_translation.reweighting.masses import skewed, total_variation
from domain_translation.studies.study import Measure, Study, measures

CLASSES = 10
ROUNDING = 1e-9


@dataclass(frozen=True)
class Draw:
    """Two folders of digits, and how closely they are asked.

    Attributes:
        zeros: mass of the zeros in the first domain; every digit has a tenth of the second.
        pictures: of each domain.
        bootstrap: draws behind an interval of clusters.
    """

    zeros: float
    pictures: int = 600
    bootstrap: int = 100


def run(draw: Draw, seed: int, folder: Path) -> dict[str, Tensor]:
    """What the command would answer of one draw, with labels and with clusters.

    Returns:
        "shares" (2 * CLASSES, 3) with labels, "shift" (3,) with labels and "shift of clusters"
        (3,): value, low and high; "clusters", their number.
    """
    images, digits = drawn(draw, seed)
    known = balance.of_labels(digits[0], digits[1], CLASSES, seed=seed)
    values = groups.reduced(groups.features(torch.cat(images)))
    x, y = values[: draw.pictures], values[draw.pictures :]
    count = groups.choose_count(x, y)
    found = balance.of_groups(
        *groups.groups(x, y, count),
        count,
        lambda i, j, s: groups.groups(x[i], y[j], count, s),
        draws=draw.bootstrap,
        seed=seed,
    )
    return {
        "shares": torch.stack([as_row(i) for i in (*known.p, *known.q)]),
        "shift": as_row(known.shift),
        "shift of clusters": as_row(found.shift),
        "clusters": torch.tensor(count),
    }


def drawn(draw: Draw, seed: int) -> tuple[list[Tensor], list[np.ndarray]]:
    """Pictures of each domain and their digits; numbers of digits vary as in a real sample."""
    rng, many = np.random.default_rng(seed), 4 * draw.pictures
    pair = training_pair("digits", draw.zeros, many, seed)
    rows = [torch.from_numpy(rng.integers(many, size=draw.pictures)) for _ in pair]
    return (
        [as_seen(side.x[row]) for side, row in zip(pair, rows, strict=True)],
        [side.y[row].numpy() for side, row in zip(pair, rows, strict=True)],
    )


def as_seen(x: Tensor) -> Tensor:
    """Digits (B, 1, H, W) as the command sees pictures, (B, 3, SIDE, SIDE)."""
    return interpolate(x.expand(-1, 3, -1, -1), (groups.SIDE,) * 2, mode="bicubic").clamp(-1, 1)


def as_row(found: balance.Interval) -> Tensor:
    """Value, low and high."""
    return torch.tensor([found.value, found.low, found.high], dtype=torch.float64)


def covers(row: Tensor, truth: float) -> bool:
    """Whether an interval (value, low, high) holds the truth."""
    return bool(row[1] - ROUNDING <= truth <= row[2] + ROUNDING)


def measure(draw: Draw, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Which intervals cover the truth (1 or 0), and how far the estimates are off."""
    p, q = skewed(draw.zeros, CLASSES), skewed(1 / CLASSES, CLASSES)
    truth, shares = float(total_variation(p, q)), [*p.tolist(), *q.tolist()]
    rows = list(zip(found["shares"], shares, strict=True))
    grouped = found["shift of clusters"]
    return measures(
        {
            "labels: shares covered": float(np.mean([covers(row, share) for row, share in rows])),
            "labels: a share off at most": max(abs(float(row[0]) - s) for row, s in rows),
            "labels: shift covered": covers(found["shift"], truth),
            "labels: shift": float(found["shift"][0]),
            "clusters: shift covered": covers(grouped, truth),
            "clusters: shift": float(grouped[0]),
            "clusters: width of the interval": float(grouped[2] - grouped[1]),
            "clusters": float(found["clusters"]),
        }
    )


ARMS = {"SR-digits": Draw(zeros=0.5), "equal masses": Draw(zeros=0.1)}
STUDY = Study("reweighting/shift_intervals", ARMS, range(100), run, measure, trains=False)
