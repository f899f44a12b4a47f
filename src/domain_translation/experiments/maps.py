"""Cooling real aerial photographs: L-Cool's Table 3 in the full profile (lcool.tab3).

    python -m domain_translation.experiments.maps --work WORK --out data/results/full/maps

trains a CycleGAN and a denoiser on pix2pix's maps at 128x128, chooses the settings of cooling on
validation pairs, evaluates them on test pairs, and writes a card of results, a strip of pictures
and the networks. The data are the registry's set `maps256`; DOMAIN_TRANSLATION_DATA names the
folder of its files. Everything resumes from WORK: the same command finishes what was stopped.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation import cooling, cyclegan, dae, runtime, scores
from domain_translation.checkpoints import digest
from domain_translation.cooling import PAPER, Cooling, Trial
from domain_translation.cyclegan import CycleGANConfig
from domain_translation.dae.training import DenoiserConfig
from domain_translation.data import folders, registry
from domain_translation.evaluation import pixel_accuracy
from domain_translation.experiments import maps_card
from domain_translation.experiments.kept import kept, seconds, timed
from domain_translation.experiments.map_study import in_batches
from domain_translation.files import write_atomically
from domain_translation.models import load_model, save_model
from domain_translation.recipes import machine

DATA = "maps256"
SPLITS = ("train", "validation", "test")
CLOCK = "maps_seconds.json"  # in the work folder


@dataclass(frozen=True)
class Plan:
    """Settings of the run. Sides are in pixels."""

    cyclegan: CycleGANConfig = cyclegan.FULL
    load_size: int = 143  # of the CycleGAN's training pictures, cropped at random to its size
    denoiser: DenoiserConfig = DenoiserConfig(steps=2500, batch=4, learning_rate=1e-3)  # noqa: RUF009
    sigma: float = 0.3  # std of the denoiser's noise, pixels in [-1, 1] (lcool.train.dae_image)
    step_sizes: tuple[float, ...] = (0.001, 0.005, 0.02)  # two of L-Cool's grid, one beyond
    temperatures: tuple[float, ...] = (0.001,)  # the best of the source's; it hardly matters
    steps: tuple[int, ...] = (5, 10, 20, 40)
    seed: int = 0  # of both trainings
    noise_seeds: tuple[int, ...] = (0,)  # of the cooling of the test photographs


class Pairs(NamedTuple):
    """Photographs and maps, (n, 3, S, S) in [-1, 1]."""

    train: folders.Domains  # at the plan's load_size
    photos: Tensor  # the training photographs at the CycleGAN's size, for the denoiser
    validation: folders.Domains
    test: folders.Domains


class Networks(NamedTuple):
    """What the run trains; the evaluation uses the stored weights, rounded to 16 bits."""

    forward: nn.Module
    backward: nn.Module
    denoiser: nn.Module


def read(plan: Plan) -> Pairs:
    """The pictures of the set `maps256`; errors as in `folders.paired`."""
    size = plan.cyclegan.size
    return Pairs(
        folders.paired(DATA, plan.load_size, "train"),
        folders.paired(DATA, size, "train").source,
        folders.paired(DATA, size, "validation"),
        folders.paired(DATA, size, "test"),
    )


def train(pairs: Pairs, plan: Plan, work: Path, out: Path) -> Networks:
    """Train, or take up again, both parts, and store their weights in float16 under `out`."""
    with timed(work / CLOCK, "cyclegan"):
        gan = cyclegan.train_cyclegan(
            pairs.train.source,
            pairs.train.target,
            plan.cyclegan,
            plan.seed,
            work / "maps_cyclegan.ckpt",
        ).networks
    with timed(work / CLOCK, "denoiser"):
        denoiser = dae.train_denoiser(
            dae.UNetDenoiser,
            pairs.photos,
            plan.sigma,
            plan.denoiser,
            plan.seed,
            work / "maps_denoiser.ckpt",
        )
    resnet = {"width": plan.cyclegan.width, "blocks": plan.cyclegan.blocks}
    for name, network, kind, arguments, config in (
        ("forward", gan.forward, "ResnetGenerator", resnet, plan.cyclegan),
        ("backward", gan.backward, "ResnetGenerator", resnet, plan.cyclegan),
        ("denoiser", denoiser, "UNetDenoiser", {}, plan.denoiser),
    ):
        card = {
            "data": DATA,
            "seed": plan.seed,
            "config": asdict(config),
            "size": plan.cyclegan.size,
            "channels": 3,
            "range": "[-1, 1]",
            "versions": runtime.versions(),
        }
        card |= {"sigma": plan.sigma} if name == "denoiser" else {}
        save_model(out / f"{name}.safetensors", network, kind, arguments, card, torch.float16)
    return Networks(*(load_model(out / f"{n}.safetensors").network for n in Networks._fields))


def score_of(networks: Networks, sigma: float) -> scores.Score:
    """The photographs' score."""
    return scores.dae_score(in_batches(networks.denoiser), sigma)


def choose(networks: Networks, validation: folders.Domains, plan: Plan) -> dict[str, Tensor]:
    """Mean pixel accuracy of the validation maps: plain, and of every setting, best first.

    Returns:
        "plain" (), and "trials" (settings, 4): step size, temperature, steps, accuracy in [0, 1].
    """
    translator = in_batches(networks.forward)
    score = score_of(networks, plan.sigma)
    x, truth = validation

    @torch.no_grad()
    def accuracy(z: Tensor) -> float:
        return float(pixel_accuracy(translator(z), truth).mean())

    trials = cooling.search(
        score,
        x,
        accuracy,
        step_sizes=plan.step_sizes,
        temperatures=plan.temperatures,
        steps=plan.steps,
        seed=plan.seed,
    )
    exact = torch.float64
    return {
        "plain": torch.tensor(accuracy(x), dtype=exact),
        "trials": torch.tensor(trials, dtype=exact),
    }


def evaluate(
    networks: Networks, test: folders.Domains, setting: Cooling, noise_seed: int
) -> dict[str, Tensor]:
    """What `maps_card.measured` finds in one study of the test photographs."""
    score = score_of(networks, setting.sigma)
    translator = in_batches(networks.forward)
    found = cooling.study(translator, score, test.source, setting, seed=noise_seed)
    return maps_card.measured(found, test)


def run(pairs: Pairs, plan: Plan, work: Path, out: Path) -> dict[str, Any]:
    """All stages; writes the networks, `strip.png` and `card.json` under `out`.

    Returns:
        the card.

    Raises:
        CheckpointError, TrainingError: see `training.fit`.
        OSError: a folder cannot be written.
    """
    for folder in (work, out):
        folder.mkdir(parents=True, exist_ok=True)
    networks = train(pairs, plan, work, out)
    made = {n: digest(net.state_dict()) for n, net in networks._asdict().items()}
    with timed(work / CLOCK, "search"):
        grid = [plan.sigma, plan.step_sizes, plan.temperatures, plan.steps, plan.seed]
        identity = _plain({"networks": made, "grid": grid})
        found = kept(
            work / "maps_search.ckpt", identity, lambda: choose(networks, pairs.validation, plan)
        )
    trials = [Trial(a, t, int(n), v) for a, t, n, v in found["trials"].tolist()]
    chosen = Cooling(plan.sigma, trials[0].step_size, trials[0].temperature, trials[0].steps)
    arms: dict[str, Any] = {}
    for name, setting in (("chosen", chosen), ("published", PAPER)):
        parts = []
        for seed in plan.noise_seeds:
            identity = _plain({"networks": made, "setting": asdict(setting), "seed": seed})
            with timed(work / CLOCK, "evaluation"):
                measure = functools.partial(evaluate, networks, pairs.test, setting, seed)
                parts.append(kept(work / f"maps_{name}_{seed}.ckpt", identity, measure))
        arms[name] = maps_card.arm(setting, parts)
        strip = maps_card.strip(parts[0]["strip"])  # of the last one, the published setting
    card: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "data": {f.name: f.sha256 for f in registry.lookup(DATA).files},
        "pairs": {name: len(getattr(pairs, name).source) for name in SPLITS},
        "plan": asdict(plan),
        "training": maps_card.fraction(plan.cyclegan, len(pairs.train.source)),
        "validation": {
            "plain": float(found["plain"]),
            "trials": [trial._asdict() for trial in trials],
        },
        "arms": arms,
        "baselines": maps_card.baselines(pairs.test.target),
        "hardware": machine(),
        "seconds": seconds(work / CLOCK),
        "versions": runtime.versions(),
    }
    write_atomically(out / "strip.png", strip)
    write_atomically(out / "card.json", (json.dumps(card, indent=1) + "\n").encode())
    return card


def _plain(identity: dict[str, Any]) -> dict[str, Any]:
    """As JSON returns it: tuples become lists."""
    plain: dict[str, Any] = json.loads(json.dumps(identity))
    return plain


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.maps",
        description="Cooling real aerial photographs, full profile.",
    )
    parser.add_argument("--work", type=Path, required=True, help="folder of resumable checkpoints")
    parser.add_argument("--out", type=Path, default=Path("data/results/full/maps"))
    options = parser.parse_args(arguments)
    plan = Plan()
    card = run(read(plan), plan, options.work, options.out)
    gain = card["arms"]["chosen"]["by share"][-1]
    print(f"{options.out}: {gain['plain']:.2f} plain, {gain['cooled']:.2f} cooled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
