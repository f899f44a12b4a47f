"""Which class of a map a pixel belongs to, by its true colour, and how accurate each class is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.evaluation.pictures.pixels import THRESHOLD, both_maps
from domain_translation.runtime import double
from domain_translation.sampling.inputs import pictures
from domain_translation.synthetic.city.town_map import PALETTE

Colour = tuple[int, int, int]  # sRGB out of 255
Legend = Mapping[str, Sequence[Colour]]  # class -> the colours it is drawn in

CITY: Legend = {
    "water": (PALETTE["water"],),
    "park": (PALETTE["park"], PALETTE["wood"]),
    "road": tuple(
        PALETTE[name]
        for name in (
            "street", "casing", "avenue", "avenue casing", "motorway", "motorway casing", "rail",
        )
    ),
    "building": (PALETTE["building"],),
    "ground": (PALETTE["ground"], PALETTE["parking"]),
}  # fmt: skip
"""The legend of the procedural city's maps."""

GOOGLE: Legend = {
    "water": ((177, 208, 254),),
    "park": ((202, 223, 174), (194, 218, 156)),
    "road": ((255, 255, 252), (253, 226, 107), (251, 157, 36)),
    "building": ((242, 240, 234),),
    "ground": ((232, 229, 222),),
}
"""The commonest colours of pix2pix's maps, read off their histogram; text and shading differ."""


class Gap(NamedTuple):
    """Two colours of different classes, and how far they are apart."""

    distance: float
    name: str
    colour: Colour
    other_name: str
    other_colour: Colour


def gaps(legend: Legend) -> list[Gap]:
    """Every colour of a legend beside every colour of another class, nearest first.

    A map that paints one as the other is right in the eyes of a threshold above their distance.
    """
    colours = [(name, rgb) for name, rgbs in legend.items() for rgb in rgbs]
    pairs = itertools.permutations(colours, 2)
    found = [Gap(math.dist(a[1], b[1]), *a, *b) for a, b in pairs if a[0] != b[0]]
    return sorted(found, key=lambda gap: gap.distance)


def map_classes(truth: Tensor, legend: Legend) -> Tensor:
    """Class of every pixel of true maps by the nearest colour of a legend.

    Pixels as far as `THRESHOLD` or farther from every colour (antialiased borders, text) get the
    class -1.

    Args:
        truth: maps (B, 3, H, W) in [-1, 1].
        legend: class -> colours; class k is the k-th key.

    Returns:
        (B, H, W) int64.
    """
    truth = pictures(truth, "truth", channels=3)
    owner = [k for k, colours in enumerate(legend.values()) for _ in colours]
    pixels = (truth.permute(0, 2, 3, 1) + 1) * 127.5
    colours = pixels.new_tensor([c for cs in legend.values() for c in cs])
    nearest, at = torch.cdist(pixels.flatten(0, 2), colours).min(1)
    classes = torch.where(nearest < THRESHOLD, at.new_tensor(owner)[at], -1)
    return classes.reshape(pixels.shape[:3])


def accuracy_by_class(
    image: Tensor, truth: Tensor, legend: Legend, threshold: float = THRESHOLD
) -> dict[str, tuple[float, float]]:
    """Pixel accuracy within each class of the truth, over all images together.

    The accuracies, weighted by the shares, add up to the pixel accuracy of the batch.

    Args:
        image, truth: maps (B, 3, H, W) in [-1, 1].
        legend: see `map_classes`.
        threshold: see `pixel_accuracy`.

    Returns:
        class -> (share of all pixels, accuracy in it), both in [0, 1]; "border" holds the pixels
        of no class. The accuracy of a class without pixels is 0.

    Raises:
        ValueError: see `pixel_accuracy`.
    """
    image, truth = both_maps(image, truth)
    right = (image - truth).norm(dim=1) * 127.5 < threshold
    classes = map_classes(truth, legend)
    found = {}
    for k, name in [*enumerate(legend), (-1, "border")]:
        here = classes == k
        hits = float(double(right[here]).mean()) if here.any() else 0.0
        found[name] = (float(double(here).mean()), hits)
    return found
