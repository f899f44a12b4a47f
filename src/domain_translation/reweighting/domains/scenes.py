"""Pairs of domains whose classes differ in mass (JD-BW 5.1 to 5.4): one description for all.

Those that procedures draw stand in for pairs of the paper, and have what these lack: classes of
every image on both sides, and, where the picture alone decides it, the true counterpart.

* digits: skewed and resized handwriting against balanced, as in SR-MNIST (jdbw.data.srmnist);
* plates: balanced glyphs against house-number plates with SVHN's shares (jdbw.data.svhn);
* wares: contours, 26.6 % of them shoes, against photographs with 90 % (jdbw.data.edges);
* heads: photographs, a fifth with glasses, against paintings, three fifths (jdbw.data.portraits).

Real ones of 32x32 need the files of the profile `full`:

* mnist: SR-MNIST against MNIST;
* street: MNIST against MNIST-M, digits over photographs, in SVHN's shares;
* fashion: Canny contours of Fashion-MNIST's shoes and bags against photographs;
* faces: Labeled Faces in the Wild against painted ones. Their classes are backgrounds, dark or
  bright, because nobody labelled anything else; the painter keeps them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from domain_translation.data import arrays
from domain_translation.data.digits import Split
from domain_translation.reweighting.domains import fashion_wares, portraits, sr_digits
from domain_translation.reweighting.domains.edges import canny_edges
from domain_translation.reweighting.domains.fashion_wares import EDGE_SHARES, PHOTO_SHARES
from domain_translation.reweighting.domains.mass_shift import resample, shrunk_and_turned
from domain_translation.reweighting.domains.sr_digits import ZEROS, Pair
from domain_translation.reweighting.masses import masses, midpoint, skewed
from domain_translation.synthetic.digits import glyphs, plates
from domain_translation.synthetic.heads import heads
from domain_translation.synthetic.painterly import painted
from domain_translation.synthetic.wares import wares

SIZE, REAL_SIZE = 16, 32  # side of drawn and of real pictures in pixels
EVEN = (0.1,) * 10
HALF = (0.5, 0.5)
SVHN = tuple(count / sum(plates.SVHN_COUNTS) for count in plates.SVHN_COUNTS)
# Heads without and with glasses; nobody counted those of the paper, so the shares are declared.
GLASSES = ((0.8, 0.2), (0.4, 0.6))
DIGITS = tuple("0123456789")

# Seeds of the draws. A training draws x with FIRST + 2 seed and y with the next, so that no image
# of one part, or of one side, is in another.
HELD_OUT, JUDGES, FIRST = 0, 1, 100

Draw = Callable[[int, int], Pair]  # number of images of each side, and seed
Shares = tuple[float, ...]


@dataclass(frozen=True)
class Scene:
    """Two domains whose classes differ in mass, with their judges and test images.

    Attributes:
        name: plates, wares, ...
        looks: what the first and the second domain are called.
        classes: names of the classes 0, 1, ..., the same in both.
        channels: of the images of either domain.
        masses: of the classes in the training images of the first domain, p, and the second, q.
        uneven: draws training images of those masses by the seed of a training; image i of one
            side is not that of the other.
        even: draws images whose classes are alike frequent: by the seed `HELD_OUT` those that no
            training sees, by any other seed others.
        judges: names of the shipped classifiers of the two domains; "" has to be trained.
        paired: whether `even` draws image i of the second domain as the counterpart of the first's.
        images, tests, judged: how many images of a side a training, a test, a judge has.
        fixed: how many test images are translated with how many fixed noises.
        shown: the translations of test images that may be shown.
        each_class: three test images of class 0 and one of each other are shown, not the first.
    """

    name: str
    looks: tuple[str, str]
    classes: tuple[str, ...]
    channels: tuple[int, int]
    masses: tuple[Shares, Shares]
    uneven: Draw
    even: Draw
    judges: tuple[str, str] = ("", "")
    paired: bool = False
    images: int = 3000
    tests: int = 400
    judged: int = 4000
    fixed: tuple[int, int] = (40, 8)  # noises as in JD-BW's Fig. 4
    shown: tuple[str, ...] = ("gx", "fgx", "fy", "gfy", "noises")
    each_class: bool = False

    def goal(self) -> Tensor:
        """Class masses (K,) at which two-sided weights meet."""
        p, q = self.masses
        return midpoint(masses(p), masses(q))


@functools.lru_cache(maxsize=1)
def training_pair(scene: Scene, seed: int, n: int | None = None) -> Pair:
    """n training images of either domain, in the scene's masses; None: as many as it trains on.

    Raises:
        ValueError: a negative seed, or n below 1.
        MissingData, DamagedData: of a real scene, without its files; see `fetch.fetch`.
    """
    if seed < 0:
        raise ValueError(f"seed is {seed}; give an integer, 0 or larger")
    return scene.uneven(scene.images if n is None else n, seed)


def held_out_pair(scene: Scene, n: int | None = None) -> Pair:
    """n test images of either domain, all classes alike frequent; no training sees them.

    Where the scene knows true counterparts, image i of y is that of image i of x.
    """
    return scene.even(scene.tests if n is None else n, HELD_OUT)


def judged_pair(scene: Scene, n: int | None = None) -> Pair:
    """n images of either domain that its judge is trained on, and nothing else."""
    return scene.even(scene.judged if n is None else n, JUDGES)


@functools.cache
def digits(zeros: float = ZEROS, source: str = "digits") -> Scene:
    """Digits of `sr_digits.SOURCES`; in the first domain a share `zeros` of them are zeros."""
    return Scene(
        name=source,
        looks=("skewed and resized", "as they come"),
        classes=DIGITS,
        channels=(1, 1),
        masses=(tuple(skewed(zeros).tolist()), EVEN),
        uneven=lambda n, seed: sr_digits.training_pair(source, zeros, n, seed),
        even=partial(_same_digits, source),
        judges=("shift/judge_turned", "shift/judge_plain"),
        images=4000,
        tests=360,
        fixed=(12, 6),
        each_class=True,
    )


def _same_digits(source: str, n: int, seed: int) -> Pair:
    """The first n digits of a part in both looks."""
    real = sr_digits.SOURCES[source](_part(seed))
    moved = shrunk_and_turned(real.x, seed)
    return Pair(Split(moved[:n], real.y[:n]), Split(real.x[:n], real.y[:n]))


def _part(seed: int) -> str:
    """Part of a data set that `Scene.even` draws from: the held-out images are test images."""
    return "test" if seed == HELD_OUT else "train"


def _fresh(draw: Draw) -> Draw:
    """`draw` by the seed of a training, whose images are in no other training and no other part."""
    return lambda n, seed: draw(n, FIRST + 2 * seed)


def _plates(shares: Shares, n: int, seed: int) -> Pair:
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


def _street(shares: Shares, part: str, n: int, seed: int) -> Pair:
    """n balanced MNIST digits, and n of MNIST-M with the given shares."""
    x, y = (arrays.load(name, part) for name in ("mnist", "mnistm"))
    return Pair(resample(x, EVEN, n, seed), resample(y, shares, n, seed + 1))


def _fashion(n: int, seed: int) -> Pair:
    """Contours and photographs of different wares in JD-BW's shares, from the training part."""
    return Pair(*fashion_wares.divided(arrays.load("fashion_unbalanced", "train"), n, seed))


def _same_fashion(n: int, seed: int) -> Pair:
    """As many shoes as bags; image i of x is the contour of image i of y."""
    real = fashion_wares.only_wares(arrays.load("fashion_unbalanced", _part(seed)))
    y = resample(real, HALF, n, seed)
    return Pair(Split(canny_edges(y.x), y.y), y)


def _faces(shares: tuple[Shares, Shares], part: str, n: int, seed: int) -> Pair:
    """Photographs and paintings of different people, dark and bright backgrounds in `shares`."""
    x, y = (Split(side, bright(side)) for side in portraits.load(part, REAL_SIZE, seed=0))
    return Pair(resample(x, shares[0], n, seed), resample(y, shares[1], n, seed + 1))


def bright(x: Tensor) -> Tensor:
    """1 where the upper corners of images (n, 3, S, S) are brighter than grey, else 0: (n,)."""
    side = x.shape[-1] // 4
    corners = torch.cat([x[..., :side, :side], x[..., :side, -side:]], -1)
    return (corners.mean((1, 2, 3)) > 0).long()


_PLATES = Scene(
    name="plates",
    looks=("glyphs", "plates"),
    classes=DIGITS,
    channels=(1, 3),
    masses=(EVEN, SVHN),
    uneven=_fresh(partial(_plates, SVHN)),
    even=partial(_plates, EVEN),
    judges=("energies/judge_glyphs", "scenes/judge_plates"),
)
_WARES = Scene(
    name="wares",
    looks=("edges", "photos"),
    classes=wares.NAMES,
    channels=(1, 3),
    masses=(EDGE_SHARES, PHOTO_SHARES),
    uneven=_fresh(_wares),
    even=_same_wares,
    judges=("scenes/judge_edges", "scenes/judge_photos"),
    paired=True,
)
_HEADS = Scene(
    name="heads",
    looks=("photographs", "paintings"),
    classes=heads.NAMES,
    channels=(3, 3),
    masses=GLASSES,
    uneven=_fresh(_heads),
    even=_same_heads,
    judges=("scenes/judge_photographs", "scenes/judge_paintings"),
    paired=True,
)
_TRANSLATIONS = ("gx", "fy", "noises")  # the originals of real scenes are not ours to pass on
_STREET = replace(
    _PLATES,
    name="street",
    looks=("MNIST", "MNIST-M"),
    uneven=_fresh(partial(_street, SVHN, "train")),
    even=lambda n, seed: _street(EVEN, _part(seed), n, seed),
    judges=("", ""),
    shown=_TRANSLATIONS,
)
_FASHION = replace(
    _WARES,
    name="fashion",
    looks=("contours", "photographs"),
    channels=(1, 1),
    uneven=_fresh(_fashion),
    even=_same_fashion,
    judges=("", ""),
    shown=_TRANSLATIONS,
)
_FACES = replace(
    _HEADS,
    name="faces",
    classes=("dark", "bright"),
    uneven=_fresh(partial(_faces, GLASSES, "train")),
    even=lambda n, seed: _faces((HALF, HALF), _part(seed), n, seed),
    judges=("", ""),
    paired=False,
    shown=(),  # translations of faces are the faces, and nobody asked these people
)
_MNIST = replace(
    digits(source="mnist"),
    judges=("", "energies/judge_mnist"),
    images=12_000,
    tests=5_000,
    judged=60_000,
    shown=("gx", "fgx"),
)

DRAWN: Mapping[str, Scene] = {s.name: s for s in (_PLATES, _WARES, _HEADS)}
REAL: Mapping[str, Scene] = {s.name: s for s in (_MNIST, _STREET, _FASHION, _FACES)}
SCENES: Mapping[str, Scene] = {"digits": digits(), **DRAWN, **REAL}
