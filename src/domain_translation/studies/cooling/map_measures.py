"""What a study of cooled maps measures, at any scale: the quick chapter and the full run share it.

Every translated map is compared with the true one, pixel by pixel (lcool.metric.pixelacc).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from domain_translation.cooling import SHARES, Study, compare_by_share, fringe_mask
from domain_translation.evaluation import pixel_accuracy
from domain_translation.evaluation.pictures.map_classes import Legend, accuracy_by_class
from domain_translation.evaluation.pictures.pixels import THRESHOLD
from domain_translation.evaluation.statistics.power import detectable_gain
from domain_translation.notebook import evidence
from domain_translation.notebook.evidence import Estimate

THRESHOLDS = (8.0, THRESHOLD, 32.0)  # half and double the sources' threshold
ARMS = ("plain", "cooled", "blurred")
CARD = "cooling/maps-full"


class Accuracies(NamedTuple):
    """Pixel accuracies of one test set, in the order of its images.

    Attributes:
        norms: score norms of the inputs (n,), which rank the fringe.
        values: (thresholds, arms, n) in [0, 1]; arms as in `ARMS`, thresholds as asked for.
    """

    norms: Tensor
    values: Tensor

    def arm(self, name: str, threshold: int = THRESHOLDS.index(THRESHOLD)) -> Tensor:
        """Accuracies (n,) of one arm at the threshold of this index; by default the sources'."""
        return self.values[threshold, ARMS.index(name)]


def accuracies(found: Study, truth: Tensor, thresholds: Sequence[float] = THRESHOLDS) -> Accuracies:
    """Pixel accuracies of a study's translations: plain, after cooling and after an equal blur.

    Raises:
        ValueError: translations and `truth` of different shapes.
    """
    arms = (found.plain, found.after_cooling, found.after_blur)
    values = [[pixel_accuracy(image, truth, t) for image in arms] for t in thresholds]
    return Accuracies(found.norms, torch.stack([torch.stack(row) for row in values]))


def pooled(parts: Sequence[Accuracies]) -> Accuracies:
    """Several test sets as one: the fringe is then ranked over all of them."""
    return Accuracies(torch.cat([p.norms for p in parts]), torch.cat([p.values for p in parts], 2))


def by_share(found: Accuracies, seed: int = 0) -> list[dict[str, float]]:
    """L-Cool's Table 3 with a control (lcool.tab3): one entry a fringe share, in points.

    Args:
        found: see `accuracies`.
        seed: of the bootstrap.

    Returns:
        entries with share in (0, 1], n, threshold (of the score norm), plain, cooled, gain, low,
        high (bootstrap interval of the gain, 95 %), p and effect of Wilcoxon's test, and for the
        blurred control its gain, low, high and p. Accuracies and gains in points (100 = all).
    """
    plain = 100 * found.arm("plain")
    cooled = compare_by_share(found.norms, plain, 100 * found.arm("cooled"), seed=seed)
    blurred = compare_by_share(found.norms, plain, 100 * found.arm("blurred"), seed=seed)
    return [
        {
            "share": row.share,
            "n": row.result.n,
            "threshold": row.threshold,
            "plain": row.result.before,
            "cooled": row.result.after,
            "gain": row.result.gain,
            "low": row.result.low,
            "high": row.result.high,
            "p": row.result.p_value,
            "effect": row.result.effect,
            "blur gain": other.result.gain,
            "blur low": other.result.low,
            "blur high": other.result.high,
            "blur p": other.result.p_value,
        }
        for row, other in zip(cooled, blurred, strict=True)
    ]


def by_fringe(found: Accuracies) -> dict[str, float]:
    """What the card of the drawn city holds of one setting: by fringe share and by band, in points.

    Returns:
        of "plain", "gain" (by cooling) and "gain of the blur" the mean on each fringe share, and
        that on the 20 % fringe minus the rest; the gain in each band of 20 %, longest score first;
        and the shares of scenes that come closer to the truth and that go farther, in [0, 1].
    """
    plain, cooled, blurred = (100 * found.arm(name) for name in ARMS)
    gained, fringes = cooled - plain, {s: fringe_mask(found.norms, share=s) for s in SHARES}
    top = fringes[SHARES[0]]
    numbers: dict[str, Tensor] = {}
    for what, v in {"plain": plain, "gain": gained, "gain of the blur": blurred - plain}.items():
        numbers |= {f"{what}, {s:.0%} fringe": v[fringe].mean() for s, fringe in fringes.items()}
        numbers[f"{what}, fringe - rest"] = v[top].mean() - v[~top].mean()
    bands = found.norms.argsort(descending=True).chunk(5)
    numbers |= {f"gain, band {k}": gained[band].mean() for k, band in enumerate(bands, 1)}
    numbers["share of scenes closer to the truth"] = (gained > 0).double().mean()
    numbers["share of scenes farther from the truth"] = (gained < 0).double().mean()
    return {name: float(value) for name, value in numbers.items()}


def gains(found: Accuracies) -> list[float]:
    """Mean gain by cooling at every fringe share, in points: `by_share` without its tests."""
    gained = 100 * (found.arm("cooled") - found.arm("plain"))
    return [float(gained[fringe_mask(found.norms, share=s)].mean()) for s in SHARES]


def band_means(nested: Sequence[float], shares: Sequence[float] = SHARES) -> list[float]:
    """Means over the bands between nested shares, from the means over the shares themselves.

    The mean over a share is that of its bands, weighted by their width: m_k s_k is a running sum,
    and its differences over the widths are the bands' means.

    Raises:
        ValueError: another number of means than of shares.
    """
    if len(nested) != len(shares):
        raise ValueError(f"{len(nested)} means for {len(shares)} shares; give one mean a share")
    total = [m * s for m, s in zip(nested, shares, strict=True)]
    before = [0.0, *total[:-1]]
    widths = [s - t for s, t in zip(shares, [0.0, *shares[:-1]], strict=True)]
    return [(t - b) / w for t, b, w in zip(total, before, widths, strict=True)]


def flips(before: Tensor, after: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of pixels that turn right and that turn wrong between two translations, (B,) each.

    Their difference is the gain in pixel accuracy.
    """
    first, second = ((image - truth).norm(dim=1) * 127.5 < THRESHOLD for image in (before, after))
    turned = [(a & ~b).double().flatten(1).mean(1) for a, b in ((second, first), (first, second))]
    return turned[0], turned[1]


def measured(found: Study, truth: Tensor, legend: Legend) -> dict[str, Tensor]:
    """Everything that `described` says of cooled photographs, image by image."""
    at = accuracies(found, truth)
    up, down = flips(found.plain, found.after_cooling, truth)
    moved = (found.cooled - found.inputs).flatten(1).square().mean(1).sqrt() * 127.5
    classes = [
        list(accuracy_by_class(image, truth, legend).values())
        for image in (found.plain, found.after_cooling, found.after_blur)
    ]
    shares_and_hits = torch.tensor(classes, dtype=torch.float64)
    ways = {"up": up, "down": down, "moved": moved, "classes": shares_and_hits}
    return {"norms": at.norms, "values": at.values, **ways}


def described(found: Mapping[str, Tensor], legend: Legend) -> dict[str, Any]:
    """What is said of one setting.

    Args:
        found: by `measured`.
        legend: that it was measured with.
    """
    at = Accuracies(found["norms"], found["values"])
    plain, cooled = 100 * at.arm("plain"), 100 * at.arm("cooled")
    shares, hits = found["classes"][0, :, 0], found["classes"][:, :, 1]
    return {
        "by share": by_share(at),
        "thresholds": {
            f"{t:g}": {a: 100 * at.arm(a, k).mean().item() for a in ARMS}
            for k, t in enumerate(THRESHOLDS)
        },
        "spread of accuracy": describe(plain),
        "spread of gain": describe(cooled - plain),
        "turned right": 100 * found["up"].mean().item(),
        "turned wrong": 100 * found["down"].mean().item(),
        "moved, grey levels": describe(found["moved"]),
        "classes": {
            name: {"share": 100 * shares[k].item()}
            | {a: 100 * hits[i, k].item() for i, a in enumerate(ARMS)}
            for k, name in enumerate((*legend, "border"))
        },
    }


def yardsticks(truth: Tensor, legend: Legend) -> dict[str, Tensor]:
    """Maps that need no translator: the best single colour, and two that are nearly right.

    Args:
        truth: test maps (n, 3, S, S) in [-1, 1], S even.
        legend: whose colours are tried.
    """
    colours = torch.tensor([rgb for rgbs in legend.values() for rgb in rgbs]) / 127.5 - 1
    sheets = [rgb.reshape(1, 3, 1, 1).expand_as(truth) for rgb in colours]
    return {
        "one colour": max(sheets, key=lambda sheet: pixel_accuracy(sheet, truth).mean().item()),
        "truth, one pixel aside": truth.roll(1, -1),
        "truth, half resolution": halved(truth),
    }


def halved(images: Tensor) -> Tensor:
    """Images (n, C, H, W) that went through half their resolution: means of 2x2, then linear."""
    small = avg_pool2d(images, 2)
    back: Tensor = interpolate(small, size=images.shape[-2:], mode="bilinear", align_corners=False)
    return back


def in_batches(network: Callable[[Tensor], Tensor], size: int = 16) -> Callable[[Tensor], Tensor]:
    """The same function, applied to `size` images at a time, so that large sets fit in memory.

    Right for networks that treat every image by itself; those of this package do.
    """

    def batched(x: Tensor) -> Tensor:
        return torch.cat([network(part) for part in torch.split(x, size)])

    return batched


def summary(arm: Mapping[str, Any], known: Mapping[str, float]) -> dict[str, float]:
    """One setting on one set of photographs as a column of a table, in points.

    Args:
        arm: by `described`, or of the stored run.
        known: accuracies that need no translator, see `yardsticks`.
    """
    whole, deviation = arm["by share"][-1], arm["spread of gain"]["deviation"]
    return {
        "plain accuracy": whole["plain"],
        "gain": whole["gain"],
        "its p-value": whole["p"],
        "gain of an equal blur": whole["blur gain"],
        "turned right": arm["turned right"],
        "turned wrong": arm["turned wrong"],
        **{
            f"gain from {name}": c["share"] * (c["cooled"] - c["plain"]) / 100
            for name, c in arm["classes"].items()
        },
        "standard deviation of the gain": deviation,
        "detectable gain, 848 photographs": detectable_gain(deviation, 848),  # L-Cool's test set
        **known,
        "plain accuracy, threshold 8": arm["thresholds"]["8"]["plain"],
        "plain accuracy, threshold 32": arm["thresholds"]["32"]["plain"],
    }


def describe(values: Tensor) -> dict[str, Any]:
    """Mean and standard deviation over images of a measured quantity (n,), for a card."""
    return {"mean": float(values.mean()), "deviation": float(values.std())}


def stored(arm: Mapping[str, Any], baselines: Mapping[str, float]) -> dict[Any, Estimate]:
    """One arm of a stored run as estimates: of one training, so their errors are about images.

    Args:
        arm: of the stored file, one of its settings.
        baselines: of the stored file, see `maps.baselines`.

    Returns:
        ``("plain", share)`` and ``("gain", share)`` for every fringe share, and ``"above one
        colour"``, the plain accuracy minus that of the best single colour; all in points.
    """
    found: dict[Any, Estimate] = {}
    spread = arm["spread of accuracy"]["deviation"]
    for row in arm["by share"]:
        n, share = int(row["n"]), row["share"]
        gain = evidence.stated(row["gain"], row["low"], row["high"], n=n, seeds=1)
        found["plain", share] = Estimate(row["plain"], spread / n**0.5, n, 1, card=CARD)
        found["gain", share] = replace(gain, card=CARD)
    overall = found["plain", 1.0]
    found["above one colour"] = replace(overall, value=overall.value - baselines["one colour"])
    return found
