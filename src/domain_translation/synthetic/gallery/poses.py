"""Poses of an animal on a meadow, as masks: the drawing behind `gallery`.

Lengths are in picture widths, the origin is the upper left corner. The animal is made of an
ellipse (body) and capsules (neck, head, ears, legs, tail), placed by a handful of angles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

_FINE = 4  # sub-pixels per pixel and direction, averaged at the end


@dataclass(frozen=True)
class Pose:
    """One silhouette. Angles in degrees, counter-clockwise, for an animal facing right."""

    name: str
    weight: float  # probability of the pose
    x: float = 0.5  # where it stands
    y: float = 0.86  # where its feet are
    scale: float = 0.62  # length of the animal in picture widths
    mirrored: bool = False  # facing left
    neck: float = 50.0  # of the neck above the horizontal
    tilt: float = 0.0  # of the whole body
    legs: tuple[float, float, float, float] = (-92.0, -86.0, -94.0, -88.0)  # hind pair, front pair
    leg: float = 0.42  # their length, in lengths of the animal


def _both_ways(pose: Pose, share: float) -> list[Pose]:
    """The pose facing right with `share` of its weight and facing left with the rest."""
    return [
        replace(pose, name=f"{pose.name}, right", weight=pose.weight * share),
        replace(
            pose,
            name=f"{pose.name}, left",
            weight=pose.weight * (1 - share),
            mirrored=True,
            x=1 - pose.x,
        ),
    ]


_WALK = (-112.0, -72.0, -108.0, -70.0)
_COMMON = [
    *_both_ways(Pose("standing", 0.22, x=0.46), 0.6),
    *_both_ways(Pose("grazing", 0.20, x=0.42, neck=-60.0), 0.5),
    *_both_ways(Pose("walking", 0.17, x=0.48, legs=_WALK, neck=38.0), 0.55),
    *_both_ways(Pose("looking up", 0.10, x=0.47, neck=72.0), 0.5),
    *_both_ways(Pose("aside", 0.12, x=0.36, y=0.80, scale=0.54), 0.5),
    *_both_ways(Pose("farther off", 0.08, x=0.62, y=0.74, scale=0.44, legs=_WALK), 0.5),
    *_both_ways(Pose("nearer", 0.06, x=0.44, y=0.93, scale=0.74), 0.5),
]
_RARE = [
    *_both_ways(
        Pose(
            "rearing",
            0.014,
            x=0.42,
            scale=0.56,
            tilt=42.0,
            neck=32.0,
            legs=(-138.0, -126.0, -70.0, -40.0),
        ),
        0.6,
    ),
    *_both_ways(Pose("lying", 0.013, x=0.46, y=0.88, leg=0.16, neck=42.0), 0.5),
    *_both_ways(Pose("galloping", 0.010, legs=(-140.0, -128.0, -38.0, -52.0), neck=24.0), 0.5),
    *_both_ways(Pose("leaving the frame", 0.008, x=0.98, neck=46.0), 0.5),
    *_both_ways(Pose("in the distance", 0.005, x=0.34, y=0.66, scale=0.28), 0.6),
]
POSES: tuple[Pose, ...] = (*_COMMON, *_RARE)
RARE = frozenset(pose.name for pose in _RARE)


class Masks(NamedTuple):
    """Where the parts of a picture are: (S, S) float64 in [0, 1], patterns of either sign.

    `sky`, `hill`, `ground`, `coat` and `dark` are shares of each pixel; but for the shadow on the
    ground they add up to 1.
    """

    sky: Tensor
    hill: Tensor
    ground: Tensor
    coat: Tensor
    dark: Tensor  # mane, tail tip, hooves, eye: the same in every picture of the pose
    stripes: Tensor  # how dark the coat is in the striped domain
    belly: Tensor  # shading of the coat, from -1 below to 1 above
    blaze: Tensor  # the front of the head
    across: Tensor  # light from the side, -1 to 1
    down: Tensor  # light from above, -1 to 1
    cloud: tuple[Tensor, ...]  # two
    tufts: tuple[Tensor, ...]  # three
    dapples: tuple[Tensor, ...]  # two


def masks(pose: Pose, size: int) -> Masks:
    """The masks of a pose at `size` pixels, drawn at four times that resolution."""
    line = (torch.arange(size * _FINE, dtype=torch.float64) + 0.5) / (size * _FINE)
    v, u = torch.meshgrid(line, line, indexing="ij")
    hill_top = 0.43 - 0.06 * torch.sin(5.2 * u + 0.6) - 0.025 * torch.sin(11 * u)
    below, land = _step(v - 0.52), _step(v - hill_top)
    animal = _animal(pose, u, v)
    width = pose.scale * 0.36
    shadow = _step(1 - ((u - pose.x) / width) ** 2 - ((v - pose.y) / (0.16 * width)) ** 2, 0.3)
    free = 1 - animal["coat"].maximum(animal["dark"])
    coat = animal["coat"] * (1 - animal["dark"])
    clouds = [
        sum(torch.exp(-(((u - a) / 0.16) ** 2) - ((v - b) / 0.05) ** 2) for a, b in places)
        for places in (((0.22, 0.14), (0.36, 0.18)), ((0.78, 0.10), (0.66, 0.24)))
    ]
    waves = [_ripple(u, v, *wave) for wave in ((9, 3, 0.4), (5, 11, 1.3), (14, 6, 2.2))]
    spots = [_ripple(u, v, 17, 5, 0.2) * _ripple(u, v, 4, 19, 1.0), _ripple(u, v, 23, 21, 0.7)]
    ground = below * free
    fine = {
        "sky": (1 - land) * free,
        "hill": land * (1 - below) * free,
        "ground": ground * (1 - 0.45 * shadow),
        "coat": coat,
        "dark": animal["dark"],
        "stripes": animal["stripes"],
        "belly": coat * animal["height"],
        "blaze": coat * animal["head"],
        "across": 2 * u - 1,
        "down": 1 - 2 * v,
    }
    small = {name: _average(mask) for name, mask in fine.items()}
    # Stripes are averaged over the coat they lie on, not over the meadow beside it.
    on_coat = _average(coat * animal["stripes"])
    small["stripes"] = on_coat / small["coat"].clamp_min(1e-6)
    return Masks(
        **small,
        cloud=tuple(_average(c * fine["sky"]) for c in clouds),
        tufts=tuple(_average(w * ground) for w in waves),
        dapples=tuple(_average(s * coat) for s in spots),
    )


def _animal(pose: Pose, u: Tensor, v: Tensor) -> dict[str, Tensor]:
    """The animal's parts on the fine grid; see `Masks`."""
    turn = math.radians(pose.tilt)
    facing = -1.0 if pose.mirrored else 1.0
    # The animal's own coordinates: feet at height 0, length 1, a along it, h upwards. It is
    # tilted about its hind feet.
    right, up = facing * (u - pose.x) / pose.scale + 0.25, (pose.y - v) / pose.scale
    a = math.cos(turn) * right + math.sin(turn) * up - 0.25
    h = -math.sin(turn) * right + math.cos(turn) * up
    top = pose.leg + 0.14

    def capsule(start: tuple[float, float], end: tuple[float, float], radius: float) -> Tensor:
        da, dh = end[0] - start[0], end[1] - start[1]
        t = (((a - start[0]) * da + (h - start[1]) * dh) / (da * da + dh * dh)).clamp(0, 1)
        gap = torch.hypot(a - start[0] - t * da, h - start[1] - t * dh)
        return _step(radius - gap, 0.02)

    body = _step(1 - (a / 0.40) ** 2 - ((h - top) / 0.18) ** 2, 0.1)
    neck_from = (0.30, top + 0.06)
    neck_to = _along(neck_from, pose.neck, 0.34)
    nose = _along(neck_to, pose.neck - 80.0 if pose.neck > 0 else pose.neck - 20.0, 0.20)
    neck = capsule(neck_from, neck_to, 0.085)
    head = capsule(neck_to, nose, 0.065)
    ear = capsule(neck_to, _along(neck_to, pose.neck + 35.0, 0.12), 0.03)
    hips = [(-0.30, top - 0.06), (-0.22, top - 0.06), (0.20, top - 0.06), (0.29, top - 0.06)]
    feet = [_along(hip, angle, top - 0.06) for hip, angle in zip(hips, pose.legs, strict=True)]
    legs = [capsule(hip, foot, 0.05) for hip, foot in zip(hips, feet, strict=True)]
    hooves = [capsule(foot, (foot[0] + 0.01, foot[1]), 0.055) for foot in feet]
    tail_from = (-0.38, top + 0.06)
    tail = capsule(tail_from, _along(tail_from, -112.0, 0.30), 0.035)
    crest = [_along(p, pose.neck + 90.0, 0.07) for p in (neck_from, neck_to)]
    mane = capsule(crest[0], crest[1], 0.035)
    eye = capsule(_along(neck_to, pose.neck - 60.0, 0.04), _along(neck_to, pose.neck, 0.02), 0.022)
    # Stripes cross the body upright, the neck across its axis, the legs level.
    along_neck = (a - neck_from[0]) * math.cos(math.radians(pose.neck)) + (
        h - neck_from[1]
    ) * math.sin(math.radians(pose.neck))
    bands = torch.where(h < top - 0.15, h / 0.13, (a + 0.10 * (h - top)) / 0.155)
    bands = torch.where(neck.maximum(head) > body, along_neck / 0.14, bands)
    limbs = torch.stack([body, neck, head, ear, *legs]).amax(0)
    return {
        "coat": limbs,
        "dark": torch.stack([*hooves, tail, mane, eye]).amax(0),
        "head": head,
        "stripes": _step(torch.sin(2 * math.pi * bands), 0.7),
        "height": ((h - top) / 0.18).clamp(-1, 1),
    }


def _along(start: tuple[float, float], degrees: float, length: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return start[0] + length * math.cos(angle), start[1] + length * math.sin(angle)


def _step(inside: Tensor, width: float = 0.01) -> Tensor:
    """0 where `inside` is negative, 1 where positive, with an edge of `width`."""
    return torch.sigmoid(4 * inside / width)


def _ripple(u: Tensor, v: Tensor, across: float, down: float, phase: float) -> Tensor:
    """A wave of `across` and `down` radians per half picture, gently bent."""
    bent = phase + 2 * across * u + 2 * down * v
    return torch.sin(bent + 0.8 * torch.sin(7 * u - 5 * v + phase))


def _average(fine: Tensor) -> Tensor:
    return avg_pool2d(fine[None, None], _FINE)[0, 0]
