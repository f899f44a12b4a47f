"""Where a horse's joints are, in each of its poses.

Units: height at the withers is about 1, y points up from the ground, the animal faces right.
Angles of legs are measured from straight down, positive forwards; all arrays are per scene.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_translation.synthetic.animals.animals_law import LAW
from domain_translation.synthetic.latent import Latents

Points = NDArray[Any]


class Pose(NamedTuple):
    """The numbers that tell one pose from another."""

    swing: float
    """Amplitude of the legs' swing, radians."""
    lift: float
    """How far a leg folds on its way forwards, radians."""
    offsets: tuple[float, float, float, float]
    """When in the cycle each leg is: near hind, near fore, far hind, far fore."""
    neck: float
    """Direction of the neck above the horizontal, radians."""
    head: float
    """Direction of the head above the horizontal, radians."""
    pitch: float
    """Tilt of the trunk, radians, positive with the forehand up."""


POSES = {
    "stand": Pose(0.07, 0.0, (0.0, 0.3, 0.55, 0.8), 0.88, -0.82, 0.0),
    "walk": Pose(0.30, 0.45, (0.0, 0.25, 0.5, 0.75), 0.72, -0.85, 0.0),
    "trot": Pose(0.42, 0.85, (0.0, 0.5, 0.5, 0.0), 0.92, -0.90, 0.02),
    "canter": Pose(0.62, 0.95, (0.0, 0.45, 0.14, 0.6), 0.62, -0.62, 0.06),
    "graze": Pose(0.16, 0.0, (0.1, 0.3, 0.6, 0.8), -0.74, -1.25, 0.0),
    "rear": Pose(0.0, 0.0, (0.0, 0.0, 0.0, 0.0), 1.15, -0.40, 0.72),
    "lie": Pose(0.0, 0.0, (0.0, 0.0, 0.0, 0.0), 1.0, -0.7, 0.0),
}

# A leg's angles (upper, cannon, pastern) where the pose sets them, not the gait:
# near hind, near fore, far hind, far fore.
FIXED = {
    "rear": (
        (-0.22, 0.12, 0.35),
        (0.95, -0.65, -1.0),
        (0.22, -0.02, 0.35),
        (1.35, -0.1, -0.6),
    ),
    "lie": (
        (1.15, -1.45, 1.2),
        (1.10, -1.75, -1.6),
        (0.95, -1.50, 1.3),
        (1.25, -1.60, -1.4),
    ),
}
LEGS = ("near hind", "near fore", "far hind", "far fore")
REST_HIND, REST_FORE = (-0.30, 0.14, 0.36), (0.02, -0.01, 0.36)
HIND, FORE = (0.30, 0.29, 0.11), (0.28, 0.26, 0.10)  # lengths of a leg's bones


class Skeleton(NamedTuple):
    """Joints of n animals; each point is (n, 2)."""

    hip: Points
    loin: Points
    shoulder: Points
    crest: Points
    """Base of the neck."""
    poll: Points
    """Top of the neck, between the ears."""
    muzzle: Points
    dock: Points
    """Root of the tail."""
    tail: tuple[Points, Points]
    """Middle and end of the tail."""
    legs: dict[str, tuple[Points, Points, Points, Points]]
    """Of each of LEGS: top joint, knee or hock, fetlock, hoof."""


def table(field: str) -> NDArray[np.float64]:
    """A field of all poses, in the order of the law's values."""
    return np.array([getattr(POSES[name], field) for name in LAW.choices["pose"]])


def direction(angle: NDArray[Any]) -> Points:
    """Unit vectors (n, 2) at `angle` radians above the horizontal."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def build(latents: Latents) -> Skeleton:
    """Joints of the animals with these latent parameters, the lowest point on the ground y = 0."""
    pose = latents["pose"]
    n = len(pose)
    beat = 2 * np.pi * latents["phase"]
    bob = table("swing")[pose] * 0.1 * np.sin(2 * beat)
    pitch = table("pitch")[pose] + bob
    along, up = direction(pitch), direction(pitch + np.pi / 2)

    def on_trunk(x: float, y: float) -> Points:
        return x * along + y * up

    hip, loin, shoulder = on_trunk(-0.33, 0.02), on_trunk(0.0, 0.0), on_trunk(0.31, 0.005)
    crest = on_trunk(0.37, 0.08)
    neck = table("neck")[pose] + latents["neck"] + bob
    head = table("head")[pose] + latents["head"] + 0.5 * latents["neck"]
    poll = crest + (0.47 + 0.10 * (neck < 0))[:, None] * direction(neck)
    muzzle = poll + 0.36 * direction(head)
    dock = on_trunk(-0.50, 0.10)
    flow = 0.12 + 0.9 * table("swing")[pose] + 0.2 * pitch + 0.06 * np.sin(beat)
    middle = dock + 0.22 * direction(-np.pi / 2 - flow - 0.35)
    tail = (middle, middle + 0.30 * direction(-np.pi / 2 - 0.5 * flow + 0.1))
    tops = {"hind": on_trunk(-0.34, -0.10), "fore": on_trunk(0.32, -0.12)}
    legs = {}
    for number, name in enumerate(LEGS):
        kind = name.split()[1]
        shift = np.array([0.07 if name.startswith("far") else 0.0, 0.0])
        angles = _leg_angles(latents, number, kind == "hind")
        legs[name] = _leg(tops[kind] + shift, angles, HIND if kind == "hind" else FORE)
    lowest = np.min([leg[3][:, 1] - 0.02 for leg in legs.values()], axis=0)
    lowest = np.minimum(lowest, -0.21 * latents["girth"])  # the belly, when lying
    rise = np.stack([np.zeros(n), -lowest], axis=-1)
    return Skeleton(
        hip + rise,
        loin + rise,
        shoulder + rise,
        crest + rise,
        poll + rise,
        muzzle + rise,
        dock + rise,
        (tail[0] + rise, tail[1] + rise),
        {k: (a + rise, b + rise, c + rise, d + rise) for k, (a, b, c, d) in legs.items()},
    )


def _leg_angles(latents: Latents, number: int, hind: bool) -> list[NDArray[np.float64]]:
    pose = latents["pose"]
    offset = table("offsets")[pose, number]
    cycle = 2 * np.pi * (latents["phase"] + offset)
    swing = table("swing")[pose] * latents["stride"] * np.sin(cycle)
    fold = table("lift")[pose] * latents["stride"] * np.maximum(np.cos(cycle), 0)
    if hind:
        rest, gait = REST_HIND, (swing + 0.45 * fold, 0.9 * swing - 0.55 * fold, -0.9 * fold)
    else:
        rest, gait = REST_FORE, (swing + 0.45 * fold, swing - 0.95 * fold, -1.4 * fold)
    angles = [r + g for r, g in zip(rest, gait, strict=True)]
    angles[2] = angles[2] + 0.6 * swing
    for name, fixed in FIXED.items():
        here = pose == list(LAW.choices["pose"]).index(name)
        angles = [np.where(here, f, a) for f, a in zip(fixed[number], angles, strict=True)]
    return angles


def _leg(
    top: Points, angles: list[NDArray[np.float64]], lengths: tuple[float, float, float]
) -> tuple[Points, Points, Points, Points]:
    joints = [top]
    for angle, length in zip(angles, lengths, strict=True):
        joints.append(joints[-1] + length * direction(angle - np.pi / 2))
    return joints[0], joints[1], joints[2], joints[3]
