"""MNIST out of balance in minibatches of 128, JD-BW with its weights and without: for a GPU.

The zeros of the second box are a tenth: three in the minibatches of 32 of `reweighting/mnist`,
thirteen in these. It trains on a CUDA device where there is one; on a CPU a run takes two and a
half hours.

Said before these runs: JD-BW keeps at least 85 % of the zeros and the joint discriminator at most
60 %, as on the page of the digits.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.data.digits import Split
from domain_translation.reweighting.config import FULL_DIGITS
from domain_translation.reweighting.domains.scenes import held_out_pair, training_pair
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.studies import device
from domain_translation.studies.reweighting.grid import EVERY, Case, excerpt, measure
from domain_translation.studies.reweighting.methods import TRAIN, translations
from domain_translation.studies.study import Study

LARGE = replace(FULL_DIGITS, batch=128, steps=4_800)
METHODS = ("JD-BW", "joint discriminator")


def run(case: Case, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train one translator on the best device and translate the test images there.

    Raises: as `grid.run`.
    """
    scene = case.drawn()
    pair, test = _there(training_pair(scene, seed)), _there(held_out_pair(scene))
    found = TRAIN[case.method](pair, case.config, seed, folder / "training.checkpoint")
    made = translations(found, test, *scene.fixed) | {
        "totals": found.totals[::EVERY].float(),
        "shares": found.shares[::EVERY].float(),
        "parameters": torch.tensor(found.parameters),
    }
    return {name: t.cpu() for name, t in made.items()}


def _there(pair: Pair) -> Pair:
    return Pair(*(Split(*(t.to(device.best()) for t in part)) for part in pair))


STUDY = Study(
    "reweighting/mnist_batches",
    {method: Case("mnist", method, LARGE) for method in METHODS},
    range(3),
    run,
    measure,
    excerpt=excerpt,
    trains=True,
    data=("mnist",),
)
