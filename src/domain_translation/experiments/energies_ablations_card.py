"""The card of the ablations: one run's samples before their judge, and as small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from domain_translation import weights
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.frechet import frechet_distance
from domain_translation.evaluation.noisiness import noise_level
from domain_translation.evaluation.protocol import as_images
from domain_translation.evaluation.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.sample_sets import real_images
from domain_translation.experiments import stored_runs
from domain_translation.experiments.picture_text import pictures
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.evidence import Estimate

STUDY = "energies/ablations-full"
MEASURED = {  # what the card calls it: the field of a stored run
    "distance": "frechet",
    "sure of": "confident",
    "grain on black": "black",
    "noise level": "noise level",
    "processor seconds": "cpu seconds",
}
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


def stored() -> Mapping[str, Any]:
    """The card of the grid as it was written; raises FileNotFoundError where there is none."""
    return stored_runs.read("energies/ablations")


def card(found: Mapping[str, Any] | None = None) -> Card:
    """The grid as a card to judge by: every run of an arm trained an energy of its own.

    Args:
        found: what `stored` returns; None: that.
    """
    found = stored() if found is None else found
    rows, lost = [], {}
    for arm, entry in found["arms"].items():
        for seed, run in entry["runs"].items():
            if run["diverged"]:
                lost[arm, int(seed)] = f"diverged at update {run['diverged']}"
                continue
            networks = (f"{arm}, seed {seed}",)
            rows += [
                Row(arm, int(seed), name, float(run[key]), networks)
                for name, key in MEASURED.items()
            ]
    origin = {
        "made": found["date"],
        "seconds": found["cpu seconds"],
        "machine": [found["machine"]["cpu"]],
        "versions": found["versions"],
    }
    return Card(STUDY, "full", tuple(rows), lost, origin)


def share_lost(card: Card, *arms: str) -> Estimate:
    """The share of lost runs among all of several arms."""
    lived = {(r.arm, r.seed) for r in card.rows if r.arm in arms}
    lost = sum(card.lost_of(arm) for arm in arms)
    runs = len(lived) + lost
    return replace(evidence.share(lost, runs, seeds=runs), card=card.study)


def told(card: Card, arm: str, name: str) -> str:
    """The mean over an arm's runs that lived, for a table; its interval where there are two."""
    values = [r.value for r in card.rows if (r.arm, r.name) == (arm, name)]
    if len(values) > 1:
        return str(card[arm, name])
    return f"{values[0]:.3g}, one run" if values else "none lived"


def told_lost(card: Card, arm: str) -> str:
    """How many of an arm's runs are lost, for a table."""
    lost, lived = card.lost_of(arm), len({r.seed for r in card.rows if r.arm == arm})
    return f"{lost} of {lost + lived}"
