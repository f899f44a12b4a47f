"""Plates, wares and heads out of balance: which translators keep the class (JD-BW 5.2 to 5.4).

    python -m domain_translation.experiments.weights_scene_grid data/results/full/weights

trains every method of `METHODS` on every scene with several seeds, and writes the card
`scenes.json`. Finished runs are kept in OUT/scene_runs, so that a stopped grid takes up where
it was; runs are ordered by seed. `--scenes heads` does one scene alone, and its card holds no
other: two processes may share the work, and a last call for all scenes gathers what they kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from domain_translation import recipes, runtime
from domain_translation.checkpoints import digest
from domain_translation.experiments import weights_scene_measures as measures
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_methods import file_name, finished
from domain_translation.experiments.weights_scene_measures import Judges
from domain_translation.experiments.weights_scene_methods import METHODS, configuration, train
from domain_translation.experiments.weights_scenes import SCENES, training_pair
from domain_translation.files import write_atomically

SEEDS = 3


def run(name: str, seed: int, at: Judges, folder: Path) -> dict[str, Tensor]:
    """One training and its translations of the test images, from `folder` if it is there.

    Args:
        name: one of `METHODS`.
        seed: of training images and training.
        at: the scene, its judges, its test images.
        folder: of the kept runs; it must exist.

    Raises:
        KeyError: another name.
        TrainingError, CheckpointError: the training diverges, the disk refuses.
    """
    scene = at.scene
    pair = training_pair(scene, seed)
    identity = {
        "scene": scene.name,
        "method": name,
        "settings": configuration(name, scene.settings),
        "seed": seed,
        "data": digest(
            {"x": pair.x.x, "y": pair.y.x, "test x": at.test.x.x, "test y": at.test.y.x}
        ),
    }

    return finished(
        folder / file_name(scene.name, name, seed),
        identity,
        lambda: train(name, pair, scene.settings, seed),
        at.test,
        measures.SOURCES,
        measures.NOISES,
    )


def summary(found: Mapping[str, Tensor], at: Judges) -> dict[str, Any]:
    """What the card says of a run."""
    x, y = at.test
    numbers = {
        **measures.of_translations(found, at),
        **measures.of_masses(found["totals"], found["shares"], at.scene),
        "cpu seconds": float(found["seconds"]),
    }
    there = measures.table(at.y, found["gx"], x.y, at.scene)
    here = measures.table(at.x, found["fy"], y.y, at.scene)
    return {
        **rounded(numbers),
        "parameters": int(found["parameters"]),
        "confusion, x to y": [[round(v, 3) for v in row] for row in there.tolist()],
        "confusion, y to x": [[round(v, 3) for v in row] for row in here.tolist()],
        "totals": found["totals"].double().round(decimals=3).tolist(),
    }


def rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    """Four decimals of each."""
    return {name: round(value, 4) for name, value in numbers.items()}


def of_scene(at: Judges) -> dict[str, Any]:
    """What the card says of a scene before anything is trained on it."""
    scene, test = at.scene, at.test
    return {
        "looks": scene.looks,
        "classes": scene.classes,
        "size": test.x.x.shape[-1],
        "channels": scene.channels,
        "masses": scene.masses,
        "goal": scene.goal().tolist(),
        "tests": len(test.x.x),
        "judges right": rounded(measures.right(at)),
        "doing nothing": rounded(measures.nothing(at)),
        "one picture": rounded(measures.one_picture(at)),
        "settings": {name: configuration(name, scene.settings) for name in METHODS},
        "pictures": {
            "x": pictures(test.x.x[: measures.SHOWN]),
            "y": pictures(test.y.x[: measures.SHOWN]),
        },
    }


def planned(scenes: Iterable[str], seeds: int) -> list[tuple[str, str, int]]:
    """All runs, by seed: scene, method, seed."""
    return [(s, name, seed) for seed in range(seeds) for s in scenes for name in METHODS]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_scene_grid",
        description="Translators between plates, wares and heads whose classes are out of balance.",
    )
    parser.add_argument("out", type=Path, help="folder of scenes.json and of the runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--scenes", nargs="+", choices=list(SCENES), default=list(SCENES))
    options = parser.parse_args(arguments)
    folder = options.out / "scene_runs"
    folder.mkdir(parents=True, exist_ok=True)
    judged = {name: measures.judges(SCENES[name]) for name in options.scenes}
    card = {"scenes": {name: of_scene(at) | {"runs": []} for name, at in judged.items()}}
    for scene, name, seed in planned(options.scenes, options.seeds):
        found = run(name, seed, judged[scene], folder)
        entry = {"method": name, "seed": seed, **summary(found, judged[scene])}
        if seed == 0:
            entry["pictures"] = measures.shown(found)
        card["scenes"][scene]["runs"].append(entry)
        _write(options.out / "scenes.json", card)
        told = f"kept {entry['kept, x to y']:.2f} and back {entry['kept, y to x']:.2f}"
        print(f"{scene}, {name}, seed {seed}: {told}", flush=True)
    return 0


def _write(path: Path, card: Mapping[str, Any]) -> None:
    runs = [run for scene in card["scenes"].values() for run in scene["runs"]]
    whole = {
        **card,
        "cpu seconds": round(sum(run["cpu seconds"] for run in runs)),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine() | {"cores": os.cpu_count()},
        "versions": runtime.versions(),
    }
    write_atomically(path, (json.dumps(whole) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
