"""JD-BW 5.2 to 5.4 on real handwriting and photographs of 32x32 (profile `full`).

    python -m domain_translation.experiments.weights_real data/results/full/weights

trains JD-BW, its joint discriminator alone and MUNIT on three pairs of real domains out of balance,
with judges trained on real labelled images, and writes the card `real.json`. It needs the files of
the full profile; finished runs and judges are kept in OUT/real_runs.

* street: MNIST against MNIST-M, digits over photographs, in SVHN's shares (jdbw.data.svhn);
* fashion: Canny contours of Fashion-MNIST's shoes and bags against photographs (jdbw.data.edges);
* faces: Labeled Faces in the Wild against painted ones (jdbw.data.portraits). Their classes are
  backgrounds, dark or bright, because nobody labelled anything else; the painter keeps them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation import recipes, runtime
from domain_translation.data import arrays, portraits
from domain_translation.data.digits import Split
from domain_translation.data.edges import canny_edges
from domain_translation.data.fashion_wares import EDGE_SHARES, PHOTO_SHARES, divided, only_wares
from domain_translation.data.mass_shift import resample
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.counterparts import none_known, to_counterparts
from domain_translation.evaluation.sample_judges import FASHION, MNIST, train_sample_judge
from domain_translation.experiments import weights_scene_grid as grid
from domain_translation.experiments import weights_scene_measures as measures
from domain_translation.experiments import weights_scene_tables as tables
from domain_translation.experiments.weights_scene_measures import Judges
from domain_translation.experiments.weights_scene_settings import (
    HEADS,
    PLATES,
    WARES,
    Settings,
    with_weights,
)
from domain_translation.experiments.weights_scene_yardsticks import live
from domain_translation.experiments.weights_scenes import (
    EVEN,
    GLASSES,
    HELD_OUT,
    JUDGED,
    SVHN,
    Scene,
    held_out_pair,
)
from domain_translation.files import write_atomically
from domain_translation.jd_bw.config import FULL_DIGITS, ImageConfig
from domain_translation.munit import config as munit

SIZE = FULL_DIGITS.size  # side of all pictures in pixels
SEED = 0
COMPARED = ("JD-BW", "joint discriminator", "MUNIT")
# The translations that the card shows. Those of faces are the faces, and nobody asked these people.
TOLD = {"street": ("gx", "fy", "noises"), "fashion": ("gx", "fy", "noises"), "faces": ()}
HALF = (0.5, 0.5)


def part(seed: int) -> str:
    """Part of a data set that `Scene.even` draws from: the held-out images are test images."""
    return "test" if seed == HELD_OUT else "train"


def street(shares: Sequence[float], of: str, n: int, seed: int) -> Pair:
    """n balanced MNIST digits, and n of MNIST-M with the given shares."""
    x, y = (arrays.load(name, of) for name in ("mnist", "mnistm"))
    return Pair(resample(x, EVEN, n, seed), resample(y, shares, n, seed + 1))


def fashion(n: int, seed: int) -> Pair:
    """Contours and photographs of different wares in JD-BW's shares, from the training part."""
    return Pair(*divided(arrays.load("fashion", "train"), n, seed))


def same_fashion(n: int, seed: int) -> Pair:
    """As many shoes as bags; image i of x is the contour of image i of y."""
    y = resample(only_wares(arrays.load("fashion", part(seed))), HALF, n, seed)
    return Pair(Split(canny_edges(y.x), y.y), y)


def faces(shares: Sequence[Sequence[float]], of: str, n: int, seed: int) -> Pair:
    """Photographs and paintings of different people, dark and bright backgrounds in `shares`."""
    sides = portraits.load(of, SIZE, seed=SEED)
    x, y = (Split(side, bright(side)) for side in sides)
    return Pair(resample(x, shares[0], n, seed), resample(y, shares[1], n, seed + 1))


def bright(x: Tensor) -> Tensor:
    """1 where the upper corners of images (n, 3, S, S) are brighter than grey, else 0: (n,)."""
    side = x.shape[-1] // 4
    corners = torch.cat([x[..., :side, :side], x[..., :side, -side:]], -1)
    return (corners.mean((1, 2, 3)) > 0).long()


def settings(joint: ImageConfig, judge: Any) -> Settings:
    """A scene's settings with the size, width and steps of MNIST at 32x32."""
    full = FULL_DIGITS
    ours = replace(joint, size=full.size, width=full.width, steps=full.steps)
    return Settings(ours, munit.FULL, with_weights(munit.FULL), judge)


SCENES = {
    "street": Scene(
        name="street",
        looks=("MNIST", "MNIST-M"),
        judges=("mnist", "mnistm"),
        classes=tuple("0123456789"),
        channels=(1, 3),
        masses=(EVEN, SVHN),
        uneven=partial(street, SVHN, "train"),
        even=lambda n, seed: street(EVEN, part(seed), n, seed),
        errors=none_known,
        settings=settings(PLATES, MNIST),
    ),
    "fashion": Scene(
        name="fashion",
        looks=("contours", "photographs"),
        judges=("contours", "photographs"),
        classes=("bag", "shoe"),
        channels=(1, 1),
        masses=(EDGE_SHARES, PHOTO_SHARES),
        uneven=fashion,
        even=same_fashion,
        errors=to_counterparts,
        settings=settings(WARES, FASHION),
    ),
    "faces": Scene(
        name="faces",
        looks=("photographs", "paintings"),
        judges=("faces", "painted"),
        classes=("dark", "bright"),
        channels=(3, 3),
        masses=GLASSES,
        uneven=partial(faces, GLASSES, "train"),
        even=lambda n, seed: faces((HALF, HALF), part(seed), n, seed),
        errors=none_known,
        settings=settings(HEADS, FASHION),
    ),
}


def judges(scene: Scene, folder: Path) -> Judges:
    """Judges of both domains, trained on real images in equal masses, and the test images."""
    pair = scene.even(JUDGED, 1)
    found = [
        train_sample_judge(
            side.x, side.y, scene.settings.judge, SEED, folder / f"judge_{name}.checkpoint"
        )
        for side, name in zip(pair, scene.judges, strict=True)
    ]
    return Judges(scene, found[0], found[1], held_out_pair(scene))


def of_scene(at: Judges, folder: Path) -> dict[str, Any]:
    """A scene, its trainings, and what real images reach beside them ("beside", by way).

    Of the pictures only `TOLD` stay: the images themselves are not ours to pass on.
    """
    runs = []
    for method in COMPARED:
        found = grid.run(method, SEED, at, folder)
        entry = {"method": method, "seed": SEED, **grid.summary(found, at)}
        runs.append(entry | {"pictures": measures.shown(found)})
        told = f"kept {entry['kept, x to y']:.2f} and back {entry['kept, y to x']:.2f}"
        print(f"{at.scene.name}, {method}: {told}", flush=True)
    scene = {**grid.of_scene(at), "runs": runs, "beside": {}}
    for way in tables.WAYS:
        rows = live(tables.SceneCard(scene, ""), at, way)
        scene["beside"][way] = {row: grid.rounded(numbers) for row, numbers in rows.items()}
    del scene["pictures"]
    for entry in runs:
        entry["pictures"] = {which: entry["pictures"][which] for which in TOLD[at.scene.name]}
    return scene


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_real",
        description="Translators between real domains whose classes are out of balance.",
    )
    parser.add_argument("out", type=Path, help="folder of real.json and of the runs")
    parser.add_argument("--scenes", nargs="+", choices=list(SCENES), default=list(SCENES))
    options = parser.parse_args(arguments)
    folder = options.out / "real_runs"
    folder.mkdir(parents=True, exist_ok=True)
    scenes: dict[str, Any] = {}
    for name in options.scenes:
        scenes[name] = of_scene(judges(SCENES[name], folder), folder)
        card = {
            "scenes": scenes,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": recipes.machine(),
            "versions": runtime.versions(),
        }
        write_atomically(options.out / "real.json", (json.dumps(card) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
