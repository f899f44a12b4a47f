"""The card of the ablations: one run's samples before their judge, and as small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from domain_translation import weights
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.frechet import frechet_distance
from domain_translation.evaluation.noisiness import noise_level
from domain_translation.evaluation.protocol import as_images
from domain_translation.evaluation.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.sample_sets import real_images
from domain_translation.experiments.picture_text import pictures

CONFIDENT = 0.9  # probability above which the judge is sure
PICTURES = 8  # samples of a run that the card holds


class World(NamedTuple):
    """Images and their judge."""

    judge: SampleJudge
    train: Tensor
    test: Tensor
    black: Tensor  # mask (1, S, S) of the pixels that are -1 in every training image


WORLDS = ("digits", "glyphs")


def world(name: str) -> World:
    """One of `WORLDS`, from the shipped judge and the images it is named after."""
    judge, train = weights.load(f"energies/judge_{name}"), real_images(name, "train").x
    assert isinstance(judge, SampleJudge)
    return World(judge, train, real_images(name, "test").x, train.amax(0) == -1)


def judged(judge: SampleJudge, x: Tensor, real: Tensor) -> dict[str, Any]:
    """What the judge says of samples x (n, 1, S, S), beside real images."""
    shown = as_images(x)
    features = judge_features(judge)
    p = probabilities(judge, shown)
    sure = p.amax(1) > CONFIDENT
    return {
        "frechet": round(frechet_distance(features(shown), features(as_images(real))), 3),
        "confident": round(float(sure.double().mean()), 4),
        "classes": len(set(p.argmax(1)[sure].tolist())),
    }


def grain(x: Tensor, black: Tensor) -> dict[str, float]:
    """How noisy images (n, 1, S, S) are, over all and where the data are black without exception.

    Args:
        x: images, not clamped.
        black: mask (1, S, S) of the pixels that are -1 in every training image.
    """
    return {
        "noise level": round(float(noise_level(x).median()), 4),
        "black": round(float((x[:, black] + 1).square().mean().sqrt()), 4),
    }


def summary(found: Mapping[str, Tensor], own: World) -> dict[str, Any]:
    """One run's entry of the card."""
    judge, real, black = own.judge, own.test, own.black
    entry: dict[str, Any] = {
        "diverged": int(found["diverged"]),
        "cpu seconds": round(float(found["seconds"]), 1),
    }
    if entry["diverged"]:
        return entry
    entry |= judged(judge, found["samples"], real) | grain(found["samples"], black)
    entry["pictures"] = pictures(found["samples"][:PICTURES])
    for field in ("gap", "gradient_norm", "sample_std", "diversity"):
        entry[field] = [round(v, 4) for v in found[field][::10].tolist()]
    if "mark.samples" in found:
        entry["marks"] = [
            {"update": int(u), "fade": round(float(b), 3), "cpu seconds": round(float(s), 2)}
            | judged(judge, x, real)
            for u, b, s, x in zip(
                found["mark.update"],
                found["mark.fade"],
                found["mark.seconds"],
                found["mark.samples"],
                strict=True,
            )
        ]
    return entry
