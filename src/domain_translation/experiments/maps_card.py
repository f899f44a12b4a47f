"""The card of the full maps run: measured numbers, as JSON, and a strip of pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from domain_translation.cooling import Cooling, Study
from domain_translation.cyclegan import PAPER, CycleGANConfig, ResnetGenerator
from domain_translation.data.folders import Domains
from domain_translation.evaluation import pixel_accuracy
from domain_translation.evaluation.map_classes import GOOGLE, accuracy_by_class
from domain_translation.experiments.map_study import (
    ARMS,
    THRESHOLDS,
    Accuracies,
    accuracies,
    by_share,
    describe,
    flips,
    halved,
)

CLASSES = (*GOOGLE, "border")
_QUANTILES = (0.95, 0.65, 0.35, 0.05)  # of the gain: the pictures of the strip are not picked
_SIDE = 96  # of a picture of the strip, pixels


def measured(found: Study, test: Domains) -> dict[str, Tensor]:
    """Everything the card needs of one study, and the pictures of the strip."""
    at = accuracies(found, test.target)
    up, down = flips(found.plain, found.after_cooling, test.target)
    moved = (found.cooled - found.inputs).flatten(1).square().mean(1).sqrt() * 127.5
    classes = [
        list(accuracy_by_class(image, test.target, GOOGLE).values())
        for image in (found.plain, found.after_cooling, found.after_blur)
    ]
    order = (at.arm("cooled") - at.arm("plain")).argsort()
    shown = order[[round(q * (len(order) - 1)) for q in _QUANTILES]]
    rows = (found.inputs, test.target, found.plain, found.after_cooling)
    return {
        "norms": at.norms,
        "values": at.values,
        "up": up,
        "down": down,
        "moved": moved,
        "classes": torch.tensor(classes, dtype=torch.float64),
        "strip": torch.stack([row[shown] for row in rows]),
    }


def arm(setting: Cooling, by_noise: Sequence[Mapping[str, Tensor]]) -> dict[str, Any]:
    """Results of one setting; the first noise seed gives the table, all give the spread.

    Args:
        setting: of the cooling.
        by_noise: what `measured` found, for each noise seed.
    """
    first = by_noise[0]
    found = Accuracies(first["norms"], first["values"])
    plain, cooled = 100 * found.arm("plain"), 100 * found.arm("cooled")
    gains = [100 * (m["values"][1, 1] - m["values"][1, 0]).mean().item() for m in by_noise]
    shares, hits = first["classes"][0, :, 0], first["classes"][:, :, 1]
    return {
        "setting": {"sigma": setting.sigma, **setting.chain()},
        "by share": by_share(found),
        "gain by noise seed": gains,
        "thresholds": {
            f"{t:g}": {a: 100 * found.arm(a, k).mean().item() for a in ARMS}
            for k, t in enumerate(THRESHOLDS)
        },
        "spread of accuracy": describe(plain),
        "spread of gain": describe(cooled - plain),
        "turned right": 100 * first["up"].mean().item(),
        "turned wrong": 100 * first["down"].mean().item(),
        "moved, grey levels": describe(first["moved"]),
        "classes": {
            name: {"share": 100 * shares[k].item()}
            | {a: 100 * hits[i, k].item() for i, a in enumerate(ARMS)}
            for k, name in enumerate(CLASSES)
        },
    }


def baselines(truth: Tensor) -> dict[str, float]:
    """Accuracies in points that need no translator: a floor and two ceilings.

    The floor paints everything in the best single colour of the legend. The ceilings are the
    truth itself, moved by one pixel, and at half its resolution.

    Args:
        truth: test maps (n, 3, S, S) in [-1, 1], S even.
    """
    flat = [
        pixel_accuracy((torch.tensor(c) / 127.5 - 1).reshape(1, 3, 1, 1).expand_as(truth), truth)
        for colours in GOOGLE.values()
        for c in colours
    ]
    return {
        "one colour": 100 * max(float(f.mean()) for f in flat),
        "truth, one pixel aside": 100 * float(pixel_accuracy(truth.roll(1, -1), truth).mean()),
        "truth, half resolution": 100 * float(pixel_accuracy(halved(truth), truth).mean()),
    }


def fraction(config: CycleGANConfig, pairs: int) -> dict[str, Any]:
    """What part of the papers' training this is: steps, pixels seen, parameters of a generator."""
    steps = 200 * pairs  # lcool.arch.cyclegan: 200 epochs, one image of each domain a step
    ours, theirs = (
        sum(p.numel() for p in ResnetGenerator(width=c.width, blocks=c.blocks).parameters())
        for c in (config, PAPER)
    )
    seen = config.steps * config.batch
    return {
        "images seen": seen / steps,
        "pixels seen": seen / steps * (config.size / PAPER.size) ** 2,
        "parameters": ours / theirs,
        "epochs": seen / pairs,
    }


def strip(pictures: Tensor) -> bytes:
    """PNG of a few pictures, a column each: photograph, truth, plain and cooled translation.

    Args:
        pictures: (rows, n, 3, S, S) in [-1, 1].
    """
    rows, n, channels, s = pictures.shape[:4]
    small = torch.nn.functional.interpolate(
        pictures.flatten(0, 1), size=(_SIDE, _SIDE), mode="area" if s >= _SIDE else "nearest"
    )
    grid = small.reshape(rows, n, channels, _SIDE, _SIDE).permute(0, 3, 1, 4, 2)
    pixels = ((grid.reshape(rows * _SIDE, n * _SIDE, channels) + 1) * 127.5).round().clamp(0, 255)
    image = Image.fromarray(pixels.numpy().astype(np.uint8)).quantize(256)
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()
