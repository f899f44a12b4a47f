"""Three clusters in the plane, with every ingredient of JD-BW exchanged in turn.

    python -m domain_translation.experiments.weights_clusters data/results/full/weights

trains the toy of `jd_bw.toy` with five seeds per arm and writes the card `clusters.json`: the three
designs of the weights and none, tight and no clipping, generators with and without the input added,
and second domains that are turned. Finished runs are kept in OUT/runs, so that a stopped grid takes
up where it was. About six minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from domain_translation import recipes, runtime
from domain_translation.batch_weight.masses import midpoint
from domain_translation.experiments import stored_runs
from domain_translation.experiments.kept import kept
from domain_translation.files import write_atomically
from domain_translation.jd_bw import toy, toy_variants, training
from domain_translation.jd_bw.images import translate
from domain_translation.jd_bw.toy import Clusters, ToyConfig
from domain_translation.notebook.cards import Card

P, Q = (0.6, 0.3, 0.1), (0.1, 0.3, 0.6)
SIDES = ("first", "second")
SEEDS = 5
TRAIN, TEST = 4000, 3000  # points of each domain
LATE = 100  # last steps over which weighted masses are averaged
EVERY = 10  # steps between the recorded masses
WINDOW = 5  # records that are averaged to tell when a run is there
CLOSE = 0.05  # to the midpoint, of each weighted mass

SETTINGS = ToyConfig(steps=400)


@dataclass(frozen=True)
class Arm:
    """One way to train the toy.

    Attributes:
        weighting: of `toy_variants.WEIGHTINGS`.
        generator: of `toy_variants.GENERATORS`.
        degrees: turn of the second domain.
        config: schedule and rates.
    """

    weighting: str = "composite"
    generator: str = "residual"
    degrees: float = 0.0
    config: ToyConfig = SETTINGS


ARMS: Mapping[str, Arm] = {
    "weights": Arm(),
    "no weights": Arm("none"),
    "one argument": Arm("one argument"),
    "two arguments": Arm("two arguments"),
    "tight": Arm(config=replace(SETTINGS, clip_first=0.5, clip_last=0.5)),
    "direct": Arm(generator="direct"),
    "turned 180": Arm(degrees=180.0),
    "turned 180, direct": Arm(generator="direct", degrees=180.0),
    "turned 90": Arm(degrees=90.0),
    "unclipped": Arm(config=replace(SETTINGS, clip_first=50.0, clip_last=50.0)),
}


def domains(n: int, seed: int, degrees: float) -> tuple[Clusters, Clusters]:
    """Training points of both domains, the second one turned."""
    x, y = toy.sample(n, P, seed), toy.sample(n, Q, seed + 100, shifted=True)
    return x, Clusters(toy_variants.turned(y.x, degrees), y.y)


def trained(arm: Arm, seed: int) -> dict[str, Tensor]:
    """One training, and its translations of test points with equal masses in both domains."""
    x, y = domains(TRAIN, seed, arm.degrees)
    test = [toy.sample(TEST, [1 / 3] * 3, 1000 + s, shifted=bool(s)) for s in (0, 1)]
    players = toy_variants.networks(arm.config, seed, arm.weighting, arm.generator)
    begun = time.process_time()
    found = training.train(x.x, y.x, players, arm.config, seed, classes=(x.y, y.y))
    spent = time.process_time() - begun
    turned = toy_variants.turned(test[1].x, arm.degrees)
    return {
        "x": test[0].x,
        "class": test[0].y,
        "class y": test[1].y,
        "gx": translate(found.networks.forward, test[0].x, arm.config.noise, seed),
        "fy": translate(found.networks.backward, turned, arm.config.noise, seed),
        "totals": found.totals,
        "shares": found.shares,
        "seconds": torch.tensor(spent),
    }


def moved(classes: Tensor, found: Tensor) -> list[list[float]]:
    """Shares (3, 3) of each cluster's points that end in each cluster, from labels (n,), (n,)."""
    table = torch.zeros(3, 3).index_put_((classes, found), torch.ones(len(found)), accumulate=True)
    return [[round(v, 4) for v in row] for row in (table / table.sum(1, keepdim=True)).tolist()]


def summary(found: Mapping[str, Tensor], arm: Arm) -> dict[str, Any]:
    """What the card says of a run."""
    there = moved(found["class"], toy_variants.turned_cluster_of(found["gx"], 3, arm.degrees))
    back = moved(found["class y"], toy.cluster_of(found["fy"], 3, shifted=False))
    step = (found["gx"] - found["x"]).square().sum(1)
    by_class = torch.stack([step[found["class"] == k].mean() for k in range(3)])
    return {
        "there": there,
        "back": back,
        "kept": _kept(there),
        "kept back": _kept(back),
        "masses": _rounded(found["totals"][-LATE:].mean(0)),
        "share": _rounded(found["shares"][-LATE:].mean(0)),
        "least share": round(float(found["shares"].min()), 4),
        "displacement": round(float(by_class.double() @ midpoint(P, Q)), 4),
        "totals": _rounded(found["totals"][::EVERY]),
        "cpu seconds": round(float(found["seconds"]), 2),
    }


def card() -> Card:
    """The stored runs, in the names of `told`."""
    found = stored_runs.read("weights/clusters")
    return stored_runs.as_card(
        "weights/clusters-full",
        map(told, found["runs"]),
        found,
        arm=lambda run: str(run["arm"]),
        items=items,
    )


def told(run: Mapping[str, Any]) -> dict[str, Any]:
    """What is judged of a stored run; clusters are counted from 1."""
    here, middle = np.array(run["masses"]), midpoint(P, Q).numpy()
    numbers = {
        "kept there": run["kept"],
        "kept back": run["kept back"],
        "kept, worse way": min(run["kept"], run["kept back"]),
        "masses from the midpoint": float(np.abs(here - middle).max()),
        "masses between the domains": float(np.abs(here[0] - here[1]).max()),
        "steps to the midpoint": reached(run["totals"]),
        "effective share, first domain": run["share"][0],
        "effective share, second domain": run["share"][1],
        "least effective share": run["least share"],
        "displacement": run["displacement"],
    }
    for k, mass in enumerate(here.T.tolist()):
        numbers |= {
            f"mass of cluster {k + 1}, {d} domain": m for d, m in zip(SIDES, mass, strict=True)
        }
    for i, row in enumerate(run["there"]):
        numbers |= {f"from cluster {i + 1} to {k + 1}": v for k, v in enumerate(row)}
    return {"arm": run["arm"], "seed": run["seed"], **numbers}


def items(name: str) -> int:
    """How many test points a number of a run is a share of; 0 where it is none."""
    return TEST if name.startswith("kept") else TEST // 3 if name.startswith("from cluster") else 0


def smoothed(totals: ArrayLike) -> NDArray[np.float64]:
    """Means over the last `WINDOW` records, fewer at the beginning: (n, sides, K)."""
    t = np.asarray(totals, dtype=float)
    return np.stack([t[max(0, i + 1 - WINDOW) : i + 1].mean(0) for i in range(len(t))])


def reached(totals: ArrayLike) -> int:
    """First recorded step at which all smoothed masses are `CLOSE` to the midpoint, or the end."""
    close = (np.abs(smoothed(totals) - midpoint(P, Q).numpy()) < CLOSE).all((1, 2))
    return EVERY * int(close.argmax() if close.any() else len(close))


def _kept(table: Sequence[Sequence[float]]) -> float:
    return round(sum(row[k] for k, row in enumerate(table)) / len(table), 4)


def _rounded(values: Tensor) -> Any:
    return values.double().mul(1e4).round().div(1e4).tolist()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_clusters",
        description="The planar toy of JD-BW with every ingredient exchanged in turn.",
    )
    parser.add_argument("out", type=Path, help="folder of clusters.json and of the runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    folder = options.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for name, arm in ARMS.items():
        for seed in range(options.seeds):
            identity = {"arm": name, "seed": seed, **asdict(arm)}
            plain = f"clusters-{name}-{seed}".replace(" ", "-").replace(",", "")
            path = folder / f"{plain}.safetensors"
            found = kept(path, identity, lambda arm=arm, seed=seed: trained(arm, seed))  # type: ignore[misc]
            entries.append({"arm": name, "seed": seed, **summary(found, arm)})
            told = entries[-1]
            print(f"{name}, seed {seed}: kept {told['kept']:.2f}, {told['masses']}", flush=True)
        _write(options.out / "clusters.json", entries)
    return 0


def _write(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    written = {
        "runs": entries,
        "arms": {name: asdict(arm) for name, arm in ARMS.items()},
        "masses": {"P": P, "Q": Q},
        "every": EVERY,
        "late": LATE,
        "points": {"train": TRAIN, "test": TEST},
        "cpu seconds": round(sum(e["cpu seconds"] for e in entries)),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine(),
        "versions": runtime.versions(),
    }
    write_atomically(path, (json.dumps(written) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
