"""Three pairs of domains out of balance (JD-BW 5.2 to 5.4), drawn by procedures.

Each stands in for a pair of the paper, and has what that one lacks: classes of every image on
both sides, and, where the picture alone decides it, the true counterpart.

* plates: balanced glyphs against house-number plates with SVHN's shares (jdbw.data.svhn);
* wares: contours, 26.6 % of them shoes, against photographs with 90 % (jdbw.data.edges);
* heads: photographs, a fifth with glasses, against paintings, three fifths (jdbw.data.portraits).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from domain_translation.batch_weight.masses import masses, midpoint
from domain_translation.data.digits import Split
from domain_translation.data.fashion_wares import EDGE_SHARES, PHOTO_SHARES
from domain_translation.data.painterly import painted
from domain_translation.data.procedural import glyphs, heads, plates, wares
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.counterparts import Errors, none_known, to_counterparts
from domain_translation.experiments.weights_scene_settings import SETTINGS, Settings

SIZE = 16  # side of all pictures in pixels
EVEN = (0.1,) * 10
SVHN = tuple(count / sum(plates.SVHN_COUNTS) for count in plates.SVHN_COUNTS)
# Heads without and with glasses; nobody counted those of the paper, so the shares are declared.
GLASSES = ((0.8, 0.2), (0.4, 0.6))

TRAINING, TESTS, JUDGED = 3000, 400, 4000  # images of a side
# Seeds of the draws; training uses FIRST + 2 seed for x and the next for y, so that no image of
# one part, or of one side, is in another.
HELD_OUT, JUDGES, FIRST = 0, 1, 100

Draw = Callable[[int, int], Pair]  # number of images of each side, and seed


@dataclass(frozen=True)
class Scene:
    """Two domains whose classes differ in mass.

    Attributes:
        name: plates, wares or heads.
        looks: what the first and the second domain are called.
        classes: names of the classes 0, 1, ..., the same in both.
        judges: names of the shipped classifiers of the two domains.
        channels: of the images of either domain.
        masses: of the classes in the training images of the first domain, p, and the second, q.
        uneven: draws images of those masses; image i of one side is not that of the other.
        even: draws images of equal masses, image i of x beside its true counterpart in y, if
            there is one.
        errors: how translations are compared with true counterparts.
        settings: of the scene's trainings.
    """

    name: str
    looks: tuple[str, str]
    judges: tuple[str, str]
    classes: tuple[str, ...]
    channels: tuple[int, int]
    masses: tuple[tuple[float, ...], tuple[float, ...]]
    uneven: Draw
    even: Draw
    errors: Errors
    settings: Settings

    def goal(self) -> Tensor:
        """Class masses (K,) at which two-sided weights meet."""
        p, q = self.masses
        return midpoint(masses(p), masses(q))


@functools.lru_cache(maxsize=1)
def training_pair(scene: Scene, seed: int, n: int = TRAINING) -> Pair:
    """n training images of either domain, in the scene's masses.

    Args:
        scene: one of `SCENES`.
        seed: 0 or larger; two seeds have no image in common.
        n: images of each domain, at least 1.

    Raises:
        ValueError: a negative seed, or n below 1.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; give an integer, 0 or larger")
    return scene.uneven(n, FIRST + 2 * seed)


def held_out_pair(scene: Scene, n: int = TESTS) -> Pair:
    """n test images of either domain, all classes alike frequent; no training sees them.

    Where the scene knows true counterparts, image i of y is that of image i of x.
    """
    return scene.even(n, HELD_OUT)


def judged_pair(scene: Scene, n: int = JUDGED) -> Pair:
    """n images of either domain that its judge is trained on, and nothing else."""
    return scene.even(n, JUDGES)


def _digits(shares: tuple[float, ...], n: int, seed: int) -> Pair:
    x = glyphs.sample(n, seed, size=SIZE)
    return Pair(Split(*x), Split(*plates.sample(n, seed + 1, size=SIZE, shares=shares)))


def _wares(n: int, seed: int) -> Pair:
    shoes = (EDGE_SHARES[1], PHOTO_SHARES[1])
    x = wares.sample(n, seed, size=SIZE, style="edges", share_shoes=shoes[0])
    y = wares.sample(n, seed + 1, size=SIZE, style="photo", share_shoes=shoes[1])
    return Pair(Split(*x), Split(*y))


def _same_wares(n: int, seed: int) -> Pair:
    drawn, taken = (wares.sample(n, seed, size=SIZE, style=style) for style in ("edges", "photo"))
    return Pair(Split(*drawn), Split(*taken))


def _heads(n: int, seed: int) -> Pair:
    shares = [side[1] for side in GLASSES]
    x = heads.sample(n, seed, size=SIZE, style="photo", share=shares[0])
    y = heads.sample(n, seed + 1, size=SIZE, style="painted", share=shares[1])
    return Pair(Split(*x), Split(*y))


def _same_heads(n: int, seed: int) -> Pair:
    taken = heads.sample(n, seed, size=SIZE, style="photo")
    return Pair(Split(*taken), Split(painted(taken.x, seed), taken.y))  # heads' own paintings


_ALL = (
    Scene(
        name="plates",
        looks=("glyphs", "plates"),
        judges=("energies/judge_glyphs", "scenes/judge_plates"),
        classes=tuple("0123456789"),
        channels=(1, 3),
        masses=(EVEN, SVHN),
        uneven=partial(_digits, SVHN),
        even=partial(_digits, EVEN),
        errors=none_known,
        settings=SETTINGS["plates"],
    ),
    Scene(
        name="wares",
        looks=("edges", "photos"),
        judges=("scenes/judge_edges", "scenes/judge_photos"),
        classes=wares.NAMES,
        channels=(1, 3),
        masses=(EDGE_SHARES, PHOTO_SHARES),
        uneven=_wares,
        even=_same_wares,
        errors=to_counterparts,
        settings=SETTINGS["wares"],
    ),
    Scene(
        name="heads",
        looks=("photographs", "paintings"),
        judges=("scenes/judge_photographs", "scenes/judge_paintings"),
        classes=heads.NAMES,
        channels=(3, 3),
        masses=GLASSES,
        uneven=_heads,
        even=_same_heads,
        errors=to_counterparts,
        settings=SETTINGS["heads"],
    ),
)
SCENES: Mapping[str, Scene] = {scene.name: scene for scene in _ALL}
